"""Tests of nppnet_tf.benchmarks.step_arithmetic."""

import tensorflow as tf
from absl.testing import absltest
from absl.testing import parameterized

from nppnet_tf.benchmarks import step_arithmetic

# Of each output 3 x 3 x 8 products, there are 2 x 200 x 200 x 16.
_FULL = 2 * 200 * 200 * 16 * 9 * 8 / 1e9
# Each of 16 channels by itself.
_DEPTHWISE = 2 * 200 * 200 * 16 * 9 / 1e9


class GmacTest(parameterized.TestCase):
    @parameterized.named_parameters(
        # Forward, and one gradient of a kernel. The first layer's picture has
        # none; nor has the first kernel where nobody asks.
        ("both", ("first", "second"), 2 * (_FULL + _DEPTHWISE) + _DEPTHWISE),
        ("second", ("second",), _FULL + 2 * _DEPTHWISE),
        ("none", (), _FULL + _DEPTHWISE),
    )
    def test_only_what_a_step_computes_counts(self, moved, expected):
        kernels = {
            "first": tf.Variable(tf.ones([3, 3, 8, 16])),
            "second": tf.Variable(tf.ones([3, 3, 16, 1])),
        }

        @tf.function(autograph=False)
        def step(x):
            with tf.GradientTape() as tape:
                hidden = tf.nn.conv2d(x, kernels["first"], 2, "SAME")
                out = tf.nn.depthwise_conv2d(
                    hidden, kernels["second"], [1, 1, 1, 1], "SAME"
                )
                loss = tf.reduce_sum(out)
            variables = [kernels[name] for name in moved]
            for each, gradient in zip(
                variables, tape.gradient(loss, variables), strict=True
            ):
                each.assign_sub(gradient)
            return loss

        found = step_arithmetic.gmac(step, tf.ones([2, 400, 400, 8]))

        self.assertAlmostEqual(found, expected, delta=0.0006)

    def test_groups_multiply_their_own_channels(self):
        kernel = tf.Variable(tf.ones([1, 1, 4, 16]))

        @tf.function(autograph=False)
        def step(x):
            return tf.nn.conv2d(x, kernel, 1, "SAME")

        found = step_arithmetic.gmac(step, tf.ones([1, 500, 500, 8]))

        self.assertAlmostEqual(found, 0.016)

    @parameterized.product(transpose_a=(False, True), transpose_b=(False, True))
    def test_products_of_matrices(self, transpose_a, transpose_b):
        first = tf.ones([300, 200] if transpose_a else [200, 300])
        second = tf.ones([400, 300] if transpose_b else [300, 400])

        @tf.function(autograph=False)
        def step(x):
            return tf.matmul(x, second, transpose_a, transpose_b)

        found = step_arithmetic.gmac(step, first)

        self.assertAlmostEqual(found, 200 * 300 * 400 / 1e9)


if __name__ == "__main__":
    absltest.main()
