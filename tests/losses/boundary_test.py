"""Tests of the balanced boundary loss against the release and by hand."""

import numpy as np
import tensorflow as tf
from absl.testing import absltest
from absl.testing import parameterized

from nppnet_tf.losses import boundary
from tests import shared

TO_NHWC = (0, 2, 3, 1)


class BoundaryLossTest(parameterized.TestCase):
    @parameterized.parameters(
        "par_default", "par_confident", "par_ohem", "par_noignore"
    )
    def test_value_and_gradient_equal_the_release(self, case):
        arrays = np.load(shared.shared_path("reference/loss_par.npz"))
        for stage, log_variance in enumerate(arrays[f"{case}/lamda"]):
            logits = tf.constant(
                arrays[f"{case}/pred_{stage}_1"].transpose(TO_NHWC)
            )

            with tf.GradientTape() as tape:
                tape.watch(logits)
                loss = boundary.boundary_loss(
                    arrays[f"{case}/edge"], logits, np.ones(2)
                )
                weighted = np.exp(-log_variance) * loss
            gradient = tape.gradient(weighted, logits)

            expected = (
                arrays[f"{case}/parsing_loss_{stage}"]
                - arrays[f"{case}/ohem_{stage}"]
            )
            np.testing.assert_allclose(loss, expected, rtol=2e-6)
            np.testing.assert_allclose(
                gradient,
                arrays[f"{case}/grad_{stage}_1"].transpose(TO_NHWC),
                atol=1e-8,
            )

    def test_equals_the_weighted_mean_it_stands_for(self):
        generator = np.random.default_rng(0)
        boundary_map = (generator.random([2, 6, 5]) < 0.2).astype(np.int32)
        boundary_map[0, 0] = 255
        logits = generator.normal(size=[2, 6, 5, 2])

        loss = boundary.boundary_loss(boundary_map, logits, np.ones(2))

        counted = boundary_map != 255
        labels = boundary_map[counted]
        margin = logits[counted][:, 0] - logits[counted][:, 1]
        cross_entropy = np.log1p(np.exp(np.where(labels == 1, margin, -margin)))
        share = labels.mean()
        weights = np.where(labels == 1, 1 - share, share)
        expected = (weights * cross_entropy).sum() / weights.sum()
        np.testing.assert_allclose(loss, expected, rtol=1e-6)

    def test_samples_without_label_map_do_not_count(self):
        boundary_map = np.array([[[0, 1]], [[1, 1]]])
        logits = np.zeros([2, 1, 2, 2], np.float32)
        logits[1] = [5.0, 0.0]

        loss = boundary.boundary_loss(
            boundary_map, logits, np.array([1.0, 0.0])
        )

        np.testing.assert_allclose(loss, np.log(2), rtol=1e-6)

    @parameterized.named_parameters(
        ("no_boundary", 0, 0.5 * np.log(2)), ("all_ignored", 255, 0.0)
    )
    def test_a_missing_class_contributes_nothing(self, label, expected):
        logits = tf.zeros([1, 3, 3, 2])

        with tf.GradientTape() as tape:
            tape.watch(logits)
            loss = boundary.boundary_loss(
                np.full([1, 3, 3], label), logits, np.ones(1)
            )

        np.testing.assert_allclose(loss, expected, rtol=1e-6)
        self.assertTrue(np.all(np.isfinite(tape.gradient(loss, logits))))


if __name__ == "__main__":
    absltest.main()
