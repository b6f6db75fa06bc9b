"""Tests of inference.pictures."""

import io

import numpy as np
import tensorflow as tf
from absl.testing import absltest
from absl.testing import parameterized
from PIL import Image

from nppnet_tf.data import images
from nppnet_tf.inference import pictures
from tests.inference import stand_in

_ORIENTATION = 0x0112


def _encode(kind: str, mode: str = "RGB", orientation: int = 0, **options):
    image = Image.fromarray(stand_in.picture(30, 42)).convert(mode)
    if orientation:
        exif = Image.Exif()
        exif[0x010F] = "maker"
        exif[_ORIENTATION] = orientation
        options["exif"] = exif.tobytes()
    stream = io.BytesIO()
    image.save(stream, kind, **options)
    return stream.getvalue()


def _big_endian_exif(orientation: int) -> bytes:
    """A JPEG with the EXIF block of a camera that writes big-endian."""
    entry = _ORIENTATION.to_bytes(2, "big") + b"\0\3\0\0\0\1"
    entry += orientation.to_bytes(2, "big") + b"\0\0"
    body = b"Exif\0\0MM\0*\0\0\0\x08\0\1" + entry + b"\0\0\0\0"
    length = (len(body) + 2).to_bytes(2, "big")
    jpeg = _encode("JPEG")
    return jpeg[:2] + b"\xff\xe1" + length + body + jpeg[2:]


class ReadTest(parameterized.TestCase):
    @parameterized.named_parameters(
        ("jpeg", _encode("JPEG", quality=60)),
        ("progressive_jpeg", _encode("JPEG", progressive=True)),
        ("grey_jpeg", _encode("JPEG", "L")),
        ("cmyk_jpeg", _encode("JPEG", "CMYK")),
        ("png", _encode("PNG")),
        ("grey_png", _encode("PNG", "L")),
        ("binary_png", _encode("PNG", "1")),
        ("palette_png", _encode("PNG", "P")),
        ("transparent_png", _encode("PNG", "RGBA")),
        ("big_endian", _big_endian_exif(6)),
    )
    def test_pixels_are_those_of_the_records(self, encoded):
        image = pictures.read(tf.constant(encoded))

        np.testing.assert_array_equal(image, images.decode(encoded))

    @parameterized.product(
        kind=("JPEG", "PNG"), orientation=(1, 2, 3, 4, 5, 6, 7, 8)
    )
    def test_picture_is_turned_upright(self, kind, orientation):
        encoded = _encode(kind, orientation=orientation)

        image = pictures.read(tf.constant(encoded))

        self.assertEqual(
            int(pictures.exif_orientation(tf.constant(encoded))), orientation
        )
        np.testing.assert_array_equal(image, images.decode(encoded))

    def test_orientation_that_does_not_exist_is_ignored(self):
        encoded = tf.constant(_big_endian_exif(77))

        self.assertEqual(int(pictures.exif_orientation(encoded)), 1)


class StatusTest(parameterized.TestCase):
    @parameterized.named_parameters(
        ("jpeg", _encode("JPEG"), pictures.READ),
        ("png", _encode("PNG"), pictures.READ),
        ("gif", _encode("GIF"), pictures.UNREADABLE),
        ("bmp", _encode("BMP"), pictures.UNREADABLE),
        ("text", b"not a picture", pictures.UNREADABLE),
        ("nothing", b"", pictures.UNREADABLE),
        ("header_of_jpeg", _encode("JPEG")[:20], pictures.UNREADABLE),
        ("header_of_png", _encode("PNG")[:12], pictures.UNREADABLE),
    )
    def test_status_of(self, encoded, status):
        self.assertEqual(int(pictures.status_of(tf.constant(encoded))), status)

    @parameterized.named_parameters(
        ("jpeg", _encode("JPEG")), ("png", _encode("PNG"))
    )
    def test_size_is_known_before_decoding(self, encoded):
        encoded = tf.constant(encoded)

        self.assertEqual(
            pictures.declared_size(encoded).numpy().tolist(), [30, 42]
        )
        self.assertEqual(
            int(pictures.status_of(encoded, 30 * 42 - 1)), pictures.TOO_LARGE
        )
        with self.assertRaisesRegex(
            tf.errors.InvalidArgumentError, "more pixels than the limit"
        ):
            pictures.read(encoded, 30 * 42 - 1)

    @parameterized.named_parameters(
        ("truncated_jpeg", _encode("JPEG")[:-200]),
        ("truncated_png", _encode("PNG")[:-200]),
        ("text", b"not a picture"),
    )
    def test_failure_becomes_the_default(self, encoded):
        mean = pictures.value_or_default(
            tf.constant(encoded),
            lambda data: tf.reduce_mean(
                tf.cast(pictures.read(data), tf.float32)
            ),
            tf.constant(-1.0),
        )

        self.assertEqual(float(mean), -1.0)


if __name__ == "__main__":
    absltest.main()
