"""Tests of inference.picture_structure."""

import random

import numpy as np
import tensorflow as tf
from absl.testing import absltest
from absl.testing import parameterized

from nppnet_tf.inference import encoded_structure
from nppnet_tf.pictures import picture_structure as rule
from tests.pictures import picture_corpus

_FILES = picture_corpus.corpus()

_read_each = tf.function(
    encoded_structure.read_each,
    input_signature=[tf.TensorSpec([None], tf.string)],
)


def _read(data):
    """Returns the structure of one file."""
    structures = _read_each(tf.constant([data]))
    return tf.nest.map_structure(lambda values: values[0], structures)


class ReadTest(parameterized.TestCase):
    @parameterized.parameters(
        *sorted(name for name in _FILES if name.split(".")[0] != name)[::7]
    )
    def test_structure_is_that_of_the_rule_in_python(self, name):
        data = _FILES[name]

        found = _read(data)

        try:
            expected = rule.read(data)
        except rule.PictureError as error:
            # Checksums are left to the decoder, which has to run anyway.
            statuses = {error.status}
            if "checksum" in str(error):
                statuses.add(rule.READ)
            self.assertIn(int(found.status), statuses)
        else:
            self.assertEqual(int(found.status), rule.READ)
            self.assertEqual(bool(found.is_png), expected.is_png)
            self.assertEqual(tuple(found.size.numpy()), expected.size)
            self.assertEqual(found.decodable.numpy(), expected.decodable)

    @parameterized.named_parameters(
        ("huge_jpeg", "jpeg_huge", rule.TOO_LARGE),
        ("wide_png", "png_wide", rule.TOO_LARGE),
        ("largest_png", "png_largest", rule.TOO_LARGE),
        ("many_pixels", "png_too_many_pixels", rule.TOO_LARGE),
        ("many_scans", "jpeg_many_scans", rule.TOO_LARGE),
        ("many_parts", "png_many_parts", rule.TOO_LARGE),
        ("no_header", "png_2_8_0.unknown_first", rule.UNREADABLE),
        ("no_end", "jpeg_420.no_end", rule.UNREADABLE),
        ("empty", "empty", rule.UNREADABLE),
    )
    def test_status_is_known_before_decoding(self, name, status):
        self.assertEqual(_read(_FILES[name]).status, status)

    def test_files_beside_others_are_read_as_alone(self):
        files = [data for data in _FILES.values() if len(data) < 100_000][::3]
        # A start of the other kind, and half a marker, before each file.
        files += [b"\xff", b"\xff\xd8\xff", rule.PNG_START, b""]
        random.Random(5).shuffle(files)

        together = _read_each(tf.constant(files))

        for index, data in enumerate(files):
            alone = _read(data)
            self.assertEqual(together.status[index], alone.status)
            if alone.status == rule.READ:
                for found, expected in zip(together, alone, strict=True):
                    np.testing.assert_array_equal(found[index], expected)

    def test_bytes_are_limited(self):
        data = _FILES["jpeg_420"] + bytes(rule.MAX_BYTES)

        self.assertEqual(_read(data).status, rule.TOO_LARGE)


if __name__ == "__main__":
    absltest.main()
