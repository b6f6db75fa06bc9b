"""Where stderr leads, also for libraries of C that write to it on their own."""

import contextlib
import os
import sys
from collections.abc import Callable
from collections.abc import Iterator

_STDERR = 2


@contextlib.contextmanager
def redirected(open_target: Callable[[], int]) -> Iterator[None]:
    """Sends what the process writes to stderr elsewhere.

    Args:
        open_target: Returns the descriptor that takes it, which is then closed.
            Called when it is known that there is a stderr, whose number it
            would get otherwise.

    Raises:
        OSError: There is no stderr, or no descriptor left.
    """
    if sys.stderr is not None:
        sys.stderr.flush()
    with contextlib.ExitStack() as stack:
        saved = os.dup(_STDERR)
        stack.callback(os.close, saved)
        target = open_target()
        os.dup2(target, _STDERR)
        os.close(target)
        stack.callback(os.dup2, saved, _STDERR)
        yield


@contextlib.contextmanager
def dropped() -> Iterator[None]:
    """Drops what libraries write to stderr; what they raise is kept."""
    with contextlib.ExitStack() as stack:
        # Where there is no stderr, nothing is to be dropped.
        with contextlib.suppress(OSError):
            stack.enter_context(
                redirected(lambda: os.open(os.devnull, os.O_WRONLY))
            )
        yield
