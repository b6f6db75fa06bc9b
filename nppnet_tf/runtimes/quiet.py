"""Keeps advice of converters and runtimes from between the lines of a tool."""

import contextlib
import logging
from collections.abc import Iterator

from nppnet_tf import standard_error


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Drops what libraries write to stderr and log; what they raise is kept."""
    before = logging.root.manager.disable
    with standard_error.dropped():
        logging.disable(logging.WARNING)
        try:
            yield
        finally:
            logging.disable(before)
