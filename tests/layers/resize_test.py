"""Tests of the resize policy."""

import numpy as np
import tensorflow as tf
from absl.testing import absltest
from absl.testing import parameterized

from nppnet_tf.layers import resize
from tests import reference_arrays
from tests.layers import reference_weights


class ResizeTest(parameterized.TestCase):
    @parameterized.parameters("0.125", "0.25", "0.5", "2", "4")
    def test_equals_the_release(self, factor):
        arrays = reference_arrays.load(
            f"operations/block_interpolate_{factor}.npz"
        )

        y = resize.rescale(
            tf.constant(reference_weights.to_ours(arrays["x0"])), float(factor)
        )

        np.testing.assert_allclose(
            y, reference_weights.to_ours(arrays["y"]), atol=1e-5
        )

    def test_unknown_size_is_scaled_while_running(self):
        @tf.function(input_signature=[tf.TensorSpec([1, None, None, 1])])
        def halve(x):
            return resize.rescale(x, 0.5)

        self.assertEqual(halve(tf.zeros([1, 8, 6, 1])).shape, (1, 4, 3, 1))


if __name__ == "__main__":
    absltest.main()
