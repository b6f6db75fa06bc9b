"""How a run begins: records, devices, the other machines, the folder.

Records are opened first, which takes no TensorFlow; the strategy is made before
TensorFlow's first operation; nothing is drawn before the folder is claimed.
"""

import contextlib
import dataclasses
import hashlib
import os
from collections.abc import Iterator
from collections.abc import Mapping

import keras
import tensorflow as tf

from nppnet_tf import config as configuration
from nppnet_tf.config import MULTI_WORKER
from nppnet_tf.config import RunConfig
from nppnet_tf.data import absence
from nppnet_tf.data.descriptors import DatasetDescriptor
from nppnet_tf.data.records.record_set import RecordSet
from nppnet_tf.search_space.genotype import Genotype
from nppnet_tf.training import alarms
from nppnet_tf.training import checkpoints
from nppnet_tf.training import distribution
from nppnet_tf.training import reproducibility
from nppnet_tf.training import team as teams
from nppnet_tf.training.report import Report
from nppnet_tf.training.report import WorkerReport
from nppnet_tf.training.workdir import Workdir


@dataclasses.dataclass(frozen=True)
class OpenRun:
    """A run whose folder no other process can use, ready for its epochs.

    Attributes:
        config: All that can be set.
        records: What it learns from.
        strategy: Strategy of `tf.distribute` that it computes by.
        workdir: Folder that this process writes: the run's, or on a machine
            that is not the chief a temporary one.
        report: Takes lines and progress.
    """

    config: RunConfig
    records: RecordSet
    strategy: tf.distribute.Strategy
    workdir: Workdir
    report: Report

    @property
    def descriptor(self) -> DatasetDescriptor:
        """Classes and joints of the records."""
        return self.records.descriptor

    @property
    def epochs(self) -> int:
        """Epochs in all."""
        return self.config.schedule.epochs

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

    @property
    def has_checkpoint(self) -> bool:
        """Whether the run goes on from weights of its own."""
        return (self.workdir.checkpoints / checkpoints.LAST_NAME).exists()

    @property
    def is_complete(self) -> bool:
        """Whether no epoch is left to do."""
        done = self.workdir.completed_epochs()
        return bool(self.workdir.ended_because()) or done >= self.epochs

    def say_complete(self) -> None:
        """Says why no epoch is left."""
        done = self.workdir.completed_epochs()
        records = self.workdir.records()
        if reason := self.workdir.ended_because():
            words = f"the search was over after {done} epochs: {reason}"
        elif done > self.epochs:
            words = (
                f"{done} epochs are done, more than the {self.epochs} that "
                "are asked for; the run stays as it is, with weights of "
                f"{done} epochs"
            )
        else:
            words = (
                f"{done} of {self.epochs} epochs are done, nothing is left "
                "to do"
            )
        if records and records[-1].get(alarms.STOPPED):
            words += "; an alarm had stopped the run there"
        self.report.say(f"{self.workdir.path}: {words}")


class Opening:
    """Opens the records of a run and makes its strategy; then its folder.

    Args:
        records: Folder of records, or an opened one.
        workdir: Folder of the run.
        config: All that can be set.
        report: Takes lines and progress; without it, lines are printed.

    Raises:
        UserError: If the configuration or the records cannot be used.
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
        self._config = config
        self._report = report or Report()
        records = self.open(records, is_trained_on=True)
        if config.process.deterministic:
            reproducibility.make_deterministic()
        self._is_divided = config.process.strategy == MULTI_WORKER
        # Machines that share a run meet before they have one.
        strategy = None if self._is_divided else _strategy_of(config)
        self._run = OpenRun(
            config, records, strategy, Workdir(workdir), self._report
        )

    def open(
        self,
        records: str | os.PathLike[str] | RecordSet,
        is_trained_on: bool = False,
    ) -> RecordSet:
        """Opens records; refuses to train on nothing, says what is absent."""
        if not isinstance(records, RecordSet):
            records = RecordSet.open(
                records, self._config.inputs.max_bad_records
            )
        found = records.annotations
        if is_trained_on:
            tasks = absence.TASKS[self._config.process.tasks]
            absence.refuse(found, tasks, records.directory)
        if any(each.found < each.expected for each in found.values()):
            self._report.say(f"{records.directory}: {absence.summary(found)}")
        return records

    @contextlib.contextmanager
    def claimed(
        self,
        tool: str,
        genotype: Genotype,
        settings: Mapping[str, object],
        compared: Mapping[str, object] | None = None,
    ) -> Iterator[OpenRun]:
        """Makes the folder this run's; no other process can run in it.

        Args:
            tool: Name of the tool that runs.
            genotype: Genotype that the run is of.
            settings: What else makes another run of it, by name.
            compared: What workers have to agree on besides, by the words for
                it.

        Raises:
            UserError: The folder holds something else, or machines that share
                the run do not agree.
        """
        settings = {
            **settings,
            **self._report.settings,
            "records": digest_of(self._run.records),
            "genotype": _digest(dataclasses.asdict(genotype)),
        }
        with contextlib.ExitStack() as stack:
            team, run = None, self._run
            if self._is_divided:
                team = teams.Team.meet(self._report.say)
                team.agree(self._config, {**settings, **(compared or {})})
                run = self._of_worker(team, stack)
            stack.enter_context(run.workdir.hold())
            run.workdir.claim(
                tool,
                {**configuration.record_of(*run.config.parts()), **settings},
                run.report.flags_text,
            )
            if team is not None:
                goes_back = run.config.process.on_nonfinite == "rollback"
                team.share_progress(run.workdir, goes_back)
            keras.utils.set_random_seed(run.config.inputs.seed)
            yield run

    def _of_worker(
        self, team: teams.Team, stack: contextlib.ExitStack
    ) -> OpenRun:
        """Returns what is this machine's of a run that several share."""
        stack.enter_context(team.watching(self._report.abandon))
        config, report = self._config, self._report
        strategy = _strategy_of(config)
        share = team.share(config.process.accumulate_steps)
        inputs = dataclasses.replace(config.inputs, share=share)
        return dataclasses.replace(
            self._run,
            config=dataclasses.replace(config, inputs=inputs),
            strategy=strategy,
            workdir=stack.enter_context(team.folder(self._run.workdir)),
            report=report
            if team.is_chief
            else WorkerReport(report, team.index),
        )


def digest_of(records: RecordSet) -> str:
    """Returns "40 records, 0123456789ab": what tells records apart."""
    return f"{records.count} records, {_digest(records.manifest)}"


def _digest(value: object) -> str:
    text = repr(sorted(value.items()) if isinstance(value, dict) else value)
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def _strategy_of(config: RunConfig) -> tf.distribute.Strategy:
    process = config.process
    strategy = distribution.make_strategy(
        process.strategy, process.num_replicas
    )
    distribution.check_batch_size(
        config.inputs.batch_size, strategy, process.accumulate_steps
    )
    if process.jit_compile:
        distribution.check_jit_compile(strategy)
    return strategy
