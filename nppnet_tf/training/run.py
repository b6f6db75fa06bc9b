"""A search or a retraining from its data to its files: one call.

    from nppnet_tf import config
    from nppnet_tf.search_space import stages
    from nppnet_tf.training import run

    first = run.search("records", stages.start("encoder_decoder"), "runs/first")
    genotype = first.genotype

What the command lines `search` and `train` do is done here; they give their
flags as a `RunConfig` and say on the screen what `Report` is told. The same
call on the same folder resumes a run that was stopped, and does nothing where
it is complete.
"""

import contextlib
import dataclasses
import hashlib
import os
import pathlib
import sys
from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Mapping
from contextlib import AbstractContextManager
from typing import NoReturn

import keras
import tensorflow as tf

from nppnet_tf import config as configuration
from nppnet_tf import durations
from nppnet_tf import errors
from nppnet_tf.config import MULTI_WORKER
from nppnet_tf.config import RunConfig
from nppnet_tf.data import absence
from nppnet_tf.data.descriptors import DatasetDescriptor
from nppnet_tf.data.records.record_set import RecordSet
from nppnet_tf.data.samples import batches
from nppnet_tf.data.samples import input_workers
from nppnet_tf.drawing import prediction_grid
from nppnet_tf.errors import UserError
from nppnet_tf.models import budget as budgets
from nppnet_tf.models import latency_table as latency_tables
from nppnet_tf.models import saved_network
from nppnet_tf.models.budget import Budget
from nppnet_tf.search_space import genotype as genotypes
from nppnet_tf.search_space.genotype import Genotype
from nppnet_tf.search_space.space import PAPER
from nppnet_tf.search_space.space import SearchSpace
from nppnet_tf.strategies import table as components
from nppnet_tf.training import alarms
from nppnet_tf.training import callbacks
from nppnet_tf.training import checkpoints
from nppnet_tf.training import distribution
from nppnet_tf.training import initial_weights
from nppnet_tf.training import joint_model
from nppnet_tf.training import loop
from nppnet_tf.training import probes
from nppnet_tf.training import recording
from nppnet_tf.training import reproducibility
from nppnet_tf.training import retrain as retraining
from nppnet_tf.training import search as searching
from nppnet_tf.training import stall
from nppnet_tf.training import team as teams
from nppnet_tf.training import widening
from nppnet_tf.training import workdir as workdirs
from nppnet_tf.training.workdir import Workdir

# Share of an epoch for which steps may wait for batches without a word.
_MUCH_WAITING = 0.02

# Status of a process whose run cannot go on.
_USER_ERROR = 2

# Characters that tell why a page is not drawn.
_MOST_REASON = 300

# People whose predictions are drawn for TensorBoard.
_PICTURES = 4


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


class _WorkerReport(Report):
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


@dataclasses.dataclass(frozen=True)
class Start:
    """Weights of another run to start from, instead of drawn ones.

    Attributes:
        folder: Folder of that run.
        new_heads: Whether the records may have other classes or joints than
            that run: the last layers of the heads concerned are drawn anew.
    """

    folder: str | os.PathLike[str]
    new_heads: bool = False


@dataclasses.dataclass(frozen=True)
class Result:
    """What a run left behind.

    Attributes:
        workdir: Folder of the run.
        genotype: File of the genotype: of a search, the latest derived one.
        is_complete: Whether all epochs are done; if not, the same call goes
            on.
        is_alarmed: Whether an alarm has ended it.
    """

    workdir: pathlib.Path
    genotype: pathlib.Path
    is_complete: bool
    is_alarmed: bool = False


def search(
    records: str | os.PathLike[str] | RecordSet,
    genotype: Genotype,
    workdir: str | os.PathLike[str],
    config: RunConfig = configuration.SEARCH,
    space: SearchSpace = PAPER,
    report: Report | None = None,
    latency_table: str | os.PathLike[str] | None = None,
    widens: str | os.PathLike[str] | None = None,
) -> Result:
    """Searches the parts of a genotype that say so (Sec. 3.6 and 4.2).

    The records are divided at random into two halves: network weights learn
    from one, architecture parameters from the other.

    Args:
        records: Folder of records, or an opened one.
        genotype: What is searched and what is kept: `stages.start`.
        workdir: Folder of the run: genotype.json (the latest), genotypes/ (one
            per epoch), metrics.jsonl, checkpoints/ and tensorboard/.
        config: Size, schedule and everything else that can be set.
        space: Operations on searched edges, and the channels they see.
        report: Takes lines and progress; without it, lines are printed.
        latency_table: File that says what operations take, for `target_ms`.
        widens: Folder of a search with a larger k of Eq. 1, in whose state
            this one begins.

    Raises:
        UserError: Records, folder or configuration cannot be used, records
            are damaged, or a loss is not finite.
    """
    genotype.check_size(config.network, space)
    settings = {
        name: value
        for name, value in space.get_config().items()
        if value != PAPER.get_config()[name]
    }
    if latency_table is not None:
        settings["latency_table"] = latency_tables.read(latency_table).digest
    if widens is not None:
        settings["widens"] = str(widens)
    _check_fit(config)
    run = _Run(records, workdir, config, report)
    with run.claimed("search", genotype, settings):
        if not run.is_finished():
            steps = run.steps(search=True)
            model = searching.make_search_model(
                genotype,
                run.network_config,
                run.loss_config,
                config.schedule,
                run.strategy,
                space,
            )
            if widens is not None and not run.has_checkpoint():
                widening.start_from(model, widens, run.report.say)
            budget = run.budget(genotype, space, latency_table)
            if budget is not None:
                model.keep_to(budget)
            if config.schedule.pruned_every:
                with run.strategy.scope():
                    model.score_by(joint_model.scores_of(run.descriptor))
            data = _search_data(run)
            measures = probes.Probes(
                model,
                data,
                config.schedule.pruned_every,
                config.schedule.curvature_every,
            )
            recorder = recording.SearchRecorder(
                model, run.workdir, measures.measure
            )
            run.epochs(recorder, steps, data)
        return run.result()


def retrain(
    records: str | os.PathLike[str] | RecordSet,
    genotype: Genotype,
    workdir: str | os.PathLike[str],
    config: RunConfig = configuration.RETRAIN,
    validation_records: str | os.PathLike[str] | RecordSet | None = None,
    initial: Start | None = None,
    report: Report | None = None,
) -> Result:
    """Trains the network of a derived genotype on all records (Sec. 4.2).

    Args:
        records: Folder of records, or an opened one.
        genotype: Architecture; nothing of it is searched.
        workdir: Folder of the run: network.json and weights.npz (the network
            of the best epoch), metrics.jsonl, checkpoints/ and tensorboard/.
        config: Size, schedule and everything else that can be set.
        validation_records: Records to validate on, a folder or opened; without
            them the last epoch is the best.
        initial: Run whose weights to start from.
        report: Takes lines and progress; without it, lines are printed.

    Raises:
        UserError: For the reasons that `search` gives, or a part of the
            genotype is still searched.
    """
    genotype.require_derived()
    genotype.check_size(config.network)
    run = _Run(records, workdir, config, report)
    validation = validation_records and run.open(validation_records)
    settings = {
        **({"initial": str(initial.folder)} if initial else {}),
        "new_heads": bool(initial and initial.new_heads),
    }
    if validation is not None:
        run.compared["validation records"] = _digest_of(validation)
    if initial:
        description = saved_network.read_description(initial.folder)
        run.compared["weights of `initial`"] = description["weights_sha256"]
    with run.claimed("train", genotype, settings):
        if validation is not None:
            _check_same_data(run.descriptor, validation.descriptor)
        if not run.is_finished():
            _retrain(run, genotype, validation, initial)
        return run.result()


def _retrain(
    run: "_Run",
    genotype: Genotype,
    validation: RecordSet | None,
    start: Start | None,
) -> None:
    """Runs the epochs that are left."""
    saved_network.finish_saving(run.workdir.path)
    # A run that goes on has weights of its own.
    initial = None if run.has_checkpoint() else start and _Initial(run, start)
    if initial:
        initial.check(genotype)
    steps = run.steps(search=False)
    model = retraining.make_retrain_model(
        genotype,
        run.network_config,
        run.loss_config,
        run.config.schedule,
        run.descriptor,
        run.strategy,
    )
    if initial:
        initial.give(model)
    genotypes.save(genotype, run.workdir.genotype_file)
    facts = {
        "descriptor": run.descriptor.to_values(),
        "image_size": list(run.config.inputs.image_size),
    }
    recorder = recording.RetrainRecorder(
        model,
        run.workdir,
        lambda extra: saved_network.save_network(
            model.network, run.workdir.path, {**facts, **extra}
        ),
    )
    run.epochs(
        recorder,
        steps,
        _training_data(run),
        validation,
        run.config.schedule.validate_every,
    )


def _search_data(run: "_Run") -> Callable[[int, int], tf.data.Dataset]:
    return lambda epoch, first_step: batches.make_search_dataset(
        run.records,
        run.config.inputs,
        first_epoch=epoch,
        first_step=first_step,
        num_replicas=run.num_replicas,
    )


def _training_data(run: "_Run") -> Callable[[int, int], tf.data.Dataset]:
    return lambda epoch, first_step: batches.make_dataset(
        run.records,
        run.config.inputs,
        training=True,
        first_epoch=epoch,
        first_step=first_step,
        num_replicas=run.num_replicas,
    )


class _Initial:
    """The weights that a run starts from.

    Args:
        run: The run that starts.
        start: What its caller asks for.
    """

    def __init__(self, run: "_Run", start: Start) -> None:
        self._run = run
        self._start = start
        self._found = initial_weights.InitialRun.read(start.folder)
        self._new_heads: tuple[str, ...] = ()

    def check(self, genotype: Genotype) -> None:
        """Raises UserError where the weights do not fit; says what is new."""
        found, start, say = self._found, self._start, self._run.report.say
        descriptor = self._run.descriptor
        found.require_body(genotype, self._run.network_config)
        self._new_heads = found.new_heads(descriptor, start.new_heads)
        if start.new_heads and not self._new_heads:
            say(
                "new heads: none is new, classes and joints are those of "
                f"{found.folder}"
            )
        if not start.new_heads:
            for branch in found.renamed(descriptor):
                say(
                    f"{branch}: {found.folder} has other names for as many "
                    "outputs; its heads are taken as they are (new heads "
                    "would be drawn anew)"
                )

    def give(self, model: keras.Model) -> None:
        """Puts the weights into a model and says what was done."""
        weighting = model.joint_loss.task_weighting
        for line in self._found.give(model.network, weighting, self._new_heads):
            self._run.report.say(line)


class _Run:
    """The parts of a run that search and retraining share.

    Opens the records first, which takes no TensorFlow; makes the strategy
    before TensorFlow's first operation; draws nothing before the folder is
    claimed.

    Args:
        records: Folder of records, or an opened one.
        workdir: Folder of the run.
        config: All that can be set.
        report: Takes lines and progress.
    """

    def __init__(
        self,
        records: str | os.PathLike[str] | RecordSet,
        workdir: str | os.PathLike[str],
        config: RunConfig,
        report: Report | None,
    ) -> None:
        for part in config.parts():
            configuration.check(part)
        self.config = config
        self.report = report or Report()
        # What workers have to agree on besides, by the words for it.
        self.compared: dict[str, object] = {}
        self.records = self.open(records, is_trained_on=True)
        self.descriptor = self.records.descriptor
        process = config.process
        if process.deterministic:
            reproducibility.make_deterministic()
        self.workdir = Workdir(workdir)
        self._folder = self.workdir
        self._is_alarmed = False
        if process.strategy != MULTI_WORKER:
            self._make_strategy()

    def _make_strategy(self) -> None:
        process = self.config.process
        self.strategy = distribution.make_strategy(
            process.strategy, process.num_replicas
        )
        distribution.check_batch_size(
            self.config.inputs.batch_size,
            self.strategy,
            process.accumulate_steps,
        )
        if process.jit_compile:
            distribution.check_jit_compile(self.strategy)

    @property
    def num_replicas(self) -> int:
        """Replicas of the strategy."""
        return self.strategy.num_replicas_in_sync

    @property
    def network_config(self) -> configuration.NetworkConfig:
        """Size of the network for these records."""
        return self.config.network.for_data(self.descriptor)

    @property
    def loss_config(self) -> configuration.LossConfig:
        """Constants of the loss for these records."""
        return self.config.loss.for_data(self.descriptor)

    def open(
        self,
        records: str | os.PathLike[str] | RecordSet,
        is_trained_on: bool = False,
    ) -> RecordSet:
        """Opens records; refuses to train on nothing, says what is absent."""
        if not isinstance(records, RecordSet):
            records = RecordSet.open(
                records, self.config.inputs.max_bad_records
            )
        found = records.annotations
        if is_trained_on:
            tasks = absence.TASKS[self.config.process.tasks]
            absence.refuse(found, tasks, records.directory)
        if any(each.found < each.expected for each in found.values()):
            self.report.say(f"{records.directory}: {absence.summary(found)}")
        return records

    @contextlib.contextmanager
    def claimed(
        self,
        tool: str,
        genotype: Genotype,
        settings: Mapping[str, object],
    ) -> Iterator[None]:
        """Makes the folder this run's; no other process can run in it."""
        settings = {
            **settings,
            **self.report.settings,
            "records": _digest_of(self.records),
            "genotype": _digest(dataclasses.asdict(genotype)),
        }
        with contextlib.ExitStack() as stack:
            is_divided = self.config.process.strategy == MULTI_WORKER
            team = self._meet(stack, settings) if is_divided else None
            stack.enter_context(self.workdir.hold())
            self.workdir.claim(
                tool,
                {
                    **configuration.record_of(*self.config.parts()),
                    **settings,
                },
                self.report.flags_text,
            )
            if team is not None:
                team.share_progress(self.workdir)
            keras.utils.set_random_seed(self.config.inputs.seed)
            yield

    def _meet(
        self, stack: contextlib.ExitStack, settings: Mapping[str, object]
    ) -> teams.Team:
        """Makes this process one of several, before anything is written."""
        team = teams.Team.meet(self.report.say)
        team.agree(self.config, {**settings, **self.compared})
        stack.enter_context(team.watching(self.report.abandon))
        self._make_strategy()
        share = team.share(self.config.process.accumulate_steps)
        self.config = dataclasses.replace(
            self.config,
            inputs=dataclasses.replace(self.config.inputs, share=share),
        )
        self.workdir = stack.enter_context(team.folder(self.workdir))
        if not team.is_chief:
            self.report = _WorkerReport(self.report, team.index)
        return team

    def steps(self, search: bool) -> int:
        """Returns the steps of an epoch."""
        steps = batches.steps_per_epoch(
            self.records, self.config.inputs, search
        )
        return min(steps, self.config.process.steps_per_epoch or steps)

    def epochs(
        self,
        recorder: recording.RunRecorder,
        steps: int,
        make_dataset: Callable[[int, int], tf.data.Dataset],
        validation: RecordSet | None = None,
        validate_every: int = 1,
    ) -> None:
        """Runs the epochs that are left.

        Args:
            recorder: Recorder of this run.
            steps: Steps of an epoch.
            make_dataset: Returns the data of an epoch from a step on.
            validation: Records to validate on.
            validate_every: Epochs between two validations.
        """
        config, report = self.config.process, self.report
        recorder.model.jit_compile = config.jit_compile
        first = recorder.resume()
        first_step = _first_step(recorder, steps)
        if config.on_nonfinite == "rollback":
            recorder.save_start()
        self._say_where(recorder, first or first_step)
        sets = [self.records, *([validation] if validation else [])]
        with contextlib.ExitStack() as stack:
            stack.enter_context(input_workers.ended_after())
            stack.enter_context(batches.report_damage(*sets))
            watch = stall.StallWatch(self._say_stall)
            stack.enter_context(watch.watching())
            window = self._profile_window(stack)
            left = (self._epochs - first) * steps - first_step
            progress = _StepProgress(report, left, stack, watch)
            guard = callbacks.FiniteLossGuard(
                config.check_every,
                recorder.checkpoints.last_path,
                # After the last step it is the next epoch that begins.
                first_step % steps,
            )
            ended = loop.EpochLoop(
                recorder.model,
                recorder,
                lambda epoch, step: make_dataset(epoch, step).take(
                    steps - step
                ),
                self._epochs,
                [guard, callbacks.StepReport(progress.report), *window],
                make_validation=self._validation_data(validation),
                validate_every=validate_every,
                on_epoch=lambda record: self._on_epoch(recorder, record),
                save_every=config.checkpoint_every,
                should_stop=self._should_stop,
                accumulate_steps=config.accumulate_steps,
                ends_with=lambda record: (
                    record.get(workdirs.ENDED_BECAUSE)
                    or self._alarmed(recorder)
                ),
                goes_back=lambda error: self._goes_back(recorder, guard, error),
                watch=watch,
            ).run(first)
        if ended or recorder.progress.epoch == self._epochs:
            self._draw_page(recorder, is_last=True)
        self._say_end(recorder, ended, window)

    def budget(
        self,
        genotype: Genotype,
        space: SearchSpace,
        latency_table: str | os.PathLike[str] | None,
    ) -> Budget | None:
        """Returns what the derived network of a search is to cost, if so."""
        goal = budgets.goal_of(
            self.config.schedule,
            self.network_config,
            self.config.inputs.image_size,
            latency_table,
        )
        return goal and goal.budget(genotype, space)

    def _should_stop(self) -> bool:
        agreement = distribution.agreement(self.strategy)
        return agreement(self.report.should_stop())

    def has_checkpoint(self) -> bool:
        """Whether the run goes on from weights of its own."""
        return (self.workdir.checkpoints / checkpoints.LAST_NAME).exists()

    def is_finished(self) -> bool:
        """Says so, where no epoch is left to do."""
        done, path = self.workdir.completed_epochs(), self.workdir.path
        if reason := self.workdir.ended_because():
            self.report.say(
                f"{path}: the search was over after {done} epochs: {reason}"
            )
            return True
        if done < self._epochs:
            return False
        if done > self._epochs:
            self.report.say(
                f"{path}: {done} epochs are done, more than the "
                f"{self._epochs} that are asked for; the run stays as it is, "
                f"with weights of {done} epochs"
            )
        else:
            self.report.say(
                f"{path}: {done} of {self._epochs} epochs are done, nothing "
                "is left to do"
            )
        return True

    def result(self) -> Result:
        """Returns what is there when the run ends."""
        return Result(
            self._folder.path,
            self._folder.genotype_file,
            bool(self.workdir.ended_because())
            or self.workdir.completed_epochs() >= self._epochs,
            self._is_alarmed,
        )

    def _say_end(
        self,
        recorder: recording.RunRecorder,
        ended: str,
        window: list[callbacks.ProfileWindow],
    ) -> None:
        """Says why epochs are left, if any are, and what was not done."""
        if reason := self.workdir.ended_because():
            self.report.say(
                f"the search is over before its last epoch: {reason}"
            )
        elif recorder.progress.epoch < self._epochs:
            self._is_alarmed = bool(ended)
            self.report.say(
                f"stopped {ended or self.report.stop_reason} after "
                f"{_place(recorder.progress)}; the same command goes on from "
                "there"
            )
        elif window and not window[0].is_complete:
            self.report.say("the run ended before the profiled steps were over")

    def _goes_back(
        self,
        recorder: recording.RunRecorder,
        guard: callbacks.FiniteLossGuard,
        error: checkpoints.RuinedError,
    ) -> bool:
        """Goes back to the last checkpoint, where the run is to and may."""
        config = self.config.process
        done = len(recorder.progress.rollbacks)
        if config.on_nonfinite != "rollback" or done >= config.max_rollbacks:
            return False
        recorder.roll_back(f"{error.problem}: {error.where}")
        guard.goes_on_from(recorder.progress.part.step)
        factor = recorder.progress.rate_factor
        self.report.say(
            f"{error.problem}, {error.where}: rollback {done + 1} of at most "
            f"{config.max_rollbacks}, back to {_place(recorder.progress)}, "
            f"learning rates x {factor:g} from here on"
        )
        return True

    def _alarmed(self, recorder: recording.RunRecorder) -> str:
        """Returns why the run ends, where an alarm of this epoch ends it."""
        is_new = alarms.raised(recorder.progress.history)
        is_last = recorder.progress.epoch == self._epochs
        on_alarm = getattr(self.config.schedule, "on_alarm", "warn")
        if not is_new or is_last or on_alarm != "stop":
            return ""
        return "by an alarm"

    @property
    def _epochs(self) -> int:
        return self.config.schedule.epochs

    def _say_where(
        self, recorder: recording.RunRecorder, is_resumed: int
    ) -> None:
        if is_resumed:
            self.report.say(f"resuming after {_place(recorder.progress)}")
            if recorder.changes:
                self.report.say(
                    f"{', '.join(recorder.changes)}: the rest equals an "
                    "uninterrupted run to rounding, not to the bit"
                )
        self.report.say("tracing the first step, which takes a while")

    def _validation_data(
        self, validation: RecordSet | None
    ) -> Callable[[], tf.data.Dataset] | None:
        if validation is None:
            return None
        return lambda: batches.make_dataset(
            validation,
            self.config.inputs,
            training=False,
            num_replicas=self.num_replicas,
        )

    def _profile_window(
        self, stack: contextlib.ExitStack
    ) -> list[callbacks.ProfileWindow]:
        """Returns the profiled steps, if any; a trace is closed at the end."""
        if self.config.process.profile_steps is None:
            return []
        first, last = self.config.process.profile_steps
        window = callbacks.ProfileWindow(first, last, self.workdir.tensorboard)
        stack.callback(window.close)
        return [window]

    def _on_epoch(self, recorder: recording.RunRecorder, record: dict) -> None:
        self.report.say(
            epoch_line(record, recorder.progress.history, self._epochs)
        )
        for line in alarms.raised(recorder.progress.history):
            self.report.say(line)
        epoch, every = record["epoch"], self.config.process.picture_every
        if every and (epoch % every == 0 or epoch + 1 == self._epochs):
            recorder.events.write_picture(
                "predictions", self._draw(recorder.model), epoch
            )
        self._draw_page(recorder)

    def _draw_page(
        self, recorder: recording.RunRecorder, is_last: bool = False
    ) -> None:
        """Draws the page of the run, where it is due."""
        done, every = recorder.progress.epoch, self.config.process.report_every
        if not every or (done % every == 0) == is_last:
            return
        try:
            self.report.draw(self.workdir)
        except Exception as error:
            # A picture of a run is worth less than the run.
            self.report.say(
                f"the page of epoch {done} is not drawn: "
                f"{errors.shorten(errors.printable(error), _MOST_REASON)}"
            )

    def _draw(self, model: keras.Model):
        """Draws predictions for the first records."""
        config = dataclasses.replace(
            self.config.inputs,
            batch_size=min(_PICTURES, self.records.count),
            share=configuration.Share(),
        )
        batch = next(
            batches.make_dataset(self.records, config, training=False)
            .take(1)
            .as_numpy_iterator()
        )
        return prediction_grid.prediction_grid(
            batch, model.predict_for_pictures(batch), self.descriptor
        )

    def _say_stall(self, seconds: float, what: str) -> None:
        # Where nobody reads any more, the run itself will find out.
        with contextlib.suppress(OSError):
            self.report.say(
                f"no step for {durations.in_words(seconds)}: {what}"
            )


class _StepProgress:
    """Progress whose clock starts when the first step, the traced one, ends.

    Args:
        report: Opens the progress.
        steps: Steps that are left.
        stack: Closes the progress.
        watch: Knows how long steps wait for batches.
    """

    def __init__(
        self,
        report: Report,
        steps: int,
        stack: contextlib.ExitStack,
        watch: stall.StallWatch,
    ) -> None:
        self._report = report
        self._steps = steps
        self._stack = stack
        self._watch = watch
        self._input_wait = watch.share_of(stall.TRAINING_INPUT)
        self._advance: Callable[[Callable[[], str]], None] | None = None

    def report(self, note: Callable[[], str]) -> None:
        """Counts a step."""
        if self._advance is not None:
            self._advance(lambda: f"{note()}, input {self._input_wait():.1%}")
        else:
            self._input_wait = self._watch.share_of(stall.TRAINING_INPUT)
            self._advance = self._stack.enter_context(
                self._report.progress(self._steps - 1)
            )


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


def _first_step(recorder: recording.RunRecorder, steps: int) -> int:
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


def _place(progress: checkpoints.Progress) -> str:
    """Returns "3 epochs", or "3 epochs and 200 steps" within the fourth."""
    steps = f" and {progress.part.step} steps" if progress.part.step else ""
    return f"{progress.epoch} epochs{steps}"


def _check_fit(config: RunConfig) -> None:
    """Raises UserError where components of a strategy do not fit the rest."""
    components.require(config.schedule)
    rule, parts = config.schedule.stop_rule, config.process.accumulate_steps
    if components.stop_rule(rule).compares and parts > 1:
        raise UserError(
            "gradients are not compared where batches come in parts",
            "`stop_rule`, `accumulate_steps`",
            "another rule, or 1",
            f"{rule}, {parts}",
        )


def _check_same_data(
    descriptor: DatasetDescriptor, validation: DatasetDescriptor
) -> None:
    if validation != descriptor:
        raise UserError(
            "records of another data set",
            "`validation_records`",
            descriptor.name,
            validation.name,
        )


def _digest_of(records: RecordSet) -> str:
    return f"{records.count} records, {_digest(records.manifest)}"


def _digest(value: object) -> str:
    text = repr(sorted(value.items()) if isinstance(value, dict) else value)
    return hashlib.sha256(text.encode()).hexdigest()[:12]
