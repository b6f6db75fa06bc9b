"""A search that starts from one with fewer searched channels (DrNAS).

With a large k of Eq. 1 a supernet is small and its early epochs cheap; with a
small k the search sees more of every state. So a search may go in stages, each
a run with a smaller k that starts where the one before has ended: alpha, beta,
learned weights of the tasks and every weight of the network. What an operation
has learned of a channel is repeated for those that come from it, as Net2Net
does; normalizations behind take out the scale.

Optimizers and schedules start anew with every stage. Departs from the paper:
the operations stay, too, of which DrNAS drops half.

Reference:
    Chen et al., DrNAS, https://arxiv.org/abs/2006.10355, Sec. 3.3; Chen et
    al., Net2Net, https://arxiv.org/abs/1511.05641.
"""

import os
from collections.abc import Callable

import numpy as np

from nppnet_tf.errors import UserError
from nppnet_tf.training import checkpoints
from nppnet_tf.training.search import SearchModel
from nppnet_tf.training.workdir import Workdir

# What a stage takes over; not its optimizers.
_GROUPS = ("network/", "loss/")


def start_from(
    model: SearchModel,
    folder: str | os.PathLike[str],
    say: Callable[[str], None] = print,
) -> None:
    """Gives a new search the state of one with a larger k.

    Args:
        model: The new search.
        folder: Folder of the other one.
        say: Takes a line.

    Raises:
        UserError: If the folder holds no search, or one of something else.
    """
    path = Workdir(folder).checkpoints / checkpoints.LAST_NAME
    checkpoint = checkpoints.load(path)
    network = model.network
    for what, there, here in (
        ("genotype", checkpoint.genotype, network.genotype),
        ("operations", checkpoint.primitives, network.space.primitives),
        ("relaxation", checkpoint.relaxation, network.relaxation),
    ):
        if there != here:
            raise UserError(
                f"search of another {what}",
                f"`widens`={folder}",
                "what this search has",
                "something else" if what == "genotype" else there,
            )
    variables = {
        name: variable
        for name, variable in checkpoints.named_variables(model).items()
        if name.startswith(_GROUPS)
    }
    values = {
        name: _widened(name, checkpoint, tuple(variable.shape))
        for name, variable in variables.items()
    }
    for name, variable in variables.items():
        variable.assign(values[name])
    wider = sum(
        value.shape != checkpoint.arrays[name].shape
        for name, value in values.items()
    )
    say(
        f"starts from {path}: {len(values)} variables, {wider} of them wider "
        "than there"
    )


def repeated(values: np.ndarray, shape: tuple[int, ...]) -> np.ndarray | None:
    """Repeats each channel for those of a wider variable.

    An axis of several edges holds one after the other, so that what is
    repeated stays within its edge.

    Args:
        values: Array to widen.
        shape: Shape of the wider one; each side a multiple.

    Returns:
        Array of that shape, or None where it does not come out.
    """
    if values.ndim != len(shape):
        return None
    for axis, (old, new) in enumerate(zip(values.shape, shape, strict=True)):
        if not old or new % old:
            return None
        values = np.repeat(values, new // old, axis)
    return values


def _widened(
    name: str, checkpoint: checkpoints.Checkpoint, shape: tuple[int, ...]
) -> np.ndarray:
    there = checkpoint.arrays.get(name)
    found = None if there is None else repeated(there, shape)
    if found is None:
        raise UserError(
            "search that this one does not widen",
            f"{checkpoint.path}, {name}",
            f"a divisor of {shape}: the same sizes and a multiple of "
            "`channel_proportion`",
            "no such variable" if there is None else there.shape,
        )
    return found
