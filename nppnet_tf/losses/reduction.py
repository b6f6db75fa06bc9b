"""How one replica's sums become its share of the global batch's loss.

Every loss of this package returns a *share*: the numerator of this replica
divided by the denominator of the global batch. The sum of the shares over the
replicas is the loss of the global batch, and the sum of their gradients, which
is what an optimizer applies under `tf.distribute.MirroredStrategy`, is its
gradient. Nothing is divided by the number of replicas, so samples without
annotation may lie unevenly over the replicas.
"""

import tensorflow as tf

from nppnet_tf import replicas
from nppnet_tf import resampling


def global_sum(value: tf.Tensor) -> tf.Tensor:
    """Sums a tensor over the replicas, as a constant.

    No gradient flows through: denominators and counts are not to be learned.
    With several replicas this is a point of synchronization, so it must not
    stand inside a `tf.cond`.

    Args:
        value: Float32 tensor, of one shape on all replicas. Counts come as
            floats too, exact up to 2**24: TensorFlow numbers collectives by
            the order of their making, per strategy, and aborts the process
            when a second strategy reuses a number with another type.

    Returns:
        The sum, on every replica, of the shape of `value`.
    """
    value = tf.stop_gradient(tf.cast(value, tf.float32))
    if replicas.num_replicas() == 1:
        return value
    (total,) = replicas.sums([value])
    return total


def share(numerator: tf.Tensor, global_denominator: tf.Tensor) -> tf.Tensor:
    """Divides a local sum by a global count; 0 where nothing was counted.

    Args:
        numerator: Sum over this replica's samples.
        global_denominator: Count of the global batch, from `global_sum`.

    Returns:
        Tensor of the shape of `numerator`.
    """
    # `divide_no_nan` would also hide a numerator that is not finite.
    counted = global_denominator > 0
    safe = tf.where(counted, global_denominator, 1.0)
    return numerator * tf.cast(counted, tf.float32) / safe


def upsample(
    inputs: tf.Tensor,
    size: tf.Tensor | tuple[int, int],
    align_corners: bool = True,
) -> tf.Tensor:
    """Resizes bilinearly, as the release's criteria do.

    Args:
        inputs: Float tensor [B, h, w, channels].
        size: Height and width of the result.
        align_corners: Whether the centers of the corner pixels stay in place,
            as the release has it for label maps, or the outlines of the
            pictures do, as it has it for heatmaps.

    Returns:
        Float32 tensor [B, height, width, channels].
    """
    inputs = tf.cast(inputs, tf.float32)
    return resampling.resize_bilinear(inputs, size, align_corners)
