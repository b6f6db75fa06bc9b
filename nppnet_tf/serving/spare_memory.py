"""Memory that is free and that the C library keeps, given back now and then.

glibc holds what is freed in the arenas of its threads: after pictures of every
size a server holds hundreds of megabytes that nobody uses. They are no leak,
but nobody else can have them.
"""

import asyncio
import ctypes
from collections.abc import Callable


def give_back() -> bool:
    """Gives free memory back to the system.

    Returns:
        Whether the C library can do that.
    """
    try:
        trim = ctypes.CDLL(None).malloc_trim
    except (AttributeError, OSError, TypeError):
        return False
    # ctypes lets other threads of Python run meanwhile.
    trim(0)
    return True


class SpareMemory:
    """Gives memory back while a server works.

    Args:
        seconds: How often, where anything was done since.
        give: Gives it back; `give_back`.
    """

    def __init__(
        self, seconds: float = 10.0, give: Callable[[], object] = give_back
    ) -> None:
        self._seconds = seconds
        self._give = give
        self._is_due = False

    def note(self) -> None:
        """Takes down that something was done."""
        self._is_due = True

    async def watch(self) -> None:
        """Gives memory back until it is cancelled."""
        while True:
            await asyncio.sleep(self._seconds)
            if self._is_due:
                self._is_due = False
                await asyncio.to_thread(self._give)
