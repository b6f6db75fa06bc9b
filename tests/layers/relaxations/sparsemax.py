"""A user's own relaxation: sparsemax, which lets weak operations go.

All that a relaxation takes stands here; nothing of the package is edited.

Reference:
    Martins and Astudillo, https://arxiv.org/abs/1602.02068.
"""

import keras
import numpy as np
import tensorflow as tf

from nppnet_tf.layers.relaxations import table
from nppnet_tf.layers.relaxations.relaxation_layer import RelaxationLayer
from nppnet_tf.search_space.relaxation import Relaxation

NAME = "sparsemax"


def project(alpha: np.ndarray) -> np.ndarray:
    """The contract: the nearest weights that sum to 1, row by row."""
    ordered = -np.sort(-alpha, axis=-1)
    sums = np.cumsum(ordered, axis=-1)
    ranks = np.arange(1, alpha.shape[-1] + 1)
    count = np.sum(1 + ranks * ordered > sums, axis=-1, keepdims=True)
    threshold = (np.take_along_axis(sums, count - 1, -1) - 1) / count
    return np.maximum(alpha - threshold, 0)


@keras.saving.register_keras_serializable(package="users_own")
class SparsemaxRelaxation(RelaxationLayer):
    """The graph form, found by halving the interval of the threshold."""

    def operation_weights(self, alpha, training=False):
        low = tf.reduce_max(alpha, -1, keepdims=True) - 1
        high = low + 1
        for _ in range(30):
            middle = (low + high) / 2
            rest = tf.nn.relu(alpha - middle)
            is_low = tf.reduce_sum(rest, -1, keepdims=True) > 1
            low = tf.where(is_low, middle, low)
            high = tf.where(is_low, high, middle)
        kept = tf.stop_gradient(tf.cast(alpha > high, alpha.dtype))
        count = tf.reduce_sum(kept, -1, keepdims=True)
        total = tf.reduce_sum(kept * alpha, -1, keepdims=True)
        return kept * (alpha - (total - 1) / count)


def register() -> None:
    """Adds it; the one call that a user makes."""
    table.register(
        Relaxation(NAME, "weak operations weigh nothing", project),
        SparsemaxRelaxation,
    )
