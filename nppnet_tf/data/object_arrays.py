"""Reads the pickled dictionary of arrays in a `.npy` without running it.

`numpy.save` of a dictionary writes a pickle, and a pickle is a program. Here
it may name three things only, those of which a NumPy array is made, and even
these are stand-ins of this module: nothing of NumPy or of anyone else is
called by what stands in a file.
"""

import math
import os
import pickle
import re
from typing import Any
from typing import BinaryIO

import numpy as np

from nppnet_tf.errors import UserError

# A simple type: byte order, kind (bool, integer, float or object), bytes.
_TYPE_NAME = re.compile(r"[<>=|]?(b1|[iu][1248]|f[248]|O8?|\?)")
_MODULES = ("numpy._core.multiarray", "numpy.core.multiarray")
_VERSIONS = {
    (1, 0): np.lib.format.read_array_header_1_0,
    (2, 0): np.lib.format.read_array_header_2_0,
}

# What pickle's machine raises on bytes that nobody pickled.
_UNPICKLING_ERRORS = (
    pickle.UnpicklingError,
    ValueError,
    TypeError,
    KeyError,
    IndexError,
    AttributeError,
    EOFError,
    OverflowError,
    MemoryError,
    RecursionError,
    ImportError,
    OSError,
)


def read(path: str | os.PathLike[str]) -> dict[str, np.ndarray]:
    """Reads what `numpy.save(path, {"name": array, ...})` wrote.

    Args:
        path: The file.

    Returns:
        Arrays of numbers or booleans by name.

    Raises:
        UserError: The file cannot be read, is something else, or its pickle
            asks for anything but arrays, which is named.
    """
    try:
        with open(path, "rb") as stream:
            content = _content(stream)
    except _UNPICKLING_ERRORS as error:
        raise _malformed(path, error) from error
    if not isinstance(content, dict):
        raise _malformed(path, f"a {type(content).__name__}")
    arrays = {}
    for name, value in content.items():
        if not isinstance(name, str) or not isinstance(value, _Array):
            raise _malformed(path, f"{name!r:.40}, which is no array")
        if value.array is None or value.array.dtype.hasobject:
            raise _malformed(path, f"an array of objects in {name!r:.40}")
        arrays[name] = value.array
    return arrays


class _Type:
    """Stands in for `numpy.dtype`: a simple type, its order set later."""

    def __init__(self, name: str, align: bool = False, copy: bool = False):
        del align, copy
        if not isinstance(name, str) or not _TYPE_NAME.fullmatch(name):
            raise ValueError(f"the type {name!r:.40}")
        self.dtype = np.dtype(name)

    def __setstate__(self, state: Any) -> None:
        # (version, byte order, subarray, names, fields, size, alignment, ...)
        if state[2:5] != (None, None, None):
            raise ValueError("a structured type")
        if state[1] in ("<", ">"):
            self.dtype = self.dtype.newbyteorder(state[1])


class _Array:
    """Stands in for `numpy.ndarray`; the value comes with its state."""

    array: np.ndarray | None = None
    objects: list[Any] | None = None

    def __setstate__(self, state: Any) -> None:
        _, shape, kind, is_fortran, data = state
        if not isinstance(kind, _Type) or not isinstance(shape, tuple):
            raise ValueError("an array of another form")
        if kind.dtype.hasobject:
            self.objects = list(data)
            return
        if not isinstance(data, bytes):
            raise ValueError("an array without bytes")
        expected = math.prod(shape) * kind.dtype.itemsize
        if len(data) != expected:
            raise ValueError(f"{len(data)} bytes of an array of {expected}")
        array = np.frombuffer(data, kind.dtype)
        self.array = array.reshape(shape, order="F" if is_fortran else "C")


def _reconstruct(*arguments: Any) -> _Array:
    """Stands in for NumPy's function; the arguments are always the same."""
    del arguments
    return _Array()


class _Unpickler(pickle.Unpickler):
    """Knows three names and refuses every other."""

    def find_class(self, module: str, name: str) -> Any:
        if name == "_reconstruct" and module in _MODULES:
            return _reconstruct
        if (module, name) == ("numpy", "ndarray"):
            return _Array
        if (module, name) == ("numpy", "dtype"):
            return _Type
        raise pickle.UnpicklingError(
            f"a pickle that asks for {module}.{name}, which is refused"
        )


def _content(stream: BinaryIO) -> Any:
    version = np.lib.format.read_magic(stream)
    if version not in _VERSIONS:
        raise ValueError(f"version {version} of the format")
    shape, _, dtype = _VERSIONS[version](stream)
    if not dtype.hasobject or shape != ():
        return np.empty(0, dtype)
    array = _Unpickler(stream).load()
    if not isinstance(array, _Array) or not array.objects:
        raise ValueError("a pickle of no array")
    return array.objects[0]


def _malformed(path: object, found: object) -> UserError:
    return UserError(
        "not a dictionary of arrays",
        path,
        "what numpy.save makes of one",
        getattr(found, "strerror", None) or found,
    )
