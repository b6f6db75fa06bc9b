"""Runs the epochs of a search or a retraining on a command line."""

import contextlib
import dataclasses
import signal
import sys
from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Sequence
from types import FrameType
from typing import Self

from absl import flags

from nppnet_tf.errors import UserError

from . import app
from . import console
from . import paths
from . import run_flags
from . import tool_flags
from .progress import Progress
from .progress import format_seconds

FLAGS = flags.FLAGS

_PICTURES = 4


class Run:
    """The parts of a run that search and retraining share.

    A context: within it no other process can run in the same workdir.

    Args:
        tool: Its name.
        function: Any function of the tool's module.
        genotype: That the run starts from.
    """

    def __init__(self, tool: str, function: Callable, genotype) -> None:
        self.input_config = run_flags.input_config()
        self.records = run_flags.open_records()
        self.descriptor = self.records.descriptor
        self.window = _profile_window()

        from nppnet_tf.training import distribution
        from nppnet_tf.training import reproducibility
        from nppnet_tf.training.workdir import Workdir

        if FLAGS.deterministic:
            reproducibility.make_deterministic()
        self.strategy = distribution.make_strategy(
            FLAGS.strategy, FLAGS.num_replicas
        )
        distribution.check_batch_size(FLAGS.batch_size, self.strategy)
        self.workdir = Workdir(FLAGS.workdir)
        self._claim = lambda: self.workdir.claim(
            tool,
            run_flags.settings(function, self.records, genotype),
            tool_flags.resolved(function),
        )
        self._held = contextlib.ExitStack()

    def __enter__(self) -> Self:
        import keras

        paths.new_folder(FLAGS.workdir, "--workdir")
        self._held.enter_context(self.workdir.hold())
        with contextlib.ExitStack() as stack:
            stack.push(self._held)
            self._claim()
            keras.utils.set_random_seed(FLAGS.seed)
            # All went well: held until the end.
            stack.pop_all()
        return self

    def __exit__(self, *error: object) -> None:
        self._held.close()

    def steps(self, search: bool) -> int:
        """Returns the steps of an epoch."""
        from nppnet_tf.data.samples import pipeline

        steps = pipeline.steps_per_epoch(
            self.records, self.input_config, search
        )
        return min(steps, FLAGS.steps_per_epoch or steps)

    def epochs(
        self,
        recorder,
        make_dataset,
        steps: int,
        other_records: Sequence = (),
        **further,
    ) -> None:
        """Runs the epochs that are left, with progress.

        Args:
            recorder: Of the run.
            make_dataset: Returns the data of an epoch from a step on.
            steps: Of an epoch.
            other_records: Record sets that are read besides the run's own.
            **further: For `loop.EpochLoop`.
        """
        from nppnet_tf.data.samples import pipeline
        from nppnet_tf.training import callbacks
        from nppnet_tf.training import loop
        from nppnet_tf.training import stall

        first = recorder.resume()
        first_step = _first_step(recorder, steps)
        if first or first_step:
            console.say(f"resuming after {_place(recorder.progress)}")
            if recorder.changes:
                console.say(
                    f"{', '.join(recorder.changes)}: the rest equals an "
                    "uninterrupted run to rounding, not to the bit"
                )
        console.say("tracing the first step, which takes a while")
        window = self._window_callback(callbacks)
        with contextlib.ExitStack() as stack:
            is_terminated = stack.enter_context(_termination())
            stack.enter_context(
                pipeline.report_damage(self.records, *other_records)
            )
            watch = stall.StallWatch(_say_stall)
            stack.enter_context(watch.watching())
            stack.callback(lambda: [callback.close() for callback in window])
            progress = _StepProgress(
                (FLAGS.epochs - first) * steps - first_step, stack
            )
            guard = callbacks.FiniteLossGuard(
                FLAGS.check_every,
                recorder.checkpoints.last_path,
                # After the last step it is the next epoch that begins.
                first_step % steps,
            )
            loop.EpochLoop(
                recorder.model,
                recorder,
                lambda epoch, step: make_dataset(epoch, step).take(
                    steps - step
                ),
                FLAGS.epochs,
                [guard, callbacks.StepReport(progress.report), *window],
                on_epoch=lambda record: self._on_epoch(recorder, record),
                save_every=FLAGS.checkpoint_every,
                should_stop=is_terminated,
                watch=watch,
                **further,
            ).run(first)
        if recorder.progress.epoch < FLAGS.epochs:
            console.say(
                f"stopped by SIGTERM after {_place(recorder.progress)}; "
                "the same command goes on from there"
            )
            # Not 0: what a script does after the run has to wait.
            sys.exit(app.TERMINATED)
        if window and not window[0].is_complete:
            console.say("the run ended before --profile_steps were over")

    def has_checkpoint(self) -> bool:
        """Whether the run goes on from weights of its own."""
        from nppnet_tf.training import checkpoints

        return (self.workdir.checkpoints / checkpoints.LAST_NAME).exists()

    def is_finished(self) -> bool:
        """Says so, where no epoch is left to do."""
        done = self.workdir.completed_epochs()
        if done < FLAGS.epochs:
            return False
        if done > FLAGS.epochs:
            console.say(
                f"{self.workdir.path}: {done} epochs are done, more than "
                f"--epochs={FLAGS.epochs}; the run stays as it is, with "
                f"weights of {done} epochs"
            )
        else:
            console.say(
                f"{self.workdir.path}: {done} of {FLAGS.epochs} epochs are "
                "done, nothing is left to do"
            )
        return True

    def _window_callback(self, callbacks) -> list:
        if self.window is None:
            return []
        first, last = self.window
        return [callbacks.ProfileWindow(first, last, self.workdir.tensorboard)]

    def _on_epoch(self, recorder, record: dict) -> None:
        epoch = record["epoch"]
        console.say(_epoch_line(record, recorder.progress.history))
        every = FLAGS.picture_every
        if every and (epoch % every == 0 or epoch + 1 == FLAGS.epochs):
            recorder.events.write_picture(
                "predictions", self._draw(recorder.model), epoch
            )

    def _draw(self, model):
        """Draws predictions for the first records."""
        from nppnet_tf.data.samples import pipeline
        from nppnet_tf.drawing import prediction_grid

        config = dataclasses.replace(
            self.input_config,
            batch_size=min(_PICTURES, self.records.count),
        )
        batch = next(
            pipeline.make_dataset(self.records, config, training=False)
            .take(1)
            .as_numpy_iterator()
        )
        return prediction_grid.prediction_grid(
            batch, model.predict_for_pictures(batch), self.descriptor
        )


class _StepProgress:
    """Progress whose clock starts when the first step, the traced one, ends.

    Args:
        steps: That are left.
        stack: Closes the progress.
    """

    def __init__(self, steps: int, stack: contextlib.ExitStack) -> None:
        self._progress = Progress(steps - 1, "further steps")
        self._stack = stack
        self._is_started = False

    def report(self, note: str) -> None:
        """Counts a step."""
        if self._is_started:
            self._progress.advance(note=note)
        else:
            self._is_started = True
            self._stack.enter_context(self._progress)


@contextlib.contextmanager
def _termination() -> Iterator[Callable[[], bool]]:
    """Lends a question: whether SIGTERM came. A second one ends at once."""
    numbers = []

    def note(number: int, frame: FrameType | None) -> None:
        del frame
        numbers.append(number)
        signal.signal(number, signal.SIG_DFL)

    before = signal.signal(signal.SIGTERM, note)
    try:
        yield lambda: bool(numbers)
    finally:
        signal.signal(signal.SIGTERM, before)


def _first_step(recorder, steps: int) -> int:
    """Returns the step of its epoch that a resumed run begins with."""
    first = recorder.progress.part.step
    if not 0 <= first <= steps:
        raise UserError(
            "checkpoint of a run with other epochs",
            recorder.checkpoints.last_path,
            f"at most {steps} steps of an epoch",
            first,
        )
    return first


def _place(progress) -> str:
    """Returns "3 epochs", or "3 epochs and 200 steps" within the fourth."""
    steps = f" and {progress.part.step} steps" if progress.part.step else ""
    return f"{progress.epoch} epochs{steps}"


def _profile_window() -> tuple[int, int] | None:
    if FLAGS.profile_steps is None:
        return None

    from nppnet_tf.training import callbacks

    return callbacks.parse_window(FLAGS.profile_steps, "--profile_steps")


def _say_stall(seconds: float, what: str) -> None:
    # Where nobody reads any more, the run itself will find out.
    with contextlib.suppress(OSError):
        console.say(f"no step for {format_seconds(seconds)}: {what}")


def _epoch_line(record: dict, history: tuple[dict, ...]) -> str:
    """Returns "epoch 3/50: loss 1.2, ..., 12 s, about 9:20 min left"."""
    done = record["epoch"] + 1
    words = [
        f"epoch {done}/{FLAGS.epochs}: loss {record['losses']['loss']:.4f}"
    ]
    if "architecture_loss" in record["losses"]:
        words.append(
            f"architecture loss {record['losses']['architecture_loss']:.4f}"
        )
    if "entropy_mean" in record:
        words.append(f"entropy {record['entropy_mean']:.4f}")
    for name in ("mean_iou", "pckh"):
        if name in record.get("validation", {}):
            score = record["validation"][name]
            words.append(f"validation {name} {score:.4f} (network's size)")
    words.append(format_seconds(record["seconds"]))
    left = (FLAGS.epochs - done) * record["seconds"]
    # The first epoch of all holds the tracing and tells nothing.
    if left and len(history) > 1:
        words.append(f"about {format_seconds(left)} left")
    return ", ".join(words)
