"""Variables of a MATLAB file, whatever is in it.

SciPy reads the file; nothing of it is run. Versions up to 7.2 are read, later
ones are HDF5 and not in use by the data sets here.
"""

import os
import warnings
from typing import Any

import numpy as np

from nppnet_tf.errors import UserError


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
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            variables = io.loadmat(
                os.fspath(path), appendmat=False, variable_names=names
            )
    except Exception as error:
        # SciPy's parser lets out whatever it stumbles over: errors of zlib,
        # struct, types, keys, memory and its own.
        found = getattr(error, "strerror", None) or str(error)
        raise UserError(
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
