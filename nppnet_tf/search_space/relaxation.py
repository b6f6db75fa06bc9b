"""Relaxations by name: which weights alpha and beta stand for (Eq. 2).

A search chooses among operations and edges by degrees, and its relaxation says
by which. What stands here, in NumPy, is what reads a search: pruning, health,
records. The graph form, which a supernet learns through, is in
`nppnet_tf.layers.relaxations`; where that draws at random, what stands here is
the mean of what it draws.
"""

import os
from collections.abc import Callable
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from nppnet_tf.errors import UserError
from nppnet_tf.search_space import sources
from nppnet_tf.search_space import topology
from nppnet_tf.search_space.sources import Source
from nppnet_tf.search_space.topology import Edge

SOFTMAX = "softmax"
GUMBEL = "gumbel"
CONCRETE = "concrete"
REINMAX = "reinmax"
DIRICHLET = "dirichlet"


def softmax(values: np.ndarray) -> np.ndarray:
    """Returns the softmax over the last axis, of the same shape."""
    exponentials = np.exp(values - values.max(axis=-1, keepdims=True))
    return exponentials / exponentials.sum(axis=-1, keepdims=True)


def softmax_by_node(beta: np.ndarray, edges: Sequence[Edge]) -> np.ndarray:
    """Returns the softmax of beta over the edges into each node, [edges].

    Eq. 2: edges of one node compete, edges of two nodes do not.
    """
    weights = np.empty_like(beta)
    for rows in topology.rows_by_node(edges):
        weights[rows] = softmax(beta[rows])
    return weights


def mean_of_dirichlet(alpha: np.ndarray) -> np.ndarray:
    """Returns the mean of Dirichlet(elu(alpha) + 1), of the same shape."""
    concentration = np.where(alpha > 0, alpha + 1, np.exp(np.minimum(alpha, 0)))
    return concentration / concentration.sum(axis=-1, keepdims=True)


class Relaxation(NamedTuple):
    """A relaxation as everything but the graph knows it.

    Attributes:
        name: Name in flags, runs and saved networks.
        meaning: What it does, in a few words.
        operation_weights: Takes alpha, float64 [edges, primitives], and
            returns the weight of each operation on its edge; none is negative
            and every row sums to 1.
        edge_weights: Takes beta, float64 [edges], and the edges, and returns
            the weight of each edge in its node; those of one node sum to 1.
        source: Paper that it is from.
    """

    name: str
    meaning: str
    operation_weights: Callable[[np.ndarray], np.ndarray] = softmax
    edge_weights: Callable[[np.ndarray, Sequence[Edge]], np.ndarray] = (
        softmax_by_node
    )
    source: Source | None = None

    def shares(
        self, alpha: np.ndarray, beta: np.ndarray, edges: Sequence[Edge]
    ) -> np.ndarray:
        """Returns gamma of Eq. 2: what each operation gives to its node.

        Args:
            alpha: Float [edges, primitives].
            beta: Float [edges].
            edges: Edges in the order of alpha and beta.

        Returns:
            Float64 [edges, primitives]; the shares of one node sum to 1.

        Raises:
            ValueError: If the shapes do not fit the edges, or a value is not
                finite.
        """
        alpha = np.asarray(alpha, np.float64)
        beta = np.asarray(beta, np.float64)
        _check(alpha, beta, edges)
        operations = self.operation_weights(alpha)
        return self.edge_weights(beta, edges)[:, None] * operations


_KNOWN = {
    relaxation.name: relaxation
    for relaxation in (
        Relaxation(
            SOFTMAX,
            "all operations at once, as in the paper",
            source=sources.DARTS,
        ),
        Relaxation(
            GUMBEL,
            "one operation an edge, drawn anew in every descent",
            source=sources.GDAS,
        ),
        Relaxation(
            CONCRETE,
            "all at once, with drawn weights that become one-hot",
            source=sources.SNAS,
        ),
        Relaxation(
            REINMAX,
            "drawn as by gumbel, with a gradient of second order",
            source=sources.REINMAX,
        ),
        Relaxation(
            DIRICHLET,
            "all at once, with weights drawn from Dirichlet(elu(alpha) + 1)",
            mean_of_dirichlet,
            source=sources.DRNAS,
        ),
    )
}

PAPER = _KNOWN[SOFTMAX]


def known() -> tuple[Relaxation, ...]:
    """Returns every relaxation there is, the paper's first."""
    return tuple(_KNOWN.values())


def named(name: str, file: str | os.PathLike[str] | None = None) -> Relaxation:
    """Returns a relaxation by its name.

    Args:
        name: Name of the relaxation.
        file: That holds the name, where a file does.

    Raises:
        UserError: If there is none.
    """
    if name not in _KNOWN:
        raise UserError(
            "unknown relaxation",
            "relaxation" if file is None else f"{file}, relaxation",
            ", ".join(_KNOWN),
            name,
        )
    return _KNOWN[name]


def register(relaxation: Relaxation) -> None:
    """Makes searches and what reads them know a relaxation.

    `nppnet_tf.layers.relaxations.table.register` does it, and adds its graph
    form.

    Raises:
        ValueError: If there is a relaxation of this name.
    """
    if relaxation.name in _KNOWN:
        raise ValueError(
            f"There is such a relaxation. Received: {relaxation.name}"
        )
    _KNOWN[relaxation.name] = relaxation


def _check(alpha: np.ndarray, beta: np.ndarray, edges: Sequence[Edge]) -> None:
    if alpha.ndim != 2 or alpha.shape[:1] != beta.shape:
        raise ValueError(
            "alpha must be [edges, primitives] and beta [edges]. "
            f"Received: alpha.shape={alpha.shape}, beta.shape={beta.shape}"
        )
    if len(edges) != len(beta):
        raise ValueError(
            "alpha and beta must have a row per edge. "
            f"Received: {len(beta)} rows for {len(edges)} edges"
        )
    if not (np.isfinite(alpha).all() and np.isfinite(beta).all()):
        raise ValueError(
            "Shares need finite parameters. Received: a value that is not"
        )
