"""Reads the pickled dictionary of arrays in a `.npy` without running it.

`numpy.save` of a dictionary writes a pickle, and a pickle is a program.
`restricted_pickle` knows what arrays are made of and calls nothing.
"""

import os
from typing import Any
from typing import BinaryIO

import numpy as np

from nppnet_tf.errors import UnreadableError
from nppnet_tf.errors import UserError
from nppnet_tf.files import array_archives
from nppnet_tf.files import restricted_pickle
from nppnet_tf.files import text_files
from nppnet_tf.files.restricted_pickle import Array


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
        text_files.require_regular(path)
        with open(path, "rb") as stream:
            content = _content(stream)
    except (OSError, ValueError) as error:
        raise _malformed(path, error) from error
    if not isinstance(content, dict):
        raise _malformed(path, f"a {type(content).__name__}")
    arrays = {}
    for name, value in content.items():
        shown = restricted_pickle.printable(repr(name), 40)
        if not isinstance(name, str) or not isinstance(value, Array):
            raise _malformed(path, f"{shown}, which is no array")
        if value.numbers is None:
            raise _malformed(path, f"an array of objects in {shown}")
        arrays[name] = value.numbers
    return arrays


def _content(stream: BinaryIO) -> Any:
    shape, _, dtype = array_archives.read_header(stream)
    if not dtype.hasobject or shape != ():
        return np.empty(0, dtype)
    array = restricted_pickle.load(
        stream, restricted_pickle.ARRAY_CALLS, restricted_pickle.ARRAY_VALUES
    )
    if not isinstance(array, Array) or not array.objects:
        raise ValueError("a pickle of no array")
    return array.objects[0]


def _malformed(path: object, found: object) -> UserError:
    error_class = UserError
    if isinstance(found, Exception):
        error_class = UnreadableError
    return error_class(
        "not a dictionary of arrays",
        path,
        "what numpy.save makes of one",
        getattr(found, "strerror", None) or found,
    )
