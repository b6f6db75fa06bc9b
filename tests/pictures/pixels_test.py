"""Tests of nppnet_tf.pictures.pixels."""

import numpy as np
from absl.testing import absltest

from nppnet_tf.pictures import pixels


class NormalizeTest(absltest.TestCase):
    def test_values_are_those_of_the_formula(self):
        image = np.random.default_rng(0).integers(0, 256, (65, 7, 3), np.uint8)

        expected = (image / 255 - np.array(pixels.MEAN)) / np.array(pixels.STD)

        normalized = pixels.normalize(image)
        self.assertEqual(normalized.dtype, np.float32)
        np.testing.assert_allclose(normalized, expected, atol=1e-5)

    def test_given_array_takes_the_values(self):
        image = np.random.default_rng(1).integers(0, 256, (65, 7, 3), np.uint8)
        room = np.empty((2, 65, 7, 3), np.float32)

        pixels.normalize(image, room[1])

        np.testing.assert_array_equal(room[1], pixels.normalize(image))


if __name__ == "__main__":
    absltest.main()
