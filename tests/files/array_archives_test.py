"""Tests of nppnet_tf.files.array_archives."""

import io
import pathlib
import zipfile

import numpy as np
from absl.testing import absltest
from absl.testing import parameterized

from nppnet_tf.errors import UserError
from nppnet_tf.files import array_archives


class ReadTest(parameterized.TestCase):
    def setUp(self):
        super().setUp()
        self.path = pathlib.Path(self.create_tempdir().full_path) / "a.npz"

    def test_only_arrays_asked_for_are_read(self):
        np.savez(self.path, a=np.arange(3), b=np.array([None]))

        found = array_archives.read(self.path, ("a", "c"))

        self.assertEqual(list(found), ["a"])
        np.testing.assert_array_equal(found["a"], [0, 1, 2])

    def test_pickled_objects_are_refused(self):
        np.savez(self.path, b=np.array([None]))

        with self.assertRaisesRegex(
            UserError, "a.npz.*holds object, no numbers"
        ):
            array_archives.read(self.path, ("b",))

    def test_archive_without_the_arrays_is_told(self):
        np.savez(self.path, b=np.arange(3))

        with self.assertRaisesRegex(UserError, "no array.*expected: a, c"):
            array_archives.read(self.path, ("a", "c"))

    @parameterized.parameters(
        b"", b"PK\x03\x04torn", b"text", b"\x80\x04K\x05."
    )
    def test_other_files_are_told(self, content):
        self.path.write_bytes(content)

        with self.assertRaisesRegex(UserError, "arrays cannot be read.*a.npz"):
            array_archives.read(self.path, ("a",))

    def test_member_that_is_no_array_is_told(self):
        with zipfile.ZipFile(self.path, "w") as archive:
            archive.writestr("a.npy", b"torn")

        with self.assertRaisesRegex(UserError, "a.npz.*header of an array"):
            array_archives.read(self.path, ("a",))

    def test_all_arrays_are_read_in_their_order_where_none_is_named(self):
        arrays = {
            "b": np.asfortranarray(np.arange(6, dtype=">i2").reshape(2, 3)),
            "a/b:0": np.array("text"),
            "c": np.zeros((0, 4), np.float32),
            "d": np.float64(2.5),
        }
        for save in (np.savez, np.savez_compressed):
            save(self.path, **arrays)

            found = array_archives.read(self.path)

            self.assertEqual(list(found), list(arrays))
            for name, array in arrays.items():
                np.testing.assert_array_equal(found[name], array, strict=True)
                self.assertTrue(found[name].flags.writeable)

    def test_archive_of_gigabytes_is_refused_before_it_is_unpacked(self):
        np.savez_compressed(self.path, a=np.zeros(1000))

        self.assertLen(array_archives.read(self.path, max_bytes=8128), 1)
        with self.assertRaisesRegex(UserError, "arrays of 8128 bytes"):
            array_archives.read(self.path, max_bytes=8127)

    @parameterized.named_parameters(
        ("terabytes", "<f4", (1 << 40,)),
        ("more_than_64_bits", "<f8", (1 << 40, 1 << 40)),
        ("negative", "<f4", (-4,)),
        ("less_than_there_is", "<f4", (1,)),
    )
    def test_claims_that_the_data_do_not_hold_are_told(self, descr, shape):
        header = io.BytesIO()
        np.lib.format.write_array_header_1_0(
            header, dict(descr=descr, fortran_order=False, shape=shape)
        )
        with zipfile.ZipFile(self.path, "w") as archive:
            archive.writestr("a.npy", header.getvalue() + b"\0" * 64)

        with self.assertRaisesRegex(UserError, "arrays cannot be read.*a.npz"):
            array_archives.read(self.path)

    def test_flags_methods_and_versions_of_other_archives_are_told(self):
        np.savez(self.path, a=np.arange(3))
        content = self.path.read_bytes()
        entry = content.index(b"PK\x01\x02")
        for offset, value in ((8, 1), (10, 99), (6, 99)):
            changed = bytearray(content)
            changed[entry + offset] |= value
            self.path.write_bytes(changed)

            with (
                self.subTest(offset),
                self.assertRaisesRegex(
                    UserError, "arrays cannot be read.*a.npz"
                ),
            ):
                array_archives.read(self.path)

    def test_every_flipped_bit_is_told_or_changes_nothing(self):
        arrays = {"a": np.arange(5, dtype=np.float32), "b": np.eye(2)}
        np.savez(self.path, **arrays)
        content = self.path.read_bytes()
        for at in range(len(content)):
            changed = bytearray(content)
            changed[at] ^= 1 << (at % 8)
            self.path.write_bytes(changed)
            try:
                found = array_archives.read(self.path)
            except UserError:
                continue
            # What is left are names, dates and rights.
            for array in found.values():
                self.assertTrue(
                    any(
                        array.tobytes() == other.tobytes()
                        for other in arrays.values()
                    ),
                    f"byte {at}",
                )

    def test_a_device_is_refused(self):
        with self.assertRaisesRegex(UserError, "a device"):
            array_archives.read("/dev/zero")


class ReadHeaderTest(parameterized.TestCase):
    @parameterized.parameters(
        b"",
        b"\x93NUMPY\x01\x00",
        b"\x93NUMPY\x09\x00\x10\x00" + b" " * 16,
        b"\x93NUMPY\x01\x00\x20\x00{'shape': ((), 'descr': '<f4'      }",
    )
    def test_broken_ones_are_one_kind_of_error(self, data):
        with self.assertRaises(ValueError):
            array_archives.read_header(io.BytesIO(data))


if __name__ == "__main__":
    absltest.main()
