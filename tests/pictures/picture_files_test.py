"""Tests of nppnet_tf.pictures.picture_files."""

import io

import numpy as np
from absl.testing import absltest
from absl.testing import parameterized
from PIL import Image

from nppnet_tf.data.descriptors import LIP
from nppnet_tf.errors import UserError
from nppnet_tf.pictures import picture_files
from nppnet_tf.pictures.picture_files import LabelFormError
from tests.pictures import picture_corpus
from tests.shared import shared_path

_FILES = picture_corpus.corpus()


def _encode(image, kind, **options):
    stream = io.BytesIO()
    image.save(stream, kind, **options)
    return stream.getvalue()


def _colors():
    """Left half red, right half blue; 16 x 24 pixels."""
    array = np.zeros((16, 24, 3), np.uint8)
    array[:, :12, 0] = 255
    array[:, 12:, 2] = 255
    return Image.fromarray(array)


class DecodeTest(parameterized.TestCase):
    @parameterized.named_parameters(
        ("rgb_jpeg", "RGB", "JPEG"),
        ("cmyk_jpeg", "CMYK", "JPEG"),
        ("rgb_png", "RGB", "PNG"),
        ("rgba_png", "RGBA", "PNG"),
        ("palette_png", "P", "PNG"),
    )
    def test_colors_of_every_mode(self, mode, kind):
        options = {"quality": 95} if kind == "JPEG" else {}
        data = _encode(_colors().convert(mode), kind, **options)

        pixels = picture_files.decode(data)

        self.assertEqual(pixels.shape, (16, 24, 3))
        np.testing.assert_allclose(pixels[8, 4], [255, 0, 0], atol=6)
        np.testing.assert_allclose(pixels[8, 20], [0, 0, 255], atol=6)

    @parameterized.named_parameters(
        ("gray_jpeg", "L", "JPEG"),
        ("gray_png", "L", "PNG"),
        ("gray_alpha_png", "LA", "PNG"),
        ("two_level_png", "1", "PNG"),
    )
    def test_gray_becomes_three_equal_channels(self, mode, kind):
        image = Image.new("L", (8, 8), 255).convert(mode)

        pixels = picture_files.decode(_encode(image, kind))

        np.testing.assert_array_equal(pixels, np.full((8, 8, 3), 255))

    def test_sixteen_bits_are_scaled(self):
        image = Image.fromarray(np.full((4, 4), 0x8000, np.uint16))

        pixels = picture_files.decode(_encode(image, "PNG"))

        np.testing.assert_array_equal(pixels, np.full((4, 4, 3), 128))

    def test_real_gray_jpeg_is_three_channels(self):
        path = shared_path("samples/lip_mmseg/86_185913.jpg")

        self.assertEqual(
            picture_files.decode(path.read_bytes()).shape, (377, 130, 3)
        )

    @parameterized.parameters(
        (2, (8, 20), (16, 24)),
        (3, (8, 20), (16, 24)),
        (4, (8, 4), (16, 24)),
        (6, (4, 8), (24, 16)),
        (8, (20, 8), (24, 16)),
    )
    def test_orientation_is_applied(self, orientation, red_at, size):
        exif = Image.Exif()
        exif[0x0112] = orientation
        data = _encode(_colors(), "JPEG", quality=95, exif=exif)

        pixels = picture_files.decode(data)

        self.assertEqual(pixels.shape[:2], size)
        self.assertEqual(picture_files.picture_size(data), size)
        self.assertGreater(pixels[red_at][0], 240)

    @parameterized.named_parameters(
        ("empty", b"", "an empty file"),
        ("text", b"not a picture", "neither JPEG nor PNG"),
        ("gif", _encode(_colors(), "GIF"), "neither JPEG nor PNG"),
        ("jpeg_start_only", b"\xff\xd8\xff\xe0", "damaged"),
        ("png_start_only", b"\x89PNG\r\n\x1a\n", "damaged"),
        ("truncated_jpeg", _encode(_colors(), "JPEG")[:-40], "damaged"),
        ("truncated_png", _encode(_colors(), "PNG")[:-30], "damaged"),
    )
    def test_bad_file_is_told(self, data, message):
        with self.assertRaisesRegex(UserError, f"(?s){message}.*"):
            picture_files.decode(data, "a.jpg")

    def test_notes_of_megabytes_are_no_damage(self):
        note = picture_corpus.chunk(b"tEXt", b"note\0" + bytes(3 << 20))
        pixels = picture_files.decode(picture_corpus.png(before=note))

        np.testing.assert_array_equal(
            pixels, picture_files.decode(picture_corpus.png())
        )

    def test_file_that_never_ends_is_refused(self):
        with self.assertRaisesRegex(UserError, "not a file.*a device"):
            picture_files.read_bytes("/dev/zero")

    def test_huge_picture_is_refused_before_decoding(self):
        data = _encode(Image.new("1", (20000, 20000)), "PNG")

        self.assertLess(len(data), 100_000)
        with self.assertRaisesRegex(UserError, "too large.*20000 x 20000"):
            picture_files.decode(data, "bomb.png")


class PlainBytesTest(parameterized.TestCase):
    @parameterized.named_parameters(
        ("gray_jpeg", "L", "JPEG"),
        ("rgb_jpeg", "RGB", "JPEG"),
        ("rgb_png", "RGB", "PNG"),
    )
    def test_plain_pictures_stay_as_they_are(self, mode, kind):
        data = _encode(_colors().convert(mode), kind)

        self.assertEqual(picture_files.plain_bytes(data), data)

    def test_others_are_kept_without_loss(self):
        exif = Image.Exif()
        exif[0x0112] = 6
        data = _encode(_colors().convert("CMYK"), "JPEG", exif=exif)

        plain = picture_files.plain_bytes(data)

        self.assertNotEqual(plain, data)
        np.testing.assert_array_equal(
            np.asarray(Image.open(io.BytesIO(plain))),
            picture_files.decode(data),
        )

    @parameterized.parameters(
        *sorted(dict(picture_corpus.sound_files())),
        "jpeg_RGB_xmp_6",
        "jpeg_RGB_in_comment_6",
        "png_2_raw_deflated_3",
        "png_2_8_0.large_text",
    )
    def test_plain_bytes_are_the_same_pixels_to_another_decoder(self, name):
        data = _FILES[name]

        plain = picture_files.plain_bytes(data)

        expected = picture_files.decode(data)
        np.testing.assert_array_equal(
            picture_files.decode_plain(plain), expected
        )
        np.testing.assert_array_equal(picture_files.decode(plain), expected)

    def test_truncated_jpeg_is_refused(self):
        data = _encode(_colors(), "JPEG")[:-40]

        with self.assertRaisesRegex(UserError, "damaged.*truncated"):
            picture_files.plain_bytes(data)


class DecodeLabelMapTest(parameterized.TestCase):
    def test_round_trip(self):
        labels = np.random.default_rng(0).integers(0, 20, (9, 7), np.uint8)

        np.testing.assert_array_equal(
            picture_files.decode_label_map(picture_files.encode_png(labels)),
            labels,
        )

    def test_palette_indices_are_the_labels(self):
        labels = np.array([[0, 7], [19, 255]], np.uint8)
        image = Image.fromarray(labels)
        image.putpalette(np.random.default_rng(0).bytes(768))

        np.testing.assert_array_equal(
            picture_files.decode_label_map(_encode(image, "PNG")), labels
        )

    def test_palette_in_the_order_of_classes_or_another(self):
        labels = np.array([[0, 2], [5, 14]], np.uint8)
        image = Image.fromarray(labels)
        image.putpalette(np.array(LIP.palette, np.uint8).tobytes())
        colors = Image.fromarray(np.array(LIP.palette, np.uint8)[labels])

        np.testing.assert_array_equal(
            picture_files.decode_label_map(
                _encode(image, "PNG"), palette=LIP.palette
            ),
            labels,
        )
        # The colors are as before, the indices are not.
        again = _encode(colors.quantize(4), "PNG")
        with self.assertRaisesRegex(
            LabelFormError, "another order; where: x; .*color of class"
        ):
            picture_files.decode_label_map(again, "x", LIP.palette)
        self.assertNotEqual(
            picture_files.decode_label_map(again).tolist(), labels.tolist()
        )

    @parameterized.product(
        form=((0, 1), (0, 2), (0, 4), (0, 8), (3, 1), (3, 2), (3, 4), (3, 8)),
        interlaced=(0, 1),
    )
    def test_ids_are_as_they_are_stored(self, form, interlaced):
        color_type, depth = form
        data = picture_corpus.png(color_type, depth, interlaced)

        label_map = picture_files.decode_label_map(data)

        np.testing.assert_array_equal(
            label_map, picture_corpus.samples(color_type, depth)[..., 0]
        )

    def test_ids_of_sixteen_bits_are_as_they_are_stored(self):
        stored = np.array([[0, 19], [255, 7]], np.uint16)
        data = _encode(Image.fromarray(stored), "PNG")

        np.testing.assert_array_equal(
            picture_files.decode_label_map(data), stored
        )

    @parameterized.named_parameters(
        ("colors", _encode(_colors(), "PNG"), "class ids.*colors"),
        ("alpha", picture_corpus.png(4), "class ids.*gray with transparency"),
        ("jpeg", _encode(_colors(), "JPEG"), "label map is a JPEG"),
        (
            "large_ids",
            _encode(Image.fromarray(np.full((2, 2), 1000, np.uint16)), "PNG"),
            "ids up to 255; found: id 1000",
        ),
        ("truncated", picture_corpus.png(0)[:-20], "truncated"),
    )
    def test_other_files_are_refused(self, data, message):
        with self.assertRaisesRegex(UserError, message):
            picture_files.decode_label_map(data, "a.png")

    @parameterized.parameters(0, 3)
    def test_flipped_bits_never_make_other_labels(self, color_type):
        data = picture_corpus.png(color_type, 4, size=(6, 5))
        taken = []

        for bit in range(8 * len(data)):
            changed = bytearray(data)
            changed[bit // 8] ^= 1 << bit % 8
            try:
                taken.append(picture_files.decode_label_map(bytes(changed)))
            except UserError:
                continue

        self.assertEmpty(taken)


if __name__ == "__main__":
    absltest.main()
