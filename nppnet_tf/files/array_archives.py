"""Reads the arrays of a `.npz` file that anybody may have written.

The format is NumPy's, read without NumPy's loader: that trusts what a file
claims of itself. Nothing is unpickled, nothing is allocated that the file's
own size and a limit do not allow, and whatever is wrong is one line.
"""

import math
import os
import tokenize
import zipfile
import zlib
from collections.abc import Collection
from typing import IO

import numpy as np

from nppnet_tf.errors import UnreadableError
from nppnet_tf.errors import UserError
from nppnet_tf.files import text_files

# 100 masks of the largest picture that is read.
MAX_BYTES = 100 << 26

# Of one file; the largest network of this package has some thousands.
_MAX_ARRAYS = 100_000

_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_ENCRYPTED = 1
_SUFFIX = ".npy"

_HEADERS = {
    (1, 0): np.lib.format.read_array_header_1_0,
    (2, 0): np.lib.format.read_array_header_2_0,
}

# Booleans, numbers and texts.
_KINDS = "biufcUS"

# What zipfile and NumPy's parser of headers raise on damaged files.
READING_ERRORS = (
    OSError,
    ValueError,
    KeyError,
    TypeError,
    EOFError,
    MemoryError,
    OverflowError,
    RecursionError,
    RuntimeError,
    SyntaxError,
    tokenize.TokenError,
    zipfile.BadZipFile,
    zlib.error,
)


def read(
    path: str | os.PathLike[str],
    names: Collection[str] | None = None,
    max_bytes: int = MAX_BYTES,
    what: str = "arrays",
) -> dict[str, np.ndarray]:
    """Reads arrays of numbers or texts.

    Args:
        path: What `numpy.savez` or `numpy.savez_compressed` wrote.
        names: Names of the arrays wanted; those that the file has are read.
            None reads all.
        max_bytes: Most bytes of all that is read; the file cannot make it more.
        what: What the file holds, for the message: "weights".

    Returns:
        Arrays by name, in the order of the file.

    Raises:
        UserError: It is missing, no regular file, damaged, not such a file,
            encrypted, holds objects, claims more than the limit, or has
            none of the arrays wanted.
    """
    try:
        text_files.require_regular(path)
        with open(path, "rb") as stream, zipfile.ZipFile(stream) as archive:
            members = _members(archive, names, max_bytes)
            arrays = {
                name: _read_member(archive, member)
                for name, member in members.items()
            }
    except READING_ERRORS as error:
        raise UnreadableError(
            f"{what} cannot be read",
            path,
            "an .npz file of arrays",
            getattr(error, "strerror", None)
            or str(error)
            or type(error).__name__,
        ) from error
    if names is not None and not arrays:
        raise UserError("no array", path, ", ".join(names), "none of them")
    return arrays


def read_header(
    stream: IO[bytes],
) -> tuple[tuple[int, ...], bool, np.dtype]:
    """Reads the beginning of a `.npy` file.

    Args:
        stream: File at its first byte; left where the data begin.

    Returns:
        Shape, whether the order is that of columns, and type.

    Raises:
        ValueError: It is no such beginning, whatever NumPy stumbles over.
    """
    try:
        version = np.lib.format.read_magic(stream)
        if version not in _HEADERS:
            raise ValueError(f"version {version} of the format")
        shape, is_fortran, dtype = _HEADERS[version](stream)
    except READING_ERRORS as error:
        raise ValueError(f"header of an array: {error}") from error
    if any(length < 0 for length in shape):
        raise ValueError(f"shape {shape}")
    return shape, is_fortran, dtype


def _members(
    archive: zipfile.ZipFile, names: Collection[str] | None, max_bytes: int
) -> dict[str, zipfile.ZipInfo]:
    infos = archive.infolist()
    if len(infos) > _MAX_ARRAYS:
        raise ValueError(f"{len(infos)} arrays")
    members = {info.filename.removesuffix(_SUFFIX): info for info in infos}
    if len(members) != len(infos):
        raise ValueError("two arrays of one name")
    if names is not None:
        members = {name: members[name] for name in names if name in members}
    for name, info in members.items():
        if info.flag_bits & _ENCRYPTED:
            raise ValueError(f"{name} is encrypted")
        if info.compress_type not in _METHODS:
            raise ValueError(f"{name}: compression {info.compress_type}")
    num_bytes = sum(info.file_size for info in members.values())
    if num_bytes > max_bytes:
        raise ValueError(f"arrays of {num_bytes} bytes, {max_bytes} allowed")
    return members


def _read_member(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> np.ndarray:
    with archive.open(info) as stream:
        shape, is_fortran, dtype = read_header(stream)
        if dtype.kind not in _KINDS or dtype.hasobject:
            raise ValueError(f"{info.filename} holds {dtype}, no numbers")
        # Python's integers: a claim of terabytes must not wrap around.
        num_bytes = math.prod(shape) * dtype.itemsize
        if num_bytes > info.file_size:
            raise ValueError(
                f"{info.filename} claims {num_bytes} bytes of {info.file_size}"
            )
        # The rest of the member: its end carries the checksum.
        data = stream.read()
    if len(data) != num_bytes:
        raise ValueError(
            f"{info.filename} has {len(data)} bytes of {num_bytes}"
        )
    array = np.frombuffer(bytearray(data), dtype, math.prod(shape))
    return array.reshape(shape, order="F" if is_fortran else "C")
