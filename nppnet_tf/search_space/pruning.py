"""Derives a genotype from architecture parameters (Sec. 4.3).

Two schemes, both on the shares that the relaxation of the search gives (Eq. 2).
Cells (encoder-decoder and fusion) keep, as DARTS does, two edges per node with
one operation each. The interaction keeps per node the strongest operations
until their shares sum to 0.7, four at most, and may keep several on one edge.
Everything here is NumPy and the same on every machine: of equal shares the one
whose edge, then whose primitive, comes first is taken.

Departs from the release: its search for the next strongest operation finds
the first one again where two shares are exactly equal, so that it keeps one
(operation, edge) up to four times at the first values of alpha. Ours are always
distinct.
"""

from collections.abc import Mapping
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from nppnet_tf.search_space import genotype as genotypes
from nppnet_tf.search_space import parts
from nppnet_tf.search_space import topology
from nppnet_tf.search_space.relaxation import PAPER
from nppnet_tf.search_space.relaxation import Relaxation

EDGES_PER_CELL_NODE = 2
INTERACTION_SHARE = 0.7
MAX_INTERACTION_CHOICES = 4


class ArchitectureArrays(NamedTuple):
    """The parameters of one searched part.

    Attributes:
        alpha: Float [edges, primitives].
        beta: Float [edges].
    """

    alpha: np.ndarray
    beta: np.ndarray


def prune_cell(
    alpha: np.ndarray,
    beta: np.ndarray,
    primitives: Sequence[str],
    num_inputs: int = topology.CELL_INPUTS,
    relaxation: Relaxation = PAPER,
) -> genotypes.CellGene:
    """Keeps the two strongest edges of every node, one operation on each.

    The strength of an edge is the largest share on it (DARTS pruning with the
    shares of Eq. 2).

    Args:
        alpha: Float [edges, primitives], edges as `topology.cell_edges` has
            them.
        beta: Float [edges].
        primitives: Names in the order of alpha.
        num_inputs: Inputs of the cell: 2, or 3 of a fusion cell.
        relaxation: Relaxation of the search.

    Returns:
        A gene whose nodes name the stronger edge first.
    """
    edges = topology.cell_edges(num_inputs)
    gamma = relaxation.shares(alpha, beta, edges)
    nodes = []
    for rows in topology.rows_by_node(edges):
        order = np.argsort(-gamma[rows].max(axis=1), kind="stable")
        kept = [rows[i] for i in order[:EDGES_PER_CELL_NODE]]
        nodes.append(
            tuple(
                _choice(primitives, gamma[i].argmax(), edges[i]) for i in kept
            )
        )
    return genotypes.CellGene(tuple(nodes))


def prune_interaction(
    alpha: np.ndarray,
    beta: np.ndarray,
    primitives: Sequence[str],
    relaxation: Relaxation = PAPER,
) -> tuple[genotypes.Node, ...]:
    """Keeps per level the strongest operations: 0.7 of the share, at most 4.

    Args:
        alpha: Float [28, primitives], edges as `topology.interaction_edges`
            has them.
        beta: Float [28].
        primitives: Names in the order of alpha.
        relaxation: Relaxation of the search.

    Returns:
        One node per level, its strongest choice first.
    """
    edges = topology.interaction_edges()
    gamma = relaxation.shares(alpha, beta, edges)
    nodes = []
    for rows in topology.rows_by_node(edges):
        nodes.append(
            tuple(
                _choice(primitives, operation, edges[rows[row]])
                for row, operation in strongest(gamma[rows])
            )
        )
    return tuple(nodes)


def strongest(shares: np.ndarray) -> list[tuple[int, int]]:
    """Returns what a level of the interaction keeps: 0.7, at most 4.

    Args:
        shares: Float [edges, primitives] of the level, with sum 1.

    Returns:
        (edge, primitive) by their numbers, the strongest first.
    """
    flat = shares.ravel()
    order = np.argsort(-flat, kind="stable")[:MAX_INTERACTION_CHOICES]
    # A choice is taken as long as those before it hold less than 0.7.
    before = np.cumsum(flat[order]) - flat[order]
    kept = order[before < INTERACTION_SHARE]
    return list(zip(*np.unravel_index(kept, shares.shape), strict=True))


def derive(
    genotype: genotypes.Genotype,
    parameters: Mapping[str, ArchitectureArrays],
    primitives: Sequence[str],
    relaxation: Relaxation,
) -> genotypes.Genotype:
    """Fills every searched part of a genotype; leaves the others untouched.

    Args:
        genotype: Genotype with `SEARCH` in the parts to fill.
        parameters: Alpha and beta by part: "pose/normal", "pose/reduction",
            "pose/decoding", "pose/interaction", "pose/fusion", and the same of
            "parsing".
        primitives: Names in the order of alpha.
        relaxation: Relaxation of the search.

    Raises:
        ValueError: If parameters of a searched part are missing.
    """
    searched = genotypes.searched_parts(genotype)
    missing = {part.name for part in searched} - set(parameters)
    if missing:
        raise ValueError(
            "Every searched part needs its parameters. "
            f"Received: parameters of {sorted(parameters)}, "
            f"without {sorted(missing)}"
        )
    return genotypes.filled(
        genotype,
        {
            part: _prune(part, *parameters[part.name], primitives, relaxation)
            for part in searched
        },
    )


def kept_shares(
    genotype: genotypes.Genotype,
    parameters: Mapping[str, ArchitectureArrays],
    primitives: Sequence[str],
    relaxation: Relaxation,
) -> dict[str, float]:
    """Returns how much of the share the kept operations of each part hold.

    What pruning throws away, 1 minus this, is the gap between supernet and
    derived network.

    Args:
        genotype: Derived from the parameters.
        parameters: Alpha and beta by part.
        primitives: Names in the order of alpha.
        relaxation: Relaxation of the search.

    Returns:
        By part the mean over its nodes, 0 to 1.
    """
    kept = {}
    for name, arrays in parameters.items():
        part = parts.named(name)
        gamma = relaxation.shares(*arrays, part.edges)
        nodes = genotypes.places_of(genotype, part, primitives)
        total = sum(gamma[place] for places in nodes for place in places)
        kept[name] = float(total / len(nodes))
    return kept


def _prune(
    part: parts.Part,
    alpha: np.ndarray,
    beta: np.ndarray,
    primitives: Sequence[str],
    relaxation: Relaxation,
) -> tuple[genotypes.Node, ...]:
    if part.kind == parts.INTERACTION:
        return prune_interaction(alpha, beta, primitives, relaxation)
    return prune_cell(
        alpha, beta, primitives, part.num_inputs, relaxation
    ).nodes


def _choice(
    primitives: Sequence[str], operation: int, edge: topology.Edge
) -> genotypes.Choice:
    return genotypes.Choice(primitives[int(operation)], edge.predecessor)
