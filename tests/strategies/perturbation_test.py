"""Tests of what disturbs weights: sizes, means, draws, replicas."""

from tests import two_replicas  # isort: skip  (before any operation)

import keras
import numpy as np
import tensorflow as tf
from absl.testing import absltest
from absl.testing import parameterized

from nppnet_tf.strategies import perturbation
from nppnet_tf.strategies.perturbation import RandomSmoothing
from nppnet_tf.strategies.skip_dropout import SkipDropout

WEIGHTS = np.float32([[0.7, 0.2, 0.1, 0.0], [0.25, 0.25, 0.25, 0.25]])
MAKERS = {
    "random_smoothing": lambda: RandomSmoothing(0.3),
    "skip_dropout": lambda: SkipDropout((1,), 0.5),
}


def made(name):
    layer = MAKERS[name]()
    layer.build()
    return layer


def in_weight_step(layer, weights=WEIGHTS):
    with perturbation.within(is_architecture_step=False):
        return layer(tf.constant(weights)).numpy()


class EveryPerturbationTest(parameterized.TestCase):
    def setUp(self):
        super().setUp()
        keras.utils.set_random_seed(3)

    @parameterized.parameters(*MAKERS)
    def test_outside_of_a_descent_nothing_is_disturbed(self, name):
        np.testing.assert_array_equal(made(name)(WEIGHTS), WEIGHTS)

    @parameterized.parameters(
        ("random_smoothing", False), ("skip_dropout", True)
    )
    def test_architecture_step_is_disturbed_by_some(self, name, is_disturbed):
        layer = made(name)
        layer.begin_epoch(40 if name == "random_smoothing" else 0)

        with perturbation.within(is_architecture_step=True):
            found = [layer(tf.tile(WEIGHTS, [20, 1])).numpy()]

        self.assertEqual(
            not np.array_equal(found[0], np.tile(WEIGHTS, [20, 1])),
            is_disturbed,
        )

    @parameterized.parameters(*MAKERS)
    def test_a_draw_is_a_function_of_seed_and_descent(self, name):
        layer = made(name)
        many = np.tile(WEIGHTS, [20, 1])
        first = in_weight_step(layer, many)
        np.testing.assert_array_equal(in_weight_step(layer, many), first)
        layer.draw_anew()
        second = in_weight_step(layer, many)

        self.assertFalse(np.array_equal(second, first))
        other = made(name)
        other.key.assign(layer.key.value)
        np.testing.assert_array_equal(in_weight_step(other, many), second)

    @parameterized.parameters(*MAKERS)
    def test_replicas_draw_the_same(self, name):
        strategy = two_replicas.strategy()
        with strategy.scope():
            layer = made(name)

        @tf.function
        def descent():
            def step():
                with perturbation.within(False):
                    found = layer(tf.tile(WEIGHTS, [20, 1]))
                layer.draw_anew()
                return found

            return strategy.run(step)

        left, right = strategy.experimental_local_results(descent())

        np.testing.assert_array_equal(left, right)

    @parameterized.parameters(*MAKERS)
    def test_config_makes_an_equal_one(self, name):
        layer = made(name)

        copy = type(layer).from_config(layer.get_config())

        self.assertEqual(copy.get_config(), layer.get_config())


class RandomSmoothingTest(absltest.TestCase):
    def setUp(self):
        super().setUp()
        keras.utils.set_random_seed(3)

    def test_noise_grows_linearly_to_its_size(self):
        layer = RandomSmoothing(0.3, ramp_epochs=10)

        found = [layer.size_at(epoch) for epoch in (0, 3, 9, 100)]

        np.testing.assert_allclose(found, [0.03, 0.111, 0.273, 0.3])

    def test_rows_sum_to_one_and_stay_within_the_noise(self):
        layer = made("random_smoothing")
        many = np.full([5000, 2], 0.5, np.float32)

        found = in_weight_step(layer, many)

        np.testing.assert_allclose(found.sum(axis=1), 1, atol=1e-6)
        # 0.53 of 0.53 + 0.47 at most.
        self.assertLessEqual(found.max(), 0.53 + 1e-6)
        self.assertGreater(found.max(), 0.529)
        np.testing.assert_allclose(found.mean(axis=0), 0.5, atol=1e-3)

    def test_no_weight_becomes_negative(self):
        layer = made("random_smoothing")
        layer.begin_epoch(100)

        found = in_weight_step(layer, np.tile(WEIGHTS, [500, 1]))

        self.assertEqual(found.min(), 0)
        self.assertTrue(np.isfinite(found).all())

    def test_weights_are_what_the_authors_rule_makes_of_the_same_noise(self):
        layer = made("random_smoothing")
        layer.begin_epoch(100)
        # The last two rows can lose everything: their weights are below 0.3.
        rows = [*WEIGHTS, [0.95, 0.05, 0, 0], [0.01] * 4, [0.0] * 4]
        many = np.tile(np.float32(rows), [400, 1])
        draws = layer.uniform(tf.constant(many)).numpy()

        found = in_weight_step(layer, many)

        expected, clipped, emptied = [], 0, 0
        for row in many + (2 * draws - 1) * np.float32(0.3):
            kept = [min(max(value, 0.0), 1.0) for value in row]
            clipped += max(row) > 1
            if not sum(kept):
                kept[int(np.argmax(row))] = 1.0
                emptied += 1
            expected.append([value / sum(kept) for value in kept])
        np.testing.assert_allclose(found, expected, atol=1e-6)
        self.assertGreater(clipped, 0)
        self.assertGreater(emptied, 0)


class SkipDropoutTest(absltest.TestCase):
    def setUp(self):
        super().setUp()
        keras.utils.set_random_seed(3)

    def test_skips_are_dropped_and_the_mean_stays(self):
        layer = SkipDropout((1,), 0.2)
        layer.build()
        many = np.tile(WEIGHTS[:1], [20000, 1])

        found = in_weight_step(layer, many)

        np.testing.assert_array_equal(found[:, [0, 2, 3]], many[:, [0, 2, 3]])
        np.testing.assert_allclose(np.unique(found[:, 1]), [0, 0.2 / 0.8])
        # Four standard deviations.
        self.assertAlmostEqual(found[:, 1].mean(), 0.2, delta=0.003)

    def test_rate_falls_by_its_factor(self):
        layer = SkipDropout((1,), 0.5, 0.1)

        np.testing.assert_allclose(
            [layer.size_at(epoch) for epoch in range(3)], [0.5, 0.05, 0.005]
        )


if __name__ == "__main__":
    absltest.main()
