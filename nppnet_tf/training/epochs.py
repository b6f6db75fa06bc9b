"""The epochs of a run that are left, from its last checkpoint to its end."""

import contextlib
import dataclasses
import functools
from collections.abc import Callable
from collections.abc import Mapping
from collections.abc import Sequence
from typing import Self

import keras
import tensorflow as tf

from nppnet_tf import durations
from nppnet_tf.data.records.record_set import RecordSet
from nppnet_tf.data.samples import batches
from nppnet_tf.data.samples import input_workers
from nppnet_tf.errors import UserError
from nppnet_tf.training import alarms
from nppnet_tf.training import callbacks
from nppnet_tf.training import checkpoints
from nppnet_tf.training import distribution
from nppnet_tf.training import loop
from nppnet_tf.training import recording
from nppnet_tf.training import stall
from nppnet_tf.training import workdir as workdirs
from nppnet_tf.training.display import EpochDisplay
from nppnet_tf.training.opening import OpenRun
from nppnet_tf.training.report import Report

_BY_ALARM = "by an alarm"


@dataclasses.dataclass(frozen=True)
class Data:
    """What every epoch learns from, and is validated on.

    Attributes:
        steps: Steps of an epoch.
        make: Returns the data of an epoch, from a step on.
        validation: Records to validate on.
        validate_every: Epochs between two validations.
    """

    steps: int
    make: Callable[[int, int], tf.data.Dataset]
    validation: RecordSet | None = None
    validate_every: int = 1


class Epochs:
    """Runs the epochs that are left.

    Args:
        run: The run.
        recorder: Recorder of the run.
        data: Data of its epochs.
        stops_on_alarm: Whether an alarm ends it.
    """

    def __init__(
        self,
        run: OpenRun,
        recorder: recording.RunRecorder,
        data: Data,
        stops_on_alarm: bool = False,
    ) -> None:
        self._run = run
        self._recorder = recorder
        self._data = data
        self._stops_on_alarm = stops_on_alarm
        self._display = EpochDisplay(run, recorder)

    def run(self) -> bool:
        """Runs them and returns whether an alarm has ended the run.

        Raises:
            UserError: A loss is not finite, records are damaged, or the last
                checkpoint does not fit.
        """
        run, recorder = self._run, self._recorder
        recorder.model.jit_compile = run.config.process.jit_compile
        recorder.resume()
        first_step = self._first_step()
        if run.config.process.on_nonfinite == "rollback":
            recorder.save_start()
        window: list[callbacks.ProfileWindow] = []
        if unread := self._unread_alarms():
            # The process that met them has ended before it could say so.
            for line in unread:
                run.report.say(line)
            ended = _BY_ALARM
        else:
            self._say_begin()
            ended = self._run_loop(first_step, window)
        if ended or recorder.progress.epoch == run.epochs:
            self._display.draw_page(is_last=True)
        return self._say_end(window)

    def _run_loop(
        self, first_step: int, windows: list[callbacks.ProfileWindow]
    ) -> str:
        """Runs the epochs that are left.

        Args:
            first_step: Steps of the first of them that are done.
            windows: Gets that of the profiled steps, if there is one.

        Returns:
            Why the run has ended, if it has.
        """
        run, recorder, data = self._run, self._recorder, self._data
        with contextlib.ExitStack() as stack:
            stack.enter_context(input_workers.ended_after())
            sets = filter(None, [run.records, data.validation])
            stack.enter_context(batches.report_damage(*sets))
            watch = stall.StallWatch(self._say_stall)
            stack.enter_context(watch.watching())
            windows += self._profile_window(stack)
            progress = stack.enter_context(
                _StepProgress(run.report, self._steps_left, watch)
            )
            guard = callbacks.FiniteLossGuard(
                run.config.process.check_every,
                recorder.checkpoints.last_path,
                # After the last step it is the next epoch that begins.
                first_step % data.steps,
            )
            step_callbacks = [guard, callbacks.StepReport(progress.report)]
            return self._loop(
                [*step_callbacks, *windows],
                watch,
                functools.partial(self._goes_back, guard, progress),
            ).run(recorder.progress.epoch)

    def _loop(
        self,
        step_callbacks: Sequence[keras.callbacks.Callback],
        watch: stall.StallWatch,
        goes_back: Callable[[checkpoints.RuinedError], None],
    ) -> loop.EpochLoop:
        data, process = self._data, self._run.config.process
        return loop.EpochLoop(
            self._recorder.model,
            self._recorder,
            lambda epoch, step: data.make(epoch, step).take(data.steps - step),
            self._run.epochs,
            step_callbacks,
            make_validation=data.validation and self._validation_data,
            validate_every=data.validate_every,
            on_epoch=self._display.show,
            save_every=process.checkpoint_every,
            should_stop=self._should_stop,
            accumulate_steps=process.accumulate_steps,
            ends_with=self._ends_with,
            goes_back=goes_back,
            watch=watch,
        )

    def _should_stop(self) -> bool:
        agreement = distribution.agreement(self._run.strategy)
        return agreement(self._run.report.should_stop())

    def _ends_with(self, record: Mapping) -> str:
        """Returns why the run ends with an epoch, "" where it goes on."""
        if reason := record.get(workdirs.ENDED_BECAUSE):
            return reason
        return _BY_ALARM if self._unread_alarms() else ""

    def _unread_alarms(self) -> list[str]:
        """Returns those of the last epoch that stop the run and have not yet.

        What is done of the next epoch was done by who did not mind them.
        """
        progress = self._recorder.progress
        if not self._stops_on_alarm or progress.part.step:
            return []
        return alarms.unread(progress.history)

    def _steps_left(self) -> int:
        """Steps behind the last checkpoint."""
        done, steps = self._recorder.progress, self._data.steps
        return (self._run.epochs - done.epoch) * steps - done.part.step

    def _goes_back(
        self,
        guard: callbacks.FiniteLossGuard,
        progress: "_StepProgress",
        error: checkpoints.RuinedError,
    ) -> None:
        """Goes back to the last checkpoint, where the run is to and may.

        Raises:
            RuinedError: It is not to or may not; with what helps.
        """
        process, recorder = self._run.config.process, self._recorder
        done = len(recorder.progress.rollbacks)
        if process.on_nonfinite != "rollback":
            raise error.advising(
                "`on_nonfinite`=rollback lowers learning rates"
            )
        if done >= process.max_rollbacks:
            self._run.report.say(
                f"no further rollback: {done} are done, of at most "
                f"{process.max_rollbacks}"
            )
            raise error.advising(
                f"`max_rollbacks` above {process.max_rollbacks} lowers "
                "learning rates further"
            )
        recorder.roll_back(f"{error.problem}: {error.where}")
        guard.goes_on_from(recorder.progress.part.step)
        progress.begin_anew()
        factor = recorder.progress.rate_factor
        self._run.report.say(
            f"{error.problem}, {error.where}: rollback {done + 1} of at most "
            f"{process.max_rollbacks}, back to {_place(recorder.progress)}, "
            f"learning rates x {factor:g} from here on"
        )

    def _first_step(self) -> int:
        """Returns the step of its epoch that a resumed run begins with."""
        first, steps = self._recorder.progress.part.step, self._data.steps
        if not 0 <= first <= steps:
            raise UserError(
                "checkpoint of a run with other epochs",
                self._recorder.checkpoints.last_path,
                f"at most {steps} steps of an epoch",
                first,
            )
        return first

    def _validation_data(self) -> tf.data.Dataset:
        return batches.make_dataset(
            self._data.validation,
            self._run.config.inputs,
            training=False,
            num_replicas=self._run.num_replicas,
        )

    def _profile_window(
        self, stack: contextlib.ExitStack
    ) -> list[callbacks.ProfileWindow]:
        """Returns the profiled steps, if any; a trace is closed at the end."""
        if self._run.config.process.profile_steps is None:
            return []
        first, last = self._run.config.process.profile_steps
        window = callbacks.ProfileWindow(
            first, last, self._run.workdir.tensorboard
        )
        stack.callback(window.close)
        return [window]

    def _say_begin(self) -> None:
        say, recorder = self._run.report.say, self._recorder
        progress = recorder.progress
        if any(progress.place):
            stop = ""
            if not progress.part.step and progress.history[-1].get(
                alarms.STOPPED
            ):
                stop = ", where an alarm had stopped the run"
            say(f"resuming after {_place(progress)}{stop}")
            if recorder.changes:
                say(
                    f"{', '.join(recorder.changes)}: the rest equals an "
                    "uninterrupted run to rounding, not to the bit"
                )
        say("tracing the first step, which takes a while")

    def _say_stall(self, seconds: float, what: str) -> None:
        # Where nobody reads any more, the run itself will find out.
        with contextlib.suppress(OSError):
            self._run.report.say(
                f"no step for {durations.in_words(seconds)}: {what}"
            )

    def _say_end(self, window: Sequence[callbacks.ProfileWindow]) -> bool:
        """Says why epochs are left, if any are, and what was not done.

        Returns:
            Whether an alarm has ended the run.
        """
        report, progress = self._run.report, self._recorder.progress
        is_alarmed = bool(self._unread_alarms())
        reason = self._run.workdir.ended_because()
        why = _BY_ALARM if is_alarmed else report.stop_reason
        if reason:
            report.say(
                f"the search is over after {progress.epoch} epochs: {reason}"
            )
        elif progress.epoch < self._run.epochs:
            report.say(
                f"stopped {why} after {_place(progress)}; the same command "
                "goes on from there"
            )
        elif window and not window[0].is_complete:
            report.say("the run ended before the profiled steps were over")
        if is_alarmed:
            if self._run.is_complete:
                report.say(
                    f"ended {_BY_ALARM} after {progress.epoch} epochs; "
                    "nothing is left to do"
                )
            self._recorder.note_stop()
        return is_alarmed


class _StepProgress:
    """Progress whose clock starts when the first step, the traced one, ends.

    A context, at whose end it is closed.

    Args:
        report: Opens the progress.
        steps_left: Returns the steps that are left of the run.
        watch: Knows how long steps wait for batches.
    """

    def __init__(
        self,
        report: Report,
        steps_left: Callable[[], int],
        watch: stall.StallWatch,
    ) -> None:
        self._report = report
        self._steps_left = steps_left
        self._watch = watch
        self._open = contextlib.ExitStack()
        self.begin_anew()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._open.close()

    def begin_anew(self) -> None:
        """Begins where the run begins, or has gone back to."""
        self._open.close()
        self._steps = self._steps_left()
        self._input_wait = self._watch.share_of(stall.TRAINING_INPUT)
        self._advance: Callable[[Callable[[], str]], None] | None = None

    def report(self, note: Callable[[], str]) -> None:
        """Counts a step."""
        if self._advance is not None:
            self._advance(lambda: f"{note()}, input {self._input_wait():.1%}")
        else:
            self._input_wait = self._watch.share_of(stall.TRAINING_INPUT)
            self._advance = self._open.enter_context(
                self._report.progress(self._steps - 1)
            )


def _place(progress: checkpoints.Progress) -> str:
    """Returns "3 epochs", or "3 epochs and 200 steps" within the fourth."""
    steps = f" and {progress.part.step} steps" if progress.part.step else ""
    return f"{progress.epoch} epochs{steps}"
