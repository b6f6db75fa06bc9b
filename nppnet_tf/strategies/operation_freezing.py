"""Stops operations, one by one, from fitting their half too well (OLES)."""

from collections.abc import Sequence

import keras
import tensorflow as tf

from nppnet_tf.layers.fanout import MixedFanout


def operation_weights(network: keras.Model) -> list[keras.Variable]:
    """Returns the weights of operations that are searched.

    A variable holds a kind of operation on all edges that leave one state.
    """
    return [
        weight
        for layer in network._flatten_layers(include_self=False)
        if isinstance(layer, MixedFanout)
        # Its own, and not those of projections.
        for weight in layer._trainable_variables
    ]


@keras.saving.register_keras_serializable(package="nppnet_tf")
class OperationFreezing(keras.layers.Layer):
    """Remembers how well gradients of both halves agree, and what is frozen.

    Where an operation's gradient on the half that weights learn from has
    little to do with that on the other half, it has begun to learn by heart.
    Alpha, which learns from the other half, then turns to operations without
    weights: to skips. So it is not trained any more.

    Departs from the paper: an operation is a kind of operation on all edges
    that leave one state, since these share a variable; and both gradients are
    taken at the same weights, in a step of their own every so many steps,
    since the descent of alpha has no gradients of kernels here.

    Reference:
        Jiang et al., OLES, https://openreview.net/forum?id=yAOwkf4FyL,
        Sec. 3.4; 0.4 and 20 are those of the authors' code.

    Args:
        count: Number of operations.
        threshold: Mean cosine below which an operation is frozen.
        comparisons: Comparisons that the mean is taken over.
    """

    def __init__(
        self,
        count: int,
        threshold: float = 0.4,
        comparisons: int = 20,
        **kwargs,
    ) -> None:
        super().__init__(**kwargs)
        self.count = count
        self.threshold = threshold
        self.comparisons = comparisons

    def build(self, input_shape=None) -> None:
        def state(name, shape):
            return self.add_weight(
                shape=shape,
                initializer="zeros",
                trainable=False,
                autocast=False,
                aggregation="only_first_replica",
                name=name,
            )

        self.total = state("total", (self.count,))
        self.seen = state("seen", ())
        # 1 where an operation is frozen, for the rest of the search.
        self.frozen = state("frozen", (self.count,))
        self.built = True

    def compare(self, ours: Sequence, theirs: Sequence) -> None:
        """Takes gradients of every operation on both halves, in a graph."""
        cosines = tf.stack(
            [
                _cosine(our, their)
                for our, their in zip(ours, theirs, strict=True)
            ]
        )
        total, seen = self.total.value + cosines, self.seen.value + 1
        is_due = seen >= self.comparisons
        is_frozen = tf.logical_and(is_due, total / seen < self.threshold)
        self.frozen.assign(
            tf.maximum(self.frozen.value, tf.cast(is_frozen, tf.float32))
        )
        self.total.assign(tf.where(is_due, tf.zeros_like(total), total))
        self.seen.assign(tf.where(is_due, 0.0, seen))

    def without_frozen(self, gradients: Sequence) -> list:
        """Returns gradients of the operations, 0 where one is frozen."""
        moves = tf.unstack(1 - self.frozen.value)
        return [
            gradient * tf.cast(move, gradient.dtype)
            for gradient, move in zip(gradients, moves, strict=True)
        ]

    def get_config(self) -> dict:
        return {
            **super().get_config(),
            "count": self.count,
            "threshold": self.threshold,
            "comparisons": self.comparisons,
        }


def _cosine(one, other):
    one, other = tf.reshape(one, [-1]), tf.reshape(other, [-1])
    lengths = tf.norm(one) * tf.norm(other)
    return tf.math.divide_no_nan(tf.tensordot(one, other, 1), lengths)
