"""Tests of the reader of PyTorch's files."""

import collections
import io
import os
import pathlib
import pickle
import zipfile

import numpy as np
from absl.testing import absltest
from absl.testing import parameterized

from nppnet_tf.errors import UserError
from nppnet_tf.importing import torch_file
from tests.shared import shared_path


class _Reduced:
    """Pickles as a call of any function with any arguments."""

    def __init__(self, function, *arguments):
        self.call = (function, arguments)

    def __reduce__(self):
        return self.call


class TorchFileTest(parameterized.TestCase):
    def setUp(self):
        super().setUp()
        self.path = pathlib.Path(self.create_tempdir().full_path) / "file.pth"

    def write_zip(self, value, storages=()):
        with zipfile.ZipFile(self.path, "w") as archive:
            archive.writestr("archive/data.pkl", pickle.dumps(value))
            for key, data in storages:
                archive.writestr(f"archive/data/{key}", data)

    def assert_refused(self, text):
        with self.assertRaisesRegex(UserError, text):
            torch_file.read(self.path)

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

    def test_plain_values_are_read(self):
        value = collections.OrderedDict(epoch=3, name="x", rates=[1e-3, (1,)])
        self.write_zip(value)

        self.assertEqual(torch_file.read(self.path), dict(value))

    @parameterized.named_parameters(
        ("system", os.system, ("touch {}",), "system"),
        ("evaluation", eval, ("open('{}', 'w')",), "eval"),
    )
    def test_nothing_is_executed(self, function, arguments, name):
        victim = self.path.with_name("victim")
        arguments = [argument.format(victim) for argument in arguments]
        self.write_zip(_Reduced(function, *arguments))

        self.assert_refused(f"the file asks for .*{name}")
        self.assertFalse(victim.exists())

    def test_legacy_file_is_restricted_too(self):
        self.path.write_bytes(pickle.dumps(_Reduced(os.getpid)))

        self.assert_refused("the file asks for .*getpid")

    def test_view_beyond_its_storage_is_refused(self):
        stream = io.BytesIO()
        pickler = _TensorPickler(stream)
        pickler.dump(_Reduced(_torch_rebuild, _STORAGE, 2, (4,), (1,)))
        with zipfile.ZipFile(self.path, "w") as archive:
            archive.writestr("archive/data.pkl", stream.getvalue())
            archive.writestr("archive/data/0", np.zeros(4, "<f4").tobytes())

        self.assert_refused("beyond its storage")

    @parameterized.parameters(b"", b"garbage", b"PK\x03\x04")
    def test_foreign_file_is_one_line(self, data):
        self.path.write_bytes(data)

        self.assert_refused("checkpoint refused; where: .*file.pth")

    @parameterized.parameters(100, 5000, 200000)
    def test_truncated_file_is_one_line(self, size):
        whole = shared_path(
            "reference/retrain_c8_l8_checkpoint_legacy.pth"
        ).read_bytes()
        self.path.write_bytes(whole[:size])

        self.assert_refused("checkpoint refused")


_STORAGE = object()


def _torch_rebuild():
    """Stands for torch._utils._rebuild_tensor_v2 in a pickle."""


_torch_rebuild.__module__ = "torch._utils"
_torch_rebuild.__qualname__ = "_rebuild_tensor_v2"


class _TensorPickler(pickle._Pickler):
    """Writes references to storages and names of PyTorch as PyTorch does."""

    def persistent_id(self, value):
        if value is _STORAGE:
            return ("storage", _FloatStorage, "0", "cpu", 4)
        return None

    def save_global(self, value, name=None):
        self.write(
            pickle.GLOBAL
            + f"{value.__module__}\n{value.__qualname__}\n".encode()
        )

    dispatch = {
        **pickle._Pickler.dispatch,
        type(_torch_rebuild): save_global,
        type: save_global,
    }


class _FloatStorage:
    """Stands for torch.FloatStorage in a pickle."""


_FloatStorage.__module__ = "torch"
_FloatStorage.__qualname__ = "FloatStorage"


if __name__ == "__main__":
    absltest.main()
