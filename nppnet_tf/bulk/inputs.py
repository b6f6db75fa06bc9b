"""Words of a command line to pictures, on any file system that Beam knows."""

import glob
import os
from collections.abc import Iterator
from collections.abc import Sequence

from nppnet_tf.bulk import places
from nppnet_tf.errors import UserError
from nppnet_tf.files import text_files
from nppnet_tf.pictures import picture_names

# Of a list: some ten million paths.
_MOST_BYTES = 1 << 30


def find(words: Sequence[str]) -> list[str]:
    """Returns the pictures that words mean, each once, in order.

    Args:
        words: Pictures, folders, and patterns in which ** stands for folders.

    Raises:
        UserError: A word means no picture.
    """
    found: dict[str, None] = {}
    for word in words:
        names = _of_word(word)
        if not names:
            raise UserError("no pictures", word, "JPEG or PNG files", "none")
        found |= dict.fromkeys(names)
    return list(found)


def _of_word(word: str) -> list[str]:
    if places.is_remote(word):
        return [
            path
            for path in places.matching(word)
            if picture_names.is_picture_name(path)
        ]
    if os.path.isdir(word):
        return [os.path.abspath(p) for p in picture_names.pictures_in(word)]
    if os.path.isfile(word):
        return [os.path.abspath(word)]
    return sorted(
        os.path.abspath(path)
        for path in glob.iglob(word, recursive=True)
        if picture_names.is_picture_name(path) and os.path.isfile(path)
    )


def listed(path: str | os.PathLike[str]) -> Iterator[str]:
    """Yields the paths that a text file holds, one a line.

    Raises:
        UserError: It is no text.
    """
    for line in text_files.read(path, _MOST_BYTES).splitlines():
        name = line.strip()
        if name:
            yield name if places.is_remote(name) else os.path.abspath(name)
