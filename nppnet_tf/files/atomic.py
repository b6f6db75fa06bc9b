"""Outputs that are either whole or not there."""

import contextlib
import errno
import hashlib
import os
import pathlib
import re
import shutil
from collections.abc import Iterator
from collections.abc import Sequence

from nppnet_tf.errors import UserError

# Of one name, in bytes, on the usual file systems.
MAX_NAME_BYTES = 255

# Room for the number of a process in the name of a temporary.
_PROCESS_DIGITS = 10

_TEMPORARY = re.compile(r"\.tmp-\d+$")

# What libraries say of a disk that takes no more, under errors of their own.
_FULL = {
    os.strerror(number): number
    for number in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO)
}


@contextlib.contextmanager
def atomic_path(
    path: str | os.PathLike[str], durable: bool = False
) -> Iterator[pathlib.Path]:
    """Lends a temporary sibling that becomes `path` when the block succeeds.

    The block writes a file, or makes a folder, at the path it is given. When
    the block ends well the result replaces a file at `path`; when it raises,
    the temporary is removed and `path` stays as it was. A process that is
    killed leaves at most a `<name>.tmp-<process>` behind, never half a `path`.

    Args:
        path: File or folder to make; its parent is created. A folder that is
            already there is not replaced.
        durable: Whether a file must be on the disk before it replaces another:
            a machine that loses its power then has the old or the new one, and
            never an empty one. Costs some milliseconds.

    Yields:
        Path of the temporary, not yet existing, on the same file system.

    Raises:
        FileExistsError: A folder was made, or `path` is a folder, and `path`
            already exists.
        OSError: It cannot be written; names `path`, also where a library says
            in an error of its own that the disk is full.

    Example:
        >>> import pathlib, tempfile
        >>> target = pathlib.Path(tempfile.mkdtemp()) / "result.txt"
        >>> with atomic_path(target) as temporary:
        ...     _ = temporary.write_text("whole")
        >>> target.read_text()
        'whole'
    """
    path = pathlib.Path(path)
    _make_folder(path.parent, durable)
    temporary = path.with_name(f"{_temporary_start(path)}{os.getpid()}")
    _remove(temporary)
    try:
        with naming(path, temporary):
            yield temporary
            if durable:
                _flush(temporary)
            _move(temporary, path)
            if durable:
                _flush(path.parent)
    finally:
        _remove(temporary)


@contextlib.contextmanager
def atomic_paths(
    paths: Sequence[str | os.PathLike[str]],
) -> Iterator[list[pathlib.Path]]:
    """Lends temporaries of files that belong together: all appear, or none.

    Args:
        paths: Files or folders, as of `atomic_path`. The last one appears
            first: one that says what the others are.

    Yields:
        A temporary for each.
    """
    with contextlib.ExitStack() as stack:
        yield [stack.enter_context(atomic_path(path)) for path in paths]


@contextlib.contextmanager
def naming(
    path: str | os.PathLike[str], temporary: str | os.PathLike[str] = ""
) -> Iterator[None]:
    """Makes errors of writing say which file they are about.

    A full disk is told by the stream, which does not know its file.

    Args:
        path: The file that is written.
        temporary: What it is called meanwhile.

    Raises:
        OSError: Whatever the block raises, with the name of the file; also for
            errors of libraries that say that the disk is full.
    """
    try:
        yield
    except OSError as error:
        names = (None, os.fspath(temporary), temporary)
        if error.errno is not None and error.filename in names:
            error.filename, error.filename2 = os.fspath(path), None
        raise
    except UserError:
        raise
    except Exception as error:
        for text, number in _FULL.items():
            if text in str(error):
                raise OSError(number, text, os.fspath(path)) from error
        raise


def sweep(folder: str | os.PathLike[str]) -> None:
    """Removes the temporaries that killed processes left below a folder.

    Only where no other process can be writing there now.
    """
    for parent, folders, files in os.walk(folder):
        for name in [*folders, *files]:
            if _TEMPORARY.search(name):
                _remove(pathlib.Path(parent, name))


def write_text(
    path: str | os.PathLike[str], text: str, durable: bool = False
) -> None:
    """Writes a UTF-8 file at once: the old content or the new, never half.

    Args:
        path: The file.
        text: Content of the file.
        durable: Whether it outlives a power failure, see `atomic_path`.
    """
    with atomic_path(path, durable) as temporary:
        temporary.write_text(text, encoding="utf-8")


def short_name(name: str, max_bytes: int = MAX_NAME_BYTES) -> str:
    """Returns a name that a file system takes.

    Args:
        name: Name of a file.
        max_bytes: Most bytes of the name.

    Returns:
        The name itself where it fits, otherwise its beginning and the first
        digits of a hash of all of it.
    """
    encoded = os.fsencode(name)
    if len(encoded) <= max_bytes:
        return name
    mark = f"-{hashlib.sha256(encoded).hexdigest()[:8]}"
    # No letter is cut in two, which some file systems refuse.
    while len(os.fsencode(name)) > max_bytes - len(mark):
        name = name[:-1]
    return name + mark


def _temporary_start(path: pathlib.Path) -> str:
    """What the names of temporaries begin with; the process's number ends."""
    mark = ".tmp-"
    available = MAX_NAME_BYTES - len(mark) - _PROCESS_DIGITS
    return f"{short_name(path.name, available)}{mark}"


def _make_folder(folder: pathlib.Path, durable: bool) -> None:
    """Makes a folder and those above it; where durable, on the disk."""
    absent = [each for each in (folder, *folder.parents) if not each.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    if durable:
        for made in reversed(absent):
            _flush(made.parent)


def _flush(path: pathlib.Path) -> None:
    """Waits until a file, or the names in a folder, are on the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


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
