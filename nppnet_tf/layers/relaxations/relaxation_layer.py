"""What every relaxation is in the graph of a supernet, and the paper's.

`nppnet_tf.search_space.relaxation` says the same in NumPy, for whatever reads a
search. Outside of training both are equal.
"""

from collections.abc import Sequence

import keras
import numpy as np
import tensorflow as tf

from nppnet_tf.errors import UserError
from nppnet_tf.search_space.topology import Edge


@keras.saving.register_keras_serializable(package="nppnet_tf")
class RelaxationLayer(keras.layers.Layer):
    """What every relaxation is; each searched part has one of its own.

    A subclass weighs operations. Edges compete by softmax and E(A) is the
    entropy of the operations' weights, unless it says otherwise. What it keeps
    from step to step are variables that it makes in `build`: checkpoints hold
    them.
    """

    def build(self, input_shape=None) -> None:
        self.built = True

    def operation_weights(self, alpha, training: bool | None = False):
        """Weighs the operations of every edge.

        Args:
            alpha: Float [edges, primitives].
            training: Whether it is a step of the search that asks. Otherwise
                the weights are those of the contract, in expectation.

        Returns:
            Tensor like alpha, no weight negative; every row sums to 1.
        """
        raise TypeError(f"{type(self).__name__} does not weigh operations")

    def edge_weights(
        self, beta, edges: Sequence[Edge], training: bool | None = False
    ):
        """Weighs the edges of every node; arguments as above.

        Returns:
            Tensor [edges]; the weights of one node sum to 1.
        """
        # Eq. 2: edges into one node compete; nodes do not mix.
        nodes = np.array([edge.node for edge in edges])
        rivals = nodes[:, None] == nodes[None, :]
        logits = tf.where(rivals, beta[None, :], -np.inf)
        return tf.linalg.diag_part(tf.nn.softmax(logits))

    def entropies(self, alpha):
        """Entropy of each edge's operations, [edges], nats (Eq. 8).

        log(num_primitives) where all weigh the same, 0 where one has it all.
        """
        weights = self.operation_weights(alpha)
        return -tf.reduce_sum(tf.math.xlogy(weights, weights), -1)

    def set_temperatures(
        self, first: float | None, last: float | None, decay: float | None
    ) -> None:
        """Changes how the temperature falls, before the search begins.

        Args:
            first: Temperature of the first epoch.
            last: Temperature that it does not fall below.
            decay: Factor from one epoch to the next. Each stays as the
                relaxation has it where it is None.

        Raises:
            UserError: If the relaxation has none, or they do not fall.
        """
        if (first, last, decay) != (None, None, None):
            raise UserError(
                "this relaxation has no temperature",
                "`first_temperature`, `last_temperature`, `temperature_decay`",
                "none of them, or another `relaxation`",
                type(self).__name__,
            )

    def begin_epoch(self, epoch: int) -> None:
        """Sets what follows the epoch, counted from 0; never in a graph."""

    def draw_anew(self) -> None:
        """Lets the next descent see another sample; ends each, in its graph."""

    def describe(self) -> dict[str, float]:
        """Returns numbers for the record of an epoch, alike in all parts."""
        return {}


@keras.saving.register_keras_serializable(package="nppnet_tf")
class SoftmaxRelaxation(RelaxationLayer):
    """All operations at once, weighted by the softmax of alpha (Eq. 2)."""

    def operation_weights(self, alpha, training=False):
        return tf.nn.softmax(alpha)

    def entropies(self, alpha):
        # Of logarithms that do not vanish with their weights.
        log_weights = tf.nn.log_softmax(alpha)
        return -tf.reduce_sum(tf.exp(log_weights) * log_weights, -1)
