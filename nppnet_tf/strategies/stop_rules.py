"""When a search is over, or weights of it have learned enough."""

import hashlib
from collections.abc import Mapping
from collections.abc import Sequence

import keras
import numpy as np
import tensorflow as tf

from nppnet_tf.config import SearchConfig
from nppnet_tf.search_space import genotype as genotypes
from nppnet_tf.search_space import parts
from nppnet_tf.search_space import pruning
from nppnet_tf.search_space.primitives import MAX_POOL_3X3
from nppnet_tf.search_space.primitives import SKIP_CONNECT

# Nothing to learn in them; the ranks of the others count.
_WITHOUT_WEIGHTS = (SKIP_CONNECT, MAX_POOL_3X3)


class StopRule:
    """What ends a search, or the learning of some weights; this one nothing.

    After every epoch in which the architecture moves, a search asks it what is
    `seen` and for what `reason` it is over. Where the rule watches `weights`,
    it is shown their gradients between the descents (`compare`); what it then
    marks as `held` stands still in all descents that follow.

    Args:
        config: Settings of the search.
        network: Supernet of the search.

    Attributes:
        compares: Whether rules of the class watch weights.
        compare_every: Steps between two comparisons.
        weights: Weights of the network that it watches.
        held: Variable [weights], which `compare` assigns: 1 where one stands
            still. None where the rule only looks.
        variables: All that it remembers; checkpoints hold it.
    """

    compares = False

    def __init__(self, config: SearchConfig, network: keras.Model) -> None:
        del network
        self.config = config
        self.compare_every = config.compare_every
        self.weights: Sequence[keras.Variable] = ()
        self.held: keras.Variable | None = None
        self.variables: Sequence[keras.Variable] = ()

    def compare(self, ours: Sequence, theirs: Sequence) -> None:
        """Is shown gradients of the loss by `weights`, in a traced graph.

        Args:
            ours: On the half of the data that weights learn from, those of
                the whole batch on every replica.
            theirs: On the half that alpha and beta learn from, at the same
                weights.
        """

    @property
    def held_weights(self) -> list[keras.Variable]:
        """Those of `weights` that stand still by now."""
        if self.held is None:
            return []
        held = keras.ops.convert_to_numpy(self.held)
        return [w for w, h in zip(self.weights, held, strict=True) if h]

    def without_held(
        self, variables: Sequence[keras.Variable], gradients: Sequence
    ) -> Sequence:
        """Returns the gradients of variables, 0 where one is held."""
        if self.held is None:
            return gradients
        moves = tf.unstack(1 - self.held.value)
        factors = dict(zip(map(id, self.weights), moves, strict=True))
        return [
            gradient * tf.cast(factors[id(variable)], gradient.dtype)
            if id(variable) in factors
            else gradient
            for variable, gradient in zip(variables, gradients, strict=True)
        ]

    def seen(
        self,
        genotype: genotypes.Genotype,
        architecture: Mapping[str, pruning.ArchitectureArrays],
        primitives: Sequence[str],
    ) -> dict[str, object]:
        """Returns what it looks at in an epoch, for its record.

        Args:
            genotype: Genotype that the epoch prunes to.
            architecture: Alpha and beta by part.
            primitives: Names in the order of alpha.
        """
        return {}

    def reason(self, history: Sequence[Mapping]) -> str:
        """Returns why the search is over, "" where it goes on.

        Args:
            history: Records of epochs, the present last; each holds `seen`
                under "stop_rule" where the architecture moved.
        """
        return ""


class DartsPlus(StopRule):
    """Ends a search that has begun to collapse, or has decided.

    With `stop_skips` skip connections of one cell, and after
    `stop_stable_epochs` in which the order of the learned operations changed on
    no edge.

    Reference:
        Liang et al., DARTS+, https://arxiv.org/abs/1909.06035, Sec. 3.3, both
        criteria.
    """

    def seen(self, genotype, architecture, primitives):
        return {
            "skips": kept_skips(genotype, list(architecture)),
            "ranks": ranks(architecture, primitives),
        }

    def reason(self, history):
        epochs = [each["stop_rule"] for each in history if "stop_rule" in each]
        if epochs and epochs[-1]["skips"] >= self.config.stop_skips:
            return f"a cell keeps {epochs[-1]['skips']} skip connections"
        stable = self.config.stop_stable_epochs
        last = [each["ranks"] for each in epochs[-stable - 1 :]]
        if len(last) == stable + 1 and len(set(last)) == 1:
            return (
                f"no edge has changed the order of operations in {stable} "
                "epochs"
            )
        return ""


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
