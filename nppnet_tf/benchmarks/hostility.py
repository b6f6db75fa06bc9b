"""Hostile pictures through a SavedModel and through a server that runs it.

Each has to get a status, in bounded time and memory, and whatever stands
beside it in a batch its own answer.
"""

import collections
import dataclasses
import itertools
import os
import threading
import time
from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Sequence
from concurrent import futures
from typing import Any

import numpy as np
import tensorflow as tf

from nppnet_tf.benchmarks import hostile_pictures
from nppnet_tf.benchmarks import measuring
from nppnet_tf.benchmarks import served_network
from nppnet_tf.benchmarks.hostile_pictures import Kind
from nppnet_tf.benchmarks.measuring import Size
from nppnet_tf.inference import serving_graph
from nppnet_tf.pictures import picture_structure
from nppnet_tf.search_space.published import Preset
from nppnet_tf.serving.peer import GrpcPeer
from nppnet_tf.serving.peer import RestPeer

Arrays = dict[str, np.ndarray]
# Encoded pictures to the outputs of `predict_png`.
Predict = Callable[[Sequence[bytes]], Arrays]

_STATUSES = {
    picture_structure.READ,
    picture_structure.UNREADABLE,
    picture_structure.TOO_LARGE,
    picture_structure.DOES_NOT_FIT,
}
_SEED = 11
# Hostile pictures of a batch; a good one stands among them.
_BATCH = 7
_CLIENTS = 4
# How long all may take, for each picture, and at least; one batch may be
# waited for beyond.
_MOST_SECONDS_EACH = 1.0
_LEAST_SECONDS = 600.0
# After which a server has given back what it does not need.
_REST_SECONDS = 12.0
# How often it is told how far they are.
_TOLD = 20
# By which the answer of a good picture may change beside others: of values
# above 1, their part.
TOLERANCE = 1e-5


@dataclasses.dataclass
class Outcome:
    """What came of hostile pictures; filled by many threads.

    Attributes:
        good: What a good picture is answered alone.
        statuses: How often each status was given.
        faults: What went wrong, with the kind of picture.
        largest_difference: How far answers of good pictures changed, of
            values above 1 as a part of them.
        slowest: Seconds and kinds of the slowest batch.
        inputs: Hostile pictures so far.
    """

    good: Arrays
    statuses: collections.Counter = dataclasses.field(
        default_factory=collections.Counter
    )
    faults: list[str] = dataclasses.field(default_factory=list)
    largest_difference: float = 0.0
    slowest: tuple[float, str] = (0.0, "")
    inputs: int = 0

    def __post_init__(self) -> None:
        self._lock = threading.Lock()

    def add(
        self, kinds: Sequence[str], outputs: Arrays, seconds: float
    ) -> None:
        """Takes the answer of a batch, whose middle picture is the good one."""
        statuses = outputs[serving_graph.STATUS].tolist()
        middle = len(kinds) // 2
        is_whole = len(statuses) == len(kinds) + 1
        with self._lock:
            self.inputs += len(kinds)
            self.slowest = max(self.slowest, (seconds, ", ".join(kinds)))
            if not is_whole or not set(statuses) <= _STATUSES:
                self.faults.append(f"statuses {statuses} of {kinds}")
                return
            self._compare(outputs, middle, kinds)
            del statuses[middle]
            self.statuses.update(map(str, statuses))

    def fail(self, kinds: Sequence[str], error: Exception) -> None:
        """Takes down that a batch got no answer."""
        with self._lock:
            self.inputs += len(kinds)
            self.faults.append(f"{str(error)[:200]} of {kinds}")

    def figures(self) -> dict[str, Any]:
        """Returns plain values for JSON."""
        seconds, kinds = self.slowest
        return {
            "inputs": self.inputs,
            "statuses": dict(sorted(self.statuses.items())),
            "faults": self.faults[:20],
            "num_faults": len(self.faults),
            "largest_difference_of_mates": self.largest_difference,
            "slowest_batch_seconds": round(seconds, 2),
            "slowest_batch": kinds,
        }

    def _compare(
        self, outputs: Arrays, middle: int, kinds: Sequence[str]
    ) -> None:
        if outputs[serving_graph.STATUS][middle] != picture_structure.READ:
            self.faults.append(f"good picture was not read beside {kinds}")
            return
        for name in (
            serving_graph.KEYPOINTS_XY,
            serving_graph.KEYPOINT_SCORES,
        ):
            good = self.good[name][0]
            difference = np.abs(outputs[name][middle] - good)
            # Coordinates of pixels have fewer decimals than scores.
            difference /= np.maximum(np.abs(good), 1.0)
            largest = float(np.max(difference, initial=0))
            self.largest_difference = max(self.largest_difference, largest)
            if largest > TOLERANCE:
                self.faults.append(
                    f"{name} changed by {largest} beside {kinds}"
                )


def measure(
    name: str,
    preset: Preset,
    size: Size,
    count: int,
    tool: Sequence[str],
    say: Callable[[str], object] = lambda line: None,
) -> dict[str, Any]:
    """Sends hostile pictures, for a bounded time.

    Args:
        name: What the network is called in the result.
        preset: Genotype and sizes.
        size: Size of the network's input.
        count: Hostile pictures, through each of graph and server.
        tool: Words that run `serve`.
        say: Takes a line now and then.

    Returns:
        Statuses, faults, the slowest batch and memory of both. The seconds of
        the graph are those of processors.
    """
    with served_network.served(preset, size, tool) as network:
        # Seconds of processors: others may be at work beside it.
        of_graph = run(
            _graph(os.fspath(network.version)),
            count,
            clock=time.process_time,
            after=lambda done: say(f"SavedModel: {done} of {count} pictures"),
        )
        graph_memory = measuring.peak_memory_gb()
        before = network.memory_mb()
        with (
            RestPeer(network.place) as rest,
            GrpcPeer(network.place) as grpc,
        ):
            peers = itertools.cycle((rest, grpc))
            memory: list[float] = []

            def watch(done: int) -> None:
                memory.append(network.memory_mb())
                say(f"server: {done} of {count} pictures, {memory[-1]:.0f} MB")

            def predict(pictures: Sequence[bytes]) -> Arrays:
                signature = serving_graph.PNG_SIGNATURE
                return next(peers).predict(pictures, signature)

            of_server = run(predict, count, _CLIENTS, after=watch)
        time.sleep(_REST_SECONDS)
        of_server |= {
            "memory_mb_before": round(before),
            "memory_mb": [round(mb) for mb in memory],
            "memory_mb_after": round(network.memory_mb()),
            **served_network.memory_figures(memory),
            "peak_memory_mb": round(network.peak_memory_mb()),
            "is_running": network.is_running(),
        }
    return {
        "genotype": name,
        **dataclasses.asdict(size),
        "saved_model": {**of_graph, "peak_memory_gb": graph_memory},
        "server": of_server,
    }


def run(
    predict: Predict,
    count: int,
    clients: int = 1,
    clock: Callable[[], float] = time.monotonic,
    after: Callable[[int], object] = lambda done: None,
) -> dict[str, Any]:
    """Sends hostile pictures in batches with a good one in the middle.

    Args:
        predict: Answers; from several threads where there are clients.
        count: Hostile pictures.
        clients: Batches that are under way at once.
        clock: Takes the time of a batch.
        after: Takes how many were sent, some twenty times.

    Returns:
        Figures, ready for JSON. Where it takes longer than
        `_MOST_SECONDS_EACH`, the rest is not sent, and `inputs` says so.
    """
    end = time.monotonic() + max(_LEAST_SECONDS, count * _MOST_SECONDS_EACH)
    due = 0
    good = hostile_pictures.good_picture(_SEED)
    outcome = Outcome(predict([good]))

    def send(batch: Sequence[Kind]) -> None:
        kinds = [kind for kind, _ in batch]
        pictures = [data for _, data in batch]
        pictures.insert(len(batch) // 2, good)
        before = clock()
        try:
            outputs = predict(pictures)
        # Whatever it is: every picture was to get a status.
        except Exception as error:
            outcome.fail(kinds, error)
            return
        outcome.add(kinds, outputs, clock() - before)

    with futures.ThreadPoolExecutor(clients) as threads:
        for batches in _in_groups(_batches(count), 4 * clients):
            list(threads.map(send, batches))
            if outcome.inputs >= due:
                after(outcome.inputs)
                due = outcome.inputs + count / _TOLD
            if time.monotonic() > end:
                break
    return outcome.figures()


def _batches(count: int) -> Iterable[list[Kind]]:
    pictures = itertools.islice(hostile_pictures.hostile_pictures(_SEED), count)
    return _in_groups(pictures, _BATCH)


def _in_groups(values: Iterable, size: int) -> Iterable[list]:
    """Lists of some values each; few are held at once."""
    values = iter(values)
    while group := list(itertools.islice(values, size)):
        yield group


def _graph(folder: str) -> Predict:
    loaded = tf.saved_model.load(folder)

    def predict(pictures: Sequence[bytes]) -> Arrays:
        # What it was loaded with has to live.
        signature = loaded.signatures[serving_graph.PNG_SIGNATURE]
        outputs = signature(image_bytes=tf.constant(list(pictures)))
        return {name: value.numpy() for name, value in outputs.items()}

    return predict
