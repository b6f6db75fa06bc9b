"""Pickles are read and never run."""

import io
import os
import pickle

import numpy as np
from absl.testing import absltest
from absl.testing import parameterized

from nppnet_tf.files import restricted_pickle
from nppnet_tf.files.restricted_pickle import PickleRefusedError


def load(data):
    return restricted_pickle.load(
        io.BytesIO(data),
        restricted_pickle.ARRAY_CALLS,
        restricted_pickle.ARRAY_VALUES,
    )


class _Program:
    def __reduce__(self):
        return os.getcwd, ()


class LoadTest(parameterized.TestCase):
    @parameterized.product(
        value=(
            {"a": [1, -2, 1 << 40], "b": (None, True, 0.5, "\u00e9")},
            b"bytes",
            np.float32(1.5).item(),
        ),
        protocol=(2, 3, 4, 5),
    )
    def test_plain_values_are_those_that_were_saved(self, value, protocol):
        self.assertEqual(load(pickle.dumps(value, protocol)), value)

    @parameterized.product(
        array=(
            np.arange(6, dtype=">i4").reshape(2, 3),
            np.asfortranarray(np.arange(6.0).reshape(2, 3)),
            np.zeros((0, 4), np.uint8),
            np.array(True),
        ),
        protocol=(2, 3, 4),
    )
    def test_arrays_are_those_that_were_saved(self, array, protocol):
        found = load(pickle.dumps(array, protocol)).numbers

        self.assertEqual(found.dtype, array.dtype)
        np.testing.assert_array_equal(found, array)

    @parameterized.named_parameters(
        ("program", pickle.dumps(_Program()), r"asks for (os|posix)\.getcwd"),
        ("called_type", b"\x80\x02cnumpy\nndarray\n)R.", "no function"),
        (
            "attributes_of_a_type",
            b"\x80\x02cnumpy\nndarray\n}X\x01\0\0\0aK\x01sb.",
            "attributes of what has none",
        ),
        ("instruction", b"I5\n.", "instruction INT"),
        ("reference", b"\x80\x02K\x01Q.", "a reference to what"),
        ("fields", pickle.dumps(np.zeros(1, "f4,f4"), 2), "not plain"),
        ("truncated", pickle.dumps(np.arange(9.0), 4)[:-9], "whole pickle"),
    )
    def test_anything_else_is_refused(self, data, message):
        with self.assertRaisesRegex(PickleRefusedError, message):
            load(data)

    def test_nothing_of_the_reader_is_changed_by_a_file(self):
        before = dict(vars(restricted_pickle.Array))
        data = b"\x80\x02cnumpy\nndarray\n}X\x09\0\0\0set_stateK\x01sb."

        with self.assertRaises(PickleRefusedError):
            load(data)

        self.assertEqual(dict(vars(restricted_pickle.Array)), before)


class PrintableTest(absltest.TestCase):
    def test_messages_do_a_terminal_no_harm(self):
        name = "os.\x1b[2J\u202e" + "x" * 200

        with self.assertRaises(PickleRefusedError) as caught:
            load(b"\x80\x02c" + f"m\n{name}\n.".encode())

        text = str(caught.exception)
        self.assertTrue(text.isprintable())
        self.assertLess(len(text), 120)

    def test_half_of_a_sign_is_not_printed(self):
        self.assertEqual(restricted_pickle.printable("a\ud800b"), "a?b")


if __name__ == "__main__":
    absltest.main()
