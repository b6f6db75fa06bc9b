"""Tests of nppnet_tf.pictures.picture_orientation."""

import zlib

from absl.testing import absltest
from absl.testing import parameterized
from PIL import Image

from nppnet_tf.pictures import picture_orientation
from tests.pictures import picture_corpus


class ExifTest(parameterized.TestCase):
    @parameterized.product(
        value=tuple(range(1, 9)), order=("<", ">"), kind=(3, 4)
    )
    def test_orientation_of_every_writing(self, value, order, kind):
        block = picture_corpus.tiff(value, order, kind)

        self.assertEqual(picture_orientation.of_exif(block), value)
        self.assertEqual(
            picture_orientation.of_exif(b"Exif\0\0" + block), value
        )

    def test_block_of_another_library_is_read(self):
        exif = Image.Exif()
        exif[0x010F] = "maker"
        exif[0x0112] = 8

        self.assertEqual(picture_orientation.of_exif(exif.tobytes()), 8)

    @parameterized.named_parameters(
        ("no_such_orientation", picture_corpus.tiff(9)),
        ("large", picture_corpus.tiff(2**31, "<", 4)),
        ("wrong_magic", picture_corpus.tiff(6, magic=43)),
        ("another_type", picture_corpus.tiff(6, kind=1)),
        ("cut", picture_corpus.tiff(6)[:30]),
        ("start_only", picture_corpus.tiff(6)[:8]),
        ("far_directory", b"II*\0\xff\xff\xff\xff" + bytes(40)),
        ("nothing", b""),
    )
    def test_other_blocks_name_none(self, block):
        self.assertEqual(picture_orientation.of_exif(block), 0)


class TextTest(parameterized.TestCase):
    @parameterized.parameters(
        (b'tiff:Orientation="6"', 6),
        (b"tiff:Orientation='3'", 3),
        (b"<tiff:Orientation>8</tiff:Orientation>", 8),
        (b'tiff:Orientation="9"', 0),
        (b'tiff:Orientation="" tiff:Orientation="2"', 2),
        (b"tiff:Orientation", 0),
        (b"", 0),
    )
    def test_xmp(self, packet, value):
        self.assertEqual(picture_orientation.of_xmp(packet), value)

    @parameterized.parameters(b"tEXt", b"zTXt")
    def test_raw_profile_of_imagemagick(self, name):
        key = b"Raw profile type exif"
        chunk = picture_corpus.text(name, key, picture_corpus.raw_profile(7))

        self.assertEqual(
            picture_orientation.of_raw_profile(name, chunk[8:-4]), 7
        )

    def test_text_that_is_too_long_is_not_inflated(self):
        content = b"key\0\0" + zlib.compress(bytes(80_000_000))

        self.assertGreater(len(content), 1 << 16)
        self.assertEqual(picture_orientation.text_of(b"zTXt", content), b"")

    def test_first_that_names_one_decides(self):
        self.assertEqual(picture_orientation.first(0, 6, 3), 6)
        self.assertEqual(picture_orientation.first(0, 0), 1)


if __name__ == "__main__":
    absltest.main()
