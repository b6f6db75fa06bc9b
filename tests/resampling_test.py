"""Tests of nppnet_tf.resampling."""

import numpy as np
import tensorflow as tf
from absl.testing import absltest
from absl.testing import parameterized

from nppnet_tf import resampling


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

    @parameterized.parameters((True,), (False,))
    def test_what_xla_compiles_is_the_operation_and_its_gradient(self, align):
        size = (20, 3)

        def resize(images):
            with tf.GradientTape() as tape:
                tape.watch(images)
                resized = resampling.resize_bilinear(images, size, align)
                loss = tf.reduce_sum(resized**2)
            return resized, tape.gradient(loss, images)

        @tf.function(jit_compile=True, autograph=False)
        def compiled(images):
            with resampling.for_xla():
                return resize(images)

        images = tf.constant(self.images)
        for found, expected in zip(
            compiled(images), resize(images), strict=True
        ):
            np.testing.assert_allclose(found, expected, atol=1e-4)

    def test_corners_stay(self):
        x = tf.random.stateless_normal([1, 5, 7, 2], [1, 2])

        y = resampling.resize_bilinear(x, [11, 3])

        corners = np.ix_([0], [0, -1], [0, -1], [0, 1])
        np.testing.assert_allclose(y.numpy()[corners], x.numpy()[corners])

    def test_outlines_stay_where_corners_do_not(self):
        ramp = tf.reshape(tf.range(4, dtype=tf.float32), [1, 1, 4, 1])

        y = resampling.resize_bilinear(ramp, [1, 8], align_corners=False)

        # Pixel p of the result lies at (p + 0.5) / 2 - 0.5.
        np.testing.assert_allclose(
            y[0, 0, :, 0], [0, 0.25, 0.75, 1.25, 1.75, 2.25, 2.75, 3]
        )

    def test_plane_is_read_between_its_pixels(self):
        rows, columns = np.mgrid[0:5, 0:7].astype(np.float32)
        plane = (10 * rows + columns)[..., np.newaxis]

        values = resampling.sample(plane, tf.constant([1.25]), [0.5, 3.75])

        np.testing.assert_allclose(values[0, :, 0], [13.0, 16.25])

    @parameterized.product(size=(8, 14), count=(1, 2, 7, 20, 33))
    def test_mirrored_images_are_read_as_mirror_images(self, size, count):
        random = np.random.default_rng(count)
        images = random.normal(size=(size, size, 3)).astype(np.float32)
        # As a letterbox reads: about the middle, by a step of any fraction.
        positions = (
            np.arange(count, dtype=np.float32) - (count - 1) / 2
        ) * 0.37
        places = resampling.places(
            positions + np.float32((size - 1) / 2), size, has_middle=True
        )

        def read(pixels):
            pixels = resampling.with_middles(pixels)
            return resampling.sample(pixels, places, places).numpy()

        for axis in (0, 1):
            np.testing.assert_array_equal(
                read(np.flip(images, axis)), np.flip(read(images), axis)
            )

    def test_a_middle_is_the_mean_of_both_its_pixels(self):
        images = np.float32([[1, 2], [4, 8]])[..., np.newaxis]
        middle = resampling.places(tf.constant([0.5]), 2, has_middle=True)

        value = resampling.sample(
            resampling.with_middles(images), middle, middle
        )

        self.assertEqual(float(value[0, 0, 0]), 15 / 4)

    def test_places_are_the_positions(self):
        rows, columns = np.mgrid[0:6, 0:8].astype(np.float32)
        plane = (10 * rows + columns)[..., np.newaxis]

        values = resampling.sample(
            plane,
            resampling.places(tf.constant([0.25, 4.75]), 6),
            resampling.places(tf.constant([-1.0, 0.5, 6.5, 8.0]), 8),
        )

        np.testing.assert_allclose(
            values[..., 0],
            np.float32([[2.5], [47.5]]) + np.float32([0, 0.5, 6.5, 7]),
        )

    def test_outside_the_nearest_pixel_is_read(self):
        values = resampling.sample(self.images[0], [-3.0, 9.0], [-0.5, 6.5])

        np.testing.assert_array_equal(values, self.images[0, ::4, ::6])


if __name__ == "__main__":
    absltest.main()
