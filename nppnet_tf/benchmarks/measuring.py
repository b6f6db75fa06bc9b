"""Clocks, memory and nodes, for everything that is measured."""

import dataclasses
import importlib.metadata
import json
import os
import pathlib
import re
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any

import numpy as np

from nppnet_tf.errors import UserError

_POLL_SECONDS = 0.05

# Side of the matrices whose product tells how fast a machine is, and how often
# they are multiplied; the fastest counts, what others do only slows.
_SIDE = 1536
_PRODUCTS = 10

# Lists of plain values, as `json` spreads them over lines.
_LIST = re.compile(r"\[\n[^][{}]*\]")


@dataclasses.dataclass(frozen=True)
class Size:
    """How large what is measured is.

    Attributes:
        channels: C of the network.
        cells: L of the network.
        image_size: Height and width of the input, in pixels.
        batch_size: Pictures at once.
    """

    channels: int
    cells: int
    image_size: tuple[int, int]
    batch_size: int


def first(step: Callable[[], object]) -> dict[str, float]:
    """Takes the first step, which traces; seconds count from the start.

    Args:
        step: What is measured; returns when its result is there.
    """
    step()
    return {
        "seconds_to_first_step": round(_seconds_since_start(), 2),
        "cpu_seconds_to_first_step": round(time.process_time(), 2),
    }


def repeat(
    step: Callable[[], object],
    repeats: int,
    in_turn: Callable[[], object] = lambda: None,
) -> dict[str, Any]:
    """Takes more steps, and returns the seconds of each and the medians.

    Args:
        step: What is measured; see `first`.
        repeats: How many steps.
        in_turn: Called behind each step, and not measured.
    """
    seconds, of_processors = [], []
    for _ in range(repeats):
        started, cpu_started = time.perf_counter(), time.process_time()
        step()
        of_processors.append(time.process_time() - cpu_started)
        seconds.append(time.perf_counter() - started)
        in_turn()
    return {
        "seconds_per_step": round(statistics.median(seconds), 4),
        "seconds_of_each_step": [round(value, 4) for value in seconds],
        "cpu_seconds_per_step": round(statistics.median(of_processors), 4),
        "cores_busy": round(sum(of_processors) / sum(seconds), 2),
    }


def in_turns(
    calls: Mapping[str, Callable[[], object]], repeats: int
) -> dict[str, dict[str, Any]]:
    """Times several things one after the other, again and again.

    Whatever else the machine does is then the same for all of them.

    Args:
        calls: What is measured, by its name; each returns when its result is
            there. The first call of each is not counted.
        repeats: How often.

    Returns:
        Milliseconds of each: median, least and most, and all of them.
    """
    taken: dict[str, list[float]] = {name: [] for name in calls}
    for call in calls.values():
        call()
    for _ in range(repeats):
        for name, call in calls.items():
            started = time.perf_counter()
            call()
            taken[name].append(1e3 * (time.perf_counter() - started))
    return {
        name: {
            "median": round(statistics.median(values), 3),
            "least": round(min(values), 3),
            "most": round(max(values), 3),
            "samples": [round(value, 3) for value in values],
        }
        for name, values in taken.items()
    }


def graph_nodes(function: Any, argument: object) -> int:
    """Returns the nodes of a traced function, with those that it calls.

    Args:
        function: A `tf.function`, which is traced if it was not.
        argument: What it is called with.
    """
    graph = function.get_concrete_function(argument).graph
    definition = graph.as_graph_def()
    return len(definition.node) + sum(
        len(called.node_def) for called in definition.library.function
    )


def peak_memory_gb() -> float:
    """Returns the most memory that this process has had so far, in GB."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return round(peak * 1024 / 1e9, 2)


def memory_gb() -> float:
    """Returns the memory that this process has now, in GB."""
    pages = int(pathlib.Path("/proc/self/statm").read_text().split()[1])
    return round(pages * resource.getpagesize() / 1e9, 2)


def resident_peak_gb(process_id: int) -> float:
    """Returns the most memory that a process has had since its start, in GB.

    Unlike `peak_memory_gb`, without what its parent had before; 0 where the
    process has ended.

    Args:
        process_id: Number of the process.
    """
    try:
        status = pathlib.Path(f"/proc/{process_id}/status").read_text()
    except OSError:
        return 0.0
    match = re.search(r"VmHWM:\s+(\d+) kB", status)
    return round(int(match[1]) * 1024 / 1e9, 2) if match else 0.0


def python(*words: str) -> list[str]:
    """Returns the words that run a program of Python as this one runs."""
    return [sys.executable, *words]


def run_child(words: Sequence[str]) -> tuple[float, float]:
    """Runs a program; returns its seconds and its peak memory in GB.

    Args:
        words: Program and arguments; what it prints is not shown.

    Raises:
        UserError: If it fails.
    """
    started = time.perf_counter()
    process = subprocess.Popen(words, stdout=subprocess.DEVNULL)
    peak = 0.0
    while process.poll() is None:
        # What the system tells behind a child's end is never less than the
        # parent's own peak.
        peak = max(peak, resident_peak_gb(process.pid))
        time.sleep(_POLL_SECONDS)
    if process.returncode:
        name = words[2] if words[1:2] == ["-m"] else words[0]
        name = name.rpartition(".")[2]
        raise UserError(f"{name} failed", found=f"status {process.returncode}")
    return time.perf_counter() - started, peak


def to_json(result: Mapping[str, Any]) -> str:
    """Returns a result as a text with every list of samples in one line."""
    text = json.dumps(result, indent=2)
    return _LIST.sub(lambda found: _in_one_line(found[0]), text) + "\n"


def circumstances() -> dict[str, Any]:
    """Returns what the figures depend on besides the code.

    Among it the machine's own rate, multiply-accumulates of one large matrix
    product of NumPy in a second: figures of machines that differ in it are not
    to be compared.
    """
    return {
        "cores": len(os.sched_getaffinity(0)),
        "machine_gmac_per_second": round(_machine_rate() / 1e9, 1),
        "load_average": round(os.getloadavg()[0], 1),
        "versions": {
            name: importlib.metadata.version(name)
            for name in ("tensorflow", "keras", "numpy")
        },
    }


def _machine_rate() -> float:
    square = np.random.default_rng(0).normal(size=(_SIDE, _SIDE))
    square = square.astype(np.float32)
    seconds = []
    for _ in range(_PRODUCTS):
        started = time.perf_counter()
        square @ square
        seconds.append(time.perf_counter() - started)
    return _SIDE**3 / min(seconds)


def _in_one_line(text: str) -> str:
    # Strings hold no line's end as such.
    words = [word.strip() for word in text[1:-1].split("\n")]
    return f"[{' '.join(word for word in words if word)}]"


def _seconds_since_start() -> float:
    """Seconds since the process was started, imports included."""
    fields = pathlib.Path("/proc/self/stat").read_text().rsplit(")", 1)[1]
    started = int(fields.split()[19]) / os.sysconf("SC_CLK_TCK")
    return time.clock_gettime(time.CLOCK_BOOTTIME) - started
