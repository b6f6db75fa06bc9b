"""What a file of the authors holds: which network, which weights, how far.

Everything here is read off names and shapes; the numbers of a file are not
looked at before the network that they fill has been found to fit.
"""

import collections
import dataclasses
import math
import os
import pathlib
import re
from collections.abc import Iterable
from collections.abc import Mapping

import numpy as np

from nppnet_tf import keys
from nppnet_tf.config import LEAST_CELLS
from nppnet_tf.config import LEAST_CHANNELS
from nppnet_tf.config import NetworkConfig
from nppnet_tf.errors import UserError
from nppnet_tf.files.restricted_pickle import printable
from nppnet_tf.importing import state_dict
from nppnet_tf.importing import torch_file
from nppnet_tf.importing.state_dict import Entry
from nppnet_tf.importing.torch_pickle import Tensor
from nppnet_tf.search_space import genotype as genotypes
from nppnet_tf.search_space import published
from nppnet_tf.search_space import topology
from nppnet_tf.search_space.genotype import Genotype

# Which weights of a training checkpoint.
BEST = "best"
LAST = "last"
_ENTRIES = {BEST: "best_state_dict", LAST: "state_dict"}

# What wrapping a network for several devices puts in front of every key.
_WRAPPED = "module."

# Measured values of a training checkpoint that are worth telling.
FACTS = ("epoch", "perf_iou", "perf_pck")

# The criteria whose learned log variances weigh the tasks.
_CRITERIA = {keys.POSE: "cri1", keys.PARSING: "cri2"}
_LOG_VARIANCES = "lamda"

# Numbers of a network of width C with L cells: about C^2 (2500 + 145 L). A
# file that announces a network far beyond its own size is not believed.
_NUMBERS, _NUMBERS_PER_CELL = 2500, 145
_LEAST_SHARE = 1 / 20
_MAX_NUMBERS = 1 << 30
_MAX_CELLS = 256
_MAX_ROUNDS = 64
_MAX_OUTPUTS = 255

_NAMED = 3


@dataclasses.dataclass(frozen=True)
class Checkpoint:
    """The weights of one network in a file.

    Attributes:
        path: Path of the file.
        tensors: Arrays by the authors' keys, without what wrapping puts before
            them.
        source: Entry of a training checkpoint that they are; None where the
            file is a plain state dict.
        facts: Epoch and measured values, as far as the file has them.
        log_variances: Learned weights of the tasks by `keys.BRANCHES`, one per
            stage, as `losses.task_weighting` has them; empty without.
    """

    path: pathlib.Path
    tensors: Mapping[str, Tensor]
    source: str | None = None
    facts: Mapping[str, int | float] = dataclasses.field(default_factory=dict)
    log_variances: Mapping[str, tuple[float, ...]] = dataclasses.field(
        default_factory=dict
    )


@dataclasses.dataclass(frozen=True)
class Fit:
    """How the tensors of a file fit the variables of a network.

    Attributes:
        missing: Keys that the network needs and the file lacks.
        misshapen: Keys with their shape in the network and in the file.
        unused: Keys of the file that nobody knows.
        unused_normalizations: Keys beside excitations that the release keeps
            and never uses.
        unused_numbers: How many trained numbers those hold.
        batch_counts: Keys of the counts of batches, which are not needed.
    """

    missing: tuple[str, ...]
    misshapen: tuple[tuple[str, tuple[int, ...], tuple[int, ...]], ...]
    unused: tuple[str, ...]
    unused_normalizations: tuple[str, ...]
    unused_numbers: int
    batch_counts: tuple[str, ...]

    @property
    def is_complete(self) -> bool:
        """Whether every variable has its tensor."""
        return not self.missing and not self.misshapen


def read(path: str | os.PathLike, weights: str = BEST) -> Checkpoint:
    """Reads names and shapes of a plain state dict or a training checkpoint.

    Args:
        path: Path of the file, zip or legacy format.
        weights: `BEST` or `LAST`: which of a training checkpoint's to take.
            Where it has no best ones, `BEST` means the last.

    Raises:
        UserError: If the file cannot be read or holds no state dict.
    """
    path = pathlib.Path(path)
    saved = torch_file.read(path)
    if not isinstance(saved, dict):
        raise _foreign(path, type(saved).__name__)
    if not any(isinstance(saved.get(name), dict) for name in _ENTRIES.values()):
        return Checkpoint(path, _tensors(path, saved))
    source = _ENTRIES[weights]
    if weights == BEST and not saved.get(source):
        source = _ENTRIES[LAST]
    chosen = saved.get(source)
    if not isinstance(chosen, dict):
        raise _foreign(path, f"a training checkpoint without {source}")
    return Checkpoint(
        path,
        _tensors(path, chosen),
        source,
        {name: saved[name] for name in FACTS if _is_number(saved.get(name))},
        _log_variances(saved),
    )


def infer(
    checkpoint: Checkpoint,
    genotype: Genotype | None = None,
    num_refinements: int | None = None,
) -> tuple[Genotype, NetworkConfig]:
    """Finds out from names and shapes which network a file holds.

    Args:
        checkpoint: What was read.
        genotype: Genotype of the network; the published one where None.
        num_refinements: 1 for an initial and a refined prediction, 0 for the
            initial one alone; as many as the file has where None.

    Returns:
        Genotype and size.

    Raises:
        UserError: If it is no NPPNet, or one that this package has not.
    """
    shapes = {key: t.shape for key, t in checkpoint.tensors.items()}
    path = checkpoint.path
    counts = {
        name: len(_numbers(shapes, name))
        for name in ("cells1", "pose_net", "pose_head")
    }
    channels = _channels(path, shapes)
    _check_cells(path, shapes, counts["cells1"], channels)
    refinements = counts["pose_head"] - 1
    wanted = refinements if num_refinements is None else num_refinements
    if wanted not in (0, 1):
        raise UserError(
            "no network refines its prediction as often",
            path,
            "0 or 1 times; `num_refinements`=1 takes the first of several",
            wanted,
        )
    genotype = genotype or published.released()
    if not wanted:
        genotype = dataclasses.replace(genotype, fusion=genotypes.OMIT)
    rounds = counts["pose_net"] // max(refinements, 1)
    sizes = {
        "cells": counts["cells1"],
        "num_classes": shapes["par_head.0.4.weight"][0],
        "num_keypoints": shapes["pose_head.0.4.weight"][0],
    }
    if wanted and rounds:
        sizes["num_fusion_cells"] = rounds
    _check_plausible(checkpoint, channels, sizes)
    config = published.preset(
        published.RELEASED_NAME, channels=channels, **sizes
    ).config
    return genotype, config


def fit(checkpoint: Checkpoint, entry_list: Iterable[Entry]) -> Fit:
    """Compares the tensors of a file with the variables of a network."""
    entry_list = list(entry_list)
    tensors = checkpoint.tensors
    wanted = {entry.key: entry.their_shape for entry in entry_list}
    normalizations = state_dict.unused_normalizations(entry_list)
    counts = state_dict.batch_counts([*wanted, *normalizations])
    idle = [key for key in normalizations if key in tensors]
    known = wanted.keys() | normalizations.keys() | counts
    return Fit(
        missing=tuple(key for key in wanted if key not in tensors),
        misshapen=tuple(
            (key, shape, tensors[key].shape)
            for key, shape in wanted.items()
            if key in tensors and tensors[key].shape != shape
        ),
        unused=tuple(key for key in tensors if key not in known),
        unused_normalizations=tuple(idle),
        unused_numbers=sum(
            tensors[key].size
            for key in idle
            if key.endswith((".weight", ".bias"))
        ),
        batch_counts=tuple(key for key in tensors if key in counts),
    )


def require_fit(checkpoint: Checkpoint, found: Fit, genotype: str) -> None:
    """Raises a UserError, with the first keys, unless every one has its tensor.

    Args:
        checkpoint: Checkpoint that the message names.
        found: What `fit` has found.
        genotype: What the network was made of, for the message.
    """
    if found.is_complete:
        return
    wrong = [
        f"{key} {list(there)} instead of {list(ours)}"
        for key, ours, there in found.misshapen
    ]
    raise UserError(
        f"checkpoint does not fit {genotype}",
        checkpoint.path,
        "a tensor of the right shape for every key",
        f"{_listed(found.missing)} missing; {_listed(wrong)} misshapen; "
        f"{_listed(found.unused)} unknown",
    )


def number_kinds(checkpoint: Checkpoint) -> dict[str, int]:
    """Returns how many tensors have each kind of numbers, as PyTorch's."""
    return dict(
        collections.Counter(
            tensor.storage.kind.name.removesuffix("Storage").lower()
            for tensor in checkpoint.tensors.values()
        )
    )


def non_finite(checkpoint: Checkpoint, used: Iterable[str]) -> list[str]:
    """Returns those of some keys whose tensors hold NaN or infinity."""
    return [
        key
        for key in used
        if not np.all(np.isfinite(np.asarray(checkpoint.tensors[key])))
    ]


def _listed(names: Iterable[str]) -> str:
    """Returns how many, and the first of them."""
    names = list(names)
    if not names:
        return "none"
    more = ", ..." if len(names) > _NAMED else ""
    first = ", ".join(map(printable, names[:_NAMED]))
    return f"{len(names)} ({first}{more})"


def _foreign(path: pathlib.Path, found: object) -> UserError:
    return UserError(
        "no state dict of NPPNet",
        path,
        "tensors named as the authors' are, stem0.0.weight and so on",
        found,
    )


def _tensors(path: pathlib.Path, saved: Mapping) -> dict[str, Tensor]:
    found = {}
    for key, tensor in saved.items():
        if not isinstance(key, str) or not isinstance(tensor, Tensor):
            raise _foreign(path, f"{type(tensor).__name__} at {printable(key)}")
        key = key.removeprefix(_WRAPPED)
        if key in found:
            raise _foreign(path, f"two tensors {printable(key)}")
        found[key] = tensor
    count = sum(tensor.size for tensor in found.values())
    size = path.stat().st_size
    # Every number takes a byte or more, unless tensors share them.
    if count > size:
        raise UserError(
            "checkpoint refused",
            path,
            "tensors with numbers of their own",
            f"{count} numbers in {size} bytes",
        )
    return found


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and math.isfinite(value)


def _log_variances(saved: Mapping) -> dict[str, tuple[float, ...]]:
    """Returns the learned weights of both tasks, or of none."""
    found = {}
    for branch, name in _CRITERIA.items():
        criterion = saved.get(name)
        tensor = None
        if isinstance(criterion, dict):
            tensor = criterion.get(_LOG_VARIANCES)
        if not isinstance(tensor, Tensor) or len(tensor.shape) != 1:
            return {}
        if not 1 <= tensor.size <= _MAX_OUTPUTS:
            return {}
        values = np.asarray(tensor, np.float32)
        if not np.all(np.isfinite(values)):
            return {}
        found[branch] = tuple(values.tolist())
    return found


def _numbers(shapes: Iterable[str], name: str) -> set[str]:
    """Returns the numbers behind a name: of "cells1.12.x" it is "12"."""
    pattern = re.compile(rf"{name}\.(\d{{1,6}})\.")
    matches = (pattern.match(key) for key in shapes)
    return {match[1] for match in matches if match}


def _channels(path: pathlib.Path, shapes: Mapping) -> int:
    """Returns C, which the second convolution makes of half as many."""
    names = ("stem1.0.weight", "par_head.0.4.weight", "pose_head.0.4.weight")
    for name in names:
        if len(shapes.get(name, ())) != 4:
            first = ", ".join(map(printable, list(shapes)[:_NAMED]))
            raise _foreign(path, f"no {name}, but {first or 'nothing'}")
    channels = shapes[names[0]][0]
    is_width = (
        channels >= LEAST_CHANNELS and channels % topology.CHANNEL_MULTIPLE == 0
    )
    if shapes[names[0]] != (channels, channels // 2, 3, 3) or not is_width:
        raise UserError(
            "no network has this width",
            f"{path}, {names[0]}",
            f"[C, C / 2, 3, 3], C a multiple of {topology.CHANNEL_MULTIPLE} "
            f"from {LEAST_CHANNELS} on",
            list(shapes[names[0]]),
        )
    return channels


def _check_cells(
    path: pathlib.Path, shapes: Mapping, cells: int, channels: int
) -> None:
    """The encoder has cells that reduce where ours do."""
    if not LEAST_CELLS <= cells <= _MAX_CELLS:
        raise UserError(
            "no encoder has as many cells",
            f"{path}, cells1",
            f"{LEAST_CELLS} to {_MAX_CELLS}",
            cells,
        )
    width = channels // topology.CELL_NODES
    reductions = []
    for index in range(cells):
        found = shapes.get(f"cells1.{index}.preprocess1.net.1.weight", (0,))
        if found[:1] == (2 * width,):
            reductions.append(index)
            width *= 2
    expected = topology.reduction_cells(cells)
    if tuple(reductions) != expected:
        raise UserError(
            "cells reduce elsewhere",
            f"{path}, cells1",
            f"twice the width from cells {list(expected)}",
            reductions,
        )


def _check_plausible(
    checkpoint: Checkpoint, channels: int, sizes: Mapping[str, int]
) -> None:
    """Refuses to make a network that the file could never fill."""
    for name, limit in (
        ("num_classes", _MAX_OUTPUTS),
        ("num_keypoints", _MAX_OUTPUTS),
        ("num_fusion_cells", _MAX_ROUNDS),
    ):
        if not 1 <= sizes.get(name, 1) <= limit:
            raise UserError(
                "implausible checkpoint",
                f"{checkpoint.path}, {name}",
                f"1 to {limit}",
                sizes[name],
            )
    expected = channels**2 * (_NUMBERS + _NUMBERS_PER_CELL * sizes["cells"])
    found = sum(tensor.size for tensor in checkpoint.tensors.values())
    if expected > _MAX_NUMBERS or found < _LEAST_SHARE * expected:
        raise UserError(
            "implausible checkpoint",
            checkpoint.path,
            f"about {expected} numbers for C = {channels} and "
            f"{sizes['cells']} cells, at most {_MAX_NUMBERS}",
            found,
        )
