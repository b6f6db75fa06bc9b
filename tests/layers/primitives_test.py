"""Tests of the eight operations."""

import numpy as np
import tensorflow as tf
from absl.testing import absltest
from absl.testing import parameterized

from nppnet_tf.layers import primitives
from nppnet_tf.search_space import primitives as names
from tests import reference_arrays
from tests.layers import reference_weights


class PrimitivesTest(parameterized.TestCase):
    @parameterized.product(
        name=names.NAMES, stride=(1, 2), affine=(True, False)
    )
    def test_equals_the_release(self, name, stride, affine):
        suffix = "" if affine else "_noaffine"
        arrays = reference_arrays.load(
            f"operations/op_{name}_s{stride}{suffix}.npz"
        )
        x = reference_weights.to_ours(arrays["x"])
        layer = primitives.build_primitive(name, x.shape[-1], stride)
        layer.build(x.shape)
        reference_weights.fill(layer, arrays)

        for training, key in ((False, "y"), (True, "y_train")):
            y = layer(x, training=training)
            np.testing.assert_allclose(
                y, reference_weights.to_ours(arrays[key]), atol=2e-5
            )

    @parameterized.product(name=names.NAMES, stride=(1, 2))
    def test_declared_shape_is_the_computed_one(self, name, stride):
        layer = primitives.build_primitive(name, 4, stride)
        layer.build((None, None, None, 4))

        y = layer(tf.ones([1, 8, 12, 4]))

        self.assertEqual(y.shape, (1, 8 // stride, 12 // stride, 4))
        self.assertEqual(
            layer.compute_output_shape((1, 8, 12, 4)), tuple(y.shape)
        )

    @parameterized.product(name=names.NAMES, stride=(1, 2))
    def test_config_makes_the_same_layer(self, name, stride):
        layer = primitives.build_primitive(name, 4, stride)

        copy = type(layer).from_config(layer.get_config())

        self.assertEqual(copy.get_config(), layer.get_config())

    def test_thinned_dilation_equals_the_strided_one(self):
        x = tf.random.stateless_normal([1, 8, 8, 3], [1, 2])
        kernel = tf.random.stateless_normal([3, 3, 3, 1], [3, 4])
        full = tf.nn.depthwise_conv2d(
            x, kernel, [1, 1, 1, 1], "SAME", dilations=[4, 4]
        )

        thin, rate = primitives.thin_out(x, 2, 4)
        y = tf.nn.depthwise_conv2d(
            thin, kernel, [1, 1, 1, 1], "SAME", dilations=[rate, rate]
        )

        np.testing.assert_allclose(y, full[:, ::2, ::2], atol=1e-5)

    def test_unknown_name_is_refused(self):
        with self.assertRaisesRegex(ValueError, "Received: name=conv_7x7"):
            primitives.build_primitive("conv_7x7", 4)

    def test_odd_stride_is_refused(self):
        with self.assertRaisesRegex(ValueError, "stride is 1 or 2"):
            primitives.build_primitive(names.MAX_POOL_3X3, 4, 3)


if __name__ == "__main__":
    absltest.main()
