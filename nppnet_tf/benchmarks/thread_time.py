"""Where threads spend their time, out of TensorFlow's profile."""

import collections
import pathlib
import tempfile
from collections.abc import Callable
from typing import Any

import tensorflow as tf
from tensorflow.tsl.profiler.protobuf import xplane_pb2

_PLANE = "/host:CPU"
# What calls operations; its time holds theirs.
_FUNCTION = "__inference"
# The largest; all others are one.
_MOST_KINDS = 20


def shares(step: Callable[[], object]) -> dict[str, Any]:
    """Profiles one step.

    Args:
        step: What is measured, traced already; returns when its result is
            there.

    Returns:
        Seconds that threads computed, added up; and the share of each kind of
        operation in them, the largest first.
    """
    with tempfile.TemporaryDirectory() as folder:
        with tf.profiler.experimental.Profile(folder):
            step()
        seconds = collections.Counter()
        for path in pathlib.Path(folder).rglob("*.xplane.pb"):
            space = xplane_pb2.XSpace.FromString(path.read_bytes())
            seconds += seconds_by_kind(space)
    return {
        "thread_seconds": round(sum(seconds.values()), 3),
        "share_of_thread_time": _shares(seconds),
    }


def seconds_by_kind(space: xplane_pb2.XSpace) -> collections.Counter:
    """Returns the thread time of every kind of operation, in seconds.

    Args:
        space: Profile, as TensorFlow writes it.
    """
    seconds = collections.Counter()
    for plane in space.planes:
        if plane.name != _PLANE:
            continue
        for line in plane.lines:
            for event in line.events:
                name = plane.event_metadata[event.metadata_id].name
                node, _, kind = name.rpartition(":")
                if node and not node.endswith(":") and _FUNCTION not in kind:
                    kind = kind.removeprefix("_Mkl").removeprefix("Native")
                    seconds[kind] += event.duration_ps / 1e12
    return seconds


def _shares(seconds: collections.Counter) -> dict[str, float]:
    total = sum(seconds.values())
    largest = dict(seconds.most_common(_MOST_KINDS))
    others = total - sum(largest.values())
    return {
        kind: round(value / total, 4)
        for kind, value in {**largest, "others": others}.items()
        if total
    }
