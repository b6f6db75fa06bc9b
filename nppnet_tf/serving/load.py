"""Asks a server again and again, and says how long answers took.

Closed loop: each client asks again as soon as it has its answer, which shows
the throughput. Open loop: requests come at a rate, whether the server keeps up
or not, and time counts from when a request was due, which shows what people
would wait.
"""

import collections
import contextlib
import dataclasses
import functools
import itertools
import threading
import time
from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Sequence
from concurrent import futures
from typing import Any

import numpy as np

from nppnet_tf.errors import UserError
from nppnet_tf.files import json_documents
from nppnet_tf.serving.peer import not_ours

# Sends the picture of a number; returns how the answer is called: "0" for a
# picture that was read.
Ask = Callable[[int], str]
MakeAsk = Callable[[], contextlib.AbstractContextManager[Ask]]

# In which all clients are made.
_PATIENCE_SECONDS = 600
_SHARES = {"p50": 50, "p90": 90, "p99": 99, "max": 100}


@dataclasses.dataclass(frozen=True)
class Load:
    """How to ask.

    Attributes:
        seconds: For how long.
        clients: Requests that are under way at once, at most.
        rate: Requests of a second in an open loop; None for a closed one.
    """

    seconds: float
    clients: int = 1
    rate: float | None = None


class Measured:
    """Times of answers, taken down by many threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._seconds: list[float] = []
        self._outcomes: collections.Counter[str] = collections.Counter()

    def add(self, seconds: float, outcome: str) -> None:
        """Takes one answer down."""
        with self._lock:
            self._seconds.append(seconds)
            self._outcomes[outcome] += 1

    def figures(self, seconds: float) -> dict[str, Any]:
        """Returns the figures of a run that took so long."""
        times = np.array(self._seconds or [np.nan])
        return {
            "requests": len(self._seconds),
            "requests_per_second": round(len(self._seconds) / seconds, 2),
            "milliseconds": {
                name: round(float(np.percentile(times, share)) * 1e3, 1)
                for name, share in _SHARES.items()
            },
            "outcomes": dict(sorted(self._outcomes.items())),
        }


def run(make_ask: MakeAsk, load: Load) -> dict[str, Any]:
    """Asks a server.

    Args:
        make_ask: Makes what one client asks with, a context.
        load: How to ask.

    Returns:
        Figures, ready for JSON.
    """
    measured = Measured()
    numbers = itertools.count()
    begun: list[float] = []
    # Making clients takes its time, too.
    ready = threading.Barrier(
        load.clients, lambda: begun.append(time.monotonic())
    )

    def due(number: int) -> float:
        """When a request should be sent."""
        if load.rate is None:
            return time.monotonic()
        return begun[0] + number / load.rate

    def client() -> None:
        with make_ask() as ask:
            ready.wait(_PATIENCE_SECONDS)
            for number in numbers:
                start = due(number)
                if start >= begun[0] + load.seconds:
                    return
                time.sleep(max(0.0, start - time.monotonic()))
                outcome = outcome_of(functools.partial(ask, number))
                measured.add(time.monotonic() - start, outcome)

    with futures.ThreadPoolExecutor(load.clients) as threads:
        running = [threads.submit(client) for _ in range(load.clients)]
        for future in running:
            future.result()
    figures = measured.figures(time.monotonic() - begun[0])
    loop = "closed" if load.rate is None else "open"
    return {"loop": loop, **dataclasses.asdict(load), **figures}


def outcome_of(call: Callable[[], str]) -> str:
    """Returns what a call returns, or how the server refuses."""
    try:
        return call()
    except UserError as error:
        return str(error.found).split(":")[0]


def status_of(peer: Any, picture: bytes, signature: str) -> str:
    """Sends one picture; returns its status."""
    outputs = peer.predict([picture], signature)
    try:
        return str(int(outputs["status"][0]))
    except json_documents.FORM_ERRORS as error:
        raise not_ours(peer.place, error) from error


@contextlib.contextmanager
def picture_asker(
    peer: Any, pictures: Sequence[bytes], signature: str
) -> Iterator[Ask]:
    """Yields what sends pictures in turn, one in a request.

    Args:
        peer: The server, a context.
        pictures: Encoded pictures.
        signature: Signature of bytes.
    """

    def ask(number: int) -> str:
        picture = pictures[number % len(pictures)]
        return status_of(peer, picture, signature)

    with peer:
        yield ask
