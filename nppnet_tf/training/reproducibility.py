"""What makes a run equal to another one, bit for bit.

A run is a function of its settings, its seed and its records, and of how sums
are divided: among the threads of an operation, among replicas, by the
instructions of a processor. What differs there differs by rounding alone, which
training then carries on. `docs/reproducibility.md` says what follows from it.
"""

import os
import pathlib
import platform
from collections.abc import Mapping

import tensorflow as tf

from nppnet_tf.training import distribution

_THREADS = "threads of an operation"


def circumstances(strategy: tf.distribute.Strategy) -> dict[str, object]:
    """Returns what a computation rounds by, by the words for it.

    How many operations run side by side is none of it: sums have one order.
    """
    return {
        "replicas": strategy.num_replicas_in_sync,
        # More than two numbers are added in another order among machines.
        "machines": strategy.num_replicas_in_sync
        // len(distribution.own_replicas(strategy)),
        _THREADS: _threads_of_an_operation(),
        "device": _device(),
        "TensorFlow": tf.__version__,
    }


def differences(
    before: Mapping[str, object], now: Mapping[str, object]
) -> list[str]:
    """Returns "2 replicas in place of 1" and its like, for a person.

    Args:
        before: Circumstances of a run so far; of older runs, less or nothing.
        now: Circumstances of the run from now on.
    """
    return [
        f"{word} {now[word]} in place of {before[word]}"
        for word in now
        if word in before and before[word] != now[word]
    ]


def make_deterministic() -> None:
    """Makes what an accelerator computes repeatable, at the cost of speed.

    Call it before the first operation. On a CPU nothing has to be done.
    """
    if tf.config.list_physical_devices("GPU"):
        tf.config.experimental.enable_op_determinism()
        # It would make AddN of sums whose order is chosen.
        tf.config.optimizer.set_experimental_options(
            {"arithmetic_optimization": False}
        )


def _threads_of_an_operation() -> int:
    return (
        tf.config.threading.get_intra_op_parallelism_threads()
        or int(os.environ.get("TF_NUM_INTRAOP_THREADS") or 0)
        or len(os.sched_getaffinity(0))
    )


def _device() -> str:
    accelerators = tf.config.list_physical_devices("GPU")
    if accelerators:
        details = tf.config.experimental.get_device_details(accelerators[0])
        return str(details.get("device_name", "GPU"))
    information = pathlib.Path("/proc/cpuinfo")
    if information.exists():
        for line in information.read_text(errors="replace").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.machine()
