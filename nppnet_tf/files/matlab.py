"""Variables of a MATLAB file, whatever is in it.

SciPy reads the file; nothing of it is run. Versions up to 7.2 are read, later
ones are HDF5 and not in use by the data sets here.
"""

import os
import struct
import warnings
import zlib
from typing import IO
from typing import Any

import numpy as np

from nppnet_tf.errors import TooLargeError
from nppnet_tf.errors import UnreadableError
from nppnet_tf.errors import UserError
from nppnet_tf.files import text_files

# All variables of a file; 100 masks of the largest pictures in use.
MAX_BYTES = 1 << 28

_MAX_VARIABLES = 10_000
_HEADER_BYTES = 128
_PACKED = 15
_STEP_BYTES = 1 << 20


def read(
    path: str | os.PathLike[str], names: tuple[str, ...]
) -> dict[str, np.ndarray]:
    """Reads variables as SciPy leaves them: cells are arrays of objects.

    Args:
        path: The file.
        names: Variables; all of them must be there.

    Raises:
        UserError: The file cannot be read or lacks one of them.
    """
    # Takes long to import, and most data sets have no such file.
    from scipy import io

    try:
        text_files.require_regular(path)
        _check_size(path)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            variables = io.loadmat(
                os.fspath(path), appendmat=False, variable_names=names
            )
    except UserError:
        raise
    except Exception as error:
        # SciPy's parser lets out whatever it stumbles over: errors of zlib,
        # struct, types, keys, memory and its own.
        found = getattr(error, "strerror", None) or str(error)
        raise UnreadableError(
            "cannot be read",
            path,
            f"a MATLAB file with {', '.join(names)}",
            found or type(error).__name__,
        ) from error
    if missing := [name for name in names if name not in variables]:
        raise UserError(
            "variables are missing",
            path,
            ", ".join(names),
            f"no {' and no '.join(missing)}",
        )
    return variables


def _check_size(path: str | os.PathLike[str]) -> None:
    """Refuses a file that is too large, packed or unpacked.

    A variable may be packed by zlib, 1000 times smaller than SciPy makes it.
    """
    count = os.stat(path).st_size
    if count <= MAX_BYTES:
        with open(path, "rb") as stream:
            count = _unpacked_bytes(stream)
    if count > MAX_BYTES:
        raise TooLargeError(
            "file is too large",
            path,
            f"at most {MAX_BYTES} bytes of variables",
            "more",
        )


def _unpacked_bytes(stream: IO[bytes]) -> int:
    """Bytes of all variables; stops soon after there are too many."""
    header = stream.read(_HEADER_BYTES)
    order = {b"IM": "<", b"MI": ">"}.get(header[-2:])
    if order is None:
        # Version 4, or no MATLAB file: nothing in it is packed.
        return 0
    count = 0
    for _ in range(_MAX_VARIABLES):
        tag = stream.read(8)
        if count > MAX_BYTES or len(tag) < 8:
            return count
        kind, length = struct.unpack(f"{order}II", tag)
        if kind != _PACKED:
            stream.seek(length, os.SEEK_CUR)
            continue
        unpacker = zlib.decompressobj()
        data = stream.read(length)
        while data and count <= MAX_BYTES:
            count += len(unpacker.decompress(data, _STEP_BYTES))
            data = unpacker.unconsumed_tail
    raise ValueError(f"more than {_MAX_VARIABLES} variables")


def numbers(value: Any, where: object) -> np.ndarray:
    """Returns a variable as float64; UserError where it holds no numbers."""
    array = np.asarray(value)
    if array.dtype.kind not in "biuf":
        raise UserError("no numbers", where, "an array of numbers", array.dtype)
    return array.astype(np.float64)


def cells(value: Any) -> list[Any]:
    """Returns what a cell array holds; of any other array the array itself."""
    array = np.asarray(value)
    if array.dtype != np.object_:
        return [array]
    return list(array.ravel())
