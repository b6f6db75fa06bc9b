"""Genotypes drawn at random: what a search has to be better than.

Every node draws what pruning may leave it (Sec. 4.3): two edges of a cell with
one operation on each; in the interaction one to four operations, perhaps
several on one edge.

Reference:
    Li and Talwalkar, https://arxiv.org/abs/1902.07638: without a random
    baseline of the same space nothing is said about a search.
"""

from collections.abc import Callable

import numpy as np

from nppnet_tf.errors import UserError
from nppnet_tf.search_space import genotype as genotypes
from nppnet_tf.search_space import parts
from nppnet_tf.search_space import pruning
from nppnet_tf.search_space.space import PAPER
from nppnet_tf.search_space.space import SearchSpace

# Changes of one node, for each node: to reach a cost, and then to forget the
# way there.
_SWEEPS_TO_REACH = 200
_SWEEPS_TO_FORGET = 10

_Nodes = dict[parts.Part, list[genotypes.Node]]


def draw(
    start: genotypes.Genotype,
    random: np.random.Generator,
    space: SearchSpace = PAPER,
) -> genotypes.Genotype:
    """Fills every searched part of a genotype at random.

    Args:
        start: Genotype with "search" in the parts to draw: `stages.start`.
        random: Where the draws come from; equal generators draw the same.
        space: Operations to choose from.
    """
    return genotypes.filled(start, _frozen(_draw_nodes(start, random, space)))


def draw_within(
    start: genotypes.Genotype,
    random: np.random.Generator,
    cost: Callable[[genotypes.Genotype], float],
    target: float,
    band: float = 0.05,
    space: SearchSpace = PAPER,
) -> genotypes.Genotype:
    """Draws a genotype of a given cost.

    A walk that draws one node anew at a time: first it only comes nearer to
    the cost, then it goes on inside the band for so long that every node has
    been drawn some ten times. So it ends anywhere in the band, as draws from
    everywhere would that are thrown away outside of it, and takes milliseconds
    where hardly any such draw would be kept.

    Args:
        start: Genotype with "search" in the parts to draw.
        random: Where the draws come from.
        cost: Cost of a derived genotype, positive, mostly
            `models.choice_costs.ChoiceCosts.gmac`.
        target: Cost asked for, in the unit of `cost`.
        band: Relative distance from the target that is allowed.
        space: Operations to choose from.

    Raises:
        UserError: If the walk does not reach such a cost.
    """
    nodes = _draw_nodes(start, random, space)
    places = [
        (part, node) for part in nodes for node in range(len(nodes[part]))
    ]
    found = genotypes.filled(start, _frozen(nodes))
    present = cost(found)
    left = _SWEEPS_TO_REACH * len(places)
    inside = 0
    while left and inside < _SWEEPS_TO_FORGET * len(places):
        part, node = places[random.integers(len(places))]
        kept = nodes[part][node]
        nodes[part][node] = _draw_node(part, node, random, space)
        tried = genotypes.filled(start, _frozen(nodes))
        tried_cost = cost(tried)
        if abs(tried_cost - target) <= max(
            band * target, abs(present - target)
        ):
            found, present = tried, tried_cost
        else:
            nodes[part][node] = kept
        is_inside = abs(present - target) <= band * target
        inside += is_inside
        left -= not is_inside
    if abs(present - target) > band * target:
        raise UserError(
            "no random genotype of such a cost",
            "`target_gmac`",
            f"what the search space has, such as {present:.4g}",
            f"{target:.4g}",
        )
    return found


def _draw_nodes(
    start: genotypes.Genotype, random: np.random.Generator, space: SearchSpace
) -> _Nodes:
    return {
        part: [
            _draw_node(part, node, random, space)
            for node in range(len(part.node_rows))
        ]
        for part in genotypes.searched_parts(start)
    }


def _draw_node(
    part: parts.Part,
    node: int,
    random: np.random.Generator,
    space: SearchSpace,
) -> genotypes.Node:
    sources = [part.edges[row].predecessor for row in part.node_rows[node]]
    names = space.primitives
    if part.kind == parts.INTERACTION:
        most = min(pruning.MAX_INTERACTION_CHOICES, len(sources) * len(names))
        count = random.integers(1, most + 1)
        drawn = random.choice(len(sources) * len(names), count, replace=False)
        pairs = [divmod(int(number), len(names)) for number in drawn]
    else:
        rows = random.choice(
            len(sources), pruning.EDGES_PER_CELL_NODE, replace=False
        )
        pairs = [(int(row), int(random.integers(len(names)))) for row in rows]
    return tuple(
        genotypes.Choice(names[operation], sources[row])
        for row, operation in pairs
    )


def _frozen(nodes: _Nodes) -> dict[parts.Part, tuple[genotypes.Node, ...]]:
    return {part: tuple(choices) for part, choices in nodes.items()}
