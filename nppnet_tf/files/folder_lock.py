"""Keeps two processes from writing one folder at once."""

import contextlib
import fcntl
import os
import pathlib
from collections.abc import Iterator

from nppnet_tf.errors import UserError

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
        UserError: Another process holds it; its number is named.
    """
    path = pathlib.Path(folder) / LOCK_NAME
    # Not "w": the number of whoever holds it must stay.
    with open(path, "a+", encoding="utf-8") as file:
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
