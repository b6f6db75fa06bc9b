"""Tests of nppnet_tf.pictures.picture_structure."""

import struct

from absl.testing import absltest
from absl.testing import parameterized

from nppnet_tf.pictures import picture_structure
from tests.pictures import picture_corpus

_FILES = picture_corpus.corpus()


class ReadTest(parameterized.TestCase):
    @parameterized.named_parameters(
        ("jpeg", "jpeg_420", (17, 22)),
        ("progressive", "jpeg_progressive_420", (17, 22)),
        ("png", "png_2_8_1", (17, 22)),
        ("turned", "jpeg_RGB_behind_profile_6", (22, 17)),
        ("turned_behind_pixels", "png_2_behind_pixels_5", (22, 17)),
        ("garbage_behind", "png_2_8_0.garbage_behind", (17, 22)),
        ("two_files", "jpeg_420.twice", (17, 22)),
    )
    def test_size_is_that_of_the_upright_picture(self, name, size):
        structure = picture_structure.read(_FILES[name])

        self.assertEqual(structure.upright_size, size)

    @parameterized.named_parameters(
        ("empty", "empty", "an empty file"),
        ("text", "text", "neither JPEG nor PNG"),
        ("webp", "named_jpg_but_WEBP", "neither JPEG nor PNG"),
        ("garbage_before", "png_2_8_0.garbage_before", "neither"),
        ("jpeg_without_end", "jpeg_420.no_end", "truncated"),
        ("png_without_end", "png_2_8_0.no_end", "truncated"),
        ("no_height", "jpeg_no_height", "without pixels"),
        ("no_header", "png_2_8_0.unknown_first", "without a header"),
        ("checksum", "png_2_8_0.wrong_checksum_of_pixels", "checksum.*IDAT"),
        ("note", "png_2_wrong_checksum_6", "checksum.*eXIf"),
        ("deflated", "png_2_raw_broken_6", "compressed text"),
    )
    def test_what_is_not_whole_is_told(self, name, message):
        with self.assertRaisesRegex(
            picture_structure.PictureError, message
        ) as caught:
            picture_structure.read(_FILES[name], "a.jpg")

        self.assertEqual(caught.exception.status, picture_structure.UNREADABLE)

    @parameterized.named_parameters(
        ("jpeg", "jpeg_huge", "65535 x 65535"),
        ("pixels", "png_too_many_pixels", "67108864 pixels"),
        ("side", "png_wide", "sides of at most 65535"),
        ("largest", "png_largest", "4294967295"),
        ("scans", "jpeg_many_scans", "64 scans"),
        ("parts", "png_many_parts", "8192 parts"),
    )
    def test_what_is_beyond_a_limit_is_told(self, name, message):
        with self.assertRaisesRegex(
            picture_structure.PictureError, f"too large.*{message}"
        ) as caught:
            picture_structure.read(_FILES[name], "a.jpg")

        self.assertEqual(caught.exception.status, picture_structure.TOO_LARGE)

    def test_bytes_are_limited(self):
        data = _FILES["jpeg_420"] + bytes(picture_structure.MAX_BYTES)

        with self.assertRaisesRegex(
            picture_structure.PictureError, "too large.*bytes"
        ):
            picture_structure.read(data)

    def test_size_counts_before_what_is_wrong_behind_it(self):
        cut = _FILES["png_too_many_pixels"][:60]

        with self.assertRaisesRegex(
            picture_structure.PictureError, "too large"
        ):
            picture_structure.read(cut)

    def test_decoder_gets_no_notes(self):
        for name in ("png_3_8_0.large_text", "png_3_8_0.animated"):
            structure = picture_structure.read(_FILES[name])

            self.assertEqual(structure.decodable, _FILES["png_3_8_0"])
            self.assertTrue(structure.is_sound)

    def test_note_with_a_wrong_checksum_is_no_damage_of_the_picture(self):
        name = "png_2_8_0.wrong_checksum_of_note"

        structure = picture_structure.read(_FILES[name])

        self.assertEqual(structure.decodable, _FILES["png_2_8_0"])
        self.assertFalse(structure.is_sound)

    def test_form_of_a_png_is_known(self):
        structure = picture_structure.read(_FILES["png_0_4_0"])

        self.assertEqual((structure.bit_depth, structure.color_type), (4, 0))

    def test_half_a_marker_at_the_end_is_no_end(self):
        data = _FILES["jpeg_420"][:-2]

        for end in (b"\xff", b"\xff\xe1", b"\xff\xe1\x00", b"\xff\xe1\x00\x09"):
            with self.assertRaises(picture_structure.PictureError) as caught:
                picture_structure.read(data + end)
            self.assertEqual(
                caught.exception.status, picture_structure.UNREADABLE
            )

    def test_chunk_that_claims_gigabytes_is_told(self):
        data = picture_corpus.png()
        claims = data[:33] + struct.pack(">I", 2**32 - 1) + data[37:]

        with self.assertRaisesRegex(
            picture_structure.PictureError, "truncated"
        ):
            picture_structure.read(claims)


if __name__ == "__main__":
    absltest.main()
