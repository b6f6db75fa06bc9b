"""Lists of ids: one in a line, with or without the extension of a picture."""

import os
import pathlib

from nppnet_tf.data import raw
from nppnet_tf.errors import UserError


def read(path: str | os.PathLike[str]) -> list[str]:
    """Reads a list of ids; empty lines do not count.

    Raises:
        UserError: It cannot be read, is empty, or an id occurs twice.
    """
    try:
        lines = pathlib.Path(path).read_text("utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(
            "id list cannot be read", path, "one id in a line", error
        ) from error
    ids = [stem(line) for line in lines if line.strip()]
    if not ids:
        raise UserError("id list is empty", path, "one id in a line", "none")
    if len(set(ids)) != len(ids):
        twice = next(name for name in ids if ids.count(name) > 1)
        raise UserError("id occurs twice", path, "different ids", twice)
    if wrong := [name for name in ids if _leads_elsewhere(name)]:
        raise UserError("not an id", path, "the name of a picture", wrong[0])
    return ids


def stem(name: str) -> str:
    """Record id of a picture's name; ids hold no dot of their own."""
    name = name.strip()
    start, suffix = os.path.splitext(name)
    return start if suffix in raw.IMAGE_SUFFIXES else name


def _leads_elsewhere(name: str) -> bool:
    return "/" in name or "\\" in name or "\0" in name or name == ".."
