"""What a run leaves behind after every epoch, and how it resumes from it."""

import contextlib
import dataclasses
import json
import math
import os
import pathlib
from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Mapping
from typing import NamedTuple

import keras
import numpy as np
import tensorflow as tf

from nppnet_tf.errors import UserError
from nppnet_tf.files import atomic
from nppnet_tf.models import budget as budgets
from nppnet_tf.search_space import genotype as genotypes
from nppnet_tf.search_space import pruning
from nppnet_tf.search_space import relaxation as relaxations
from nppnet_tf.training import alarms
from nppnet_tf.training import checkpoints
from nppnet_tf.training import health
from nppnet_tf.training import joint_model
from nppnet_tf.training import reproducibility
from nppnet_tf.training import search
from nppnet_tf.training import workdir as workdirs
from nppnet_tf.training.workdir import Workdir

VALIDATION_PREFIX = "val_"


class RunRecorder:
    """Writes an epoch's record, genotype, checkpoint and event files.

    The checkpoint comes last and holds all records: where a run is killed in
    between, the next start writes `metrics.jsonl` anew from it, and repeats
    what came after it. One file holds it all, epoch, step and variables, so
    that no two states can mix. Subclasses say what a record holds and which
    epoch is best.

    Args:
        model: A `JointModel`.
        workdir: Workdir of the run.
    """

    def __init__(self, model: keras.Model, workdir: Workdir) -> None:
        self.model = model
        self.workdir = workdir
        self.checkpoints = checkpoints.CheckpointFolder(workdir.checkpoints)
        self.events = EventWriter(workdir.tensorboard)
        self.progress = checkpoints.Progress()
        self.changes: list[str] = []

    def resume(self) -> int:
        """Restores the last checkpoint, if any; returns the next epoch.

        What is already done of that epoch is then in `progress.part`, and in
        `changes` what is computed otherwise from now on, in words.

        Raises:
            UserError: If the checkpoint is damaged, does not fit, or is gone.
        """
        checkpoint = self.checkpoints.last()
        if checkpoint is not None:
            self._restore(checkpoint)
            self.changes = reproducibility.differences(
                checkpoint.circumstances,
                reproducibility.circumstances(self.model.distribute_strategy),
            )
            self._write_metrics()
        elif (epochs := self.workdir.completed_epochs()) > 1:
            # Of the first epoch the checkpoint may be yet to come.
            raise UserError(
                "checkpoint is missing",
                self.checkpoints.last_path,
                f"that of {epochs} epochs, which {self.workdir.metrics_file} "
                "tells of; or another `workdir`",
                "nothing",
            )
        return self.progress.epoch

    def save_start(self) -> None:
        """Saves a run that has done nothing yet, to go back to."""
        folder = self.checkpoints
        if not self.progress.epoch and not self.progress.part.step:
            checkpoints.save(folder.start_path, self.model, self.progress)

    def roll_back(self, reason: str) -> None:
        """Goes back to a checkpoint, with lower learning rates.

        That of last resort is the start. The last checkpoint then is this one
        and knows of it: a run that is killed goes on with the lower rates.

        Args:
            reason: Why, for the record of the epoch.

        Raises:
            UserError: If a checkpoint is gone or damaged.
        """
        before = self.progress.rollbacks
        tried = {(each["epoch"], each["step"]) for each in before}
        self._restore(self.checkpoints.to_go_back_to(tried))
        epoch, step = self.progress.place
        place = {"epoch": epoch, "step": step, "reason": reason}
        self._take(
            dataclasses.replace(self.progress, rollbacks=(*before, place))
        )
        checkpoints.save(self.checkpoints.last_path, self.model, self.progress)
        self._write_metrics()

    def note_stop(self) -> None:
        """Notes that an alarm has stopped the run after its last epoch.

        It is said before it is noted: a run that is killed in between says it
        again, and stops again.
        """
        *before, last = self.progress.history
        self.progress = dataclasses.replace(
            self.progress, history=(*before, {**last, alarms.STOPPED: True})
        )
        checkpoints.save(self.checkpoints.last_path, self.model, self.progress)
        self._write_metrics()

    def _restore(self, checkpoint: checkpoints.Checkpoint) -> None:
        checkpoints.restore(self.model, checkpoint)
        self._take(checkpoint.progress)

    def _take(self, progress: checkpoints.Progress) -> None:
        self.progress = progress
        self.model.rate_factor = progress.rate_factor

    def record_part(self, part: checkpoints.EpochPart) -> None:
        """Saves the run within an epoch, over what was saved before.

        Raises:
            UserError: The weights are ruined; what was saved before is kept.
        """
        progress = dataclasses.replace(self.progress, part=part)
        with self._keeping_the_last(progress.epoch, f"step {part.step}"):
            self.checkpoints.save(self.model, progress)
        self.progress = progress

    def record(
        self,
        epoch: int,
        logs: Mapping[str, float],
        seconds: float,
        input_wait: float = 0.0,
    ) -> dict:
        """Writes everything about a complete epoch and returns its record.

        Args:
            epoch: Number of the epoch, counted from 0.
            logs: Logs of `fit`, and those of `evaluate` with names "val_...".
            seconds: Seconds that it took.
            input_wait: Share of them for which its steps waited for batches,
                0..1; where it was resumed, since then.

        Raises:
            UserError: The weights are ruined; what was saved before is kept.
        """
        with self._keeping_the_last(epoch, "its end"):
            checkpoints.require_finite(checkpoints.arrays_of(self.model))
        record = {
            "epoch": epoch,
            "seconds": round(seconds, 3),
            "input_wait": round(input_wait, 4),
            **_split_logs(logs),
            "learning_rates": self.model.learning_rates,
            "task_weights": self.model.task_weights,
            **self._rollbacks(epoch),
        }
        record |= self.describe(record)
        progress = self._choose_best(record)
        record["best_epoch"] = progress.best_epoch
        self.progress = dataclasses.replace(
            progress,
            epoch=epoch + 1,
            history=(*progress.history, record),
            part=checkpoints.EpochPart(),
        )
        self.before_checkpoint(is_best=progress.best_epoch == epoch)
        self.checkpoints.save(self.model, self.progress)
        self._write_metrics()
        self.events.write_record(record)
        return record

    def describe(self, record: Mapping) -> dict:
        """Returns what else belongs into an epoch's record."""
        return {}

    def score(self, record: Mapping) -> float | None:
        """Returns how good an epoch is; without scores the last is best."""
        return None

    def before_checkpoint(self, is_best: bool) -> None:
        """Writes further files of an epoch; `epoch` is then complete."""

    @contextlib.contextmanager
    def _keeping_the_last(self, epoch: int, place: str) -> Iterator[None]:
        """Says of weights that are ruined where, and what is left."""
        try:
            yield
        except checkpoints.NotFiniteError as error:
            raise checkpoints.RuinedError(
                "weights are not finite",
                f"epoch {epoch}, {place}",
                "finite weights",
                f"{error}; "
                f"{checkpoints.what_is_left(self.checkpoints.last_path)}",
            ) from error

    def _rollbacks(self, epoch: int) -> dict:
        """Returns those of an epoch for its record, where there are any."""
        here = [r for r in self.progress.rollbacks if r["epoch"] == epoch]
        return {"rollbacks": here} if here else {}

    def _choose_best(self, record: Mapping) -> checkpoints.Progress:
        score, best = self.score(record), self.progress.best_score
        if score is not None and not math.isfinite(score):
            score = None
        if score is None and best is not None:
            return self.progress
        if score is not None and best is not None and score <= best:
            return self.progress
        return dataclasses.replace(
            self.progress, best_epoch=record["epoch"], best_score=score
        )

    def _write_metrics(self) -> None:
        lines = [json.dumps(record) for record in self.progress.history]
        text = "".join(f"{line}\n" for line in lines)
        atomic.write_text(self.workdir.metrics_file, text, durable=True)


class _Reached(NamedTuple):
    """Where a search is after an epoch.

    Attributes:
        architecture: Alpha and beta by part.
        pruned: What pruning keeps of them.
        genotype: The same, brought to the budget where there is one.
    """

    architecture: Mapping[str, pruning.ArchitectureArrays]
    pruned: genotypes.Genotype
    genotype: genotypes.Genotype


class SearchRecorder(RunRecorder):
    """Adds genotype, health and alarms of the search to every epoch.

    The best epoch is the one with the lowest loss on the architecture half,
    the objective of Eq. 7 on pictures that no weight was fitted to. Epochs of
    the warm-up do not count, except where there are no others.
    `genotype.json` is the latest genotype, not that of the best epoch.

    Args:
        model: A `SearchModel`.
        workdir: Workdir of the run.
        measure: Returns what else belongs into the record of an epoch, by its
            number and its genotype: `probes.Probes.measure`.
    """

    def __init__(
        self,
        model: keras.Model,
        workdir: Workdir,
        measure: Callable[[int, genotypes.Genotype], dict] = lambda *_: {},
    ) -> None:
        super().__init__(model, workdir)
        self.measure = measure

    def describe(self, record: Mapping) -> dict:
        """Returns what else belongs into an epoch's record; writes nothing.

        Args:
            record: Record so far, with "epoch" and "losses".
        """
        reached = self._reached()
        self._genotype = reached.genotype
        found = self._state(record["epoch"], reached)
        found["loss_gap"] = health.loss_gaps(
            record["losses"], search.ARCHITECTURE_PREFIX
        )
        raised = alarms.found(
            (*self.progress.history, {**record, **found}),
            self.model.config.epochs,
        )
        if raised:
            found["alarms"] = raised
        if self.model.architecture_moves:
            found |= self._stop_rule({**record, **found}, reached)
        return found

    def _reached(self) -> _Reached:
        """Reads alpha and beta, and derives from them: once in an epoch."""
        network = self.model.network
        architecture = checkpoints.architecture_arrays(network)
        relaxation = relaxations.named(network.relaxation)
        pruned = pruning.derive(
            network.genotype,
            architecture,
            network.space.primitives,
            relaxation,
        )
        genotype = budgets.brought_to(
            self.model.budget, pruned, architecture, relaxation
        )
        return _Reached(architecture, pruned, genotype)

    def _state(self, epoch: int, reached: _Reached) -> dict:
        """Returns where the search is after an epoch."""
        network = self.model.network
        return {
            "architecture_moves": self.model.architecture_moves,
            "entropy_weight": float(
                keras.ops.convert_to_numpy(self.model.entropy_weight)
            ),
            **self.model.relaxations[0].describe(),
            **health.search_health(
                reached.architecture,
                network.space.primitives,
                relaxations.named(network.relaxation),
                reached.genotype,
            ),
            "agreement": self._agreement(epoch, reached.genotype),
            "gradient_norms": self._gradient_norms(),
            **self._cost(reached),
            **self.measure(epoch, reached.genotype),
            "genotype": str(self._path(epoch).relative_to(self.workdir.path)),
        }

    def _stop_rule(self, record: Mapping, reached: _Reached) -> dict:
        """Returns what the rule sees in an epoch, and why it ends the run."""
        rule = self.model.stop_rule
        seen = rule.seen(
            reached.genotype,
            reached.architecture,
            self.model.network.space.primitives,
        )
        found = {"stop_rule": seen} if seen else {}
        reason = rule.reason((*self.progress.history, {**record, **found}))
        return found | ({workdirs.ENDED_BECAUSE: reason} if reason else {})

    def before_checkpoint(self, is_best: bool) -> None:
        path = self._path(self.progress.epoch - 1)
        path.parent.mkdir(parents=True, exist_ok=True)
        for place in (path, self.workdir.genotype_file):
            genotypes.save(self._genotype, place)

    def _path(self, epoch: int) -> pathlib.Path:
        return self.workdir.genotypes / f"epoch_{epoch:04d}.json"

    def _cost(self, reached: _Reached) -> dict:
        """What the search aims at and where it is, where it has a budget."""
        term = self.model.budget_term
        if term is None:
            return {}
        searched = tuple(self.model.network.architecture)
        to_numpy = keras.ops.convert_to_numpy
        relative = term.relative_cost(self.model.network.architecture)
        _, pruned, genotype = reached
        budget = term.budget
        found = {
            "target": budget.target,
            "expected": float(to_numpy(relative)) * budget.target,
            "pruned": budget.cost(pruned),
            "derived": budget.cost(genotype),
            "kept_of_pruned": health.agreement(pruned, genotype, searched),
            "pull": float(to_numpy(term.pull)),
        }
        return {"cost": found}

    def _agreement(
        self, epoch: int, derived: genotypes.Genotype
    ) -> dict[str, float]:
        """Compares with the genotypes of earlier epochs that are there."""
        searched = tuple(self.model.network.architecture)
        return {
            f"{ago}_ago": health.agreement(
                derived, genotypes.load(self._path(epoch - ago)), searched
            )
            for ago in health.AGREEMENT_EPOCHS
            if epoch >= ago and self._path(epoch - ago).exists()
        }

    def _gradient_norms(self) -> dict[str, float]:
        optimizers = {each.name: each.optimizer for each in self.model.updates}
        return health.gradient_norms(
            optimizers[joint_model.WEIGHT_OPTIMIZER],
            optimizers[search.ARCHITECTURE_OPTIMIZER],
        )

    def score(self, record: Mapping) -> float | None:
        loss = record["losses"].get(f"{search.ARCHITECTURE_PREFIX}loss")
        return None if loss is None else -loss


class RetrainRecorder(RunRecorder):
    """Keeps the network of the best epoch ready to be served.

    The best epoch is the one with the highest mean of the validation's mean
    IoU and PCKh, at the network's size; without validation it is the last.

    Args:
        model: A `RetrainModel`.
        workdir: Workdir of the run.
        save_network: Writes the network into the workdir; gets facts about
            the run to keep beside it.
    """

    def __init__(
        self,
        model: keras.Model,
        workdir: Workdir,
        save_network: Callable[[dict], None],
    ) -> None:
        super().__init__(model, workdir)
        self.save_network = save_network

    def score(self, record: Mapping) -> float | None:
        validation = record.get("validation", {})
        scores = [
            validation[metric.name]
            for metric in self.model.validation_metrics
            if metric.name in validation
        ]
        return float(np.mean(scores)) if scores else None

    def before_checkpoint(self, is_best: bool) -> None:
        if is_best:
            record = self.progress.history[-1]
            self.save_network(
                {
                    "epoch": record["epoch"],
                    "validation": record.get("validation", {}),
                }
            )


class EventWriter:
    """Writes TensorBoard's event files.

    Args:
        directory: Folder, made with the first event.
    """

    def __init__(self, directory: str | os.PathLike[str]) -> None:
        self._directory = os.fspath(directory)
        self._lazy_writer = None

    def write_record(self, record: Mapping) -> None:
        """Writes every number of an epoch's record, and its alarms in words."""
        with self._writer.as_default(step=record["epoch"]):
            for name, value in _scalars(record):
                tf.summary.scalar(name, value)
            for name, what in record.get("alarms", {}).items():
                tf.summary.text(f"alarms/{name}", what)
        self._writer.flush()

    def write_picture(self, name: str, picture: np.ndarray, epoch: int) -> None:
        """Writes one picture, uint8 [H, W, 3]."""
        with self._writer.as_default(step=epoch):
            tf.summary.image(name, picture[None])
        self._writer.flush()

    @property
    def _writer(self):
        if self._lazy_writer is None:
            # TensorFlow says of what lies there neither what nor where.
            pathlib.Path(self._directory).mkdir(parents=True, exist_ok=True)
            self._lazy_writer = tf.summary.create_file_writer(self._directory)
        return self._lazy_writer


def _split_logs(logs: Mapping[str, float]) -> dict[str, dict[str, float]]:
    """Puts training and validation apart; names sorted, no prefix."""
    split: dict[str, dict[str, float]] = {"losses": {}}
    for name in sorted(logs):
        group = "losses"
        if name.startswith(VALIDATION_PREFIX):
            group = "validation"
        short = name.removeprefix(VALIDATION_PREFIX)
        split.setdefault(group, {})[short] = float(logs[name])
    return split


def _scalars(value: Mapping, prefix: str = "") -> Iterator[tuple[str, float]]:
    for name, item in value.items():
        if isinstance(item, Mapping):
            yield from _scalars(item, f"{prefix}{name}/")
        elif isinstance(item, int | float) and name != "epoch":
            yield f"{prefix}{name}", float(item)
