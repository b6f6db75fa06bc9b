"""What a run does besides its steps: records of epochs and checkpoints."""

import statistics
import tempfile
import time
from collections.abc import Callable
from typing import Any

from nppnet_tf.training import checkpoints
from nppnet_tf.training import recording
from nppnet_tf.training.joint_model import JointModel
from nppnet_tf.training.search import SearchModel
from nppnet_tf.training.workdir import Workdir

_REPEATS = 3

_STEP = "step"
_LOSSES = {"loss": 1.0, "architecture_loss": 1.0}


def measure(
    model: JointModel, take_step: Callable[[], object]
) -> dict[str, Any]:
    """Measures further work of a run in turns with its steps.

    In processor seconds, which other work of the machine changes little.

    Args:
        model: A model that has taken steps.
        take_step: Takes one; returns when its result is there.

    Returns:
        "cpu_seconds_of": medians of a step; of a "checkpoint" within an epoch;
        of the "record" of an epoch with the health of a search, as it goes to
        metrics.jsonl and TensorBoard, without the checkpoint; and of
        "restoring" a checkpoint. "worth_steps": each of these in steps.
    """
    with tempfile.TemporaryDirectory() as folder:
        works = _works(model, Workdir(folder))
        taken = {name: [] for name in (_STEP, *works)}
        for _ in range(_REPEATS):
            for name, work in {_STEP: take_step, **works}.items():
                started = time.process_time()
                work()
                taken[name].append(time.process_time() - started)
    medians = {name: statistics.median(taken[name]) for name in taken}
    step = medians[_STEP]
    return {
        "cpu_seconds_of": {n: round(m, 4) for n, m in medians.items()},
        "worth_steps": {n: round(medians[n] / step, 3) for n in works},
    }


def _works(
    model: JointModel, workdir: Workdir
) -> dict[str, Callable[[], object]]:
    """Everything but the steps, by its name, in an order that is possible."""
    is_search = isinstance(model, SearchModel)
    recorder = (
        recording.SearchRecorder(model, workdir)
        if is_search
        else recording.RetrainRecorder(model, workdir, lambda facts: None)
    )
    path = recorder.checkpoints.last_path
    return {
        "checkpoint": lambda: recorder.record_part(
            checkpoints.EpochPart(1, trackers=checkpoints.tracker_values(model))
        ),
        "record": lambda: _describe(recorder),
        "restoring": lambda: checkpoints.restore(model, checkpoints.load(path)),
    }


def _describe(recorder: recording.RunRecorder) -> None:
    record = {"epoch": 0, "losses": _LOSSES}
    record |= recorder.describe(record)
    recorder.events.write_record(record)
