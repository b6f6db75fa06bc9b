"""Outputs that are either whole or not there."""

import contextlib
import glob
import os
import pathlib
import shutil
from collections.abc import Iterator


@contextlib.contextmanager
def atomic_path(path: str | os.PathLike[str]) -> Iterator[pathlib.Path]:
    """Lends a temporary sibling that becomes `path` when the block succeeds.

    The block writes a file, or makes a folder, at the path it is given. When
    the block ends well the result replaces a file at `path`; when it raises,
    the temporary is removed and `path` stays as it was. A process that is
    killed leaves at most a `<name>.tmp-<process>` behind, never half a `path`.

    Args:
        path: File or folder to make; its parent is created. A folder that is
            already there is not replaced.

    Yields:
        Path of the temporary, not yet existing, on the same file system.

    Raises:
        FileExistsError: A folder was made, or `path` is a folder, and `path`
            already exists.

    Example:
        >>> import pathlib, tempfile
        >>> target = pathlib.Path(tempfile.mkdtemp()) / "result.txt"
        >>> with atomic_path(target) as temporary:
        ...     _ = temporary.write_text("whole")
        >>> target.read_text()
        'whole'
    """
    path = pathlib.Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f"{path.name}.tmp-{os.getpid()}")
    _remove(temporary)
    try:
        yield temporary
        _move(temporary, path)
    finally:
        _remove(temporary)


def remove_partial(path: str | os.PathLike[str]) -> None:
    """Removes the temporaries of `path` that killed processes left behind.

    Only where no other process can be writing it now.
    """
    path = pathlib.Path(path)
    for temporary in path.parent.glob(f"{glob.escape(path.name)}.tmp-*"):
        _remove(temporary)


def write_text(path: str | os.PathLike[str], text: str) -> None:
    """Writes a UTF-8 file at once: the old content or the new, never half."""
    with atomic_path(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def _move(temporary: pathlib.Path, path: pathlib.Path) -> None:
    # os.replace would put a folder over an empty folder without a word.
    if path.is_dir() or (temporary.is_dir() and path.exists()):
        raise FileExistsError(f"{path} is already there")
    os.replace(temporary, path)


def _remove(path: pathlib.Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)
