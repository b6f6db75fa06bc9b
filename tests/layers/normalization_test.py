"""Tests of batch normalization."""

from unittest import mock

import numpy as np
import tensorflow as tf
from absl.testing import absltest
from absl.testing import parameterized
from tensorflow.python.ops import op_selector

from nppnet_tf.layers import normalization
from nppnet_tf.layers.normalization import BatchNormalization
from tests import two_replicas


def batch(seed=1, size=4):
    x = tf.random.stateless_normal([size, 3, 5, 2], [seed, 2])
    return x * [1.0, 3.0] + [5.0, -1.0]


def built(**kwargs):
    layer = BatchNormalization(**kwargs)
    layer.build((None, None, None, 2))
    return layer


class BatchNormalizationTest(parameterized.TestCase):
    def test_normalizes_with_the_batch(self):
        y = built()(batch(), training=True).numpy()

        np.testing.assert_allclose(y.mean((0, 1, 2)), [0, 0], atol=1e-5)
        np.testing.assert_allclose(y.std((0, 1, 2)), [1, 1], atol=1e-4)

    def test_statistics_move_a_tenth_with_unbiased_variance(self):
        layer = built()
        x = batch().numpy()

        layer(x, training=True)

        mean = x.mean((0, 1, 2))
        variance = x.reshape(-1, 2).var(0, ddof=1)
        np.testing.assert_allclose(layer.moving_mean, 0.1 * mean, rtol=1e-4)
        np.testing.assert_allclose(
            layer.moving_variance, 0.9 + 0.1 * variance, rtol=1e-4
        )

    def test_frozen_statistics_do_not_move(self):
        layer = built()

        with normalization.frozen_statistics():
            layer(batch(), training=True)

        np.testing.assert_array_equal(layer.moving_mean, [0, 0])
        layer(batch(), training=True)
        self.assertGreater(float(layer.moving_mean[0]), 0.1)

    def test_given_gain_scales_the_channels(self):
        layer = built(affine=False)

        y = layer(batch(), gain=tf.constant([2.0, 0.0]), training=True)

        np.testing.assert_allclose(y.numpy().std((0, 1, 2)), [2, 0], atol=1e-4)

    @parameterized.named_parameters(
        ("of_a_known_size", [2, 3, 5, 2]),
        ("of_any_size", [None, None, None, 2]),
    )
    def test_two_replicas_are_one(self, size):
        strategy = two_replicas.strategy()
        x = batch()
        with strategy.scope():
            layer = built()
        halves = two_replicas.split(strategy, x.numpy())

        @tf.function
        def step(x):
            x = tf.compat.v1.placeholder_with_default(x, size)
            with tf.GradientTape() as tape:
                tape.watch(x)
                y = layer(x, training=True)
                loss = tf.reduce_sum(tf.sin(y))
            return y, tape.gradient(loss, x)

        single = built()
        with tf.GradientTape() as tape:
            tape.watch(x)
            expected = single(x, training=True)
            loss = tf.reduce_sum(tf.sin(expected))
        expected = (expected, tape.gradient(loss, x))
        results = strategy.run(step, args=(halves,))

        for result, value in zip(results, expected, strict=True):
            parts = strategy.experimental_local_results(result)
            np.testing.assert_allclose(tf.concat(parts, 0), value, atol=2e-5)
        np.testing.assert_allclose(
            layer.moving_variance.numpy(), single.moving_variance, rtol=1e-4
        )

    def test_tracing_of_several_replicas_grows_with_the_graph(self):
        """TensorFlow's own sums walk through the whole graph, each of them."""
        strategy = two_replicas.strategy()
        with strategy.scope():
            layer = built()
        walk = op_selector.get_backward_walk_ops
        lengths = []

        def counted(*arguments, **settings):
            found = walk(*arguments, **settings)
            lengths.append(len(found))
            return found

        @tf.function
        def step(x):
            with tf.GradientTape() as tape:
                tape.watch(x)
                y = x
                for _ in range(10):
                    y = layer(tf.sin(y), training=True)
            return tape.gradient(y, x)

        with mock.patch.object(op_selector, "get_backward_walk_ops", counted):
            strategy.run(step, args=(two_replicas.split(strategy, batch()),))

        self.assertNotEmpty(lengths)
        self.assertLessEqual(max(lengths), 4)


if __name__ == "__main__":
    absltest.main()
