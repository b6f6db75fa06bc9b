"""When a search is over before its last epoch."""

import hashlib
from collections.abc import Mapping
from collections.abc import Sequence

import numpy as np

from nppnet_tf.config import SearchConfig
from nppnet_tf.search_space import genotype as genotypes
from nppnet_tf.search_space import parts
from nppnet_tf.search_space import pruning
from nppnet_tf.search_space.primitives import MAX_POOL_3X3
from nppnet_tf.search_space.primitives import SKIP_CONNECT

# Nothing to learn in them; the ranks of the others count.
_WITHOUT_WEIGHTS = (SKIP_CONNECT, MAX_POOL_3X3)


def kept_skips(genotype: genotypes.Genotype, searched: Sequence[str]) -> int:
    """Returns the most skip connections that any searched cell keeps.

    Args:
        genotype: Derived genotype.
        searched: Names of the searched parts; an interaction is no cell.
    """
    counts = [
        sum(
            choice.primitive == SKIP_CONNECT
            for node in genotypes.nodes_of(genotype, part)
            for choice in node
        )
        for part in map(parts.named, searched)
        if part.kind != parts.INTERACTION
    ]
    return max(counts, default=0)


def ranks(
    architecture: Mapping[str, pruning.ArchitectureArrays],
    primitives: Sequence[str],
) -> str:
    """Returns a digest of the order of the learned operations on all edges."""
    columns = [
        column
        for column, name in enumerate(primitives)
        if name not in _WITHOUT_WEIGHTS
    ]
    digest = hashlib.sha256()
    for name, arrays in sorted(architecture.items()):
        order = np.argsort(-arrays.alpha[:, columns], axis=1, kind="stable")
        digest.update(f"{name} {order.tolist()}".encode())
    return digest.hexdigest()[:12]


def seen(
    genotype: genotypes.Genotype,
    architecture: Mapping[str, pruning.ArchitectureArrays],
    primitives: Sequence[str],
) -> dict[str, object]:
    """Returns what rules look at in an epoch, for its record.

    Args:
        genotype: Genotype that the epoch prunes to.
        architecture: Alpha and beta by part.
        primitives: Names in the order of alpha.
    """
    return {
        "skips": kept_skips(genotype, list(architecture)),
        "ranks": ranks(architecture, primitives),
    }


def darts_plus(history: Sequence[Mapping], config: SearchConfig) -> str:
    """Ends a search that has begun to collapse, or has decided.

    Args:
        history: Records of epochs, the present last; each holds `seen` under
            "stop_rule" where the architecture moved.
        config: Settings of the search: `stop_skips`, with how many skip
            connections of one cell it ends; `stop_stable_epochs`, after how
            many epochs in which the order of the learned operations changed
            on no edge.

    Returns:
        Why the search is over, "" where it goes on.

    Reference:
        Liang et al., DARTS+, https://arxiv.org/abs/1909.06035, Sec. 3.3, both
        criteria.
    """
    epochs = [each["stop_rule"] for each in history if "stop_rule" in each]
    if epochs and epochs[-1]["skips"] >= config.stop_skips:
        return f"a cell keeps {epochs[-1]['skips']} skip connections"
    stable = config.stop_stable_epochs
    last = [each["ranks"] for each in epochs[-stable - 1 :]]
    if len(last) == stable + 1 and len(set(last)) == 1:
        return f"no edge has changed the order of operations in {stable} epochs"
    return ""
