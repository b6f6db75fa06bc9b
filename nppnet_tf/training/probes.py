"""Measures of a search that cost passes of their own, every few epochs.

They move nothing: a search that is measured equals one that is not, to the bit.
"""

import dataclasses
from collections.abc import Callable
from collections.abc import Mapping
from collections.abc import Sequence

import keras
import numpy as np
import tensorflow as tf

from nppnet_tf import keys
from nppnet_tf.search_space import genotype as genotypes
from nppnet_tf.search_space import parts
from nppnet_tf.search_space import relaxation as relaxations
from nppnet_tf.training import checkpoints
from nppnet_tf.training import replica_batches
from nppnet_tf.training.search import SearchModel

# Of the architecture half, in the order of the epoch.
_BATCHES = 4

# Of the power iteration: the ratio of eigenvalues that are told apart grows
# with it. Alpha and beta are moved by about so much along the direction.
_ITERATIONS = 12
_STEP = 0.05


@dataclasses.dataclass(frozen=True)
class Probes:
    """Which of them are due in an epoch, and what they measure.

    Attributes:
        model: The search.
        make_dataset: Returns the training data of an epoch from a step on.
        pruned_every: Epochs between two losses of the pruned network; 0 for
            never.
        curvature_every: Epochs between two eigenvalues; 0 for never.
    """

    model: SearchModel
    make_dataset: Callable[[int, int], tf.data.Dataset]
    pruned_every: int = 0
    curvature_every: int = 0

    def measure(self, epoch: int, derived: genotypes.Genotype) -> dict:
        """Returns what is due in an epoch, for its record.

        Args:
            epoch: Number of the epoch, counted from 0.
            derived: What pruning keeps in it.
        """
        found: dict[str, object] = {}
        if self._is_due(self.pruned_every, epoch):
            found["pruned"] = self.pruned_losses(epoch, derived)
        if self._is_due(self.curvature_every, epoch):
            found["curvature"] = self.curvature(epoch)
        return found

    def pruned_losses(
        self, epoch: int, derived: genotypes.Genotype
    ) -> dict[str, float]:
        """Returns losses of the pruned network with the supernet's weights.

        What is not kept has no share any more, and what is kept takes its
        place in proportion. Means over some batches of the architecture half.

        Args:
            epoch: Number of the epoch whose batches are taken.
            derived: What pruning keeps.

        Returns:
            "loss" and its terms, mIoU and PCKh@0.5 where the search has
            `scores`; "supernet_loss" on the same batches, and "gap", what
            pruning costs.
        """
        network = self.model.network
        present = shares_of(network)
        pruned = {
            part: derived_shares(
                gamma, derived, parts.named(part), network.space.primitives
            )
            for part, gamma in present.items()
        }
        losses = self._losses(epoch, pruned)
        scores = {
            metric.name: float(metric.result()) for metric in self.model.scores
        }
        supernet = self._losses(epoch, present)[keys.TOTAL_LOSS]
        return {
            **losses,
            **scores,
            "supernet_loss": supernet,
            "gap": losses[keys.TOTAL_LOSS] - supernet,
        }

    def curvature(self, epoch: int) -> float:
        """Returns the dominant eigenvalue of the Hessian of alpha and beta.

        Of the loss on the first batch of the architecture half. One that grows
        foretells a network that loses much when it is pruned.

        Reference:
            Zela et al., https://arxiv.org/abs/1909.09656.

        Args:
            epoch: Number of the epoch whose batch is taken.
        """
        variables = self.model.network.architecture_weights
        kept = [keras.ops.convert_to_numpy(each).copy() for each in variables]
        sizes = np.cumsum([each.size for each in kept])[:-1]
        with self._batches(epoch) as batches:
            batch = next(batches)[keys.ARCHITECTURE_SPLIT]

        def gradient(change: np.ndarray) -> np.ndarray:
            moved = np.split(change.astype(np.float32), sizes)
            for variable, value, by in zip(variables, kept, moved, strict=True):
                variable.assign(value + by.reshape(value.shape))
            found = self.model.traced(self.model.gradient_step)(batch)
            return np.concatenate(
                [
                    np.asarray(found[str(i)], np.float64).ravel()
                    for i in range(len(kept))
                ]
            )

        try:
            return dominant_eigenvalue(gradient, sum(v.size for v in kept))
        finally:
            for variable, value in zip(variables, kept, strict=True):
                variable.assign(value)

    def _losses(
        self, epoch: int, shares: Mapping[str, np.ndarray]
    ) -> dict[str, float]:
        """Returns the mean losses of some batches under given shares."""
        given = {
            part: tf.constant(gamma, tf.float32)
            for part, gamma in shares.items()
        }
        step = self.model.traced(self.model.held_step)
        for metric in self.model.scores:
            metric.reset_state()
        found: dict[str, list[float]] = {}
        with self._batches(epoch) as batches:
            for batch in batches:
                losses = step((batch[keys.ARCHITECTURE_SPLIT], given))
                for name, loss in losses.items():
                    found.setdefault(name, []).append(float(loss))
        return {name: float(np.mean(each)) for name, each in found.items()}

    def _batches(self, epoch: int) -> replica_batches.ReplicaBatches:
        return replica_batches.ReplicaBatches(
            self.make_dataset(epoch, 0).take(_BATCHES),
            self.model.distribute_strategy,
        )

    @staticmethod
    def _is_due(every: int, epoch: int) -> bool:
        return every > 0 and (epoch + 1) % every == 0


def shares_of(network: keras.Model) -> dict[str, np.ndarray]:
    """Returns gamma of every searched part, [edges, primitives].

    Args:
        network: A supernet.
    """
    relaxation = relaxations.named(network.relaxation)
    return {
        part: relaxation.shares(*arrays, parts.named(part).edges)
        for part, arrays in checkpoints.architecture_arrays(network).items()
    }


def derived_shares(
    gamma: np.ndarray,
    derived: genotypes.Genotype,
    part: parts.Part,
    primitives: Sequence[str],
) -> np.ndarray:
    """Returns the shares of what is kept; those of a node still sum to 1.

    Args:
        gamma: Shares of the supernet, [edges, primitives].
        derived: What is kept.
        part: The part.
        primitives: Names in the order of alpha.
    """
    kept = np.zeros_like(gamma)
    for places in genotypes.places_of(derived, part, primitives):
        total = sum(gamma[place] for place in places)
        for place in places:
            kept[place] = gamma[place] / total
    return kept


def dominant_eigenvalue(
    gradient: Callable[[np.ndarray], np.ndarray], size: int
) -> float:
    """Returns the eigenvalue of largest size of a Hessian.

    By power iteration, each product with the Hessian by the difference of two
    gradients.

    Args:
        gradient: Gradient at a change of the variables, float64 [size].
        size: Number of variables.
    """
    vector = np.random.default_rng(0).normal(size=size)
    eigenvalue = 0.0
    for _ in range(_ITERATIONS):
        vector /= max(np.linalg.norm(vector), 1e-30)
        there, back = gradient(_STEP * vector), gradient(-_STEP * vector)
        product = (there - back) / (2 * _STEP)
        eigenvalue = float(vector @ product)
        vector = product
    return eigenvalue
