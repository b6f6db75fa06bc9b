"""Whole training batches, as a run gets them."""

import os
import pathlib
import statistics
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf

from nppnet_tf.benchmarks import measuring
from nppnet_tf.config import InputConfig
from nppnet_tf.data.records.record_set import RecordSet
from nppnet_tf.data.samples import augmentation
from nppnet_tf.data.samples import batches
from nppnet_tf.data.samples import input_workers
from nppnet_tf.data.samples import random_streams
from nppnet_tf.data.samples import sample as samples
from nppnet_tf.data.samples import sources
from nppnet_tf.pictures import picture_files
from nppnet_tf.pictures import pixels

# Until all threads have begun.
_WARM_UP_BATCHES = 4
# Of the parts of a sample.
_MEASURED_SAMPLES = 200

# Sleep of the thread that looks for the lock, no multiple of anything; and the
# share of its naps that end as soon as naps do.
_NAP_SECONDS = 0.0007
_PUNCTUAL = 0.9


def measure(
    records: str | os.PathLike[str], config: InputConfig, seconds: float
) -> dict[str, Any]:
    """Counts the samples that are made in some seconds.

    Args:
        records: Folder of records.
        config: Sizes, and how many processes make batches.
        seconds: How long to count.

    Returns:
        Cores that the process may use, samples per second and per second of
        one core, the share of a sample's time that holds Python's lock, the
        time of each part of a sample, and what the pictures and targets are.
    """
    record_set = RecordSet.open(records)
    steps = batches.steps_per_epoch(record_set, config)
    # More than any seconds take.
    dataset = batches.make_dataset(
        record_set, config, training=True, num_epochs=1_000_000 // steps
    )
    return {
        "image_size": list(config.image_size),
        "batch_size": config.batch_size,
        "input_workers": batches.worker_count(config),
        **_rates(dataset, config.batch_size, seconds),
        "share_of_lock": _share_of_lock(record_set, config, seconds),
        "milliseconds_of_one_sample": _parts(record_set, config),
        "pictures": _describe_pictures(record_set),
        "targets": {
            name: f"{spec.dtype.name} {list(spec.shape[1:])}"
            for name, spec in dataset.element_spec.items()
        },
        "peak_memory_gb": measuring.peak_memory_gb(),
    }


def _rates(
    dataset: tf.data.Dataset, batch_size: int, seconds: float
) -> dict[str, Any]:
    iterator = iter(dataset)
    for _ in range(_WARM_UP_BATCHES):
        next(iterator)
    started, cpu_started = time.perf_counter(), _cpu_seconds()
    ends = [started]
    while ends[-1] - started < seconds:
        next(iterator)
        ends.append(time.perf_counter())
    taken = ends[-1] - started
    count = batch_size * (len(ends) - 1)
    own_taken, workers_taken = (
        after - before
        for after, before in zip(_cpu_seconds(), cpu_started, strict=True)
    )
    return {
        "cores": len(os.sched_getaffinity(0)),
        "samples": count,
        "samples_per_second": round(count / taken, 1),
        "samples_of_each_second": _rates_of_seconds(ends, batch_size),
        # What one core makes, whatever else the machine does.
        "samples_per_cpu_second": round(count / (own_taken + workers_taken), 1),
        # What handing them over leaves of one core.
        "own_milliseconds_of_one_sample": round(1e3 * own_taken / count, 3),
    }


def _rates_of_seconds(ends: list[float], batch_size: int) -> list[float]:
    """Samples per second of each second, of the batches that ended in it."""
    rates, begun, batches = [], ends[0], 0
    for end in ends[1:]:
        batches += 1
        if end - begun >= 1:
            rates.append(round(batch_size * batches / (end - begun), 1))
            begun, batches = end, 0
    return rates


def _cpu_seconds() -> tuple[float, float]:
    """CPU time of this process, and of those that make its batches."""
    ticks = 0
    for process in input_workers.process_ids():
        fields = pathlib.Path(f"/proc/{process}/stat").read_text()
        ticks += sum(map(int, fields.rsplit(")", 1)[1].split()[11:13]))
    return time.process_time(), ticks / os.sysconf("SC_CLK_TCK")


def _share_of_lock(
    record_set: RecordSet, config: InputConfig, seconds: float
) -> float | None:
    """Share of its time for which a thread that makes samples holds the lock.

    Another thread sleeps, over and over, and looks how often it is late: when
    it wakes and the lock is held, it waits. N threads together make at most
    1 / share as much as one. None on one core, for which it would wait as well.
    """
    if len(os.sched_getaffinity(0)) < 2:
        return None
    source = sources.TrainingSource(
        record_set, config, np.arange(record_set.count), "benchmark"
    )
    batch = {
        name: np.empty(form.shape, form.dtype)
        for name, form in source.batch_form.items()
    }
    is_over = threading.Event()

    def work() -> None:
        step = 0
        while not is_over.is_set():
            source.fill(batch, 0, step)
            step += 1

    interval = sys.getswitchinterval()
    # Who holds the lock gives it up when it wants to, not when asked.
    sys.setswitchinterval(1.0)
    usual = np.quantile(_delays(seconds), _PUNCTUAL)
    thread = threading.Thread(target=work)
    thread.start()
    late = np.mean(_delays(seconds) > usual)
    is_over.set()
    thread.join()
    sys.setswitchinterval(interval)
    # Some would have been late without any lock.
    return round(max(0.0, 1 - (1 - late) / _PUNCTUAL), 2)


def _delays(seconds: float) -> np.ndarray:
    """Delays of a thread that wakes again and again, in seconds."""
    delays = []
    end = time.perf_counter() + seconds
    while (started := time.perf_counter()) < end:
        time.sleep(_NAP_SECONDS)
        delays.append(time.perf_counter() - started - _NAP_SECONDS)
    return np.array(delays)


class _Spent:
    """CPU time of parts, by their names."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    def timed(
        self, part: str, function: Callable[..., Any], *arguments: Any
    ) -> Any:
        """Calls the function and counts its time to the part."""
        started = time.thread_time()
        result = function(*arguments)
        taken = time.thread_time() - started
        self.seconds[part] = self.seconds.get(part, 0) + taken
        return result


def _parts(record_set: RecordSet, config: InputConfig) -> dict[str, float]:
    """CPU time of the parts of a sample, one after the other."""
    spent = _Spent()
    count = min(record_set.count, _MEASURED_SAMPLES)
    for number in range(count):
        _time_sample(record_set, config, number, spent)
    return {
        part: round(1e3 * seconds / count, 3)
        for part, seconds in spent.seconds.items()
    }


def _time_sample(
    record_set: RecordSet, config: InputConfig, number: int, spent: _Spent
) -> None:
    record = spent.timed("read", record_set.read, number)
    transform = augmentation.draw(
        config, random_streams.generator(0, "benchmark", number)
    )
    warped = spent.timed(
        "decode_and_warp",
        samples.warp,
        record,
        transform,
        record_set.descriptor,
        config,
    )
    spent.timed("normalize", pixels.normalize, warped.image)
    spent.timed(
        "parsing_targets",
        samples.parsing_targets,
        warped,
        record_set.descriptor,
        config,
    )
    spent.timed("pose_targets", samples.pose_targets, warped, config)


def _describe_pictures(record_set: RecordSet) -> dict[str, Any]:
    count = min(record_set.count, _MEASURED_SAMPLES)
    encoded = [record_set.read(number).image_bytes for number in range(count)]
    sizes = [picture_files.picture_size(data) for data in encoded]
    return {
        "records": record_set.count,
        "median_height": statistics.median(height for height, _ in sizes),
        "median_width": statistics.median(width for _, width in sizes),
        "median_bytes": statistics.median(map(len, encoded)),
    }
