"""Reads tensors out of PyTorch's files without PyTorch and without trust.

A `torch.save` file is a pickle, and a pickle is a program. The reader here
knows tensors, ordered dicts and plain values, and refuses by name whatever
else a file asks for; nothing in the file is ever run.
"""

import collections
import io
import os
import pathlib
import pickle
import struct
import zipfile
from collections.abc import Callable

import numpy as np

from nppnet_tf.errors import UserError

# Kinds of storage and their element types.
_STORAGES = {
    "FloatStorage": np.dtype("<f4"),
    "DoubleStorage": np.dtype("<f8"),
    "HalfStorage": np.dtype("<f2"),
    "LongStorage": np.dtype("<i8"),
    "IntStorage": np.dtype("<i4"),
    "ShortStorage": np.dtype("<i2"),
    "CharStorage": np.dtype("i1"),
    "ByteStorage": np.dtype("u1"),
    "BoolStorage": np.dtype("?"),
}

# First words of a legacy file, as pickled integers.
_LEGACY_MAGIC = 0x1950A86A20F9469CFC6C
_LEGACY_PROTOCOL = 1001

# A state dict's pickle is a list of names and shapes, a few hundred KB.
_MAX_PICKLE_BYTES = 64 << 20


class _Storage:
    """Numbers of a file, known by name before they are read."""

    def __init__(self, dtype: np.dtype, count: int) -> None:
        self.dtype = dtype
        self.count = count
        self.values: np.ndarray | None = None


class _Tensor:
    """A view of a storage, resolved when all storages are read."""

    def __init__(self, storage, offset, size, stride) -> None:
        self.storage = storage
        self.offset = offset
        self.size = size
        self.stride = stride

    def resolve(self) -> np.ndarray:
        values = self.storage.values
        if min((self.offset, *self.size, *self.stride), default=0) < 0:
            raise ValueError("a tensor with negative extents")
        steps = zip(self.size, self.stride, strict=True)
        last = self.offset + sum((n - 1) * step for n, step in steps)
        if 0 not in self.size and last >= len(values):
            raise ValueError("a tensor reaches beyond its storage")
        strides = [step * values.itemsize for step in self.stride]
        view = np.lib.stride_tricks.as_strided(
            values[self.offset :], self.size, strides, writeable=False
        )
        return view.copy()


def _rebuild_tensor(storage, offset, size, stride, *_):
    if not isinstance(storage, _Storage):
        raise pickle.UnpicklingError("a tensor without a storage")
    numbers = (offset, *size, *stride)
    if not all(isinstance(number, int) for number in numbers):
        raise pickle.UnpicklingError("a tensor of unknown size")
    return _Tensor(storage, offset, tuple(size), tuple(stride))


def _rebuild_parameter(data, *_):
    return data


class _RestrictedUnpickler(pickle.Unpickler):
    """Finds a handful of names and refuses all others."""

    def __init__(self, file, storage: Callable) -> None:
        super().__init__(file, encoding="utf-8")
        self._storage = storage

    def find_class(self, module: str, name: str):
        known = {
            ("collections", "OrderedDict"): collections.OrderedDict,
            ("torch._utils", "_rebuild_tensor_v2"): _rebuild_tensor,
            ("torch._utils", "_rebuild_tensor"): _rebuild_tensor,
            ("torch._utils", "_rebuild_parameter"): _rebuild_parameter,
        }
        if (module, name) in known:
            return known[module, name]
        if module == "torch" and name in _STORAGES:
            return _STORAGES[name]
        raise pickle.UnpicklingError(f"the file asks for {module}.{name}")

    def persistent_load(self, pid):
        kind, dtype, key, _, count, *_ = pid
        if kind != "storage" or not isinstance(dtype, np.dtype):
            raise pickle.UnpicklingError("an unknown kind of reference")
        return self._storage(dtype, str(key), int(count))


def read(path: str | os.PathLike) -> object:
    """Reads a zip or legacy `torch.save` file.

    Returns:
        What was saved, with NumPy arrays for tensors.

    Raises:
        UserError: If the file is missing, truncated, no such file, or asks for
            anything but tensors, ordered dicts, numbers and strings.
    """
    path = pathlib.Path(path)
    try:
        if zipfile.is_zipfile(path):
            return _read_zip(path)
        return _read_legacy(path)
    except (
        OSError,
        ValueError,
        TypeError,
        KeyError,
        IndexError,
        EOFError,
        AttributeError,
        MemoryError,
        OverflowError,
        RecursionError,
        struct.error,
        pickle.UnpicklingError,
        zipfile.BadZipFile,
    ) as error:
        raise UserError(
            "checkpoint refused",
            path,
            "a torch.save file of tensors, ordered dicts, numbers and strings",
            str(error) or type(error).__name__,
        ) from error


def _read_zip(path: pathlib.Path) -> object:
    with zipfile.ZipFile(path) as archive:
        (member,) = (
            name
            for name in archive.namelist()
            if name == "data.pkl" or name.endswith("/data.pkl")
        )
        folder = member.removesuffix("data.pkl")
        storages = {}

        def storage(dtype: np.dtype, key: str, count: int) -> _Storage:
            if key not in storages:
                info = archive.getinfo(f"{folder}data/{key}")
                if info.file_size != count * dtype.itemsize:
                    raise ValueError(f"storage {key} has the wrong size")
                storages[key] = _Storage(dtype, count)
                storages[key].values = np.frombuffer(archive.read(info), dtype)
            return storages[key]

        if archive.getinfo(member).file_size > _MAX_PICKLE_BYTES:
            raise ValueError("the list of names is implausibly large")
        stream = io.BytesIO(archive.read(member))
        return _resolve(_RestrictedUnpickler(stream, storage).load())


def _read_legacy(path: pathlib.Path) -> object:
    """A magic number, two headers, the object, then the storages."""
    storages = {}

    def storage(dtype: np.dtype, key: str, count: int) -> _Storage:
        return storages.setdefault(key, _Storage(dtype, count))

    with open(path, "rb") as file:
        if _RestrictedUnpickler(file, storage).load() != _LEGACY_MAGIC:
            raise ValueError("not a file of torch.save")
        if _RestrictedUnpickler(file, storage).load() != _LEGACY_PROTOCOL:
            raise ValueError("another protocol than 1001")
        _RestrictedUnpickler(file, storage).load()
        saved = _RestrictedUnpickler(file, storage).load()
        for key in _RestrictedUnpickler(file, storage).load():
            _read_storage(file, storages[str(key)])
        return _resolve(saved)


def _read_storage(file, storage: _Storage) -> None:
    (count,) = struct.unpack("<q", file.read(8))
    if count != storage.count:
        raise ValueError("a storage of another size than announced")
    data = file.read(count * storage.dtype.itemsize)
    storage.values = np.frombuffer(data, storage.dtype)
    if len(storage.values) != count:
        raise ValueError("the file ends within a storage")


def _resolve(value: object) -> object:
    """Puts arrays in the place of tensors."""
    if isinstance(value, _Tensor):
        return value.resolve()
    if isinstance(value, dict):
        return {key: _resolve(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(_resolve(item) for item in value)
    return value
