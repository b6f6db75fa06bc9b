"""Says what a run waits for when it makes no step for long."""

import collections
import contextlib
import threading
import time
from collections.abc import Callable
from collections.abc import Iterator

TRAINING_INPUT = "waits for the next batch of the training records"
VALIDATION_INPUT = "waits for the next batch of the validation records"
TRACING = "still traces the first step of its kind, minutes for a large network"
STEP = "waits for the devices, which compute a step"
VALIDATION = "waits for the devices, which validate a batch"
CHECKPOINT = "waits for a checkpoint, which is written"
RECORD = "waits for the files of an epoch, which are written"

# So much longer than the step before may a step take without a word.
_USUAL = 3


class StallWatch:
    """Tells of every long wait, at growing intervals.

    The first line comes when nothing was done for `patience_seconds`, or for
    three times as long as the step before took: slow steps are no stall. Each
    further line comes after twice the time.

    Args:
        tell: Gets the seconds without a step and one of the texts above. It is
            called in a thread of its own.
        patience_seconds: Seconds until the first line.
        clock: Seconds that only grow.

    Example:
        with watch.watching():
            watch.waits(stall.TRAINING_INPUT)
            batch = next(batches)
            watch.waits(stall.STEP)
            step(batch)
            watch.is_done()
    """

    def __init__(
        self,
        tell: Callable[[float, str], object],
        patience_seconds: float = 60.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._tell = tell
        self._patience = patience_seconds
        self._clock = clock
        self._lock = threading.Lock()
        self._waits_for: str | None = None
        self._waits_since = clock()
        self._waited: dict[str, float] = collections.defaultdict(float)
        self._was_tracing = False
        self._since = clock()
        self._next_line = patience_seconds

    def waits(self, what: str) -> None:
        """Notes what is waited for from now on, one of the texts above."""
        with self._lock:
            self._count()
            self._waits_for = what
            self._was_tracing |= what == TRACING

    def is_done(self) -> None:
        """Notes that a step, or a part of the work as long as one, is done."""
        with self._lock:
            now = self._count()
            # What is traced takes longer than all that follow it.
            usual = 0.0 if self._was_tracing else now - self._since
            self._since = now
            self._was_tracing = False
            self._waits_for = None
            self._next_line = max(self._patience, _USUAL * usual)

    def share_of(self, what: str) -> "WaitShare":
        """Returns the share of the time, from now on, that is waited so.

        Args:
            what: One of the texts above.
        """
        return WaitShare(self, what)

    def seconds(self, what: str) -> tuple[float, float]:
        """Returns for how long this has been waited for, and the time.

        Args:
            what: One of the texts above.
        """
        with self._lock:
            now = self._count()
            return self._waited[what], now

    def _count(self) -> float:
        """Counts what is waited for until now; returns the time."""
        now = self._clock()
        if self._waits_for is not None:
            self._waited[self._waits_for] += now - self._waits_since
        self._waits_since = now
        return now

    def look(self) -> None:
        """Tells, if it is time to."""
        with self._lock:
            what, seconds = self._waits_for, self._clock() - self._since
            if what is None or seconds < self._next_line:
                return
            self._next_line = 2 * seconds
        self._tell(seconds, what)

    @contextlib.contextmanager
    def watching(self) -> Iterator[None]:
        """Looks again and again, in a thread, as long as the block runs."""
        is_over = threading.Event()

        def look_on() -> None:
            while not is_over.wait(self._patience / 12):
                self.look()

        thread = threading.Thread(target=look_on, name="stall", daemon=True)
        self.is_done()
        thread.start()
        try:
            yield
        finally:
            is_over.set()
            thread.join()


class WaitShare:
    """Share of the time, since this was made, that is waited for one thing.

    Args:
        watch: Watch that is told what is waited for.
        what: One of the texts above.
    """

    def __init__(self, watch: StallWatch, what: str) -> None:
        self._watch = watch
        self._what = what
        self._start = watch.seconds(what)

    def __call__(self) -> float:
        """Returns the share so far, 0..1."""
        waited, passed = (
            now - before
            for now, before in zip(
                self._watch.seconds(self._what), self._start, strict=True
            )
        )
        return waited / passed if passed > 0 else 0.0


def silent() -> StallWatch:
    """Returns a watch that tells nobody."""
    return StallWatch(lambda seconds, what: None)
