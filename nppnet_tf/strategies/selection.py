"""Which operations to keep: those that the supernet misses most (DARTS-PT)."""

from collections.abc import Callable
from collections.abc import Mapping
from collections.abc import Sequence

import numpy as np
import tensorflow as tf

from nppnet_tf.layers.architecture import ArchitectureParameters
from nppnet_tf.search_space import genotype as genotypes
from nppnet_tf.search_space import parts
from nppnet_tf.search_space import pruning
from nppnet_tf.search_space.genotype import Choice


class _Masked:
    """The weights of a part, of which some are taken away.

    Args:
        parameters: Parameters of the part; in training passes they weigh what
            is left from here on.
    """

    def __init__(self, parameters: ArchitectureParameters) -> None:
        shape = parameters.alpha.shape
        self.kept = tf.Variable(tf.ones(shape), trainable=False)
        # What an edge has that is decided: its operation with weight 1.
        self.decided = tf.Variable(tf.zeros(shape), trainable=False)
        parameters.perturb = lambda weights: weights * self.kept + self.decided

    def without(self, row: int, column: int | None, loss: Callable) -> float:
        """Returns the loss without one operation, or without a whole edge."""
        before = self.kept.numpy(), self.decided.numpy()
        self._clear(row, column)
        found = loss()
        self.kept.assign(before[0])
        self.decided.assign(before[1])
        return found

    def decide(self, row: int, column: int | None) -> None:
        """Leaves an edge one operation, or None of them."""
        self._clear(row, None)
        if column is not None:
            decided = self.decided.numpy()
            decided[row, column] = 1
            self.decided.assign(decided)

    def _clear(self, row: int, column: int | None) -> None:
        columns = slice(None) if column is None else column
        for variable in (self.kept, self.decided):
            values = variable.numpy()
            values[row, columns] = 0
            variable.assign(values)


def select(
    genotype: genotypes.Genotype,
    architecture: Mapping[str, ArchitectureParameters],
    primitives: Sequence[str],
    loss: Callable[[], float],
    random: np.random.Generator,
    say: Callable[[str], None] = lambda line: None,
) -> genotypes.Genotype:
    """Fills every searched part by what the loss says, not by alpha.

    In a cell the edges are decided one after the other, in random order: each
    operation is taken away in turn, and the one without which the loss is
    highest stays, alone. Then of each node the two edges without which the
    loss is highest. In the interaction the rise of the loss takes the place of
    gamma: the largest until they hold 0.7 of a level's, four at most.

    Departs from the paper: the supernet is not trained on between decisions,
    and the interaction, which DARTS does not have, is not made discrete.

    Reference:
        Wang et al., DARTS-PT, https://arxiv.org/abs/2108.04392, Algorithm 1.

    Args:
        genotype: Genotype with "search" in the parts to fill.
        architecture: Parameters of each of them, in a supernet.
        primitives: Names in the order of alpha.
        loss: Loss of the supernet as it is, in a training pass, over the same
            data each time.
        random: Draws the order of the edges.
        say: Takes a line for every part.
    """
    masked = {name: _Masked(found) for name, found in architecture.items()}
    nodes = {}
    for part in genotypes.searched_parts(genotype):
        decide = _interaction if part.kind == parts.INTERACTION else _cell
        nodes[part] = decide(part, masked[part.name], primitives, loss, random)
        say(f"{part.name}: decided, loss {loss():.4f}")
    for parameters in architecture.values():
        parameters.perturb = lambda weights: weights
    return genotypes.filled(genotype, nodes)


def _cell(part, masked, primitives, loss, random) -> tuple:
    columns = {}
    for row in random.permutation(len(part.edges)):
        losses = [
            masked.without(row, column, loss)
            for column in range(len(primitives))
        ]
        columns[row] = int(np.argmax(losses))
        masked.decide(row, columns[row])
    nodes = []
    for rows in part.node_rows:
        losses = [masked.without(row, None, loss) for row in rows]
        order = np.argsort(-np.array(losses), kind="stable")
        ranked = [rows[number] for number in order]
        for row in ranked[pruning.EDGES_PER_CELL_NODE :]:
            masked.decide(row, None)
        nodes.append(
            tuple(
                Choice(primitives[columns[row]], part.edges[row].predecessor)
                for row in ranked[: pruning.EDGES_PER_CELL_NODE]
            )
        )
    return tuple(nodes)


def _interaction(part, masked, primitives, loss, random) -> tuple:
    del random
    present = loss()
    rise = np.array(
        [
            [
                max(masked.without(row, column, loss) - present, 0.0)
                for column in range(len(primitives))
            ]
            for row in range(len(part.edges))
        ]
    )
    nodes = []
    for rows in part.node_rows:
        # Where the loss misses nothing, all are worth the same.
        worth = rise[rows] + 1e-12
        kept = pruning.strongest(worth / worth.sum())
        nodes.append(
            tuple(
                Choice(primitives[column], part.edges[rows[row]].predecessor)
                for row, column in kept
            )
        )
    return tuple(nodes)
