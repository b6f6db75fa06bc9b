"""Tests of inference.byte_strings."""

import zlib

import numpy as np
import tensorflow as tf
from absl.testing import absltest
from absl.testing import parameterized

from nppnet_tf.inference import byte_strings

_DATA = tf.constant([1, 2, 3, 255], tf.uint8)


class NumberTest(parameterized.TestCase):
    @parameterized.parameters((0, 1, 1), (0, 4, 0x010203FF), (2, 2, 0x03FF))
    def test_number_is_big_endian(self, position, num_bytes, expected):
        number = byte_strings.number(_DATA, position, num_bytes)

        self.assertEqual(int(number), expected)

    def test_number_beyond_the_end_does_not_fail(self):
        number = tf.function(byte_strings.number)(_DATA, 2**40, 2)

        self.assertEqual(int(number), 0xFFFF)

    def test_pattern_stands_at_positions(self):
        start, end = tf.constant([[1, 1, 0], [3, 2, 4]], tf.int64)

        found = byte_strings.stands_at(_DATA, b"\2\3", start, end)

        self.assertEqual(found.numpy().tolist(), [True, False, False])

    def test_numbers_become_bytes(self):
        text = byte_strings.from_numbers(tf.constant([0, 10, 255]))

        self.assertEqual(text.numpy(), b"\0\n\xff")


class CheckedTest(parameterized.TestCase):
    @parameterized.parameters(1, 4, 65535, 65536, 200_000)
    def test_right_checksum_passes_and_wrong_one_fails(self, length):
        content = np.random.default_rng(length).bytes(length)
        right = zlib.crc32(content)

        passed = byte_strings.checked(
            tf.constant(content), tf.constant(right.to_bytes(4, "big"))
        )

        self.assertEqual(passed.numpy(), content)
        wrong = (right ^ 1).to_bytes(4, "big")
        with self.assertRaisesRegex(tf.errors.DataLossError, "."):
            byte_strings.checked(tf.constant(content), tf.constant(wrong))


if __name__ == "__main__":
    absltest.main()
