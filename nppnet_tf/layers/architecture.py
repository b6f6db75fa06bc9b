"""Architecture parameters of one searched part: alpha and beta."""

from collections.abc import Sequence
from contextlib import AbstractContextManager

import keras
import tensorflow as tf

from nppnet_tf import replicas
from nppnet_tf.layers.fanout import EdgeMixture
from nppnet_tf.layers.relaxations.relaxation_layer import RelaxationLayer
from nppnet_tf.layers.relaxations.relaxation_layer import SoftmaxRelaxation
from nppnet_tf.search_space.topology import Edge

# The release starts every parameter here: no operation is preferred.
INITIAL_VALUE = 1e-3


@keras.saving.register_keras_serializable(package="nppnet_tf")
class ArchitectureParameters(keras.layers.Layer):
    """alpha and beta of one part, and what the network makes of them.

    Args:
        edges: (node, predecessor) pairs in the order of alpha's rows.
        num_primitives: Operations on every edge.
        relaxation: What makes weights of them; the paper's where None.

    Attributes:
        alpha: Raw weights of operations, [edges, primitives].
        beta: Raw weights of edges, [edges].
        perturb: Takes the weights of operations in a training pass and returns
            what is mixed instead; a search sets it.
    """

    def __init__(
        self,
        edges: Sequence[Edge],
        num_primitives: int,
        relaxation: RelaxationLayer | None = None,
        **kwargs,
    ) -> None:
        super().__init__(**kwargs)
        self.edges = tuple(Edge(*edge) for edge in edges)
        self.num_primitives = num_primitives
        self.relaxation = relaxation or SoftmaxRelaxation(name="relaxation")
        # What a search does to the weights of operations while it trains.
        self.perturb = lambda weights: weights
        self._held_shares = replicas.Setting[tf.Tensor | None](None)

    def build(self, input_shape=None) -> None:
        start = keras.initializers.Constant(INITIAL_VALUE)
        count = len(self.edges)
        # No policy narrows what they are, nor the softmax of them.
        self.alpha = self.add_weight(
            shape=(count, self.num_primitives),
            initializer=start,
            autocast=False,
            name="alpha",
        )
        self.beta = self.add_weight(
            shape=(count,), initializer=start, autocast=False, name="beta"
        )
        self.relaxation.build()
        self.built = True

    def call(self, inputs=None, training=None):
        return self.mixture(training)

    def mixture(self, training: bool | None = False) -> EdgeMixture:
        """Returns the shares and the weights of all edges.

        Args:
            training: Whether it is a step of the search that asks.
        """
        gamma = self._held_shares.value
        if gamma is not None:
            edges = tf.reduce_sum(gamma, 1, keepdims=True)
            return EdgeMixture(tf.transpose(gamma)[..., None], edges)
        edges = self.relaxation.edge_weights(
            self.beta.value, self.edges, training
        )
        operations = self.relaxation.operation_weights(
            self.alpha.value, training
        )
        if training:
            operations = self.perturb(operations)
        # Eq. 2: gamma, an operation's weight times that of its edge.
        shares = tf.transpose(operations * edges[:, None])
        return EdgeMixture(shares[..., None], edges[:, None])

    def holding(self, gamma: tf.Tensor) -> AbstractContextManager[None]:
        """Lets the mixture be given shares, in what is traced in a block.

        Args:
            gamma: Share of every operation in its node, [edges, primitives].
        """
        return self._held_shares.within(gamma)

    def mixtures(
        self, groups: Sequence[Sequence[int]], training: bool | None = False
    ) -> list[EdgeMixture]:
        """Returns the mixture of each group of edges.

        Args:
            groups: Indices of edges, a group per fan-out; every edge occurs
                once.
            training: Whether it is a step of the search that asks.
        """
        order = [row for group in groups for row in group]
        sizes = [len(group) for group in groups]
        shares, edges = self.mixture(training)
        shares = tf.split(tf.gather(shares, order, axis=1), sizes, axis=1)
        edges = tf.split(tf.gather(edges, order), sizes)
        return [EdgeMixture(*pair) for pair in zip(shares, edges, strict=True)]

    def edge_entropies(self):
        """Entropy of each edge's operations, [edges], nats (Eq. 8)."""
        return self.relaxation.entropies(self.alpha.value)

    def get_config(self) -> dict:
        return {
            **super().get_config(),
            "edges": [list(edge) for edge in self.edges],
            "num_primitives": self.num_primitives,
            "relaxation": keras.saving.serialize_keras_object(self.relaxation),
        }

    @classmethod
    def from_config(cls, config):
        relaxation = keras.saving.deserialize_keras_object(config["relaxation"])
        return cls(**{**config, "relaxation": relaxation})
