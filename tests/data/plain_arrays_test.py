"""Tests of nppnet_tf.data.plain_arrays."""

import pathlib
import zipfile

import numpy as np
from absl.testing import absltest
from absl.testing import parameterized

from nppnet_tf.data import plain_arrays
from nppnet_tf.errors import UserError


class ReadTest(parameterized.TestCase):
    def setUp(self):
        super().setUp()
        self.path = pathlib.Path(self.create_tempdir().full_path) / "a.npz"

    def test_only_arrays_asked_for_are_read(self):
        np.savez(self.path, a=np.arange(3), b=np.array([None]))

        found = plain_arrays.read(self.path, ("a", "c"))

        self.assertEqual(list(found), ["a"])
        np.testing.assert_array_equal(found["a"], [0, 1, 2])

    def test_pickled_objects_are_refused(self):
        np.savez(self.path, b=np.array([None]))

        with self.assertRaisesRegex(UserError, "a.npz.*allow_pickle=False"):
            plain_arrays.read(self.path, ("b",))

    def test_archive_without_the_arrays_is_told(self):
        np.savez(self.path, b=np.arange(3))

        with self.assertRaisesRegex(UserError, "no array.*expected: a, c"):
            plain_arrays.read(self.path, ("a", "c"))

    @parameterized.parameters(
        b"", b"PK\x03\x04torn", b"text", b"\x80\x04K\x05."
    )
    def test_other_files_are_told(self, content):
        self.path.write_bytes(content)

        with self.assertRaisesRegex(UserError, "arrays cannot be read.*a.npz"):
            plain_arrays.read(self.path, ("a",))

    def test_member_that_is_no_array_is_told(self):
        with zipfile.ZipFile(self.path, "w") as archive:
            archive.writestr("a.npy", b"torn")

        with self.assertRaisesRegex(UserError, "a.npz.*a is no array"):
            plain_arrays.read(self.path, ("a",))

    def test_archive_of_gigabytes_is_refused_before_it_is_unpacked(self):
        with absltest.mock.patch.object(plain_arrays, "_MAX_BYTES", 100):
            np.savez_compressed(self.path, a=np.zeros(1000))
            with self.assertRaisesRegex(UserError, "arrays of [0-9]+ bytes"):
                plain_arrays.read(self.path, ("a",))


if __name__ == "__main__":
    absltest.main()
