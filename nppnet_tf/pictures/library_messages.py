"""What libraries of C write to stderr on their own, beside their errors.

libjpeg prints why it gives up and says nothing to its caller. The line belongs
into the error, with the name of the file, not between the lines of a tool.
"""

import contextlib
import os
import sys
import threading
from collections.abc import Iterator

from nppnet_tf import standard_error

_MAX_BYTES = 1 << 16

# What libjpeg says of a file that it reads all the same.
_WARNINGS = (
    "Corrupt JPEG data",
    "Premature end of JPEG file",
    "Inconsistent progression sequence",
    "Invalid SOS parameters",
    "Unknown Adobe color transform",
    "Warning: unknown JFIF revision",
    "Application transferred too many scanlines",
)

# There is one stderr in a process.
_lock = threading.Lock()


@contextlib.contextmanager
def captured() -> Iterator[list[str]]:
    """Collects what is written to stderr, for as long as it takes to decode.

    Where nothing fails, libjpeg's warnings are dropped, which name no file, and
    the rest is passed on: it may be another thread's.

    Yields:
        A list that holds the lines afterwards, if an error was raised.
    """
    lines: list[str] = []
    with _lock, contextlib.ExitStack() as stack:
        try:
            source = _redirect(stack)
        except OSError:
            # No stderr, or no descriptor left: nothing is collected.
            yield lines
            return
        try:
            yield lines
        except Exception:
            stack.close()
            lines += _text_of(source).splitlines()
            raise
        stack.close()
        for line in _text_of(source).splitlines(keepends=True):
            if not line.startswith(_WARNINGS):
                sys.stderr.write(line)


def _redirect(stack: contextlib.ExitStack) -> int:
    """Sends stderr into a pipe until the stack is left; returns its end."""
    sources = []

    def open_pipe() -> int:
        source, sink = os.pipe()
        # More than a pipe holds is lost, instead of standing still.
        os.set_blocking(sink, False)
        os.set_blocking(source, False)
        sources.append(source)
        return sink

    stack.enter_context(standard_error.redirected(open_pipe))
    return sources[0]


def _text_of(source: int) -> str:
    try:
        return os.read(source, _MAX_BYTES).decode("utf-8", "backslashreplace")
    except BlockingIOError:
        return ""
    finally:
        os.close(source)
