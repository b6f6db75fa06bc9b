"""Tests of inference.network_input."""

import numpy as np
import tensorflow as tf
from absl.testing import absltest
from absl.testing import parameterized

from nppnet_tf.data.samples import geometry
from nppnet_tf.inference import network_input
from nppnet_tf.pictures import pixels
from tests.inference import stand_in

_SIZE = (64, 96)


def _gray_levels(inputs: tf.Tensor) -> np.ndarray:
    return (np.asarray(inputs) * pixels.STD + pixels.MEAN) * 255


class PreprocessTest(parameterized.TestCase):
    @parameterized.named_parameters(
        ("tall_and_larger", 100, 40),
        ("wide_and_smaller", 20, 55),
        ("fitting", 64, 96),
        ("one_pixel", 1, 1),
    )
    def test_input_is_that_of_the_pipeline(self, height, width):
        picture = stand_in.picture(height, width)

        inputs = network_input.preprocess(tf.constant(picture), _SIZE)

        matrix = geometry.affine_matrix((height, width), _SIZE)
        expected = geometry.warp_image(picture, matrix, _SIZE).astype(float)
        # Pillow drops the fraction of a gray level.
        difference = _gray_levels(inputs) - expected
        self.assertGreater(difference.min(), -1e-3)
        self.assertLess(difference.max(), 1 + 1e-3)

    @parameterized.named_parameters(
        ("twice", 128, 192, 0.51),
        ("ten_times", 640, 960, 0.65),
        # Blocks hold parts of pixels, which Pillow takes whole or not at all.
        ("nearly_ten_times", 636, 950, 2.0),
    )
    def test_larger_input_is_that_of_the_pipeline(
        self, height, width, rounding
    ):
        random = np.random.default_rng(0)
        picture = random.integers(0, 256, (height, width, 3), np.uint8)

        inputs = network_input.preprocess(tf.constant(picture), _SIZE)

        matrix = geometry.affine_matrix((height, width), _SIZE)
        expected = geometry.warp_image(picture, matrix, _SIZE).astype(float)
        difference = np.abs(_gray_levels(inputs) - expected)
        self.assertLess(difference.mean(), rounding)

    def test_much_larger_picture_is_averaged_first(self):
        checkered = np.indices((640, 960)).sum(0) % 2 * 255
        picture = np.repeat(checkered[..., np.newaxis], 3, -1)

        inputs = network_input.preprocess(
            tf.constant(picture, tf.float32), _SIZE
        )

        np.testing.assert_allclose(_gray_levels(inputs), 127.5, atol=0.01)

    def test_batch_is_its_pictures_one_by_one(self):
        pictures = np.stack([stand_in.picture(150, 260, s) for s in (1, 2)])

        batch = network_input.preprocess(tf.constant(pictures), _SIZE)

        for inputs, picture in zip(batch, pictures, strict=True):
            np.testing.assert_allclose(
                inputs,
                network_input.preprocess(tf.constant(picture), _SIZE),
                atol=1e-5,
            )


class MirrorTest(parameterized.TestCase):
    """What is made of a mirrored picture is the mirror image, bit by bit."""

    def setUp(self):
        super().setUp()
        self.random = np.random.default_rng(3)

    @parameterized.parameters(tf.uint8, tf.float32)
    def test_input_of_any_size(self, dtype):
        preprocess = tf.function(
            lambda image: network_input.preprocess(image, _SIZE),
            input_signature=[tf.TensorSpec([None, None, 3], dtype)],
        )
        for size in (
            (64, 77),
            (41, 96),
            (129, 97),
            *stand_in.sizes(self.random, 60, 500),
        ):
            image = self.random.integers(0, 256, (*size, 3), np.uint8)

            plain = preprocess(tf.constant(image, dtype))

            for axis in (0, 1):
                mirrored = preprocess(tf.constant(np.flip(image, axis), dtype))
                with self.subTest(size=size, axis=axis):
                    np.testing.assert_array_equal(
                        mirrored, np.flip(plain, axis)
                    )

    def test_both_borders_of_an_odd_width_are_read(self):
        inputs = network_input.preprocess(
            tf.fill([64, 77, 3], tf.constant(255, tf.uint8)), _SIZE
        )

        # 77 columns about the middle of 96 reach from 9 to 86, both included.
        is_picture = (_gray_levels(inputs) > 254.9).all((0, 2))
        self.assertEqual(np.flatnonzero(is_picture).tolist(), [*range(9, 87)])


if __name__ == "__main__":
    absltest.main()
