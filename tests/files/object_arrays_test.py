"""Tests of nppnet_tf.files.object_arrays."""

import os
import pathlib
import pickle

import numpy as np
from absl.testing import absltest
from absl.testing import parameterized

from nppnet_tf.errors import UserError
from nppnet_tf.files import object_arrays


class _Program:
    """Unpickled by pickle itself, it makes a folder."""

    def __init__(self, path):
        self._path = path

    def __reduce__(self):
        return os.mkdir, (self._path,)


class ReadTest(parameterized.TestCase):
    def setUp(self):
        super().setUp()
        self.folder = pathlib.Path(self.create_tempdir().full_path)
        self.path = self.folder / "a.npy"

    def _save(self, content):
        np.save(self.path, content, allow_pickle=True)

    def _save_pickle(self, pickled):
        """A file of one object whose pickle is given."""
        with open(self.path, "wb") as stream:
            np.lib.format.write_array_header_1_0(
                stream,
                {"descr": "|O", "fortran_order": False, "shape": ()},
            )
            stream.write(pickled)

    @parameterized.parameters(
        "bool", "uint8", "int64", "float16", "float32", ">i4", ">f8"
    )
    def test_arrays_are_those_that_were_saved(self, dtype):
        random = np.random.default_rng(0)
        arrays = {
            "a": random.uniform(0, 2, (3, 4, 5)).astype(dtype),
            "b": np.asfortranarray(random.uniform(0, 9, (4, 3))).astype(dtype),
            "empty": np.zeros((0, 4), dtype),
        }
        self._save(arrays)

        found = object_arrays.read(self.path)

        self.assertEqual(list(found), list(arrays))
        for name, array in arrays.items():
            self.assertEqual(found[name].dtype, array.dtype)
            np.testing.assert_array_equal(found[name], array)

    def _pickled(self, array, protocol):
        holder = np.empty((), object)
        holder[()] = {"a": array}
        return pickle.dumps(holder, protocol=protocol)

    def test_files_of_older_versions_are_read(self):
        array = np.arange(6.0).reshape(2, 3)
        pickled = self._pickled(array, protocol=3)
        self.assertIn(b"numpy._core.multiarray", pickled)

        self._save_pickle(pickled.replace(b"numpy._core", b"numpy.core"))

        np.testing.assert_array_equal(object_arrays.read(self.path)["a"], array)

    @parameterized.parameters(2, 3, 4)
    def test_every_protocol_is_read(self, protocol):
        array = np.arange(200, dtype=np.uint8).reshape(4, 50)

        self._save_pickle(self._pickled(array, protocol))

        np.testing.assert_array_equal(object_arrays.read(self.path)["a"], array)

    def test_program_is_named_and_not_run(self):
        made = self.folder / "made"
        self._save({"a": _Program(str(made))})

        with self.assertRaisesRegex(
            UserError, r"a\.npy.*asks for (os|posix)\.mkdir"
        ):
            object_arrays.read(self.path)

        self.assertFalse(made.exists())
        # The same file does harm where pickles are run.
        np.load(self.path, allow_pickle=True)
        self.assertTrue(made.exists())

    @parameterized.named_parameters(
        ("getattr", b"cbuiltins\neval\n(S'1'\ntR.", "builtins.eval"),
        ("other_numpy", b"cnumpy\nload\n(S'x'\ntR.", "numpy.load"),
        ("nested_name", b"cnumpy\nndarray.tofile\n.", "numpy.ndarray.tofile"),
        ("extension", b"\x82\x01.", "not a dictionary"),
        ("nothing", b"", "not a dictionary"),
        ("no_end", b"(", "not a dictionary"),
        ("number", b"K\x05.", "a pickle of no array"),
        ("deep", b"(" * 100000 + b"l" * 10 + b".", "not a dictionary"),
    )
    def test_hostile_pickle_is_refused(self, pickled, message):
        self._save_pickle(pickled)

        with self.assertRaisesRegex(UserError, message):
            object_arrays.read(self.path)

    def test_state_of_another_size_is_refused(self):
        pickled = self._pickled(np.arange(50, dtype=np.uint8), protocol=3)
        self.assertIn(b"K2\x85", pickled)

        self._save_pickle(pickled.replace(b"K2\x85", b"K\x33\x85"))

        with self.assertRaisesRegex(UserError, "50 bytes of an array of 51"):
            object_arrays.read(self.path)

    @parameterized.named_parameters(
        ("plain_array", np.zeros(3), "a ndarray"),
        ("list", [None, 2], "not a dictionary"),
        ("text", {"a": "b"}, "'a', which is no array"),
        ("objects", {"a": np.array([None, 1])}, "array of objects in 'a'"),
        ("key", {3: np.zeros(1)}, "3, which is no array"),
        (
            "fields",
            {"a": np.zeros(2, [("x", "f4"), ("y", "f4")])},
            "a type of numbers that is not plain",
        ),
    )
    def test_other_content_is_told(self, content, message):
        self._save(content)

        with self.assertRaisesRegex(UserError, message):
            object_arrays.read(self.path)

    def test_other_file_is_told(self):
        self.path.write_bytes(b"\x89PNG\r\n\x1a\n")
        with self.assertRaisesRegex(UserError, "magic string"):
            object_arrays.read(self.path)
        with self.assertRaisesRegex(UserError, "No such file"):
            object_arrays.read(self.folder / "b.npy")


if __name__ == "__main__":
    absltest.main()
