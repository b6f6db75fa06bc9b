"""Keras callbacks of a run: loss guard, step report, checkpoint, profile."""

import functools
import math
import os
import pathlib
import time
from collections.abc import Callable
from collections.abc import Mapping

import keras
import tensorflow as tf

from nppnet_tf.training import checkpoints
from nppnet_tf.training import recording


class FiniteLossGuard(keras.callbacks.Callback):
    """Stops a run whose loss is no number any more, and says where.

    The losses of the logs are means over the epoch, and a mean that was once
    not finite stays so: looking every few steps misses nothing.

    Args:
        check_every: Steps between two looks. With 1 the step is named, with
            more the range of steps.
        checkpoint_path: Named in the message as what is left of the run.
        first_step: Steps of the first epoch that were done before `fit`.
    """

    def __init__(
        self,
        check_every: int = 1,
        checkpoint_path: str | os.PathLike[str] | None = None,
        first_step: int = 0,
    ) -> None:
        super().__init__()
        if check_every < 1:
            raise ValueError(
                "`check_every` must be positive. "
                f"Received: check_every={check_every}"
            )
        self.check_every = check_every
        self.checkpoint_path = checkpoint_path
        self._epoch = 0
        self._checked = 0
        self._first_step = 0
        self._next_first_step = first_step

    def goes_on_from(self, step: int) -> None:
        """Notes that the next epoch begins after so many of its steps."""
        self._next_first_step = step

    def on_epoch_begin(self, epoch, logs=None):
        self._epoch = epoch
        self._first_step, self._next_first_step = self._next_first_step, 0
        self._checked = self._first_step

    def on_train_batch_end(self, batch, logs=None):
        steps = self._first_step + batch + 1
        if steps - self._checked >= self.check_every:
            self._check(steps, logs or {})

    def on_epoch_end(self, epoch, logs=None):
        self._check(None, logs or {})

    def _check(self, steps: int | None, logs: Mapping[str, object]) -> None:
        values = _numbers(logs)
        bad = [
            f"{name} {value}"
            for name, value in values.items()
            if not math.isfinite(value)
        ]
        if bad:
            raise checkpoints.RuinedError(
                "loss is not finite",
                f"epoch {self._epoch}, {self._place(steps)}",
                "finite losses",
                f"{', '.join(bad)}; "
                f"{checkpoints.what_is_left(self.checkpoint_path)}",
            )
        self._checked = steps or self._checked

    def _place(self, steps: int | None) -> str:
        first = self._checked + 1
        if steps is None:
            return f"step {first} or later"
        return f"step {steps}" if first == steps else f"step {first} to {steps}"


class StepReport(keras.callbacks.Callback):
    """Tells every step to whoever wants to know.

    Args:
        report: Called after each step with a function that returns a note,
            "loss 1.234". It waits until the device has computed the loss, so
            it is for notes that are written.
    """

    def __init__(self, report: Callable[[Callable[[], str]], None]) -> None:
        super().__init__()
        self.report = report

    def on_train_batch_end(self, batch, logs=None):
        self.report(functools.partial(_loss_note, logs["loss"]))


def _loss_note(loss: tf.Tensor) -> str:
    return f"loss {float(keras.ops.convert_to_numpy(loss)):.4f}"


class EpochPartSaver(keras.callbacks.Callback):
    """Saves the run within an epoch, and goes on from there.

    It is for one epoch, and the last of the callbacks: others see a step
    before it is saved.

    Args:
        recorder: Recorder of this run; `progress.part` says where the epoch
            goes on.
        save_every: Steps of the epoch between two checkpoints; 0 for none.
        should_stop: Asked after every step: whether to save and end `fit`.

    Attributes:
        logs: What the last step told, as numbers.
    """

    def __init__(
        self,
        recorder: recording.RunRecorder,
        save_every: int = 0,
        should_stop: Callable[[], bool] = lambda: False,
    ) -> None:
        super().__init__()
        self.recorder = recorder
        self.save_every = save_every
        self.should_stop = should_stop
        self._before = recorder.progress.part
        self._start = time.monotonic() - self._before.seconds
        self.logs = dict(self._before.logs)

    @property
    def seconds(self) -> float:
        """Time since the epoch began, without that of interruptions."""
        return time.monotonic() - self._start

    def on_epoch_begin(self, epoch, logs=None):
        # `fit` has just cleared them.
        if self._before.step:
            checkpoints.assign_trackers(self.model, self._before.trackers)

    def on_train_batch_end(self, batch, logs=None):
        self.logs = logs or {}
        step = self._before.step + batch + 1
        is_stopping = self.should_stop()
        if is_stopping or (self.save_every and step % self.save_every == 0):
            self._save(step)
        self.model.stop_training |= is_stopping

    def on_train_end(self, logs=None):
        self.logs = _numbers(self.logs)

    def _save(self, step: int) -> None:
        logs = _numbers(self.logs)
        # The guard may look at fewer steps: nothing good is lost to a bad one.
        if all(map(math.isfinite, logs.values())):
            self.recorder.record_part(
                checkpoints.EpochPart(
                    step,
                    self.seconds,
                    logs,
                    checkpoints.tracker_values(self.model),
                )
            )


class ProfileWindow(keras.callbacks.Callback):
    """Writes a trace of some steps, for TensorBoard's profile page.

    Args:
        first_step: First traced step of this process, counted from 1 as the
            trace shows it; the first step of a process holds its tracing.
        last_step: Last traced step.
        directory: Folder of the event files; the trace lies below it, in
            `plugins/profile`.
    """

    def __init__(
        self,
        first_step: int,
        last_step: int,
        directory: str | os.PathLike[str],
    ) -> None:
        super().__init__()
        if not 1 <= first_step <= last_step:
            raise ValueError(
                "A window is first:last, counted from 1. "
                f"Received: first_step={first_step}, last_step={last_step}"
            )
        self.first_step = first_step
        self.last_step = last_step
        self.directory = pathlib.Path(directory)
        self._step = 0
        self._is_tracing = False
        self._marker: tf.profiler.experimental.Trace | None = None

    @property
    def is_complete(self) -> bool:
        """Whether the window lies behind."""
        return self._step >= self.last_step

    def on_train_batch_begin(self, batch, logs=None):
        self._step += 1
        if self._step == self.first_step:
            self.directory.mkdir(parents=True, exist_ok=True)
            tf.profiler.experimental.start(str(self.directory))
            self._is_tracing = True
        if self._is_tracing:
            # Without marks the profile page knows no step and no step time.
            self._marker = tf.profiler.experimental.Trace(
                "train", step_num=self._step, _r=1
            )
            self._marker.__enter__()

    def on_train_batch_end(self, batch, logs=None):
        self._end_step()
        if self._step == self.last_step:
            self.close()

    def _end_step(self) -> None:
        if self._marker is not None:
            self._marker.__exit__(None, None, None)
            self._marker = None

    def close(self) -> None:
        """Ends a trace that is still open and writes it."""
        self._end_step()
        if self._is_tracing:
            self._is_tracing = False
            tf.profiler.experimental.stop()


def _numbers(logs: Mapping[str, object]) -> dict[str, float]:
    return {
        name: float(keras.ops.convert_to_numpy(value))
        for name, value in logs.items()
    }
