"""Tests of mean IoU: published numbers, absent classes, two replicas."""

from tests import two_replicas  # isort: skip  (before any operation)

import keras
import numpy as np
import tensorflow as tf
from absl.testing import absltest
from absl.testing import parameterized

from nppnet_tf import keys
from nppnet_tf.metrics import mean_iou
from tests import shared


def _reference(case):
    """Confusion matrix of a reference case, and the case's arrays."""
    arrays = np.load(shared.shared_path("reference/ref_miou.npz"))
    num_classes = {"pascal": 7}.get(case, 20)
    confusion = sum(
        mean_iou.confusion_matrix(
            arrays[f"{case}_gt{i}"], arrays[f"{case}_pred{i}"], num_classes
        )
        for i in range(int(arrays[f"{case}_num"]))
    )
    return confusion, arrays


class ReferenceTest(parameterized.TestCase):
    @parameterized.named_parameters(
        ("lip", "lip"), ("ignored", "lip_ign"), ("pascal", "pascal")
    )
    def test_absent_as_zero_equals_schp(self, case):
        confusion, arrays = _reference(case)

        summary = mean_iou.summarize(confusion)

        np.testing.assert_array_equal(confusion, arrays[f"{case}_schp_cm"])
        np.testing.assert_allclose(
            100 * np.nan_to_num(list(summary["iou"].values())),
            arrays[f"{case}_schp_iou"],
        )
        for ours, theirs in (
            ("mean_iou_absent_as_zero", "miou"),
            ("pixel_accuracy", "pixacc"),
            ("mean_accuracy_absent_as_zero", "macc"),
        ):
            self.assertAlmostEqual(
                100 * summary[ours], float(arrays[f"{case}_schp_{theirs}"])
            )

    @parameterized.named_parameters(("lip", "lip"), ("ignored", "lip_ign"))
    def test_absent_skipped_equals_the_release(self, case):
        confusion, arrays = _reference(case)

        summary = mean_iou.summarize(confusion)

        for ours, theirs in (
            ("iou", "per_class_iou"),
            ("accuracy", "per_class_acc"),
        ):
            np.testing.assert_allclose(
                list(summary[ours].values()), arrays[f"{case}_calc_{theirs}"]
            )
        for ours, theirs in (
            ("mean_iou", "mean_iou"),
            ("pixel_accuracy", "pixel_acc"),
            ("mean_accuracy", "mean_acc"),
            ("frequency_weighted_iou", "freq_w_iou"),
        ):
            self.assertAlmostEqual(
                summary[ours], float(arrays[f"{case}_calc_{theirs}"])
            )


class SummarizeTest(absltest.TestCase):
    def test_example_by_hand(self):
        truth = np.array([[0, 0, 1], [1, 255, 1]])
        found = np.array([[0, 1, 1], [1, 7, 0]])

        summary = mean_iou.summarize(
            mean_iou.confusion_matrix(truth, found, 3), ["sky", "sea", "rock"]
        )

        self.assertAlmostEqual(summary["iou"]["sky"], 1 / 3)
        self.assertAlmostEqual(summary["iou"]["sea"], 2 / 4)
        self.assertAlmostEqual(summary["mean_iou"], 5 / 12)
        self.assertAlmostEqual(summary["mean_iou_absent_as_zero"], 5 / 18)
        self.assertAlmostEqual(summary["pixel_accuracy"], 3 / 5)
        self.assertEqual(summary["absent_classes"], ["rock"])
        self.assertEqual(summary["num_pixels"], 5)

    def test_nothing_counted_is_not_a_number(self):
        summary = mean_iou.summarize(np.zeros([2, 2], np.int64))

        self.assertTrue(np.isnan(summary["mean_iou"]))
        self.assertTrue(np.isnan(summary["pixel_accuracy"]))
        rates = [v for v in summary.values() if isinstance(v, float)]
        self.assertLen(rates, 6)
        self.assertTrue(np.isnan(rates).all())

    def test_a_label_that_is_no_class_is_refused(self):
        with self.assertRaisesRegex(ValueError, r"Received: prediction=\[3\]"):
            mean_iou.confusion_matrix(np.zeros([2]), np.array([1, 3]), 3)

    def test_different_shapes_are_refused(self):
        with self.assertRaisesRegex(ValueError, r"prediction=\(3,\)"):
            mean_iou.confusion_matrix(np.zeros([2]), np.zeros([3]), 3)

    def test_wrong_number_of_names_is_refused(self):
        with self.assertRaisesRegex(ValueError, "Received: class_names="):
            mean_iou.summarize(np.eye(3), ["one"])


class MeanIoUTest(absltest.TestCase):
    def setUp(self):
        super().setUp()
        generator = np.random.default_rng(0)
        self.label_map = generator.integers(0, 3, [4, 6, 5]).astype(np.int32)
        self.label_map[0, 0] = 255
        self.prediction = generator.integers(0, 4, [4, 6, 5]).astype(np.int32)
        self.has_label_map = np.array([1, 1, 0, 1], np.float32)
        counted = self.has_label_map > 0
        self.expected = mean_iou.summarize(
            mean_iou.confusion_matrix(
                self.label_map[counted], self.prediction[counted], 5
            )
        )["mean_iou"]

    def test_batches_add_up_to_the_function(self):
        metric = mean_iou.MeanIoU(5)

        for part in (slice(0, 1), slice(1, 4)):
            metric.update_state(
                self.label_map[part],
                self.prediction[part],
                self.has_label_map[part],
            )

        self.assertAlmostEqual(float(metric.result()), self.expected, places=6)

    def test_logits_are_upsampled_to_the_labels(self):
        logits = tf.one_hot(self.prediction, 5)[:, :2, :2] * 9.0
        upsampled = tf.compat.v1.image.resize_bilinear(
            logits, [6, 5], align_corners=True
        )
        by_class, by_logits = mean_iou.MeanIoU(5), mean_iou.MeanIoU(5)

        by_logits.update_state(self.label_map, logits)
        by_class.update_state(self.label_map, tf.argmax(upsampled, -1))

        np.testing.assert_array_equal(by_logits.confusion, by_class.confusion)

    def test_a_batch_is_read_by_its_names_and_the_last_stage(self):
        batch = {
            keys.LABEL_MAP: self.label_map,
            keys.HAS_LABEL_MAP: self.has_label_map,
        }
        logits = tf.one_hot(self.prediction, 5)
        metric = mean_iou.MeanIoU(5)

        metric.update(batch, {keys.PARSING_LOGITS: (-logits, logits)})

        self.assertAlmostEqual(float(metric.result()), self.expected, places=6)

    def test_is_zero_before_anything_is_counted(self):
        self.assertEqual(float(mean_iou.MeanIoU(5).result()), 0.0)

    def test_reset_forgets(self):
        metric = mean_iou.MeanIoU(5)
        metric.update_state(self.label_map, self.prediction)

        metric.reset_state()

        self.assertEqual(np.sum(metric.confusion), 0)

    def test_config_makes_an_equal_metric(self):
        metric = mean_iou.MeanIoU(5, ignore_label=254)

        copy = keras.metrics.deserialize(keras.metrics.serialize(metric))

        self.assertEqual(copy.get_config(), metric.get_config())

    def test_two_replicas_count_together(self):
        strategy = two_replicas.strategy()
        with strategy.scope():
            metric = mean_iou.MeanIoU(5)
        arrays = (self.label_map, self.prediction, self.has_label_map)
        parts = [two_replicas.split(strategy, array) for array in arrays]

        tf.function(lambda: strategy.run(metric.update_state, args=parts))()

        self.assertAlmostEqual(float(metric.result()), self.expected, places=6)


if __name__ == "__main__":
    absltest.main()
