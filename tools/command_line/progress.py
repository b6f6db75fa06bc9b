"""How far a phase is, and when it will end."""

import sys
import time
from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Iterator
from types import TracebackType
from typing import Self
from typing import TypeVar

from . import console

Item = TypeVar("Item")


class Progress:
    """Tells how far a phase is and when it will end.

    On a terminal it rewrites one line; elsewhere it writes a line every
    `interval_seconds`, the first and the last one always.

    Args:
        total: Steps of the phase, or None where nobody knows.
        label: The phase, "drawing people".
        interval_seconds: Time between two lines where there is no terminal.
        clock: Seconds that only grow.

    Example:
        with Progress(len(paths), "reading") as progress:
            for path in paths:
                read(path)
                progress.advance()

        for path in Progress(len(paths), "reading").over(paths):
            read(path)
    """

    _TERMINAL_SECONDS = 0.2

    def __init__(
        self,
        total: int | None,
        label: str,
        interval_seconds: float = 10.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.total = total
        self.label = label
        self.count = 0
        self._clock = clock
        self._is_terminal = sys.stdout.isatty()
        self._interval = (
            self._TERMINAL_SECONDS if self._is_terminal else interval_seconds
        )
        self._start = clock()
        self._next_report = self._start

    def __enter__(self) -> Self:
        self._start = self._clock()
        self._next_report = self._start + self._interval
        self._write("")
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if kind is None:
            self._write("")
        if self._is_terminal:
            console.say()

    def advance(self, count: int = 1, note: str = "") -> None:
        """Counts steps that are done.

        Args:
            count: How many.
            note: What to write behind the time, "loss 1.234".
        """
        self.count += count
        now = self._clock()
        if now >= self._next_report:
            self._next_report = now + self._interval
            self._write(note)

    def over(self, items: Iterable[Item]) -> Iterator[Item]:
        """Yields the items and counts each when the next is asked for."""
        with self:
            for item in items:
                yield item
                self.advance()

    def text(self, note: str = "") -> str:
        """Returns the line: label, count, time gone, time left, note."""
        gone = self._clock() - self._start
        steps = str(self.count)
        times = f"{format_seconds(gone)} gone"
        if self.total is not None:
            steps = f"{self.count}/{self.total}"
            if 0 < self.count < self.total:
                left = gone / self.count * (self.total - self.count)
                times = f"{times}, {format_seconds(left)} left"
        line = f"{self.label}: {steps} ({times})"
        return f"{line} {note}" if note else line

    def _write(self, note: str) -> None:
        if self._is_terminal:
            sys.stdout.write(f"\r\x1b[K{self.text(note)}")
            sys.stdout.flush()
        else:
            console.say(self.text(note))


def format_seconds(seconds: float) -> str:
    """Returns a duration as "42 s", "3:05 min" or "1:02:03 h"."""
    whole = round(seconds)
    hours, rest = divmod(whole, 3600)
    minutes, left = divmod(rest, 60)
    if hours:
        return f"{hours}:{minutes:02d}:{left:02d} h"
    if minutes:
        return f"{minutes}:{left:02d} min"
    return f"{left} s"
