"""Tests of the learned weights between the tasks."""

import keras
import numpy as np
import tensorflow as tf
from absl.testing import absltest

from nppnet_tf import keys
from nppnet_tf.losses import task_weighting

INITIAL = {keys.POSE: -2.5, keys.PARSING: 2.3}


def _call(layer, pose, parsing, num_poses=1.0, num_pixels=1.0):
    return layer(
        {
            keys.POSE: [tf.constant(loss) for loss in pose],
            keys.PARSING: [tf.constant(loss) for loss in parsing],
        },
        {
            keys.POSE: tf.constant(num_poses),
            keys.PARSING: tf.constant(num_pixels),
        },
    )


class TaskWeightingTest(absltest.TestCase):
    def test_total_by_hand(self):
        layer = task_weighting.TaskWeighting(2, INITIAL)

        total = _call(layer, pose=(0.5, 0.25), parsing=(3.0, 2.0))

        expected = 0.75 * np.exp(2.5) - 5.0 + 5.0 * np.exp(-2.3) + 4.6
        self.assertAlmostEqual(float(total), expected, places=5)

    def test_gradient_vanishes_where_a_weight_is_best(self):
        # d/dl (exp(-l) loss + l) = 0 at l = log(loss).
        layer = task_weighting.TaskWeighting(
            1, {keys.POSE: np.log(0.1), keys.PARSING: 1.0}
        )

        with tf.GradientTape() as tape:
            total = _call(layer, pose=(0.1,), parsing=(3.0,))
        pose, parsing = tape.gradient(
            total, [weight.value for weight in layer.trainable_variables]
        )

        np.testing.assert_allclose(pose, [0.0], atol=1e-6)
        np.testing.assert_allclose(parsing, [1 - 3 * np.exp(-1)], rtol=1e-5)

    def test_the_weight_of_an_absent_task_stands_still(self):
        layer = task_weighting.TaskWeighting(2, INITIAL)

        with tf.GradientTape() as tape:
            total = _call(layer, (0.0, 0.0), (1.0, 1.0), num_poses=0.0)
        pose, parsing = tape.gradient(
            total, [weight.value for weight in layer.trainable_variables]
        )

        np.testing.assert_array_equal(pose, [0.0, 0.0])
        self.assertTrue(np.all(parsing))
        expected = 2 * np.exp(-2.3) + 4.6
        self.assertAlmostEqual(float(total), expected, places=5)

    def test_task_weights_are_the_factors_by_name(self):
        layer = task_weighting.TaskWeighting(2, INITIAL)

        weights = layer.task_weights

        self.assertEqual(
            list(weights),
            [
                "pose_stage_0",
                "pose_stage_1",
                "parsing_stage_0",
                "parsing_stage_1",
            ],
        )
        self.assertAlmostEqual(
            float(weights["pose_stage_1"]), 12.1825, places=4
        )
        self.assertAlmostEqual(
            float(weights["parsing_stage_0"]), 0.1003, places=4
        )

    def test_config_makes_an_equal_layer(self):
        layer = task_weighting.TaskWeighting(2, INITIAL)

        copy = keras.layers.deserialize(keras.layers.serialize(layer))

        self.assertEqual(copy.get_config(), layer.get_config())

    def test_an_unknown_task_is_refused(self):
        with self.assertRaisesRegex(ValueError, "Received: initial_log_var"):
            task_weighting.TaskWeighting(2, {keys.POSE: 0.0})


if __name__ == "__main__":
    absltest.main()
