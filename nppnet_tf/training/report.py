"""What a run says and asks while it runs, and in which words."""

import contextlib
import os
import sys
from collections.abc import Callable
from collections.abc import Mapping
from contextlib import AbstractContextManager
from typing import NoReturn

from nppnet_tf import durations
from nppnet_tf.errors import UserError
from nppnet_tf.training.workdir import Workdir

# Share of an epoch for which steps may wait for batches without a word.
_MUCH_WAITING = 0.02

# Status of a process whose run cannot go on.
_USER_ERROR = 2


class Report:
    """What a run says and asks while it runs; this one writes lines.

    Attributes:
        settings: What the caller adds to the settings in the record of the
            run, by name, as JSON can hold it: `Workdir.claim`.
        flags_text: Flags that make the same run, for a flag file beside it.
        stop_reason: How a run comes to stop, "on request".
    """

    settings: Mapping[str, object] = {}
    flags_text: str = ""
    stop_reason: str = "on request"

    def say(self, line: str) -> None:
        """Takes one line."""
        print(line, flush=True)  # noqa: T201

    def progress(
        self, steps: int
    ) -> AbstractContextManager[Callable[[Callable[[], str]], None]]:
        """Opens what counts the steps: a function called after each of them.

        It is given a function that returns the step's losses and the share of
        the time that steps wait for samples, "loss 1.234, input 0.1%".
        Calling that waits for the device; who shows none does not call it.

        Args:
            steps: Steps that are left, without the first, which is traced.
        """
        del steps
        return contextlib.nullcontext(lambda note: None)

    def draw(self, workdir: Workdir) -> None:
        """Draws what the run has done, every `report_every` epochs.

        What it raises is said in a line and ends nothing.

        Args:
            workdir: Folder of the run, with the records of its epochs.
        """

    def should_stop(self) -> bool:
        """Whether the run is to save its state and end, asked at every step."""
        return False

    def abandon(self, error: UserError) -> NoReturn:
        """Ends the process: another machine's end leaves it waiting for ever.

        Args:
            error: What to say.
        """
        sys.stderr.write(f"{error}\n")
        sys.stderr.flush()
        os._exit(_USER_ERROR)


class WorkerReport(Report):
    """What a worker that is not the chief says and asks.

    Args:
        report: That of the caller.
        index: Number of the worker.
    """

    def __init__(self, report: Report, index: int) -> None:
        self._report = report
        self._index = index
        self.stop_reason = report.stop_reason
        self.should_stop = report.should_stop
        self.abandon = report.abandon

    def say(self, line: str) -> None:
        self._report.say(f"worker {self._index}: {line}")


def epoch_line(
    record: Mapping, history: tuple[Mapping, ...], epochs: int
) -> str:
    """Returns "epoch 3/50: loss 1.2, ..., 12 s, about 9:20 min left".

    Args:
        record: What was recorded of the epoch.
        history: Records of all epochs so far, this one last.
        epochs: Epochs in all.
    """
    done = record["epoch"] + 1
    words = [f"epoch {done}/{epochs}: loss {record['losses']['loss']:.4f}"]
    if "architecture_loss" in record["losses"]:
        words.append(
            f"architecture loss {record['losses']['architecture_loss']:.4f}"
        )
    if "entropy_mean" in record:
        words.append(f"entropy {record['entropy_mean']:.4f}")
    if "held" in record.get("stop_rule", {}):
        seen = record["stop_rule"]
        words.append(f"{seen['held']} of {seen['of']} operations held")
    for name in ("mean_iou", "pckh"):
        if name in record.get("validation", {}):
            score = record["validation"][name]
            words.append(f"validation {name} {score:.4f} (network's size)")
    words.append(durations.in_words(record["seconds"]))
    if record.get("input_wait", 0) >= _MUCH_WAITING:
        words.append(f"{record['input_wait']:.0%} of it waiting for samples")
    left = (epochs - done) * record["seconds"]
    # The first epoch of all holds the tracing and tells nothing.
    if left and len(history) > 1:
        words.append(f"about {durations.in_words(left)} left")
    return ", ".join(words)
