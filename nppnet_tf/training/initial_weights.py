"""The weights of another run to start from, as far as they fit.

Of a network only the last convolutions of the heads know how many classes or
joints there are. So a run on other data can take everything else, and the heads
of its own classes or joints are drawn anew.
"""

import dataclasses
import math
import os
import pathlib
from collections.abc import Collection
from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any

from nppnet_tf import keys
from nppnet_tf.config import NetworkConfig
from nppnet_tf.data import descriptors
from nppnet_tf.data.descriptors import DatasetDescriptor
from nppnet_tf.errors import UserError
from nppnet_tf.files import json_documents
from nppnet_tf.losses.task_weighting import TaskWeighting
from nppnet_tf.models import saved_network
from nppnet_tf.models import weights_file
from nppnet_tf.search_space import genotype as genotypes
from nppnet_tf.search_space.genotype import Genotype

# What a branch's heads name: field of a descriptor, of a configuration, and
# the word for it.
_OUTPUTS = {
    keys.PARSING: ("classes", "num_classes", "classes"),
    keys.POSE: ("keypoints", "num_keypoints", "joints"),
}

_DESCRIPTOR = "descriptor"
_LOG_VARIANCES = "log_variances"

# What runs have that were written before there was such a field.
_ABSENT = {"baseline_width": 1.0, "head_channels": 256}


@dataclasses.dataclass(frozen=True)
class InitialRun:
    """A run whose weights another one starts from.

    Attributes:
        folder: Folder of the run.
        config: Size of its network.
        genotype: Genotype of the run's network.
        descriptor: Descriptor of the data that it was trained on; None where
            the run does not say.
        log_variances: Learned weights of the tasks, one per stage; empty where
            the run holds none.
    """

    folder: pathlib.Path
    config: dict[str, Any]
    genotype: Genotype
    descriptor: DatasetDescriptor | None
    log_variances: dict[str, Sequence[float]]

    @classmethod
    def read(cls, folder: str | os.PathLike) -> "InitialRun":
        """Reads what a run says of itself; no weights.

        Raises:
            UserError: If it is no run with a network.
        """
        folder = pathlib.Path(folder)
        path = folder / saved_network.DESCRIPTION_FILE
        found = saved_network.read_description(folder)
        try:
            extra = found["extra"]
            return cls(
                folder,
                dict(found["config"]),
                Genotype.from_values(found["genotype"], path),
                None
                if extra.get(_DESCRIPTOR) is None
                else descriptors.of_values(extra[_DESCRIPTOR], path),
                dict(extra.get(_LOG_VARIANCES, {})),
            )
        except json_documents.FORM_ERRORS as error:
            raise UserError(
                "network description is malformed",
                path,
                "config, genotype and extra of a network",
                error,
            ) from error

    def require_body(self, genotype: Genotype, config: NetworkConfig) -> None:
        """Raises UserError unless all but the heads is of the same form.

        Args:
            genotype: Genotype of the network to start.
            config: Size of the network.
        """
        if genotype != self.genotype:
            parts = [
                part.name
                for part in genotypes.FIELDS
                if getattr(genotype, part.name)
                != getattr(self.genotype, part.name)
            ]
            raise UserError(
                "initial weights are of another genotype",
                f"`initial`={self.folder}",
                f"`genotype`={self.folder / 'genotype.json'}",
                f"another {' and '.join(parts)}",
            )
        for name in _body_fields(genotype):
            ours = getattr(config, name)
            # Runs of before there were several have no such field.
            theirs = self.config.get(name, _ABSENT.get(name))
            if _plain(ours) != _plain(theirs):
                raise UserError(
                    "initial weights are of another network",
                    f"`initial`={self.folder}",
                    f"{name} {_plain(theirs)}, as there",
                    f"{name} {_plain(ours)}",
                )

    def new_heads(
        self, descriptor: DatasetDescriptor, are_allowed: bool
    ) -> tuple[str, ...]:
        """Returns the branches whose heads mean something else here.

        Args:
            descriptor: Descriptor of the data to train on.
            are_allowed: Whether heads may be drawn anew.

        Returns:
            Of `keys.BRANCHES`, those with another number of classes or joints
            or with other names of them. Where names alone differ and no head
            may be new, none: the heads fit.

        Raises:
            UserError: If numbers differ and no head may be new.
        """
        ours = {b: _count(descriptor, b) for b in keys.BRANCHES}
        theirs = {b: self._count(b) for b in keys.BRANCHES}
        other = [b for b in keys.BRANCHES if ours[b] != theirs[b]]
        if are_allowed:
            renamed = self.renamed(descriptor)
            return tuple(b for b in keys.BRANCHES if b in (*other, *renamed))
        if other:
            raise UserError(
                "initial weights are of other classes or joints",
                f"`initial`={self.folder}",
                f"the numbers of the records ({_told(ours, other)}), or "
                "`new_heads`, which keeps all other weights",
                _told(theirs, other),
            )
        return ()

    def renamed(self, descriptor: DatasetDescriptor) -> tuple[str, ...]:
        """Returns the branches with equal numbers and other names."""
        if self.descriptor is None:
            return ()
        return tuple(
            branch
            for branch in keys.BRANCHES
            if self._count(branch) == _count(descriptor, branch)
            and getattr(self.descriptor, _OUTPUTS[branch][0])
            != getattr(descriptor, _OUTPUTS[branch][0])
        )

    def _count(self, branch: str) -> int | None:
        return self.config.get(_OUTPUTS[branch][1])

    def give(
        self,
        network: Any,
        weighting: TaskWeighting,
        new: Collection[str] = (),
    ) -> list[str]:
        """Gives a network the weights of this run, all that fit or none.

        Args:
            network: `NPPNet` of the same body.
            weighting: Takes the learned task weights, where the run has any;
                that of a task with a new head starts anew.
            new: Branches whose heads keep what they were drawn with.

        Returns:
            What was kept and what is new, lines for a person.

        Raises:
            UserError: If a weight is missing, left over or of another shape.
        """
        path = self.folder / saved_network.WEIGHTS_FILE
        arrays = saved_network.read_weights(self.folder)
        fresh = [
            variable
            for branch in new
            for variable in network.prediction_weights(branch)
        ]
        paths = {variable.path for variable in fresh}
        kept = [v for v in network.variables if v.path not in paths]
        log_variances = self._checked_log_variances(weighting)
        weights_file.assign_arrays(
            kept,
            {name: a for name, a in arrays.items() if name not in paths},
            path,
        )
        # A run without the refinement has fewer stages.
        for task, values in log_variances.items():
            if task not in new:
                weighting.log_variances[task].assign(
                    values[: weighting.num_stages]
                )
        return [
            f"initial weights: {len(kept)} of {len(kept) + len(fresh)} arrays "
            f"({_numbers(kept)} numbers) are those of {self.folder}",
            *(self._told_new(network, branch) for branch in new),
        ]

    def _told_new(self, network: Any, branch: str) -> str:
        """Returns what of a branch is drawn anew."""
        variables = network.prediction_weights(branch)
        groups = dict.fromkeys(v.path.rpartition("/")[0] for v in variables)
        _, field, word = _OUTPUTS[branch]
        return (
            f"new: {getattr(network.config, field)} {word} instead of "
            f"{self._count(branch)}: {', '.join(groups)} "
            f"({_numbers(variables)} numbers) and the weight of the task "
            f"{branch}"
        )

    def _checked_log_variances(
        self, weighting: TaskWeighting
    ) -> dict[str, Sequence[float]]:
        for task, values in self.log_variances.items():
            if task not in keys.BRANCHES or len(values) < weighting.num_stages:
                raise UserError(
                    "no task weights for this network",
                    self.folder / saved_network.DESCRIPTION_FILE,
                    f"{weighting.num_stages} of each of "
                    f"{', '.join(keys.BRANCHES)}",
                    f"{len(values)} of {task}",
                )
        return self.log_variances


def _told(counts: Mapping[str, int | None], branches: Collection[str]) -> str:
    """Returns "20 classes and 16 joints"."""
    return " and ".join(
        f"{counts[branch]} {word}"
        for branch, (_, _, word) in _OUTPUTS.items()
        if branch in branches
    )


def _count(descriptor: DatasetDescriptor, branch: str) -> int:
    return len(getattr(descriptor, _OUTPUTS[branch][0]))


def _body_fields(genotype: Genotype) -> list[str]:
    """Sizes on which weights of this genotype depend, but for the heads."""
    fields = ["channels", "high_level_inputs", "head_channels"]
    if genotype.encoder_decoder in genotypes.BASELINES:
        fields.append("baseline_width")
    else:
        fields.append("cells")
    if genotype.fusion != genotypes.OMIT:
        fields.append("num_fusion_cells")
    return fields


def _plain(value: object) -> object:
    """JSON has lists where a configuration has tuples."""
    return list(value) if isinstance(value, list | tuple) else value


def _numbers(variables: Collection[Any]) -> str:
    return f"{sum(math.prod(variable.shape) for variable in variables):,}"
