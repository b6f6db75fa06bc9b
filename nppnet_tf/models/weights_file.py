"""Arrays by name in one file: weights that hold no code.

The file is NumPy's .npz; a file from elsewhere can at worst have wrong numbers
in it.
"""

import os
from collections.abc import Mapping
from collections.abc import Sequence

import keras
import numpy as np

from nppnet_tf.errors import UserError
from nppnet_tf.files import array_archives
from nppnet_tf.files import atomic

# Zeros of a network that was not trained yet compress to nothing.
_SLACK_BYTES = 1 << 26


def write_arrays(
    path: str | os.PathLike, arrays: Mapping[str, np.ndarray]
) -> None:
    """Writes a file, whole and on the disk, or not at all."""
    with atomic.atomic_path(path, durable=True) as temporary:
        with open(temporary, "wb") as file:
            np.savez(file, **arrays)


def read_arrays(path: str | os.PathLike) -> dict[str, np.ndarray]:
    """Reads what `write_arrays` wrote.

    Raises:
        UserError: If the file is missing, damaged or not such a file.
    """
    # Weights are noise: a file cannot hold many times as much as its size.
    size = os.path.getsize(path) if os.path.exists(path) else 0
    return array_archives.read(
        path, max_bytes=_SLACK_BYTES + 4 * size, what="weights"
    )


def to_arrays(variables: Sequence[keras.Variable]) -> dict[str, np.ndarray]:
    """Returns the values of variables by path."""
    arrays = {
        variable.path: keras.ops.convert_to_numpy(variable)
        for variable in variables
    }
    if len(arrays) != len(variables):
        raise ValueError("Variables must have different paths.")
    return arrays


def assign_arrays(
    variables: Sequence[keras.Variable],
    arrays: Mapping[str, np.ndarray],
    where: object,
) -> None:
    """Gives every variable the array of its path; strict both ways.

    Args:
        variables: Variables to assign.
        arrays: Arrays by path; exactly those of the variables.
        where: Named in the message of an error.

    Raises:
        UserError: If an array is missing, left over or of another shape.
            Nothing is assigned then.
    """
    expected = {variable.path: tuple(variable.shape) for variable in variables}
    found = {name: array.shape for name, array in arrays.items()}
    for name in sorted(expected.keys() | found.keys()):
        if expected.get(name) != found.get(name):
            raise UserError(
                f"weights do not fit the network at {name}",
                where,
                expected.get(name, "no such array"),
                found.get(name, "no such array"),
            )
    for variable in variables:
        variable.assign(arrays[variable.path])
