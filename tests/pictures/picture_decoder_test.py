"""Tests of nppnet_tf.pictures.picture_decoder."""

import io

import numpy as np
import tensorflow as tf
from absl.testing import absltest
from absl.testing import parameterized
from PIL import Image

from nppnet_tf.pictures import picture_decoder
from tests.inference import stand_in
from tests.pictures import picture_corpus

_FILES = dict(picture_corpus.sound_files())
_INK = "jpeg_cmyk_without_adobe"


class DecodeTest(parameterized.TestCase):
    @parameterized.parameters(*sorted(_FILES.keys() - {_INK}))
    def test_pixels_are_those_of_another_reader(self, name):
        pixels = picture_decoder.decode(tf.constant(_FILES[name]))

        image = Image.open(io.BytesIO(_FILES[name]))
        if image.mode == "I;16":
            gray = (np.asarray(image) >> 8).astype(np.uint8)
            image = Image.fromarray(gray)
        # The products of ink are rounded in two ways.
        tolerance = 1 if image.mode == "CMYK" else 0
        expected = image.convert("RGBA").convert("RGB")
        np.testing.assert_allclose(
            pixels.numpy().astype(int), expected, atol=tolerance
        )

    def test_samples_of_ink_are_as_they_are_without_adobes_marker(self):
        # The marker says that they are stored upside down.
        cmyk = Image.fromarray(stand_in.picture(17, 22)).convert("CMYK")
        expected = picture_decoder.decode(
            tf.constant(picture_corpus.jpeg("CMYK", cmyk))
        )
        upside_down = Image.fromarray(255 - np.asarray(cmyk), "CMYK")
        data = picture_corpus.jpeg("CMYK", upside_down)
        at = data.index(b"\xff\xee")

        pixels = picture_decoder.decode(
            tf.constant(data[:at] + data[at + 16 :])
        )

        self.assertGreater(np.ptp(pixels.numpy()), 200)
        np.testing.assert_allclose(pixels.numpy().astype(int), expected, atol=4)


if __name__ == "__main__":
    absltest.main()
