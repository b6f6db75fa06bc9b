"""How a search fares: what every epoch tells of it, in numbers."""

import math
from collections import Counter
from collections.abc import Mapping
from collections.abc import Sequence

import keras
import numpy as np

from nppnet_tf.losses import terms
from nppnet_tf.search_space import genotype as genotypes
from nppnet_tf.search_space import parts
from nppnet_tf.search_space import pruning
from nppnet_tf.search_space.primitives import MAX_POOL_3X3
from nppnet_tf.search_space.primitives import POOLED_CONV
from nppnet_tf.search_space.primitives import SKIP_CONNECT
from nppnet_tf.search_space.relaxation import Relaxation
from nppnet_tf.training.adam import slots

POOLING = (MAX_POOL_3X3, POOLED_CONV)

# How many epochs ago the genotypes were that one is compared with.
AGREEMENT_EPOCHS = (1, 5)


def part_health(
    part: str,
    arrays: pruning.ArchitectureArrays,
    primitives: Sequence[str],
    relaxation: Relaxation,
) -> dict[str, object]:
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
        growth is how such a search collapses. "pooling_share": the same of
        poolings. "shares": the same of every operation, by name.
    """
    found = parts.named(part)
    gamma = relaxation.shares(*arrays, found.edges)
    groups = [gamma[rows] for rows in found.node_rows]
    edge = gamma.sum(axis=1, keepdims=True)
    # An edge without weight has nothing to decide.
    operation = gamma / np.where(edge > 0, edge, 1.0)
    # An operation without weight adds nothing, and log 0 is not computed.
    logs = np.log(np.where(operation > 0, operation, 1.0))
    shares = np.mean([group.sum(axis=0) for group in groups], axis=0)
    by_name = dict(zip(primitives, map(float, shares), strict=True))
    return {
        "entropy": float(-(operation * logs).sum(axis=1).mean()),
        "largest_share": float(np.mean([group.max() for group in groups])),
        "skip_share": by_name.get(SKIP_CONNECT, 0.0),
        "pooling_share": sum(by_name.get(name, 0.0) for name in POOLING),
        "shares": by_name,
    }


def search_health(
    architecture: Mapping[str, pruning.ArchitectureArrays],
    primitives: Sequence[str],
    relaxation: Relaxation,
    derived: genotypes.Genotype,
) -> dict[str, object]:
    """Measures all parts; arguments as of `part_health`, by part.

    Args:
        architecture: alpha and beta by part.
        primitives: Names in the order of alpha.
        relaxation: Relaxation of the search.
        derived: What pruning keeps of them.

    Returns:
        "entropy_mean": over the edges of all parts; "alpha_spread": standard
        deviation of alpha over the operations of an edge, root mean square
        over all edges, 0 where nothing is preferred; "parts": `part_health` by
        part, with "kept_skips": the share of skip connections among the
        operations that pruning keeps.
    """
    found = {
        part: part_health(part, arrays, primitives, relaxation)
        for part, arrays in architecture.items()
    }
    for part, values in found.items():
        kept = [choice.primitive for _, choice in choices(derived, part)]
        values["kept_skips"] = kept.count(SKIP_CONNECT) / max(len(kept), 1)
    weights = [len(arrays.beta) for arrays in architecture.values()]
    entropies = [part["entropy"] for part in found.values()]
    spreads = np.concatenate(
        [arrays.alpha.var(axis=1) for arrays in architecture.values()]
    )
    return {
        "entropy_mean": float(np.average(entropies, weights=weights)),
        "alpha_spread": float(np.sqrt(spreads.mean(dtype=np.float64))),
        "parts": found,
    }


def choices(
    genotype: genotypes.Genotype, part: str
) -> list[tuple[int, genotypes.Choice]]:
    """Returns the choices of a part, each with the number of its node."""
    nodes = genotypes.nodes_of(genotype, parts.named(part))
    return [
        (number, choice) for number, node in enumerate(nodes) for choice in node
    ]


def agreement(
    genotype: genotypes.Genotype,
    other: genotypes.Genotype,
    searched: Sequence[str],
) -> float:
    """Returns how much of two genotypes is equal, 0..1.

    Twice the common choices by those of both: of cells, the share of the kept
    operations that stayed.

    Args:
        genotype: Derived from the search.
        other: Derived from the same search at another time.
        searched: Names of the parts to compare.
    """
    common = total = 0
    for part in searched:
        ours = Counter(choices(genotype, part))
        theirs = Counter(choices(other, part))
        common += (ours & theirs).total()
        total += ours.total() + theirs.total()
    return 2 * common / total if total else 1.0


def loss_gaps(
    losses: Mapping[str, float], prefix: str = "architecture_"
) -> dict[str, float]:
    """Returns how much worse the half is that no weight was fitted to.

    Args:
        losses: Means of an epoch on both halves, by name.
        prefix: What the names of losses on the architecture half begin with.

    Returns:
        Architecture loss / weight loss - 1 by the term of the loss; nothing
        where the architecture did not move. Not of the total, which weights of
        the tasks turn negative.
    """
    gaps = {}
    for term in terms.TERMS:
        ours, theirs = losses.get(term.name), losses.get(prefix + term.name)
        if ours and theirs is not None and math.isfinite(theirs / ours):
            gaps[term.name] = theirs / ours - 1
    return gaps


def gradient_norm(optimizer: keras.optimizers.Optimizer) -> float | None:
    """Returns the norm of the gradient that Adam remembers.

    The root of its bias-corrected second moment, summed over all variables:
    the root mean square of the norm over the last thousand steps or so. What
    descends computes nothing for it, so that no step differs.

    Args:
        optimizer: An `Adam`; None is returned for any other that remembers no
            second moment.
    """
    moments = slots(optimizer, "velocity")
    beta = getattr(optimizer, "beta_2", None)
    steps = int(keras.ops.convert_to_numpy(optimizer.iterations))
    if not moments or beta is None or not steps:
        return None
    total = sum(
        float(keras.ops.convert_to_numpy(moment).sum(dtype=np.float64))
        for moment in moments
    )
    return math.sqrt(max(total, 0.0) / (1.0 - float(beta) ** steps))


def gradient_norms(
    weights: keras.optimizers.Optimizer,
    architecture: keras.optimizers.Optimizer,
) -> dict[str, float]:
    """Returns both norms and the ratio of architecture to weights.

    Empty where one of them has not moved, or remembers none.
    """
    of_weights = gradient_norm(weights)
    of_architecture = gradient_norm(architecture)
    if of_weights is None or of_architecture is None:
        return {}
    return {
        "weights": of_weights,
        "architecture": of_architecture,
        "ratio": of_architecture / max(of_weights, 1e-30),
    }
