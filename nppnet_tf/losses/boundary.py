"""Balanced two-class cross-entropy of the outlines between body parts."""

import tensorflow as tf

from nppnet_tf.losses import parsing
from nppnet_tf.losses import reduction


def boundary_loss(
    boundary_map: tf.Tensor,
    logits: tf.Tensor,
    has_label_map: tf.Tensor,
) -> tf.Tensor:
    """Returns this replica's share of the balanced cross-entropy.

    The release weighs a boundary pixel with the share of the others in the
    batch, every other pixel with the share of the boundary, and divides by the
    sum of the weights. Written out, that is the mean of two means: of the
    cross-entropy over the boundary and over the rest. So it is computed here,
    over the global batch; where one of the two is empty (the release divides
    by zero there) it contributes 0 and the other keeps its half.

    Args:
        boundary_map: Integer tensor [B, H, W]: 1 on a boundary, 0 beside,
            ignore label 255.
        logits: Float tensor [B, h, w, 2], upsampled to [H, W].
        has_label_map: Float tensor [B], 1 or 0.

    Returns:
        Float32 scalar, 0 where no pixel of the global batch is annotated.
    """
    counted = parsing.counted_pixels(boundary_map, has_label_map)
    cross_entropy = _cross_entropy(boundary_map, logits)
    members = [counted & (boundary_map == label) for label in (0, 1)]
    sums = tf.stack(
        [tf.reduce_sum(tf.where(m, cross_entropy, 0.0)) for m in members]
    )
    counts = tf.stack([tf.math.count_nonzero(m) for m in members])
    counts = reduction.global_sum(tf.cast(counts, tf.float32))
    return 0.5 * tf.reduce_sum(reduction.share(sums, counts))


def _cross_entropy(boundary_map, logits):
    """Returns -log p of the true class of every pixel, at the map's size.

    Of two classes only the difference of the logits counts: half as much to
    upsample, and no softmax.
    """
    logits = tf.cast(logits, tf.float32)
    beside, boundary = tf.unstack(logits, num=2, axis=-1)
    difference = reduction.upsample(
        (boundary - beside)[..., None], tf.shape(boundary_map)[1:3]
    )
    sign = tf.where(boundary_map == 1, -1.0, 1.0)
    return tf.nn.softplus(sign * difference[..., 0])
