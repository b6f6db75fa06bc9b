"""How decided a search is: entropies and shares of every part."""

from collections.abc import Mapping
from collections.abc import Sequence

import numpy as np

from nppnet_tf.search_space import parts
from nppnet_tf.search_space import pruning
from nppnet_tf.search_space.primitives import SKIP_CONNECT
from nppnet_tf.search_space.relaxation import Relaxation


def part_health(
    part: str,
    arrays: pruning.ArchitectureArrays,
    primitives: Sequence[str],
    relaxation: Relaxation,
) -> dict[str, float]:
    """Measures one part; every value is a mean over its nodes or edges.

    Args:
        part: Name of the part, "pose/fusion".
        arrays: alpha and beta of the part.
        primitives: Names in the order of alpha.
        relaxation: Relaxation of the search.

    Returns:
        "entropy": of the operations on an edge, nats, log n where nothing is
        preferred (Eq. 8). "largest_share": the largest gamma of a node.
        "skip_share": the sum of gamma of a node's skip connections, whose
        growth is how such a search collapses.
    """
    edges = parts.named(part).edges
    gamma = relaxation.shares(*arrays, edges)
    nodes = np.array([edge.node for edge in edges])
    groups = [gamma[nodes == node] for node in np.unique(nodes)]
    skips = [name == SKIP_CONNECT for name in primitives]
    edge = gamma.sum(axis=1, keepdims=True)
    # An edge without weight has nothing to decide.
    operation = gamma / np.where(edge > 0, edge, 1.0)
    # An operation without weight adds nothing, and log 0 is not computed.
    logs = np.log(np.where(operation > 0, operation, 1.0))
    return {
        "entropy": float(-(operation * logs).sum(axis=1).mean()),
        "largest_share": float(np.mean([group.max() for group in groups])),
        "skip_share": float(
            np.mean([group[:, skips].sum() for group in groups])
        ),
    }


def search_health(
    architecture: Mapping[str, pruning.ArchitectureArrays],
    primitives: Sequence[str],
    relaxation: Relaxation,
) -> dict[str, object]:
    """Measures all parts; arguments as of `part_health`, by part.

    Returns:
        "entropy_mean": over the edges of all parts; "parts": `part_health` by
        part.
    """
    parts = {
        part: part_health(part, arrays, primitives, relaxation)
        for part, arrays in architecture.items()
    }
    weights = [len(arrays.beta) for arrays in architecture.values()]
    entropies = [part["entropy"] for part in parts.values()]
    return {
        "entropy_mean": float(np.average(entropies, weights=weights)),
        "parts": parts,
    }
