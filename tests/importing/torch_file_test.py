"""Files of PyTorch are read without PyTorch; damaged ones are refused."""

import os
import pathlib
import pickle
import struct
import zipfile

import numpy as np
from absl.testing import absltest
from absl.testing import parameterized

from nppnet_tf.errors import UserError
from nppnet_tf.importing import torch_file
from tests.importing import torch_pickle_test as pickles
from tests.shared import shared_path

NUMBERS = np.arange(12, dtype="<f4")
NUMBER_BYTES = NUMBERS.tobytes()
TENSOR = pickles.program(pickles.tensor(0, (3, 4), (4, 1)))


class TorchFileCase(parameterized.TestCase):
    def setUp(self):
        super().setUp()
        self.path = pathlib.Path(self.create_tempdir().full_path) / "file.pth"

    def write_zip(self, data=TENSOR, storages=(NUMBER_BYTES,), **kwargs):
        with zipfile.ZipFile(self.path, "w", **kwargs) as archive:
            archive.writestr("archive/data.pkl", data)
            for key, numbers in enumerate(storages):
                archive.writestr(f"archive/data/{key}", numbers)

    def write_legacy(
        self, data=TENSOR, names=("0",), storages=(NUMBERS,), system=None
    ):
        system = {"little_endian": True} if system is None else system
        with open(self.path, "wb") as file:
            for value in (0x1950A86A20F9469CFC6C, 1001, system):
                pickle.dump(value, file, 2)
            file.write(data)
            pickle.dump(list(names), file, 2)
            for numbers in storages:
                file.write(struct.pack("<q", len(numbers)))
                file.write(numbers.tobytes())

    def assert_refused(self, text):
        with self.assertRaisesRegex(UserError, text) as caught:
            torch_file.read(self.path)
        self.assertRegex(
            str(caught.exception), r"^checkpoint refused; where: .*file.pth"
        )


class ReferenceTest(TorchFileCase):
    def test_both_formats_hold_the_same_tensors(self):
        plain = torch_file.read(shared_path("reference/retrain_c8_l8.pth"))
        legacy = torch_file.read(
            shared_path("reference/retrain_c8_l8_checkpoint_legacy.pth")
        )

        self.assertLen(plain, 2186)
        state_dict = legacy["state_dict"]
        self.assertEqual(
            sorted(key.removeprefix("module.") for key in state_dict),
            sorted(plain),
        )
        for key, value in plain.items():
            np.testing.assert_array_equal(state_dict[f"module.{key}"], value)

    @parameterized.parameters(100, 5000, 200000, -1)
    def test_truncated_legacy_file_is_one_line(self, size):
        path = shared_path("reference/retrain_c8_l8_checkpoint_legacy.pth")
        self.path.write_bytes(path.read_bytes()[:size])

        self.assert_refused("checkpoint refused")

    @parameterized.parameters(100, 5000, 200000, -1)
    def test_truncated_zip_file_is_one_line(self, size):
        path = shared_path("reference/retrain_c8_l8.pth")
        self.path.write_bytes(path.read_bytes()[:size])

        self.assert_refused("a zip file that is cut off")


class ZipFileTest(TorchFileCase):
    def test_tensor_is_read(self):
        self.write_zip()

        found = torch_file.read(self.path)

        np.testing.assert_array_equal(found, NUMBERS.reshape(3, 4))

    def test_numbers_of_the_other_byte_order_are_read(self):
        self.write_zip(storages=[NUMBERS.astype(">f4").tobytes()])
        with zipfile.ZipFile(self.path, "a") as archive:
            archive.writestr("archive/byteorder", "big")

        found = np.asarray(torch_file.read(self.path))

        np.testing.assert_array_equal(found, NUMBERS.reshape(3, 4))

    def test_damaged_numbers_are_noticed_when_they_are_read(self):
        self.write_zip()
        data = self.path.read_bytes()
        wrong = NUMBERS + (NUMBERS == 5)
        self.path.write_bytes(data.replace(NUMBERS.tobytes(), wrong.tobytes()))

        found = torch_file.read(self.path)

        with self.assertRaisesRegex(UserError, "checksum of 0 is wrong"):
            np.asarray(found)

    def test_damaged_names_are_noticed(self):
        self.write_zip(pickle.dumps({"abc": 1}, 2))
        data = self.path.read_bytes()
        self.path.write_bytes(data.replace(b"abc", b"abx", 1))

        self.assert_refused("checksum of archive/data.pkl is wrong")

    def test_packed_members_are_refused(self):
        # A file of a few kilobytes may unpack to gigabytes.
        self.write_zip(storages=[bytes(48)], compression=zipfile.ZIP_DEFLATED)

        self.assert_refused("packed or encrypted")

    @parameterized.named_parameters(
        ("missing", ()), ("short", (bytes(44),)), ("long", (bytes(52),))
    )
    def test_storage_of_another_size_is_refused(self, storages):
        self.write_zip(storages=storages)

        self.assert_refused("storage 0 is missing or of another size")

    @parameterized.parameters(0, 2)
    def test_one_list_of_names_is_needed(self, count):
        with zipfile.ZipFile(self.path, "w") as archive:
            for number in range(count):
                archive.writestr(f"{number}/data.pkl", TENSOR)
            archive.writestr("code.py", "")

        self.assert_refused(f"a zip file with {count} members data.pkl")

    def test_names_without_end_are_refused(self):
        self.write_zip(b"N" * (9 << 20))

        self.assert_refused("a list of names that is far too long")

    def test_table_of_contents_that_is_too_long_is_refused(self):
        self.write_zip()
        data = bytearray(self.path.read_bytes())
        start = data.rfind(b"PK\x05\x06")
        data[start + 12 : start + 16] = struct.pack("<L", 9 << 20)
        self.path.write_bytes(data)

        self.assert_refused("a table of contents that is far too long")

    @parameterized.named_parameters(
        # Offsets in an entry of the table of contents, "PK\1\2".
        ("start", 42, 10_000),
        ("size", 24, 1 << 30),
        ("packed_size", 20, 1 << 30),
        ("flags", 8, 1),
    )
    def test_entry_that_leads_nowhere_is_refused(self, offset, value):
        self.write_zip()
        data = bytearray(self.path.read_bytes())
        for start in _positions(data, b"PK\x01\x02"):
            field = struct.pack("<L", value)
            width = 2 if offset == 8 else 4
            data[start + offset : start + offset + width] = field[:width]
        self.path.write_bytes(data)

        self.assert_refused("checkpoint refused")


class LegacyFileTest(TorchFileCase):
    def test_tensor_is_read(self):
        self.write_legacy()

        found = torch_file.read(self.path)

        np.testing.assert_array_equal(found, NUMBERS.reshape(3, 4))

    @parameterized.named_parameters(
        ("unknown_order", {"system": {}}, "unknown byte order"),
        ("wrong_size", {"storages": [NUMBERS[:5]]}, "of another size"),
        ("no_storage", {"storages": []}, "cut off"),
        ("other_names", {"names": ["1"]}, "a list of other storages"),
        ("same_names", {"names": ["0", "0"]}, "a list of other storages"),
        ("odd_names", {"names": [0]}, "no list of storages"),
        (
            "huge_size",
            {"data": pickles.program(pickles.storage(1 << 40))},
            "of another size",
        ),
    )
    def test_damage_is_refused(self, changes, text):
        self.write_legacy(**changes)

        self.assert_refused(text)

    def test_file_that_ends_in_its_numbers_is_refused(self):
        self.write_legacy()
        os.truncate(self.path, self.path.stat().st_size - 4)

        self.assert_refused("ends within a storage")

    def test_nothing_is_executed(self):
        victim = self.path.with_name("victim")
        data = pickles.program(
            pickles.call("os.system", pickles.pickled(f"touch {victim}"))
        )
        for write in (self.write_legacy, self.write_zip):
            write(data)

            self.assert_refused("the file asks for os.system")
            self.assertFalse(victim.exists())


class ForeignFileTest(TorchFileCase):
    @parameterized.named_parameters(
        ("empty", b"", "an empty file"),
        ("garbage", b"garbage", "not a file of torch.save"),
        ("start_of_zip", b"PK\x03\x04", "a zip file that is cut off"),
        ("number", pickle.dumps(5, 2), "not a file of torch.save"),
        ("picture", b"\x89PNG\r\n\x1a\n", "not a file of torch.save"),
        ("zeros", bytes(1000), "not a file of torch.save"),
    )
    def test_foreign_file_is_one_line(self, data, text):
        self.path.write_bytes(data)

        self.assert_refused(text)

    def test_absent_file_and_folder_are_one_line(self):
        self.assert_refused("No such file")
        self.path.mkdir()
        self.assert_refused("no regular file")

    def test_pipe_does_not_wait_for_its_writer(self):
        os.mkfifo(self.path)

        self.assert_refused("no regular file")


def _positions(data, sign):
    start = data.find(sign)
    while start >= 0:
        yield start
        start = data.find(sign, start + 1)


if __name__ == "__main__":
    absltest.main()
