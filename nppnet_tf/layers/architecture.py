"""Architecture parameters of one searched part: alpha, beta, Eq. 2, Eq. 8."""

from collections.abc import Sequence

import keras
import numpy as np
import tensorflow as tf

from nppnet_tf.layers.fanout import EdgeMixture
from nppnet_tf.search_space.topology import Edge

# The release starts every parameter here: no operation is preferred.
INITIAL_VALUE = 1e-3


@keras.saving.register_keras_serializable(package="nppnet_tf")
class ArchitectureParameters(keras.layers.Layer):
    """alpha and beta of one part, and what the network makes of them.

    Args:
        edges: (node, predecessor) pairs in the order of alpha's rows.
        num_primitives: Operations on every edge.

    Attributes:
        alpha: Raw weights of operations, [edges, primitives].
        beta: Raw weights of edges, [edges].
    """

    def __init__(
        self, edges: Sequence[Edge], num_primitives: int, **kwargs
    ) -> None:
        super().__init__(**kwargs)
        self.edges = tuple(Edge(*edge) for edge in edges)
        self.num_primitives = num_primitives

    def build(self, input_shape=None) -> None:
        start = keras.initializers.Constant(INITIAL_VALUE)
        count = len(self.edges)
        self.alpha = self.add_weight(
            shape=(count, self.num_primitives), initializer=start, name="alpha"
        )
        self.beta = self.add_weight(
            shape=(count,), initializer=start, name="beta"
        )
        self.built = True

    def call(self, inputs=None):
        return self.mixture()

    def mixture(self) -> EdgeMixture:
        """Returns the shares and softmaxed betas of all edges (Eq. 2)."""
        edges = self._edge_softmax()
        operations = tf.nn.softmax(self.alpha.value)
        shares = tf.transpose(operations * edges[:, None])
        return EdgeMixture(shares[..., None], edges[:, None])

    def mixtures(self, groups: Sequence[Sequence[int]]) -> list[EdgeMixture]:
        """Returns the mixture of each group of edges.

        Args:
            groups: Indices of edges, a group per fan-out; every edge occurs
                once.
        """
        order = [row for group in groups for row in group]
        sizes = [len(group) for group in groups]
        shares, edges = self.mixture()
        shares = tf.split(tf.gather(shares, order, axis=1), sizes, axis=1)
        edges = tf.split(tf.gather(edges, order), sizes)
        return [EdgeMixture(*pair) for pair in zip(shares, edges, strict=True)]

    def _edge_softmax(self):
        """Eq. 2: edges into one node compete; nodes do not mix."""
        nodes = np.array([edge.node for edge in self.edges])
        rivals = nodes[:, None] == nodes[None, :]
        logits = tf.where(rivals, self.beta.value[None, :], -np.inf)
        return tf.linalg.diag_part(tf.nn.softmax(logits))

    def edge_entropies(self):
        """Entropy of each edge's operations, [edges], nats (Eq. 8).

        log(num_primitives) where all weigh the same, 0 where one has it all.
        """
        log_weights = tf.nn.log_softmax(self.alpha.value)
        return -tf.reduce_sum(tf.exp(log_weights) * log_weights, -1)

    def get_config(self) -> dict:
        return {
            **super().get_config(),
            "edges": [list(edge) for edge in self.edges],
            "num_primitives": self.num_primitives,
        }
