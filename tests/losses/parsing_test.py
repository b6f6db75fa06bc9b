"""Tests of hard-pixel mining against the release, NumPy and by hand."""

from tests import two_replicas  # isort: skip  (before any operation)

import numpy as np
import tensorflow as tf
from absl.testing import absltest
from absl.testing import parameterized

from nppnet_tf.losses import parsing
from tests import shared

TO_NHWC = (0, 2, 3, 1)


def _reference(name):
    return np.load(shared.shared_path(f"reference/{name}.npz"))


def _class_weights():
    return tuple(_reference("ref_losses")["weights_lip"].tolist())


def _numpy_loss(label_map, logits, weights, threshold, min_hard_pixels):
    """The loss derived again from its description, in float64, by sorting.

    Args:
        label_map: [B, H, W].
        logits: [B, H, W, C], not upsampled.
        weights: C factors.
        threshold: Probability.
        min_hard_pixels: Count.
    """
    counted = label_map != 255
    logits = np.asarray(logits, np.float64)[counted]
    labels = label_map[counted]
    logits = logits - logits.max(-1, keepdims=True)
    log_p = logits[np.arange(len(labels)), labels] - np.log(
        np.exp(logits).sum(-1)
    )
    ascending = np.sort(np.exp(log_p))
    tau = ascending[min(min_hard_pixels, len(ascending) - 1)]
    hard = np.exp(log_p) < max(tau, threshold)
    return -(np.asarray(weights)[labels] * log_p)[hard].mean()


class ReferenceTest(parameterized.TestCase):
    @parameterized.parameters(0, 1, 2, 3)
    def test_hard_pixels_equal_the_release(self, setting):
        arrays = _reference("ref_losses")
        threshold, min_kept, expected = arrays[f"ohem{setting}"]

        loss = parsing.parsing_loss(
            arrays["ohem_label"],
            arrays["ohem_score"].transpose(TO_NHWC),
            np.ones(2),
            class_weights=_class_weights(),
            hard_pixel_threshold=float(threshold),
            min_hard_pixels=int(min_kept),
        )

        np.testing.assert_allclose(loss, expected, rtol=1e-6)

    @parameterized.parameters(
        "par_default", "par_confident", "par_ohem", "par_noignore"
    )
    def test_value_and_gradient_equal_the_release(self, case):
        arrays = _reference("loss_par")
        for stage, log_variance in enumerate(arrays[f"{case}/lamda"]):
            logits = tf.constant(
                arrays[f"{case}/pred_{stage}_0"].transpose(TO_NHWC)
            )

            with tf.GradientTape() as tape:
                tape.watch(logits)
                loss = parsing.parsing_loss(
                    arrays[f"{case}/label"],
                    logits,
                    np.ones(2),
                    class_weights=_class_weights(),
                    hard_pixel_threshold=float(arrays[f"{case}/thres"]),
                    min_hard_pixels=int(arrays[f"{case}/min_kept"]),
                )
                weighted = np.exp(-log_variance) * loss
            gradient = tape.gradient(weighted, logits)

            np.testing.assert_allclose(
                loss, arrays[f"{case}/ohem_{stage}"], rtol=1e-6
            )
            np.testing.assert_allclose(
                gradient,
                arrays[f"{case}/grad_{stage}_0"].transpose(TO_NHWC),
                atol=1e-8,
            )


class ParsingLossTest(parameterized.TestCase):
    def setUp(self):
        super().setUp()
        generator = np.random.default_rng(3)
        self.label_map = generator.integers(0, 4, [2, 9, 7])
        self.label_map[generator.random([2, 9, 7]) < 0.2] = 255
        self.logits = generator.normal(size=[2, 9, 7, 4]).astype(np.float32)
        self.logits *= 3.0

    @parameterized.product(
        threshold=(0.05, 0.6, 0.9, 1.0), min_hard_pixels=(0, 7, 60, 10**6)
    )
    def test_equals_a_derivation_by_sorting(self, threshold, min_hard_pixels):
        weights = (0.5, 1.0, 1.5, 2.0)

        loss = parsing.parsing_loss(
            self.label_map,
            self.logits,
            np.ones(2),
            class_weights=weights,
            hard_pixel_threshold=threshold,
            min_hard_pixels=min_hard_pixels,
        )

        expected = _numpy_loss(
            self.label_map, self.logits, weights, threshold, min_hard_pixels
        )
        np.testing.assert_allclose(loss, expected, rtol=1e-5)

    def test_a_sample_without_label_map_does_not_count(self):
        alone = parsing.parsing_loss(
            self.label_map[:1], self.logits[:1], np.ones(1)
        )

        both = parsing.parsing_loss(
            self.label_map, self.logits, np.array([1.0, 0.0])
        )

        np.testing.assert_allclose(both, alone, rtol=1e-6)

    def test_all_pixels_ignored_give_zero_and_a_zero_gradient(self):
        logits = tf.constant(self.logits)

        with tf.GradientTape() as tape:
            tape.watch(logits)
            loss = parsing.parsing_loss(
                np.full([2, 9, 7], 255), logits, np.ones(2)
            )

        self.assertEqual(float(loss), 0.0)
        self.assertFalse(np.any(tape.gradient(loss, logits)))

    def test_certain_pixels_give_zero(self):
        logits = tf.one_hot(self.label_map % 4, 4) * 1e3

        loss = parsing.parsing_loss(self.label_map, logits, np.ones(2))

        self.assertEqual(float(loss), 0.0)

    def test_pixels_equal_the_operation_of_tensorflow(self):
        generator = np.random.default_rng(0)
        # The true class of some pixels has a probability that underflows.
        scale = np.where(generator.random([2, 8, 8, 1]) < 0.2, 200.0, 2.0)
        logits = tf.constant(
            scale * generator.normal(size=[2, 8, 8, 5]), tf.float32
        )
        labels = tf.constant(generator.integers(0, 5, [2, 8, 8]), tf.int32)
        factors = tf.constant(generator.random([2, 8, 8]), tf.float32)
        results = []
        for function in (
            lambda: parsing.pixel_cross_entropy(logits, labels)[0],
            lambda: tf.nn.sparse_softmax_cross_entropy_with_logits(
                labels=labels, logits=logits
            ),
        ):
            with tf.GradientTape() as tape:
                tape.watch(logits)
                cross_entropy = function()
                total = tf.reduce_sum(factors * cross_entropy)
            results.append((cross_entropy, tape.gradient(total, logits)))

        (ours, gradient), (expected, expected_gradient) = results
        self.assertGreater(np.max(ours), 100)
        np.testing.assert_allclose(ours, expected, rtol=2e-6, atol=1e-6)
        np.testing.assert_allclose(gradient, expected_gradient, atol=1e-6)

    def test_a_diverged_network_shows_in_the_loss(self):
        for value in (np.nan, np.inf):
            logits = self.logits.copy()
            logits[0, 0] = value

            loss = parsing.parsing_loss(self.label_map, logits, np.ones(2))

            self.assertFalse(np.isfinite(loss))

    def test_class_weights_that_do_not_fit_are_refused(self):
        with self.assertRaisesRegex(ValueError, "Received: class_weights="):
            parsing.parsing_loss(
                self.label_map, self.logits, np.ones(2), class_weights=(1.0,)
            )


class SmallestProbabilityTest(parameterized.TestCase):
    @parameterized.parameters(0, 1, 499, 998, 999, 10**6)
    def test_equals_the_sorted_array(self, rank):
        generator = np.random.default_rng(1)
        # Many near 1, where probabilities of a trained network lie.
        values = (generator.random(1000) ** 0.01).astype(np.float32)
        values[:10] = [0.0, 1.0, 1.0, 1e-38, 1e-30, 1e-8, 0.5, 0.5, 0.5, 0.25]

        found = parsing.smallest_probability(
            tf.constant(values), tf.ones([1000], tf.bool), rank
        )

        self.assertEqual(float(found), np.sort(values)[min(rank, 999)])

    def test_looks_at_counted_elements_only(self):
        found = parsing.smallest_probability(
            tf.constant([0.1, 0.7, 0.2, 0.6]),
            tf.constant([False, True, False, True]),
            0,
        )

        self.assertAlmostEqual(float(found), 0.6)

    def test_nothing_counted_is_zero(self):
        found = parsing.smallest_probability(
            tf.constant([0.1, 0.7]), tf.zeros([2], tf.bool), 5
        )

        self.assertEqual(float(found), 0.0)

    def test_replicas_look_at_all_elements(self):
        strategy = two_replicas.strategy()
        values = np.random.default_rng(2).random(64).astype(np.float32)
        parts = two_replicas.split(strategy, values)

        @tf.function
        def run():
            return strategy.run(
                lambda part: parsing.smallest_probability(
                    part, tf.ones([32], tf.bool), 20
                ),
                args=(parts,),
            )

        for found in run().values:
            self.assertEqual(float(found), np.sort(values)[20])


if __name__ == "__main__":
    absltest.main()
