"""Searches for a budget: what the derived network is to cost.

Two things lead to it. While the search goes on, the expected cost is a term of
the architecture's objective, whose weight grows as long as the target is missed
(`BudgetTerm`). When a genotype is derived, choices whose shares are nearly
equal are exchanged until its own cost, counted choice by choice, is near the
target (`Budget.select`).
"""

import dataclasses
import os
from collections.abc import Iterator
from collections.abc import Mapping
from typing import Any
from typing import NamedTuple

import keras
import numpy as np
import tensorflow as tf

from nppnet_tf.config import NetworkConfig
from nppnet_tf.config import SearchConfig
from nppnet_tf.errors import UserError
from nppnet_tf.layers.architecture import ArchitectureParameters
from nppnet_tf.models import choice_costs
from nppnet_tf.models import expected_cost
from nppnet_tf.models import latency_table as latency_tables
from nppnet_tf.models.choice_costs import ChoiceCosts
from nppnet_tf.models.latency_table import LatencyTable
from nppnet_tf.search_space import genotype as genotypes
from nppnet_tf.search_space import parts
from nppnet_tf.search_space import pruning
from nppnet_tf.search_space import topology
from nppnet_tf.search_space.relaxation import Relaxation
from nppnet_tf.search_space.space import PAPER
from nppnet_tf.search_space.space import SearchSpace

GMAC = "GMAC"
MILLISECONDS = "ms"

# What derived networks keep to; half of the tenth that is promised.
BAND = 0.05

# Of the term: what a missed target weighs at once, and what each step adds
# while it is missed. At these, and gradients as searches have them, targets are
# met after 10 to 20 steps without swinging. The last keeps the weight of a
# target that other terms do not allow from growing without end.
_PROPORTION = 20.0
_ASCENT = 2.0
_MOST = 20.0


class _Move(NamedTuple):
    """An exchange of choices of one node.

    Attributes:
        loss: Share that the node loses, negative where it gains.
        change: Change of the cost.
        node: The choices after it, (row, operation).
    """

    loss: float
    change: float
    node: tuple[tuple[int, int], ...]


@dataclasses.dataclass(frozen=True)
class Budget:
    """A target, and what every choice adds to it.

    Attributes:
        target: Cost of the derived network, in `unit`.
        costs: What every choice costs.
        unit: "GMAC" or "ms".
    """

    target: float
    costs: ChoiceCosts
    unit: str = GMAC

    @property
    def per_unit(self) -> float:
        """Costs of the table in one unit of the target."""
        return 1e9 if self.unit == GMAC else 1.0

    def cost(self, genotype: genotypes.Genotype) -> float:
        """Returns what a derived genotype costs, in `unit`."""
        return self.costs.of(genotype) / self.per_unit

    def limits(self) -> tuple[float, float]:
        """Returns the least and the largest cost of the space, in `unit`."""
        least = most = float(self.costs.fixed)
        for name, table in self.costs.tables.items():
            part = parts.named(name)
            for rows in part.node_rows:
                cheapest, dearest = _node_limits(part, table[rows])
                least, most = least + cheapest, most + dearest
        return least / self.per_unit, most / self.per_unit

    def require_reachable(self, where: str) -> None:
        """Raises UserError where no network of the space costs so much.

        Args:
            where: What the message calls the target.
        """
        least, most = self.limits()
        if not least * (1 - BAND) <= self.target <= most * (1 + BAND):
            raise UserError(
                "no network of this search space has such a cost",
                where,
                f"{least:.4g} to {most:.4g} {self.unit}",
                f"{self.target:.4g}",
            )

    def select(
        self,
        genotype: genotypes.Genotype,
        parameters: Mapping[str, pruning.ArchitectureArrays],
        relaxation: Relaxation,
    ) -> genotypes.Genotype:
        """Exchanges choices of a derived genotype until it keeps to the target.

        One after the other, and of all exchanges that come nearer to the
        target that which loses the least share for its change of the cost. A
        genotype within the band stays as it is.

        Args:
            genotype: What pruning keeps.
            parameters: Alpha and beta of the searched parts, by part.
            relaxation: Relaxation of the search.
        """
        left = (self.target - self.cost(genotype)) * self.per_unit
        band = BAND * self.target * self.per_unit
        if abs(left) <= band:
            return genotype
        nodes = self._kept(genotype, parameters, relaxation)
        while abs(left) > band:
            places = [
                (move.loss / min(abs(move.change), abs(left)), index, move)
                for index, node in enumerate(nodes)
                for move in [node.best_move(left)]
                if move is not None
            ]
            if not places:
                break
            _, index, move = min(places, key=lambda place: place[:2])
            nodes[index] = nodes[index]._replace(kept=move.node)
            left -= move.change
        return self._replaced(genotype, nodes)

    def to_plain(self) -> dict[str, Any]:
        """Returns values that JSON can hold, for `from_plain`."""
        return {
            "target": self.target,
            "unit": self.unit,
            "fixed": self.costs.fixed,
            "tables": {k: v.tolist() for k, v in self.costs.tables.items()},
            "primitives": list(self.costs.primitives),
        }

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> "Budget":
        """Returns what `to_plain` was made of."""
        tables = {k: np.array(v) for k, v in plain["tables"].items()}
        costs = ChoiceCosts(plain["fixed"], tables, tuple(plain["primitives"]))
        return cls(plain["target"], costs, plain["unit"])

    def _kept(self, genotype, parameters, relaxation) -> list["_Node"]:
        """Every searched node, with its shares, costs and choices."""
        found = []
        for name, table in self.costs.tables.items():
            part = parts.named(name)
            gamma = relaxation.shares(*parameters[name], part.edges)
            nodes = genotypes.places_of(genotype, part, self.costs.primitives)
            for rows, places in zip(part.node_rows, nodes, strict=True):
                kept = tuple(
                    (rows.index(row), operation) for row, operation in places
                )
                found.append(_Node(part, gamma[rows], table[rows], kept))
        return found

    def _replaced(self, genotype, nodes: list["_Node"]) -> genotypes.Genotype:
        """Puts the choices of nodes into a genotype."""
        names = self.costs.primitives
        found: dict[parts.Part, list[genotypes.Node]] = {}
        for node in nodes:
            strongest = sorted(node.kept, key=lambda c: -node.shares[c])
            choices = tuple(
                # A node's edges come from the states from 0 on.
                genotypes.Choice(names[operation], row)
                for row, operation in strongest
            )
            found.setdefault(node.part, []).append(choices)
        fields = {part.field: genotypes.SEARCH for part in found}
        return genotypes.filled(
            dataclasses.replace(genotype, **fields),
            {part: tuple(choices) for part, choices in found.items()},
        )


def brought_to(
    budget: Budget | None,
    genotype: genotypes.Genotype,
    parameters: Mapping[str, pruning.ArchitectureArrays],
    relaxation: Relaxation,
) -> genotypes.Genotype:
    """Returns what a budget selects, or the genotype where there is none.

    Args:
        budget: Budget of the search.
        genotype: What pruning, or another selection, keeps.
        parameters: Alpha and beta of the searched parts, by part.
        relaxation: Relaxation of the search.
    """
    if budget is None:
        return genotype
    return budget.select(genotype, parameters, relaxation)


class Goal(NamedTuple):
    """What a search is asked to aim at, before any cost is counted.

    Attributes:
        target: Cost asked for.
        config: Size of the derived network that is meant.
        image_size: (height, width) of its input.
        latencies: What operations take, or None where they are counted.
    """

    target: float
    config: NetworkConfig
    image_size: tuple[int, int]
    latencies: LatencyTable | None = None

    def budget(
        self, start: genotypes.Genotype, space: SearchSpace = PAPER
    ) -> Budget:
        """Counts what every choice costs, or looks it up.

        Args:
            start: Genotype with "search" in the parts that are chosen.
            space: Operations to choose from.

        Raises:
            UserError: If no network costs so much, or the table lacks an
                operation.
        """
        if self.latencies is None:
            costs = choice_costs.measure(
                start, self.config, self.image_size, space
            )
            budget = Budget(self.target, costs)
        else:
            costs = self.latencies.costs(
                start, self.config, self.image_size, space
            )
            budget = Budget(self.target, costs, MILLISECONDS)
        budget.require_reachable(f"`target_{budget.unit.lower()}`")
        return budget


def goal_of(
    schedule: SearchConfig,
    network: NetworkConfig,
    image_size: tuple[int, int],
    latency_table: str | os.PathLike[str] | None = None,
) -> Goal | None:
    """Returns what a configuration of a search aims at, if at any cost.

    Args:
        schedule: The configuration.
        network: Size of the searched network.
        image_size: (height, width) of its input.
        latency_table: File that says what operations take.

    Raises:
        UserError: If two targets are given, or a target and its table do not
            come together; or no network has the size that is meant.
    """
    found = schedule.target_gmac, schedule.target_ms
    if None not in found:
        raise UserError(
            "one target too many", "`target_gmac`, `target_ms`", "one", "both"
        )
    if (schedule.target_ms is None) != (latency_table is None):
        raise UserError(
            "a target in milliseconds and a table of latencies go together",
            "`target_ms`, `latency_table`",
            "both",
            "one of them",
        )
    if found == (None, None):
        return None
    meant = dataclasses.replace(
        network,
        channels=schedule.target_channels or network.channels,
        cells=schedule.target_cells or network.cells,
    )
    topology.check_sizes(meant, place="`target_{}`")
    table = latency_table and latency_tables.read(latency_table)
    target = next(target for target in found if target is not None)
    size = schedule.target_image_size or image_size
    return Goal(target, meant, tuple(size), table)


class _Node(NamedTuple):
    """One node while its choices are exchanged.

    Attributes:
        part: Part of the node.
        shares: gamma, [edges of the node, primitives].
        costs: Costs of the same.
        kept: Choices, (edge, operation).
    """

    part: parts.Part
    shares: np.ndarray
    costs: np.ndarray
    kept: tuple[tuple[int, int], ...]

    def best_move(self, left: float) -> _Move | None:
        """Returns the exchange that loses least for what it brings.

        Args:
            left: Cost that is missing, negative where it is too much.
        """
        moves = (
            move
            for move in self._moves()
            if abs(left - move.change) < abs(left)
        )
        return min(
            moves,
            key=lambda move: move.loss / min(abs(move.change), abs(left)),
            default=None,
        )

    def _moves(self) -> Iterator[_Move]:
        is_interaction = self.part.kind == parts.INTERACTION
        for place, old in enumerate(self.kept):
            others = (*self.kept[:place], *self.kept[place + 1 :])
            if is_interaction and others:
                yield self._move(others, old, None)
            # Two edges of a cell are never the same.
            taken = () if is_interaction else [row for row, _ in others]
            for new in np.ndindex(self.shares.shape):
                if new not in self.kept and new[0] not in taken:
                    yield self._move((*others, new), old, new)
        most = pruning.MAX_INTERACTION_CHOICES
        if is_interaction and len(self.kept) < most:
            for new in np.ndindex(self.shares.shape):
                if new not in self.kept:
                    yield self._move((*self.kept, new), None, new)

    def _move(self, node, old, new) -> _Move:
        def difference(values: np.ndarray) -> float:
            return (0.0 if new is None else float(values[new])) - (
                0.0 if old is None else float(values[old])
            )

        return _Move(-difference(self.shares), difference(self.costs), node)


class BudgetTerm:
    """The expected cost as a term of the architecture's objective.

    Its weight is a multiplier: each step of the architecture adds to it in
    proportion to what the target is missed by, upwards or downwards, so that it
    ends where it holds the cost at the target against all other terms.

    Args:
        budget: The budget.

    Attributes:
        pull: The multiplier, a variable; a checkpoint holds it.
    """

    def __init__(self, budget: Budget) -> None:
        self.budget = budget
        self.pull = keras.Variable(
            0.0,
            trainable=False,
            autocast=False,
            aggregation="only_first_replica",
            name="pull",
        )

    def value(
        self, architecture: Mapping[str, ArchitectureParameters]
    ) -> tf.Tensor:
        """Returns the term.

        Args:
            architecture: Parameters of every searched part, by its name.
        """
        missed = tf.stop_gradient(self._missed(architecture))
        relative = self.relative_cost(architecture)
        return (self.pull.value + _PROPORTION * missed) * relative

    def _missed(self, architecture):
        """How far what pruning would find now is from the target."""
        cost = expected_cost.expected_cost(
            architecture, self.budget.costs, expected_cost.DECIDED
        )
        return cost / (self.budget.target * self.budget.per_unit) - 1.0

    def relative_cost(self, architecture: Mapping[str, ArchitectureParameters]):
        """Returns the expected cost, as a share of the target."""
        cost = expected_cost.expected_cost(architecture, self.budget.costs)
        return cost / (self.budget.target * self.budget.per_unit)

    def ascend(
        self, architecture: Mapping[str, ArchitectureParameters]
    ) -> None:
        """Moves the multiplier by what the target is missed by.

        Args:
            architecture: Parameters of every searched part, by its name.
        """
        pull = self.pull.value + _ASCENT * self._missed(architecture)
        self.pull.assign(tf.clip_by_value(pull, -_MOST, _MOST))


def _node_limits(part: parts.Part, costs: np.ndarray) -> tuple[float, float]:
    """The least and the largest cost of one node's choices."""
    if part.kind == parts.INTERACTION:
        ordered = np.sort(costs.ravel())
        most = ordered[-pruning.MAX_INTERACTION_CHOICES :]
        return float(ordered[0]), float(most.sum())
    count = pruning.EDGES_PER_CELL_NODE
    least = np.sort(costs.min(axis=1))[:count]
    return float(least.sum()), float(np.sort(costs.max(axis=1))[-count:].sum())
