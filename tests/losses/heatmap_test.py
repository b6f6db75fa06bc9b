"""Tests of the heatmap loss against the release and by hand."""

import numpy as np
import tensorflow as tf
from absl.testing import absltest
from absl.testing import parameterized

from nppnet_tf.losses import heatmap
from tests import shared

TO_NHWC = (0, 2, 3, 1)


class HeatmapLossTest(parameterized.TestCase):
    @parameterized.named_parameters(
        ("same_size", "pose_same"), ("upsampled", "pose_interp")
    )
    def test_equals_the_release(self, case):
        arrays = np.load(shared.shared_path("reference/loss_pose.npz"))
        targets = [
            arrays[f"{case}/{name}"].transpose(TO_NHWC)
            for name in ("target", "target_aux")
        ]
        for stage, log_variance in enumerate(arrays[f"{case}/lamda"]):
            predictions = [
                tf.constant(
                    arrays[f"{case}/pred_{stage}_{part}"].transpose(TO_NHWC)
                )
                for part in (0, 1)
            ]

            with tf.GradientTape() as tape:
                tape.watch(predictions)
                loss = sum(
                    heatmap.heatmap_loss(target, prediction, np.ones(2))
                    for target, prediction in zip(
                        targets, predictions, strict=True
                    )
                )
                weighted = np.exp(-log_variance) * loss
            gradients = tape.gradient(weighted, predictions)

            np.testing.assert_allclose(
                loss, arrays[f"{case}/joint_loss_{stage}"], rtol=1e-5
            )
            for part, gradient in enumerate(gradients):
                np.testing.assert_allclose(
                    gradient,
                    arrays[f"{case}/grad_{stage}_{part}"].transpose(TO_NHWC),
                    atol=1e-8,
                )

    def test_samples_without_keypoints_do_not_count(self):
        targets = np.zeros([3, 2, 2, 1], np.float32)
        predictions = tf.constant([[1.0], [2.0], [np.inf]])
        predictions = tf.tile(predictions[:, None, None], [1, 2, 2, 1])
        has_keypoints = tf.constant([1.0, 1.0, 0.0])

        loss = heatmap.heatmap_loss(targets, predictions, has_keypoints)

        self.assertAlmostEqual(float(loss), (1 + 4) / 2)

    def test_nothing_annotated_is_zero_with_zero_gradient(self):
        predictions = tf.ones([2, 2, 2, 1])

        with tf.GradientTape() as tape:
            tape.watch(predictions)
            loss = heatmap.heatmap_loss(
                tf.zeros([2, 2, 2, 1]), predictions, tf.zeros([2])
            )

        self.assertEqual(float(loss), 0.0)
        self.assertFalse(np.any(tape.gradient(loss, predictions)))

    def test_computes_in_float32(self):
        predictions = tf.fill([1, 2, 2, 1], tf.constant(3e4, tf.float16))

        loss = heatmap.heatmap_loss(
            tf.zeros([1, 2, 2, 1]), predictions, tf.ones([1])
        )

        self.assertEqual(loss.dtype, tf.float32)
        self.assertAlmostEqual(float(loss) / 3e4**2, 1.0, places=3)


if __name__ == "__main__":
    absltest.main()
