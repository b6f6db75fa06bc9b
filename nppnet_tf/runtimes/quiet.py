"""Keeps advice of converters and runtimes from between the lines of a tool."""

import contextlib
import logging
import os
import sys
from collections.abc import Iterator

_STDERR = 2


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Drops what libraries write to stderr and log; what they raise is kept."""
    before_level = logging.root.manager.disable
    try:
        before = os.dup(_STDERR)
    except OSError:
        # There is no stderr.
        yield
        return
    if sys.stderr is not None:
        sys.stderr.flush()
    logging.disable(logging.WARNING)
    try:
        with open(os.devnull, "wb") as nowhere:
            os.dup2(nowhere.fileno(), _STDERR)
        yield
    finally:
        logging.disable(before_level)
        os.dup2(before, _STDERR)
        os.close(before)
