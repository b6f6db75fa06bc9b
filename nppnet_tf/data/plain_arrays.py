"""Arrays of a `.npz` that hold numbers and nothing else."""

import os
import zipfile
import zlib

import numpy as np

from nppnet_tf.errors import UserError

# Of all arrays of a file: 100 masks of the largest picture that is read.
_MAX_BYTES = 100 << 26

_READING_ERRORS = (
    OSError,
    ValueError,
    KeyError,
    EOFError,
    MemoryError,
    RuntimeError,
    zipfile.BadZipFile,
    zlib.error,
)


def read(
    path: str | os.PathLike[str], names: tuple[str, ...]
) -> dict[str, np.ndarray]:
    """Reads those of some arrays that are there.

    Args:
        path: Archive of `numpy.savez`.
        names: Of the arrays wanted.

    Returns:
        Arrays by name.

    Raises:
        UserError: The file cannot be read, holds pickled objects, unpacks to
            gigabytes, or has none of the arrays.
    """
    try:
        # Opened here, since NumPy forgets to close what is no archive.
        with open(path, "rb") as stream:
            arrays = _read(stream, names)
    except _READING_ERRORS as error:
        raise UserError(
            "arrays cannot be read",
            path,
            f"an .npz with {', '.join(names)}",
            getattr(error, "strerror", None) or error,
        ) from error
    if not arrays:
        raise UserError("no array", path, ", ".join(names), "none of them")
    return arrays


def _read(stream: object, names: tuple[str, ...]) -> dict[str, np.ndarray]:
    archive = np.load(stream, allow_pickle=False)
    if not isinstance(archive, np.lib.npyio.NpzFile):
        raise ValueError("a single array")
    num_bytes = sum(info.file_size for info in archive.zip.infolist())
    if num_bytes > _MAX_BYTES:
        raise ValueError(f"arrays of {num_bytes} bytes")
    arrays = {name: archive[name] for name in names if name in archive}
    for name, array in arrays.items():
        # NumPy hands out the bytes of a member that is none.
        if not isinstance(array, np.ndarray):
            raise ValueError(f"{name} is no array")
    return arrays
