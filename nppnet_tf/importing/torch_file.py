"""Reads tensors out of PyTorch's files without PyTorch and without trust.

A `torch.save` file is a pickle, and a pickle is a program. Nothing in the file
is ever run: `torch_pickle` knows tensors, ordered dicts and plain values,
and refuses by name whatever else a file asks for. The numbers stay in the
file, which is mapped into memory, until a tensor is asked for them; so what is
not wanted, such as the state of an optimizer, is never read.
"""

import io
import mmap
import os
import pathlib
import pickle
import stat
import struct
import zipfile
import zlib
from collections.abc import Mapping
from typing import Any

import numpy as np

from nppnet_tf.errors import UserError
from nppnet_tf.files.restricted_pickle import PickleRefusedError
from nppnet_tf.files.restricted_pickle import printable
from nppnet_tf.importing import torch_pickle
from nppnet_tf.importing.torch_pickle import Storage

# Names and shapes of a large training checkpoint take 2 MB, its table of
# contents, in a zip file, as much.
_MAX_PICKLE_BYTES = 8 << 20
_MAX_DIRECTORY_BYTES = 8 << 20

# First words of a legacy file, as pickled integers.
_LEGACY_MAGIC = 0x1950A86A20F9469CFC6C
_LEGACY_PROTOCOL = 1001

_ZIP_START = b"PK\x03\x04"
_EXPECTED = "a torch.save file of tensors, ordered dicts, numbers and strings"

_LOCAL_HEADER = struct.Struct("<26xHH")
_DIRECTORY_END = struct.Struct("<4s8xL4xH")
_DIRECTORY_END_64 = struct.Struct("<4s36xQ")
_LOCATOR_64 = struct.Struct("<4s4xQ4x")
_MAX_COMMENT_BYTES = 1 << 16
_IN_64_BITS = 0xFFFFFFFF


def read(path: str | os.PathLike) -> Any:
    """Reads a zip or legacy `torch.save` file.

    Returns:
        What was saved: None, booleans, numbers, strings, tuples, lists, dicts,
        and a `Tensor` for every tensor, which `numpy.asarray` reads. Asking a
        tensor of a damaged file for its numbers raises a UserError. Values
        may be nested in one another or in themselves as the file likes.

    Raises:
        UserError: If the file is missing, truncated, no such file, or asks for
            anything but tensors, ordered dicts, numbers and strings.
    """
    path = pathlib.Path(path)
    try:
        data = _map(path)
        if data[: len(_ZIP_START)] == _ZIP_START:
            return _ZipFile(path, data).load()
        return _LegacyFile(path, data).load()
    except (
        OSError,
        # Also what zipfile raises for a damaged table of contents.
        ValueError,
        RuntimeError,
        struct.error,
        zipfile.BadZipFile,
    ) as error:
        raise _refused(path, error) from error


def _refused(path: pathlib.Path, error: Exception | str) -> UserError:
    if isinstance(error, OSError):
        error = error.strerror or error
    return UserError(
        "checkpoint refused",
        path,
        _EXPECTED,
        str(error) or type(error).__name__,
    )


def _map(path: pathlib.Path) -> mmap.mmap:
    """Maps a file, which must be one: a pipe would never end."""
    status = os.stat(path)
    if not stat.S_ISREG(status.st_mode):
        raise PickleRefusedError("no regular file")
    if not status.st_size:
        raise PickleRefusedError("an empty file")
    with open(path, "rb") as file:
        return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)


class _ZipFile:
    """A file of PyTorch 1.6 or later: every storage is a member, stored.

    Args:
        path: Path that messages name.
        data: The file.
    """

    def __init__(self, path: pathlib.Path, data: mmap.mmap) -> None:
        self._path = path
        self._data = data
        _check_directory(data)
        with zipfile.ZipFile(path) as archive:
            self._members = {info.filename: info for info in archive.infolist()}
        self._folder = _folder(self._members)
        self._checked: set[str] = set()
        self._is_big_endian = False

    def load(self) -> Any:
        """Returns what was saved."""
        order = self._members.get(f"{self._folder}byteorder")
        if order is not None:
            self._is_big_endian = self._bytes(order) == b"big"
        info = self._members[f"{self._folder}data.pkl"]
        if info.file_size > _MAX_PICKLE_BYTES:
            raise PickleRefusedError("a list of names that is far too long")
        return torch_pickle.load(
            io.BytesIO(self._bytes(info)), self._announce, self._read
        )

    def _announce(self, storage: Storage) -> None:
        info = self._members.get(f"{self._folder}data/{storage.key}")
        expected = storage.count * storage.kind.dtype.itemsize
        if info is None or info.file_size != expected:
            raise PickleRefusedError(
                f"storage {printable(storage.key)} is missing "
                "or of another size"
            )
        self._span(info)

    def _read(self, storage: Storage) -> np.ndarray:
        info = self._members[f"{self._folder}data/{storage.key}"]
        start, _ = self._span(info)
        dtype = storage.kind.dtype
        if self._is_big_endian:
            dtype = dtype.newbyteorder(">")
        values = np.frombuffer(self._data, dtype, storage.count, start)
        if storage.key not in self._checked:
            if zlib.crc32(values.view("u1")) != info.CRC:
                raise _refused(
                    self._path, f"checksum of {printable(storage.key)} is wrong"
                )
            self._checked.add(storage.key)
        return values

    def _bytes(self, info: zipfile.ZipInfo) -> bytes:
        start, end = self._span(info)
        data = self._data[start:end]
        if zlib.crc32(data) != info.CRC:
            raise PickleRefusedError(
                f"checksum of {printable(info.filename)} is wrong"
            )
        return data

    def _span(self, info: zipfile.ZipInfo) -> tuple[int, int]:
        """Where the bytes of a member lie in the file."""
        is_plain = info.compress_type == zipfile.ZIP_STORED
        if not is_plain or info.flag_bits & 1:
            raise PickleRefusedError("members that are packed or encrypted")
        start = info.header_offset + _LOCAL_HEADER.size
        header = self._data[info.header_offset : start]
        if not header.startswith(_ZIP_START):
            raise PickleRefusedError("a member that is not there")
        start += sum(_LOCAL_HEADER.unpack(header))
        end = start + info.file_size
        if end > len(self._data) or info.file_size != info.compress_size:
            raise PickleRefusedError("a member beyond the end of the file")
        return start, end


def _check_directory(data: mmap.mmap) -> None:
    """Refuses a table of contents that would fill the memory."""
    start = data.rfind(b"PK\x05\x06", max(0, len(data) - _MAX_COMMENT_BYTES))
    tail = data[start : start + _DIRECTORY_END.size] if start >= 0 else b""
    if len(tail) < _DIRECTORY_END.size:
        raise PickleRefusedError("a zip file that is cut off")
    _, size, _ = _DIRECTORY_END.unpack(tail)
    if size == _IN_64_BITS and start >= _LOCATOR_64.size:
        locator = data[start - _LOCATOR_64.size : start]
        _, position = _LOCATOR_64.unpack(locator)
        found = data[position : position + _DIRECTORY_END_64.size]
        _, size = _DIRECTORY_END_64.unpack(found)
    if size > _MAX_DIRECTORY_BYTES:
        raise PickleRefusedError("a table of contents that is far too long")


def _folder(members: Mapping[str, zipfile.ZipInfo]) -> str:
    folders = [
        name.removesuffix("data.pkl")
        for name in members
        if name == "data.pkl" or name.endswith("/data.pkl")
    ]
    if len(folders) != 1:
        raise PickleRefusedError(
            f"a zip file with {len(folders)} members data.pkl"
        )
    return folders[0]


class _LegacyFile:
    """A file of an older PyTorch: pickles one behind the other, then numbers.

    Args:
        path: Path that messages name.
        data: The file.
    """

    def __init__(self, path: pathlib.Path, data: mmap.mmap) -> None:
        self._path = path
        self._data = data
        self._position = 0
        self._storages: dict[str, Storage] = {}
        self._starts: dict[str, int] = {}

    def load(self) -> Any:
        """Returns what was saved."""
        is_pickle = self._data[:1] == pickle.PROTO
        if not is_pickle or self._next_pickle() != _LEGACY_MAGIC:
            raise PickleRefusedError("not a file of torch.save")
        if self._next_pickle() != _LEGACY_PROTOCOL:
            raise PickleRefusedError("another protocol than 1001")
        system = self._next_pickle()
        if not isinstance(system, dict) or not system.get("little_endian"):
            raise PickleRefusedError("numbers in an unknown byte order")
        saved = self._next_pickle()
        self._find_storages(self._next_pickle())
        return saved

    def _next_pickle(self) -> Any:
        end = self._position + _MAX_PICKLE_BYTES
        stream = io.BytesIO(self._data[self._position : end])
        value = torch_pickle.load(stream, self._announce, self._read)
        self._position += stream.tell()
        return value

    def _announce(self, storage: Storage) -> None:
        self._storages[storage.key] = storage

    def _find_storages(self, names: Any) -> None:
        """Notes where each storage starts; none may lack or be cut off."""
        if not isinstance(names, list) or not all(
            isinstance(name, str) for name in names
        ):
            raise PickleRefusedError("no list of storages")
        if set(names) != set(self._storages) or len(set(names)) != len(names):
            raise PickleRefusedError("a list of other storages")
        for name in names:
            storage = self._storages[name]
            head = self._data[self._position : self._position + 8]
            if len(head) < 8 or struct.unpack("<q", head)[0] != storage.count:
                raise PickleRefusedError(
                    "a storage that is cut off or of another size"
                )
            self._starts[name] = self._position + 8
            self._position += 8 + storage.count * storage.kind.dtype.itemsize
            if self._position > len(self._data):
                raise PickleRefusedError("the file ends within a storage")

    def _read(self, storage: Storage) -> np.ndarray:
        return np.frombuffer(
            self._data,
            storage.kind.dtype,
            storage.count,
            self._starts[storage.key],
        )
