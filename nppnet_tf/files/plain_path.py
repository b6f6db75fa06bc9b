"""Paths that TensorFlow takes as they are.

It reads the path of a SavedModel's weights as a pattern, in which brackets,
stars and question marks stand for other letters, and as UTF-8.
"""

import contextlib
import os
import pathlib
import tempfile
from collections.abc import Iterator

from nppnet_tf.files import file_names

_PATTERN_LETTERS = frozenset("*?[]{}\\")


@contextlib.contextmanager
def plain_path(folder: str | os.PathLike[str]) -> Iterator[str]:
    """Lends a path of a folder without letters of patterns.

    Args:
        folder: An existing folder.

    Yields:
        Its own path where that is plain, otherwise that of a link to it, which
        is gone when the block ends.
    """
    path = os.path.abspath(folder)
    if not _PATTERN_LETTERS.intersection(path) and file_names.is_text(path):
        yield path
        return
    with tempfile.TemporaryDirectory() as temporary:
        link = pathlib.Path(temporary) / "folder"
        link.symlink_to(path, target_is_directory=True)
        yield os.fspath(link)
