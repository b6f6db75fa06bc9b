"""What is written is what PyTorch and our own reader read."""

import os
import pathlib
import unittest
import zipfile

import numpy as np
from absl.testing import absltest
from absl.testing import parameterized

from nppnet_tf.importing import torch_file
from nppnet_tf.importing import torch_writer


def tensors():
    random = np.random.default_rng(0)
    return {
        "z.weight": random.normal(size=(3, 4, 2, 1)).astype(np.float32),
        "a.transposed": random.normal(size=(5, 7)).astype(np.float32).T,
        "a.bias": np.zeros([0, 3], np.float32),
        "count": np.array(1 << 40, np.int64),
        "flags": np.array([True, False]),
        "double": random.normal(size=6),
        "swapped": np.arange(4, dtype=">i4"),
    }


class TorchWriterTest(parameterized.TestCase):
    def setUp(self):
        super().setUp()
        self.folder = pathlib.Path(self.create_tempdir().full_path)
        self.path = self.folder / "file.pth"
        torch_writer.write(self.path, tensors())

    def test_reader_gives_back_every_bit_in_the_same_order(self):
        found = torch_file.read(self.path)

        self.assertEqual(list(found), list(tensors()))
        for key, tensor in tensors().items():
            np.testing.assert_array_equal(found[key], tensor)
            self.assertEqual(
                np.asarray(found[key]).dtype, tensor.dtype.newbyteorder("<")
            )

    def test_same_tensors_give_the_same_bytes(self):
        other = self.folder / "other.pth"

        torch_writer.write(other, tensors())

        self.assertEqual(other.read_bytes(), self.path.read_bytes())

    def test_numbers_are_stored_and_aligned(self):
        data = self.path.read_bytes()
        with zipfile.ZipFile(self.path) as archive:
            self.assertIsNone(archive.testzip())
            for info in archive.infolist():
                numbers = archive.read(info)
                self.assertEqual(info.compress_type, zipfile.ZIP_STORED)
                start = info.header_offset + 30
                lengths = data[start - 4 : start]
                start += lengths[0] + 256 * lengths[1]
                start += lengths[2] + 256 * lengths[3]
                self.assertEqual(start % 64, 0)
                self.assertEqual(data[start : start + len(numbers)], numbers)

    def test_pytorch_opens_it_and_trusts_no_code(self):
        try:
            import torch
        except ImportError:
            raise unittest.SkipTest("PyTorch is not installed") from None

        found = torch.load(os.fspath(self.path), weights_only=True)

        self.assertEqual(list(found), list(tensors()))
        for key, tensor in tensors().items():
            np.testing.assert_array_equal(found[key].numpy(), tensor)

    def test_numbers_that_pytorch_lacks_are_refused(self):
        with self.assertRaisesRegex(ValueError, "No kind of tensor"):
            torch_writer.write(
                self.folder / "odd.pth", {"x": np.array(["text"])}
            )
        self.assertFalse((self.folder / "odd.pth").exists())


if __name__ == "__main__":
    absltest.main()
