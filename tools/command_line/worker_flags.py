"""Flag that says among how many processes work is divided."""

import os

from absl import flags

from .tool_flags import ToolFlags

# Less work than this is done before a process has started.
_SAMPLES_PER_WORKER = 500

# Each takes the memory of a process.
_MOST_WORKERS = 256


def define(tool: ToolFlags) -> flags.FlagHolder:
    """Defines `--num_workers`; `num_workers` says what it means."""
    return tool.define_count(
        "num_workers",
        0,
        "Processes at work; 0 for one on every core, and fewer for few "
        "samples. What is made does not depend on it.",
        0,
        _MOST_WORKERS,
    )


def num_workers(given: int, num_samples: int) -> int:
    """Returns the processes among which so many samples are divided.

    Args:
        given: Value of the flag.
        num_samples: How many there are.
    """
    if given:
        return given
    cores = len(os.sched_getaffinity(0))
    return min(cores, 1 + num_samples // _SAMPLES_PER_WORKER)
