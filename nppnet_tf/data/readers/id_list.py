r"""Lists of ids: one in a line, with or without the extension of a picture.

Of a path, `images/a.jpg` or `images\a.jpg`, the last part counts.
"""

import collections
import os

from nppnet_tf.errors import UserError
from nppnet_tf.files import file_names
from nppnet_tf.files import text_files
from nppnet_tf.pictures import picture_names


def read(path: str | os.PathLike[str]) -> list[str]:
    """Reads a list of ids; empty lines do not count.

    Raises:
        UserError: It cannot be read, is empty, holds what is no name, or an
            id occurs twice.
    """
    lines = text_files.read(path).split("\n")
    ids = [
        stem(file_names.last_part(line.strip()))
        for line in lines
        if line.strip()
    ]
    if not ids:
        raise UserError("id list is empty", path, "one id in a line", "none")
    if wrong := [name for name in ids if name in ("", ".", "..")]:
        raise UserError("not an id", path, "the name of a picture", wrong[0])
    name, count = collections.Counter(ids).most_common(1)[0]
    if count > 1:
        raise UserError("id occurs twice", path, "different ids", name)
    return ids


def stem(name: str) -> str:
    """Record id of a picture's name, which may hold dots of its own."""
    return picture_names.stem_of(name.strip())
