"""Text that users write: flag files, lists, tables, JSON.

One rule for every reader: UTF-8, with or without a byte order mark, with line
ends of any system. Another encoding, bytes that are no text, a file that is
none (a folder, a pipe, a device) and one that is too large are refused in one
line that says where.
"""

import os
import stat

from nppnet_tf.errors import TooLargeError
from nppnet_tf.errors import UnreadableError
from nppnet_tf.errors import UserError

# A list or table of the largest data sets has some megabytes.
MAX_BYTES = 64 << 20

# Longest first: the mark of UTF-32 begins with that of UTF-16.
_OTHER_MARKS = {
    b"\xff\xfe\x00\x00": "UTF-32",
    b"\x00\x00\xfe\xff": "UTF-32",
    b"\xff\xfe": "UTF-16",
    b"\xfe\xff": "UTF-16",
}


def read(path: str | os.PathLike[str], max_bytes: int = MAX_BYTES) -> str:
    """Reads a text file.

    Args:
        path: The file.
        max_bytes: A larger one is refused before it is read.

    Returns:
        Its text, without a byte order mark, lines ending in a line feed.

    Raises:
        UserError: It is missing, no regular file, too large, or no UTF-8.
    """
    return decode(read_bytes(path, max_bytes), path)


def read_bytes(path: str | os.PathLike[str], max_bytes: int) -> bytes:
    """Reads a regular file of bounded size.

    Raises:
        UserError: It is missing, cannot be read, is no regular file (whose
            reading might never end), or is larger.
    """
    try:
        require_regular(path)
        with open(path, "rb") as stream:
            data = stream.read(max_bytes + 1)
    except (OSError, ValueError) as error:
        raise UnreadableError(
            "cannot be read",
            path,
            "a file",
            getattr(error, "strerror", None) or error,
        ) from error
    if len(data) > max_bytes:
        raise TooLargeError(
            "file is too large", path, f"at most {max_bytes} bytes", "more"
        )
    return data


def require_regular(path: str | os.PathLike[str]) -> None:
    """Refuses what is no regular file.

    Raises:
        UserError: It is a folder, a pipe or a device.
        OSError: There is nothing.
    """
    mode = os.stat(path).st_mode
    if not stat.S_ISREG(mode):
        raise UserError("not a file", path, "a regular file", _kind(mode))


def decode(data: bytes, where: object) -> str:
    """Returns the text of bytes; arguments and errors as of `read`."""
    for mark, encoding in _OTHER_MARKS.items():
        if data.startswith(mark):
            raise UserError("not UTF-8", where, "UTF-8 text", encoding)
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise UserError(
            "not UTF-8",
            f"{where}, line {line}",
            "UTF-8 text",
            f"byte 0x{data[error.start]:02x}",
        ) from None
    if "\0" in text:
        raise UserError(
            "not text",
            f"{where}, line {text.count(chr(10), 0, text.index(chr(0))) + 1}",
            "UTF-8 text",
            "a zero byte, as UTF-16 and binary files have them",
        )
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _kind(mode: int) -> str:
    kinds = {
        stat.S_ISDIR: "a folder",
        stat.S_ISFIFO: "a pipe",
        stat.S_ISCHR: "a device",
        stat.S_ISBLK: "a device",
        stat.S_ISSOCK: "a socket",
    }
    return next(name for test, name in kinds.items() if test(mode))
