"""Tests of inference.resampling."""

import numpy as np
import tensorflow as tf
from absl.testing import absltest
from absl.testing import parameterized

from nppnet_tf.inference import resampling


class ResamplingTest(parameterized.TestCase):
    def setUp(self):
        super().setUp()
        rng = np.random.default_rng(0)
        self.images = rng.normal(size=(2, 5, 7, 3)).astype(np.float32)

    @parameterized.named_parameters(
        ("larger", 11, 20), ("smaller", 3, 4), ("same", 5, 7), ("one", 1, 1)
    )
    def test_aligned_corners_resize_is_that_of_tensorflow(self, height, width):
        resized = resampling.resize_aligned_corners(self.images, height, width)

        expected = tf.raw_ops.ResizeBilinear(
            images=self.images, size=(height, width), align_corners=True
        )
        np.testing.assert_allclose(resized, expected, atol=1e-5)

    def test_plane_is_read_between_its_pixels(self):
        rows, columns = np.mgrid[0:5, 0:7].astype(np.float32)
        plane = (10 * rows + columns)[..., np.newaxis]

        values = resampling.sample(plane, tf.constant([1.25]), [0.5, 3.75])

        np.testing.assert_allclose(values[0, :, 0], [13.0, 16.25])

    def test_outside_the_nearest_pixel_is_read(self):
        values = resampling.sample(self.images[0], [-3.0, 9.0], [-0.5, 6.5])

        np.testing.assert_array_equal(values, self.images[0, ::4, ::6])


if __name__ == "__main__":
    absltest.main()
