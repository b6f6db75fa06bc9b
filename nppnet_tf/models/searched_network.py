"""What a search needs of a network, whatever that predicts."""

from collections.abc import Mapping

import tensorflow as tf

from nppnet_tf.layers.architecture import ArchitectureParameters
from nppnet_tf.search_space.space import SearchSpace


class SearchedNetwork:
    """Tells alpha and beta of a `keras.Model` from its other weights.

    A model inherits from this, too, and says which parameters it has. It takes
    pictures and `training`, and hands the mixtures of its parameters to its
    cells, as `NPPNet` does and docs/another_task.md shows.

    Attributes:
        architecture: Parameters of every searched part, by its name; none
            where it is derived.
        space: What the parts choose from.
    """

    architecture: Mapping[str, ArchitectureParameters]
    space: SearchSpace

    @property
    def architecture_weights(self) -> list:
        """Every alpha and beta, in the order of `architecture`."""
        return [
            weight
            for parameters in self.architecture.values()
            for weight in (parameters.alpha, parameters.beta)
        ]

    @property
    def network_weights(self) -> list:
        """Every other trainable weight, in the order of construction."""
        architecture = {id(weight) for weight in self.architecture_weights}
        return [
            weight
            for weight in self.trainable_weights
            if id(weight) not in architecture
        ]

    def entropy(self):
        """Mean entropy of the operations over all searched edges (Eq. 8).

        Departs from the paper: the mean instead of the sum, so that the
        term's weight means the same whatever the number of edges. Nats: log 8
        where nothing is preferred of 8, 0 where every edge has one operation.
        """
        if not self.architecture:
            return tf.zeros([])
        parameters = self.architecture.values()
        entropies = [each.edge_entropies() for each in parameters]
        return tf.reduce_mean(tf.concat(entropies, 0))
