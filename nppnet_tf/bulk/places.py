"""Files by the file systems that Beam knows: local ones, gs://, hdfs://, s3://.

Needs the extra `beam`.
"""

import contextlib
import uuid
from collections.abc import Iterator

from apache_beam.io.filesystem import CompressionTypes
from apache_beam.io.filesystems import FileSystems

from nppnet_tf.files import atomic


def is_remote(path: str) -> bool:
    """Whether a path names a file system of its own."""
    return "://" in path


def joined(folder: str, *names: str) -> str:
    """Returns the path of a file below a folder."""
    return FileSystems.join(folder, *names)


def read(path: str, most: int = -1) -> bytes:
    """Returns what a file holds.

    Args:
        path: The file.
        most: Bytes to read of it; all where negative.

    Raises:
        OSError: It cannot be read, or an error of the file system's own.
    """
    with _open(path) as file:
        return file.read(most)


def lines(path: str, start: int, count: int) -> Iterator[bytes]:
    """Yields lines of a file without their ends.

    Args:
        path: The file.
        start: Byte at which the first of them begins.
        count: How many.
    """
    with _open(path) as file:
        file.seek(start)
        for _ in range(count):
            yield file.readline().rstrip(b"\r\n")


def write(path: str, data: bytes) -> None:
    """Writes a file: beside it first, so that no reader sees half of it.

    Raises:
        OSError: The file cannot be written, or an error of the file system's
            own; nothing is left of it.
    """
    folder = FileSystems.split(path)[0]
    if not is_remote(path):
        make_folder(folder)
    temporary = f"{path}.tmp-{uuid.uuid4().hex[:12]}"
    with atomic.naming(path, temporary):
        try:
            with FileSystems.create(
                temporary, compression_type=CompressionTypes.UNCOMPRESSED
            ) as file:
                file.write(data)
            FileSystems.rename([temporary], [path])
        except Exception:
            # Whatever file system it is; the first error is the one to tell.
            with contextlib.suppress(Exception):
                FileSystems.delete([temporary])
            raise


def make_folder(folder: str) -> None:
    """Makes a folder, where there are folders and it is not there."""
    try:
        FileSystems.mkdirs(folder)
    except OSError:
        if not FileSystems.exists(folder):
            raise


def matching(pattern: str) -> list[str]:
    """Returns the files that a pattern means, in order."""
    (found,) = FileSystems.match([pattern])
    return sorted(metadata.path for metadata in found.metadata_list)


def exists(path: str) -> bool:
    """Whether there is a file."""
    return FileSystems.exists(path)


def _open(path: str):
    return FileSystems.open(
        path, compression_type=CompressionTypes.UNCOMPRESSED
    )
