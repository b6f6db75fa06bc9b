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

import dataclasses
import functools
import os
import pathlib

import keras

from nppnet_tf import config as configuration
from nppnet_tf.config import RunConfig
from nppnet_tf.data.descriptors import DatasetDescriptor
from nppnet_tf.data.records.record_set import RecordSet
from nppnet_tf.data.samples import batches
from nppnet_tf.errors import UserError
from nppnet_tf.models import budget as budgets
from nppnet_tf.models import latency_table as latency_tables
from nppnet_tf.models import saved_network
from nppnet_tf.search_space import genotype as genotypes
from nppnet_tf.search_space.genotype import Genotype
from nppnet_tf.search_space.space import PAPER
from nppnet_tf.search_space.space import SearchSpace
from nppnet_tf.strategies import table as components
from nppnet_tf.training import alarms
from nppnet_tf.training import initial_weights
from nppnet_tf.training import joint_model
from nppnet_tf.training import opening as openings
from nppnet_tf.training import probes
from nppnet_tf.training import recording
from nppnet_tf.training import retrain as retraining
from nppnet_tf.training import search as searching
from nppnet_tf.training import widening
from nppnet_tf.training.epochs import Data
from nppnet_tf.training.epochs import Epochs
from nppnet_tf.training.opening import Opening
from nppnet_tf.training.opening import OpenRun
from nppnet_tf.training.report import Report
from nppnet_tf.training.workdir import Workdir


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
        is_alarmed: Whether an alarm has ended it in this call, with the last
            epoch or before.
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
    opening = Opening(records, workdir, config, report)
    with opening.claimed("search", genotype, settings) as run:
        if run.is_complete and not _has_to_stop(run):
            run.say_complete()
            return _result(workdir, run)
        data = _search_data(run)
        model = searching.make_search_model(
            genotype,
            run.network_config,
            run.loss_config,
            config.schedule,
            run.strategy,
            space,
        )
        if widens is not None and not run.has_checkpoint:
            widening.start_from(model, widens, run.report.say)
        goal = budgets.goal_of(
            config.schedule,
            run.network_config,
            config.inputs.image_size,
            latency_table,
        )
        if goal is not None:
            model.keep_to(goal.budget(genotype, space))
        if config.schedule.pruned_every:
            with run.strategy.scope():
                model.score_by(joint_model.scores_of(run.descriptor))
        measures = probes.Probes(
            model,
            data.make,
            config.schedule.pruned_every,
            config.schedule.curvature_every,
        )
        recorder = recording.SearchRecorder(
            model, run.workdir, measures.measure
        )
        stops_on_alarm = config.schedule.on_alarm == "stop"
        is_alarmed = Epochs(run, recorder, data, stops_on_alarm).run()
        return _result(workdir, run, is_alarmed)


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
    opening = Opening(records, workdir, config, report)
    validation = validation_records and opening.open(validation_records)
    settings = {
        **({"initial": str(initial.folder)} if initial else {}),
        "new_heads": bool(initial and initial.new_heads),
    }
    compared = {}
    if validation is not None:
        compared["validation records"] = openings.digest_of(validation)
    if initial:
        description = saved_network.read_description(initial.folder)
        compared["weights of `initial`"] = description["weights_sha256"]
    with opening.claimed("train", genotype, settings, compared) as run:
        if validation is not None:
            _check_same_data(run.descriptor, validation.descriptor)
        if run.is_complete:
            run.say_complete()
        else:
            _retrain(run, genotype, validation, initial)
        return _result(workdir, run)


def _result(
    workdir: str | os.PathLike[str], run: OpenRun, is_alarmed: bool = False
) -> Result:
    folder = Workdir(workdir)
    return Result(
        folder.path, folder.genotype_file, run.is_complete, is_alarmed
    )


def _retrain(
    run: OpenRun,
    genotype: Genotype,
    validation: RecordSet | None,
    start: Start | None,
) -> None:
    """Runs the epochs that are left."""
    saved_network.finish_saving(run.workdir.path)
    # A run that goes on has weights of its own.
    initial = None if run.has_checkpoint else start and _Initial(run, start)
    if initial:
        initial.check(genotype)
    data = _training_data(run, validation)
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
    Epochs(run, recorder, data).run()


def _has_to_stop(run: OpenRun) -> bool:
    """Whether the last epoch has raised an alarm that stops it, unsaid yet."""
    stops_on_alarm = run.config.schedule.on_alarm == "stop"
    return stops_on_alarm and bool(alarms.unread(run.workdir.records()))


def _search_data(run: OpenRun) -> Data:
    make = functools.partial(
        batches.make_search_dataset,
        run.records,
        run.config.inputs,
        num_replicas=run.num_replicas,
    )
    return Data(
        _steps(run, search=True),
        lambda epoch, step: make(first_epoch=epoch, first_step=step),
    )


def _training_data(run: OpenRun, validation: RecordSet | None) -> Data:
    make = functools.partial(
        batches.make_dataset,
        run.records,
        run.config.inputs,
        training=True,
        num_replicas=run.num_replicas,
    )
    return Data(
        _steps(run, search=False),
        lambda epoch, step: make(first_epoch=epoch, first_step=step),
        validation,
        run.config.schedule.validate_every,
    )


def _steps(run: OpenRun, search: bool) -> int:
    """Returns the steps of an epoch."""
    steps = batches.steps_per_epoch(run.records, run.config.inputs, search)
    return min(steps, run.config.process.steps_per_epoch or steps)


class _Initial:
    """The weights that a run starts from.

    Args:
        run: The run that starts.
        start: What its caller asks for.
    """

    def __init__(self, run: OpenRun, start: Start) -> None:
        self._run = run
        self._start = start
        self._found = initial_weights.InitialRun.read(start.folder)
        self._new_heads: tuple[str, ...] = ()

    def check(self, genotype: Genotype) -> None:
        """Raises UserError where the weights do not fit; says what is new."""
        found, start, say = self._found, self._start, self._run.report.say
        descriptor = self._run.descriptor
        # What records annotate is known before the size of a network.
        self._new_heads = found.new_heads(descriptor, start.new_heads)
        found.require_body(genotype, self._run.network_config)
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
