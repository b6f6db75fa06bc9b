"""Tests of nppnet_tf.data.pixels."""

import numpy as np
from absl.testing import absltest

from nppnet_tf.data import pixels


class NormaliseTest(absltest.TestCase):
    def test_values_are_those_of_the_formula(self):
        image = np.random.default_rng(0).integers(0, 256, (5, 7, 3), np.uint8)

        expected = (image / 255 - np.array(pixels.MEAN)) / np.array(pixels.STD)

        normalised = pixels.normalise(image)
        self.assertEqual(normalised.dtype, np.float32)
        np.testing.assert_allclose(normalised, expected, atol=1e-5)


if __name__ == "__main__":
    absltest.main()
