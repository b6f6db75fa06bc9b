"""Stops operations, one by one, from fitting their half too well (OLES)."""

import keras
import tensorflow as tf

from nppnet_tf.config import SearchConfig
from nppnet_tf.errors import UserError
from nppnet_tf.layers.fanout import MixedFanout
from nppnet_tf.strategies.stop_rules import StopRule


class OperationFreezing(StopRule):
    """Holds the weights of operations that have begun to learn by heart.

    Where an operation's gradient on the half that weights learn from has
    little to do with that on the other half, it fits single pictures. Alpha,
    which learns from the other half, then turns to operations without weights:
    to skips. So it is not trained any more.

    Departs from the paper: an operation is a kind of operation on all edges
    that leave one state, since these share a variable; and both gradients are
    taken at the same weights, in a step of their own every so many steps,
    since the descent of alpha has no gradients of kernels here.

    Reference:
        Jiang et al., OLES, https://openreview.net/forum?id=yAOwkf4FyL,
        Sec. 3.4; the default of `stop_similarity`, the mean cosine below which
        one is held, and `comparisons` are those of the authors' code.

    Raises:
        UserError: No operation of the network has weights.

    Attributes:
        comparisons: Comparisons that the mean is taken over.
    """

    compares = True
    comparisons = 20

    def __init__(self, config: SearchConfig, network: keras.Model) -> None:
        super().__init__(config, network)
        self.weights = operation_weights(network)
        if not self.weights:
            raise UserError(
                "no operation could be frozen",
                "`stop_rule`",
                "another rule, or operations with weights",
                "oles, where none has any",
            )
        count = len(self.weights)
        with keras.name_scope("freezing"):
            self.total = _remembered("total", (count,))
            self.count = _remembered("seen", ())
            self.held = _remembered("frozen", (count,))
        self.variables = [self.total, self.count, self.held]

    def compare(self, ours, theirs):
        cosines = tf.stack(
            [
                _cosine(our, their)
                for our, their in zip(ours, theirs, strict=True)
            ]
        )
        total, count = self.total.value + cosines, self.count.value + 1
        is_due = count >= self.comparisons
        is_low = total / count < self.config.stop_similarity
        is_held = tf.cast(tf.logical_and(is_due, is_low), tf.float32)
        self.held.assign(tf.maximum(self.held.value, is_held))
        self.total.assign(tf.where(is_due, tf.zeros_like(total), total))
        self.count.assign(tf.where(is_due, 0.0, count))

    def seen(self, genotype, architecture, primitives):
        return {"held": len(self.held_weights), "of": len(self.weights)}


def operation_weights(network: keras.Model) -> list[keras.Variable]:
    """Returns the weights of operations that are searched.

    A variable holds a kind of operation on all edges that leave one state.
    """
    return [
        weight
        # Keras has no public way to layers within layers.
        for layer in network._flatten_layers(include_self=False)
        if isinstance(layer, MixedFanout)
        for weight in layer.operation_weights
    ]


def _remembered(name: str, shape: tuple[int, ...]) -> keras.Variable:
    return keras.Variable(
        "zeros",
        shape,
        trainable=False,
        autocast=False,
        aggregation="only_first_replica",
        name=name,
    )


def _cosine(one, other):
    one, other = tf.reshape(one, [-1]), tf.reshape(other, [-1])
    lengths = tf.norm(one) * tf.norm(other)
    return tf.math.divide_no_nan(tf.tensordot(one, other, 1), lengths)
