"""Flag that says among how many processes work is divided."""

import os

from . import checked_flags

# Less work than this is done before a process has started.
_SAMPLES_PER_WORKER = 500

# Each takes the memory of a process.
_MOST_WORKERS = 256

_NUM_WORKERS = checked_flags.define_count(
    "num_workers",
    0,
    "Processes; 0 for one on every core, and fewer for few samples. What is "
    "made does not depend on it.",
    0,
    _MOST_WORKERS,
)


def num_workers(num_samples: int) -> int:
    """Processes among which the flag divides so many samples."""
    if _NUM_WORKERS.value:
        return _NUM_WORKERS.value
    cores = len(os.sched_getaffinity(0))
    return min(cores, 1 + num_samples // _SAMPLES_PER_WORKER)
