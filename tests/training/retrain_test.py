"""Retraining: what moves, what validation says, one replica and two."""

import keras
import numpy as np
import tensorflow as tf
from absl.testing import absltest

from nppnet_tf import config as configuration
from nppnet_tf import keys
from nppnet_tf.metrics.mean_iou import MeanIoU
from nppnet_tf.metrics.pck import HeatmapPCKh
from nppnet_tf.training import retrain
from tests import two_replicas
from tests.training import tiny_network


def _metrics():
    return [
        MeanIoU(tiny_network.NUM_CLASSES),
        HeatmapPCKh(head_segment=(0, 1), scored_keypoints=(0, 1)),
    ]


class RetrainModelTest(absltest.TestCase):
    def test_supernet_is_refused(self):
        with self.assertRaisesRegex(ValueError, "which is a supernet"):
            retrain.RetrainModel(
                tiny_network.TinyNetwork(),
                tiny_network.joint_loss(),
                configuration.RetrainConfig(),
            )

    def test_loss_falls(self):
        model = tiny_network.retrain_model(learning_rate=1e-2)
        dataset = tiny_network.dataset(1).repeat(20)

        model.begin_epoch(0)
        first = model.fit(dataset.take(1), shuffle=False, verbose=0).history
        model.fit(dataset, shuffle=False, verbose=0)
        last = model.fit(dataset.take(1), shuffle=False, verbose=0).history

        self.assertLess(last["loss"][0], 0.8 * first["loss"][0])

    def test_moving_statistics_follow(self):
        model = tiny_network.retrain_model()
        before = tiny_network.values(model.network.non_trainable_variables)

        model.train_step(tiny_network.batch(0))

        after = tiny_network.values(model.network.non_trainable_variables)
        for left, right in zip(before, after, strict=True):
            self.assertFalse(np.array_equal(left, right))

    def test_validation_measures_the_last_stage_and_moves_nothing(self):
        model = tiny_network.retrain_model(_metrics())
        batch = tiny_network.batch(0)
        before = tiny_network.values(model.network.variables)

        results = model.evaluate(
            tf.data.Dataset.from_tensors(batch), verbose=0, return_dict=True
        )

        metric = MeanIoU(tiny_network.NUM_CLASSES)
        predictions = model.network(batch[keys.IMAGE], training=False)
        metric.update_state(
            batch[keys.LABEL_MAP], predictions[keys.PARSING_LOGITS][-1]
        )
        self.assertAlmostEqual(
            results["mean_iou"], float(metric.result()), places=6
        )
        self.assertIn("pckh", results)
        self.assertIn("loss", results)
        for left, right in zip(
            before, tiny_network.values(model.network.variables), strict=True
        ):
            np.testing.assert_array_equal(left, right)

    def test_two_replicas_match_one_where_annotation_is_missing(self):
        models, results = [], []
        dataset = tiny_network.dataset(3).map(_without_some_annotation)
        strategies = (tf.distribute.get_strategy(), two_replicas.strategy())
        for strategy in strategies:
            with strategy.scope():
                model = tiny_network.retrain_model(
                    _metrics(), learning_rate=1e-2
                )
            model.fit(dataset, shuffle=False, verbose=0)
            results.append(model.evaluate(dataset, verbose=0, return_dict=True))
            models.append(model)

        for left, right in zip(
            *(model.network.variables for model in models), strict=True
        ):
            np.testing.assert_allclose(
                keras.ops.convert_to_numpy(left),
                keras.ops.convert_to_numpy(right),
                atol=1e-5,
                err_msg=left.path,
            )
        self.assertEqual(set(results[0]), set(results[1]))
        for name, value in results[0].items():
            self.assertAlmostEqual(value, results[1][name], places=5)


def _without_some_annotation(batch):
    """The first half of a batch, which is one replica's, lacks label maps."""
    return {
        **batch,
        keys.HAS_LABEL_MAP: tf.constant([0.0, 0.0, 1.0, 1.0]),
        keys.HAS_KEYPOINTS: tf.constant([1.0, 0.0, 1.0, 1.0]),
    }


if __name__ == "__main__":
    absltest.main()
