"""Tests of convolutions and their blocks."""

import functools

import numpy as np
import tensorflow as tf
from absl.testing import absltest
from absl.testing import parameterized

from nppnet_tf.layers import convolution
from tests import reference_arrays
from tests.layers import reference_weights


class ConvolutionTest(parameterized.TestCase):
    @parameterized.product(stride=(1, 2), dilation=(1, 2))
    def test_pads_all_sides_alike(self, stride, dilation):
        if stride == 2 and dilation == 2:
            self.skipTest("no operation strides and dilates at once")
        x = tf.random.stateless_normal([1, 6, 8, 2], [1, 2])
        kernel = tf.random.stateless_normal([3, 3, 2, 3], [3, 4])

        y = convolution.convolve(x, kernel, stride, dilation)

        margin = [dilation, dilation]
        padded = tf.pad(x, [[0, 0], margin, margin, [0, 0]])
        expected = np.zeros(y.shape, np.float32)
        for row in range(3):
            for column in range(3):
                part = padded[
                    :,
                    row * dilation : row * dilation + 6 : stride,
                    column * dilation : column * dilation + 8 : stride,
                ]
                expected += tf.tensordot(part, kernel[row, column], 1)
        np.testing.assert_allclose(y, expected, atol=1e-5)

    @parameterized.named_parameters(
        ("few_positions", (3, 4), (3, 3, 1024, 512), False),
        ("many", (17, 16), (3, 3, 1024, 512), True),
        ("small_kernel", (3, 4), (3, 3, 64, 64), True),
        ("no_neighbors", (3, 4), (1, 1, 2048, 2048), True),
    )
    def test_large_kernels_are_products_at_few_positions(
        self, sides, shape, is_convolution
    ):
        x = tf.random.stateless_normal([2, *sides, shape[2]], [1, 2])
        kernel = tf.random.stateless_normal(shape, [3, 4])

        found = _with_gradients(convolution.convolve, x, kernel)

        plain = functools.partial(tf.nn.conv2d, strides=1, padding="SAME")
        for ours, theirs in zip(
            found, _with_gradients(plain, x, kernel), strict=True
        ):
            scale = np.abs(theirs).max()
            np.testing.assert_allclose(ours / scale, theirs / scale, atol=1e-5)
        graph = tf.function(convolution.convolve).get_concrete_function(
            x, kernel
        )
        kinds = {each.type for each in graph.graph.get_operations()}
        self.assertEqual("Conv2D" in kinds, is_convolution)

    def test_block_equals_the_release(self):
        self._assert_equals(
            convolution.ConvolutionBlock(12), "relu_conv_bn_1x1_8_12"
        )

    def test_reduction_equals_the_release(self):
        self._assert_equals(
            convolution.FactorizedReduction(12), "factorized_reduce_8_12"
        )

    def _assert_equals(self, layer, name):
        arrays = reference_arrays.load(f"operations/block_{name}.npz")
        x = reference_weights.to_ours(arrays["x0"])
        layer.build(x.shape)
        reference_weights.fill(layer, arrays)
        for training, key in ((False, "y"), (True, "y_train")):
            y = layer(x, training=training)
            np.testing.assert_allclose(
                y, reference_weights.to_ours(arrays[key]), atol=1e-5
            )
            self.assertEqual(layer.compute_output_shape(x.shape), y.shape)

    @parameterized.parameters(
        convolution.Convolution(4, 3, 2, True),
        convolution.ConvolutionBlock(4, 3, 2, rectify="both"),
        convolution.FactorizedReduction(4),
    )
    def test_config_makes_the_same_layer(self, layer):
        copy = type(layer).from_config(layer.get_config())

        self.assertEqual(copy.get_config(), layer.get_config())

    def test_unknown_rectification_is_refused(self):
        with self.assertRaisesRegex(ValueError, "rectify=twice"):
            convolution.ConvolutionBlock(4, rectify="twice")

    def test_odd_reduction_is_refused(self):
        with self.assertRaisesRegex(ValueError, "filters=5"):
            convolution.FactorizedReduction(5)


def _with_gradients(convolve, x, kernel):
    """What a convolution returns, and the gradients of its squares."""
    with tf.GradientTape() as tape:
        tape.watch([x, kernel])
        y = convolve(x, kernel)
        squares = tf.reduce_sum(y * y)
    return y, *tape.gradient(squares, [x, kernel])


if __name__ == "__main__":
    absltest.main()
