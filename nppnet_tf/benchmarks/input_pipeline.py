"""Whole training batches, as `fit` gets them."""

import dataclasses
import os
import statistics
import time
from collections.abc import Callable
from typing import Any

import tensorflow as tf

from nppnet_tf.benchmarks import measuring
from nppnet_tf.config import InputConfig
from nppnet_tf.data.records.record_set import RecordSet
from nppnet_tf.data.samples import augmentation
from nppnet_tf.data.samples import batches
from nppnet_tf.data.samples import random_streams
from nppnet_tf.data.samples import sample as samples
from nppnet_tf.pictures import picture_files
from nppnet_tf.pictures import pixels

# Until all threads have begun.
_WARM_UP_BATCHES = 4
# Of the parts of a sample.
_MEASURED_SAMPLES = 200


def measure(
    records: str | os.PathLike[str],
    image_size: tuple[int, int],
    batch_size: int,
    seconds: float,
) -> dict[str, Any]:
    """Counts the samples that are made in some seconds.

    Args:
        records: Folder of records.
        image_size: Height and width of the input, in pixels.
        batch_size: Samples of a batch.
        seconds: How long to count.

    Returns:
        Cores that the process may use, samples per second and per second of
        one core, the time of each part of a sample, and what the pictures and
        targets are.
    """
    record_set = RecordSet.open(records)
    config = dataclasses.replace(
        InputConfig(),
        image_size=image_size,
        batch_size=batch_size,
    )
    steps = batches.steps_per_epoch(record_set, config)
    # More than any seconds take.
    dataset = batches.make_dataset(
        record_set, config, training=True, num_epochs=1_000_000 // steps
    )
    return {
        "image_size": image_size,
        "batch_size": batch_size,
        **_rates(dataset, batch_size, seconds),
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
) -> dict[str, float]:
    iterator = iter(dataset)
    for _ in range(_WARM_UP_BATCHES):
        next(iterator)
    started, cpu_started = time.perf_counter(), time.process_time()
    count = 0
    while time.perf_counter() - started < seconds:
        next(iterator)
        count += batch_size
    taken = time.perf_counter() - started
    cpu_taken = time.process_time() - cpu_started
    return {
        "cores": len(os.sched_getaffinity(0)),
        "samples": count,
        "samples_per_second": round(count / taken, 1),
        # What one core makes, whatever else the machine does.
        "samples_per_cpu_second": round(count / cpu_taken, 1),
    }


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
