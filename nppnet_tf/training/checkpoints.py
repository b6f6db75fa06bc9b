"""Everything a run needs to go on as if it had never stopped."""

import copy
import dataclasses
import json
import os
import pathlib
from collections.abc import Collection
from collections.abc import Mapping
from collections.abc import Sequence
from typing import Self

import keras
import numpy as np
import tensorflow as tf

from nppnet_tf.errors import UserError
from nppnet_tf.files import array_archives
from nppnet_tf.files import atomic
from nppnet_tf.files import json_documents
from nppnet_tf.models import budget as budgets
from nppnet_tf.models.budget import Budget
from nppnet_tf.search_space import genotype as genotypes
from nppnet_tf.search_space import pruning
from nppnet_tf.search_space import relaxation as relaxations
from nppnet_tf.training import distribution
from nppnet_tf.training import reproducibility

FORMAT = "nppnet_tf.checkpoint"
FORMAT_VERSION = 1

LAST_NAME = "last.npz"
BEST_NAME = "best.npz"
START_NAME = "start.npz"

# Twice takes a rate to a quarter: far enough from one at which steps diverge,
# and little lost where one bad batch was to blame.
ROLLBACK_FACTOR = 0.5

# Of a run that has not learned anything, of which much is zero.
_SLACK_BYTES = 1 << 26

_METADATA = "metadata"
_ARCHITECTURE = "architecture"


class NotFiniteError(Exception):
    """Variables of a model are not finite; says which."""


class RuinedError(UserError):
    """Losses or weights of a run are not finite; its last checkpoint is."""

    def advising(self, advice: str) -> Self:
        """Returns the same error with what its reader can do."""
        advised = copy.copy(self)
        UserError.__init__(
            advised,
            self.problem,
            self.where,
            f"{self.expected}; {advice}",
            self.found,
        )
        return advised


@dataclasses.dataclass(frozen=True)
class EpochPart:
    """What is done of the epoch after those that are complete.

    Attributes:
        step: Steps that are done; 0 at the end of an epoch.
        seconds: Seconds that they took.
        logs: The last of them told: means of the losses so far.
        trackers: The sums these are made of, see `tracker_values`.
    """

    step: int = 0
    seconds: float = 0.0
    logs: Mapping[str, float] = dataclasses.field(default_factory=dict)
    trackers: Mapping[str, Sequence[float]] = dataclasses.field(
        default_factory=dict
    )


@dataclasses.dataclass(frozen=True)
class Progress:
    """How far a run has come.

    Attributes:
        epoch: Epochs that are complete.
        history: The record of each of them, see `recording.RunRecorder`.
        best_epoch: Number of the best of them, counted from 0; None before
            the first.
        best_score: Score of the best epoch, the higher the better.
        part: Part of the epoch that follows.
        rollbacks: How often the run has gone back to a checkpoint because it
            was ruined: "epoch" and "step" where it went on, and "reason".
    """

    epoch: int = 0
    history: tuple[dict, ...] = ()
    best_epoch: int | None = None
    best_score: float | None = None
    part: EpochPart = EpochPart()
    rollbacks: tuple[Mapping[str, object], ...] = ()

    @property
    def place(self) -> tuple[int, int]:
        """Epochs that are complete, and steps of the one that follows."""
        return self.epoch, self.part.step

    @property
    def rate_factor(self) -> float:
        """What learning rates are multiplied by: less after each rollback."""
        return ROLLBACK_FACTOR ** len(self.rollbacks)


@dataclasses.dataclass(frozen=True)
class Checkpoint:
    """What a checkpoint file holds.

    Attributes:
        path: Path of the file.
        arrays: Values of variables by name.
        progress: Progress of the run.
        genotype: Genotype of the run's network, searched parts as "search".
        primitives: Names in the order of alpha.
        architecture: Alpha and beta of every searched part.
        relaxation: Name of what makes weights of them; the paper's in older
            files.
        circumstances: What the run was computed with, see
            `reproducibility.circumstances`; empty in older files.
        budget: What the derived network is to cost, if anything.
    """

    path: pathlib.Path
    arrays: Mapping[str, np.ndarray]
    progress: Progress
    genotype: genotypes.Genotype
    primitives: tuple[str, ...]
    architecture: Mapping[str, pruning.ArchitectureArrays]
    relaxation: str = relaxations.SOFTMAX
    circumstances: Mapping[str, object] = dataclasses.field(
        default_factory=dict
    )
    budget: Budget | None = None

    def derive(self) -> genotypes.Genotype:
        """Returns the genotype that its architecture prunes to (Sec. 4.3).

        Where the search has a budget, it keeps to that.

        Raises:
            UserError: If this process does not know its relaxation.
        """
        relaxation = self.known_relaxation()
        derived = pruning.derive(
            self.genotype, self.architecture, self.primitives, relaxation
        )
        return budgets.brought_to(
            self.budget, derived, self.architecture, relaxation
        )

    def known_relaxation(self) -> relaxations.Relaxation:
        """Returns what makes shares of its alpha and beta.

        Raises:
            UserError: If this process does not know it.
        """
        return relaxations.named(self.relaxation, self.path)


def architecture_arrays(
    network: keras.Model,
) -> dict[str, pruning.ArchitectureArrays]:
    """Returns the present alpha and beta of every searched part."""
    to_numpy = keras.ops.convert_to_numpy
    return {
        part: pruning.ArchitectureArrays(
            to_numpy(parameters.alpha), to_numpy(parameters.beta)
        )
        for part, parameters in network.architecture.items()
    }


def save(
    path: str | os.PathLike[str], model: keras.Model, progress: Progress
) -> None:
    """Writes a checkpoint, whole or not at all.

    Args:
        path: Path of the `.npz` file.
        model: A `JointModel`.
        progress: Progress of the run.

    Raises:
        NotFiniteError: A variable is not finite; nothing is written.
    """
    metadata = {
        "format": FORMAT,
        "version": FORMAT_VERSION,
        "progress": dataclasses.asdict(progress),
        "genotype": model.network.genotype.to_json(),
        "primitives": list(model.network.space.primitives),
        "relaxation": model.network.relaxation,
        "circumstances": reproducibility.circumstances(
            model.distribute_strategy
        ),
    }
    if model.budget is not None:
        metadata["budget"] = model.budget.to_plain()
    arrays = arrays_of(model)
    require_finite(arrays)
    for part, parameters in architecture_arrays(model.network).items():
        for name, values in parameters._asdict().items():
            arrays[f"{_ARCHITECTURE}/{part}/{name}"] = values
    arrays[_METADATA] = np.array(json.dumps(metadata))
    with atomic.atomic_path(path, durable=True) as partial:
        with open(partial, "wb") as file:
            np.savez(file, **arrays)


def arrays_of(model: keras.Model) -> dict[str, np.ndarray]:
    """Returns the present value of every variable, see `named_variables`."""
    return {
        name: keras.ops.convert_to_numpy(variable)
        for name, variable in named_variables(model).items()
    }


def require_finite(arrays: Mapping[str, np.ndarray]) -> None:
    """Refuses variables that a run cannot go on from.

    Raises:
        NotFiniteError: One of them holds nan or inf; the first is named.
    """
    bad = [
        name
        for name, values in arrays.items()
        if values.dtype.kind == "f" and not np.isfinite(values).all()
    ]
    if bad:
        raise NotFiniteError(
            f"{len(bad)} of {len(arrays)} variables, {min(bad)} among them"
        )


def load(path: str | os.PathLike[str]) -> Checkpoint:
    """Reads a checkpoint.

    Raises:
        UserError: If the file is missing, damaged or of another kind.
    """
    path = pathlib.Path(path)
    # Weights and moments are noise: they take their size on the disk, too.
    size = os.path.getsize(path) if path.exists() else 0
    arrays = array_archives.read(
        path, max_bytes=_SLACK_BYTES + 4 * size, what="checkpoint"
    )
    try:
        metadata = json_documents.opened(
            json_documents.parse(str(arrays.pop(_METADATA)), path),
            path,
            FORMAT,
            FORMAT_VERSION,
            noun="checkpoint",
        )
        progress = metadata["progress"]
        progress["history"] = tuple(progress["history"])
        # Absent in files of before epochs could be saved in part.
        progress["part"] = EpochPart(**progress.get("part", {}))
        progress["rollbacks"] = tuple(progress.get("rollbacks", ()))
        genotype = genotypes.Genotype.from_json(metadata["genotype"], path)
        primitives = tuple(metadata["primitives"])
        architecture = _take_architecture(arrays)
        _require_fit(architecture, genotype, primitives)
        return Checkpoint(
            path=path,
            arrays=arrays,
            progress=Progress(**progress),
            genotype=genotype,
            primitives=primitives,
            architecture=architecture,
            relaxation=str(metadata.get("relaxation", relaxations.SOFTMAX)),
            circumstances=dict(metadata.get("circumstances", {})),
            budget=_budget(metadata),
        )
    except json_documents.FORM_ERRORS as error:
        raise UserError(
            "checkpoint cannot be read",
            path,
            f"{FORMAT} {FORMAT_VERSION}",
            error,
        ) from error


def restore(model: keras.Model, checkpoint: Checkpoint) -> None:
    """Sets every variable of a model to its value in a checkpoint.

    But not the trackers of an epoch's part, which `fit` would clear.

    Raises:
        UserError: If names or shapes do not fit, before anything is set.
    """
    if checkpoint.relaxation != model.network.relaxation:
        raise UserError(
            "checkpoint of another relaxation",
            checkpoint.path,
            model.network.relaxation,
            checkpoint.relaxation,
        )
    variables = named_variables(model)
    there, here = set(checkpoint.arrays), set(variables)
    if there != here:
        raise UserError(
            "checkpoint of another network",
            checkpoint.path,
            f"{len(here)} variables",
            f"{len(there)} variables, {len(there - here)} of them unknown, "
            f"first difference {min(there ^ here)}",
        )
    part = checkpoint.progress.part
    trackers = {variable.path for variable in _tracker_variables(model)}
    if part.step and set(part.trackers) != trackers:
        raise UserError(
            "checkpoint of other losses",
            checkpoint.path,
            ", ".join(sorted(trackers)),
            ", ".join(sorted(part.trackers)),
        )
    for name, variable in variables.items():
        if tuple(variable.shape) != checkpoint.arrays[name].shape:
            raise UserError(
                "checkpoint of another size",
                f"{checkpoint.path}, {name}",
                tuple(variable.shape),
                checkpoint.arrays[name].shape,
            )
    for name, variable in variables.items():
        variable.assign(checkpoint.arrays[name])


def named_variables(model: keras.Model) -> dict[str, keras.Variable]:
    """Returns every variable of a `JointModel` that a checkpoint holds.

    Network, task weights and optimizers; not metrics, which start anew each
    epoch, and not what follows the epoch.
    """
    groups = {
        "network": model.network.variables,
        "loss": model.joint_loss.variables,
        **{update.name: update.optimizer.variables for update in model.updates},
        **model.kept_variables,
    }
    named: dict[str, keras.Variable] = {}
    for group, variables in groups.items():
        for variable in variables:
            name = f"{group}/{variable.path}"
            if name in named:
                raise ValueError(
                    "A checkpoint needs a name for every variable. "
                    f"Received: two variables {name}"
                )
            named[name] = variable
    return named


def tracker_values(model: keras.Model) -> dict[str, list[float]]:
    """Returns what the losses of the epoch so far are made of.

    By the name of the variable, one value for each replica: their sum would
    not give back what every one has added up.
    """
    variables = _tracker_variables(model)
    columns = [
        [float(value) for value in _on_replicas(model, variable)]
        for variable in variables
    ]
    rows = distribution.rows_of_all(
        model.distribute_strategy, list(zip(*columns, strict=True))
    )
    return {
        variable.path: list(column)
        for variable, column in zip(
            variables, zip(*rows, strict=True), strict=True
        )
    }


def assign_trackers(
    model: keras.Model, values: Mapping[str, Sequence[float]]
) -> None:
    """Gives back what `tracker_values` returned."""
    strategy = model.distribute_strategy
    count, own = (
        strategy.num_replicas_in_sync,
        distribution.own_replicas(strategy),
    )
    for variable in _tracker_variables(model):
        shares = values[variable.path]
        if len(shares) != count:
            # Of another number of replicas: each goes on with an equal share.
            shares = [sum(shares) / count] * count
        for number, replica in zip(
            own, _on_replicas(model, variable), strict=True
        ):
            replica.assign(shares[number])


def what_is_left(path: str | os.PathLike[str] | None) -> str:
    """Returns what a run that has to end leaves, for a person.

    Args:
        path: Path of the run's last checkpoint.
    """
    if path is None or not os.path.exists(path):
        return "nothing was saved before"
    return f"kept {path}, saved before"


class CheckpointFolder:
    """Keeps the last and the best checkpoint of a run, and maybe its start.

    Args:
        path: Path of the folder.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.last_path = pathlib.Path(path) / LAST_NAME
        self.best_path = pathlib.Path(path) / BEST_NAME
        self.start_path = pathlib.Path(path) / START_NAME

    def save(self, model: keras.Model, progress: Progress) -> None:
        """Writes the last checkpoint, and the best if it is of this epoch."""
        is_best = progress.best_epoch == progress.epoch - 1
        if progress.part.step or not is_best:
            save(self.last_path, model, progress)
            return
        # The best comes first: a run that is killed in between repeats the
        # epoch and with it both files.
        save(self.best_path, model, progress)
        with atomic.atomic_path(self.last_path, durable=True) as partial:
            # Both are replaced, never changed: a link is enough.
            os.link(self.best_path, partial)

    def to_go_back_to(self, tried: Collection[tuple[int, int]]) -> Checkpoint:
        """Returns the latest checkpoint that is not known to be bad.

        What is still finite may be beyond help: a run that was ruined behind
        a checkpoint twice goes back further.

        Args:
            tried: Epochs and steps of the checkpoints gone back to so far.

        Raises:
            UserError: If there is none, or a file is damaged.
        """
        paths = (self.last_path, self.best_path, self.start_path)
        there = [path for path in paths if path.exists()] or paths[:1]
        for path in there:
            found = load(path)
            if found.progress.place not in tried:
                break
        return found

    def last(self) -> Checkpoint | None:
        """Returns the last checkpoint, or None before the first."""
        return load(self.last_path) if self.last_path.exists() else None


def _tracker_variables(model: keras.Model) -> list[keras.Variable]:
    return [
        variable for tracker in model.trackers for variable in tracker.variables
    ]


def _on_replicas(
    model: keras.Model, variable: keras.Variable
) -> tuple[tf.Variable, ...]:
    strategy = model.distribute_strategy
    return strategy.experimental_local_results(variable.value)


def _budget(metadata: Mapping) -> Budget | None:
    """Of a search that has one, since there are some."""
    plain = metadata.get("budget")
    return None if plain is None else Budget.from_plain(plain)


def _require_fit(
    architecture: Mapping[str, pruning.ArchitectureArrays],
    genotype: genotypes.Genotype,
    primitives: Sequence[str],
) -> None:
    """Raises ValueError where alpha or beta are not those of a search."""
    searched = {p.name: p for p in genotypes.searched_parts(genotype)}
    if set(architecture) != set(searched):
        raise ValueError(
            f"alpha and beta of {sorted(architecture)}, while the genotype "
            f"searches {sorted(searched)}"
        )
    for name, arrays in architecture.items():
        edges = len(searched[name].edges)
        shapes = {"alpha": (edges, len(primitives)), "beta": (edges,)}
        for kind, values in arrays._asdict().items():
            if values.shape != shapes[kind] or values.dtype.kind != "f":
                raise ValueError(
                    f"{kind} of {name} is {values.dtype} {values.shape}, "
                    f"not float {shapes[kind]}"
                )
            if not np.isfinite(values).all():
                raise ValueError(f"{kind} of {name} is not finite")


def _take_architecture(
    arrays: dict[str, np.ndarray],
) -> dict[str, pruning.ArchitectureArrays]:
    fields: dict[str, dict[str, np.ndarray]] = {}
    for name in [n for n in arrays if n.startswith(f"{_ARCHITECTURE}/")]:
        part, _, field = name.removeprefix(f"{_ARCHITECTURE}/").rpartition("/")
        fields.setdefault(part, {})[field] = arrays.pop(name)
    return {
        part: pruning.ArchitectureArrays(**values)
        for part, values in fields.items()
    }
