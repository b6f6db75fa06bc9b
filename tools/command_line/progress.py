"""How far a phase is, and when it will end."""

import shutil
import sys
import time
from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Iterator
from types import TracebackType
from typing import TYPE_CHECKING
from typing import Self
from typing import TypeVar

from nppnet_tf import durations

from . import console

if TYPE_CHECKING:
    import tqdm

Item = TypeVar("Item")


class Progress:
    """Tells how far a phase is and when it will end.

    On a terminal there is a bar, tqdm's. Elsewhere, where tqdm would write its
    bar over and over, a line is written every `interval_seconds`, the first and
    the last one always.

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
        self._interval = interval_seconds
        self._bar: tqdm.tqdm | None = None
        self._start = clock()
        self._next_report = self._start

    def __enter__(self) -> Self:
        self._start = self._clock()
        self._next_report = self._start + self._interval
        if sys.stdout.isatty():
            self._bar = _bar(self.total, self.label)
            self._interval = self._bar.mininterval
            self._next_report = self._start
        else:
            console.say(self.text())
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._bar is not None:
            self._bar.close()
        elif kind is None:
            console.say(self.text())

    def advance(
        self, count: int = 1, note: Callable[[], str] | None = None
    ) -> None:
        """Counts steps that are done.

        Args:
            count: How many.
            note: Returns what to write behind the time, "loss 1.234"; called
                where a line is due, since it may wait for a device.
        """
        self.count += count
        now = self._clock()
        is_due = now >= self._next_report
        if is_due:
            self._next_report = now + self._interval
        if self._bar is not None:
            if note is not None and is_due:
                self._bar.set_postfix_str(note(), refresh=False)
            self._bar.update(count)
        elif is_due:
            console.say(self.text("" if note is None else note()))

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
        times = f"{durations.in_words(gone)} gone"
        if self.total is not None:
            steps = f"{self.count}/{self.total}"
            if 0 < self.count < self.total:
                left = gone / self.count * (self.total - self.count)
                times = f"{times}, {durations.in_words(left)} left"
        line = f"{self.label}: {steps} ({times})"
        return f"{line} {note}" if note else line


def _bar(total: int | None, label: str) -> "tqdm.tqdm":
    """A bar on stdout, without colors and without a thread of its own.

    rich draws finer ones, but hides the cursor, which stays hidden where a
    process is killed.
    """
    import tqdm

    tqdm.tqdm.monitor_interval = 0
    times = "{elapsed} gone"
    if total is not None:
        times += ", {remaining} left"
    # tqdm draws nothing on a terminal that does not know its size.
    width, height = shutil.get_terminal_size()
    return tqdm.tqdm(
        desc=label,
        total=total,
        file=sys.stdout,
        mininterval=0.2,
        ncols=width,
        nrows=height,
        bar_format="{desc}: {n_fmt}"
        + ("/{total_fmt} |{bar}|" if total is not None else "")
        + f" ({times}{{postfix}})",
    )
