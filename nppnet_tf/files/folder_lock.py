"""Keeps two processes from writing one folder at once."""

import contextlib
import fcntl
import os
import pathlib
from collections.abc import Iterator

from nppnet_tf.errors import UserError
from nppnet_tf.files import text_files

LOCK_NAME = "lock"


@contextlib.contextmanager
def hold(
    folder: str | os.PathLike[str],
    where: object,
    problem: str = "folder is in use",
) -> Iterator[None]:
    """Holds a folder while the block runs.

    The system lets go when the process ends, however it ends: a file `lock`
    that is left behind locks nothing.

    Args:
        folder: Where it is; a file `lock` is made in it.
        where: What names the folder in the message, "`workdir`=runs/a".
        problem: First words of the message.

    Raises:
        UserError: Another process holds it; its number is named. Or what lies
            there under the name of the lock is no file.
    """
    path = pathlib.Path(folder) / LOCK_NAME
    # It is emptied: a link might lead to what is somebody's.
    if os.path.islink(path):
        raise UserError("not a file", path, "a regular file", "a link")
    if path.exists():
        text_files.require_regular(path)
    # Not "w": the number of whoever holds it must stay.
    with open(path, "a+", encoding="utf-8", errors="replace") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            raise UserError(
                problem,
                where,
                "one process at a time",
                f"process {file.read().strip() or 'unknown'}",
            ) from None
        file.truncate(0)
        file.write(f"{os.getpid()}\n")
        file.flush()
        yield
