"""The Lovasz-Softmax loss, a differentiable stand-in for the mean IoU."""

import tensorflow as tf

from nppnet_tf.losses import parsing
from nppnet_tf.losses import reduction


def lovasz_loss(
    label_map: tf.Tensor, logits: tf.Tensor, has_label_map: tf.Tensor
) -> tf.Tensor:
    """Returns this replica's share of the mean over the annotated pictures.

    The error of a pixel for class c is 1 - p_c where it is of that class and
    p_c elsewhere. The Lovasz extension of 1 - IoU is, of errors in descending
    order, their sum with the increments of 1 - IoU as pixel after pixel is
    taken for wrong; at errors of 0 and 1 it is 1 - IoU itself (Berman et al.,
    "The Lovasz-Softmax loss", CVPR 2018, Eq. 8 and 9). A picture's loss is
    the mean over the classes that it shows: a class of few pixels counts as
    much as the background, where cross-entropy counts pixels.

    Not of the paper, and off by default (`LossConfig.lovasz_weight`). Pixels
    are those of the logits, not of the label map: sorting is what it costs.

    Args:
        label_map: Integer tensor [B, H, W] with ignore label 255.
        logits: Float tensor [B, h, w, C].
        has_label_map: Float tensor [B], 1 or 0.

    Returns:
        Float32 scalar in [0, 1]; 0 where no picture is annotated.
    """
    label_map = _subsample(label_map, tf.shape(logits)[1:3])
    counted = parsing.counted_pixels(label_map, has_label_map)
    truth = tf.one_hot(tf.where(counted, label_map, -1), logits.shape[-1])
    probabilities = tf.nn.softmax(tf.cast(logits, tf.float32))
    # Of pixels that do not count 0: the last in order, adding nothing.
    errors = tf.where(counted[..., None], tf.abs(truth - probabilities), 0.0)
    shown = tf.cast(tf.reduce_any(truth > 0, axis=(1, 2)), tf.float32)
    losses = shown * _extension(_by_class(errors), _by_class(truth))
    classes = tf.reduce_sum(shown, axis=-1)
    pictures = tf.math.divide_no_nan(tf.reduce_sum(losses, axis=-1), classes)
    count = tf.reduce_sum(tf.cast(classes > 0, tf.float32))
    return reduction.share(tf.reduce_sum(pictures), reduction.global_sum(count))


def _extension(errors: tf.Tensor, truth: tf.Tensor) -> tf.Tensor:
    """Sums errors with the increments of 1 - IoU, along the last axis.

    Args:
        errors: [..., pixels] in [0, 1].
        truth: [..., pixels], 1 where a pixel is of the class and 0 elsewhere.

    Returns:
        Float32 tensor [...].
    """
    errors, order = tf.math.top_k(errors, tf.shape(errors)[-1])
    truth = tf.gather(truth, order, batch_dims=truth.shape.rank - 1)
    positives = tf.reduce_sum(truth, axis=-1, keepdims=True)
    intersection = positives - tf.cumsum(truth, axis=-1)
    union = positives + tf.cumsum(1.0 - truth, axis=-1)
    losses = 1.0 - intersection / tf.maximum(union, 1.0)
    before = tf.concat([tf.zeros_like(losses[..., :1]), losses[..., :-1]], -1)
    return tf.reduce_sum(errors * tf.stop_gradient(losses - before), axis=-1)


def _by_class(pixels: tf.Tensor) -> tf.Tensor:
    """Turns [B, h, w, C] into [B, C, pixels]."""
    flat = tf.reshape(pixels, [tf.shape(pixels)[0], -1, pixels.shape[-1]])
    return tf.transpose(flat, [0, 2, 1])


def _subsample(label_map: tf.Tensor, size: tf.Tensor) -> tf.Tensor:
    """Takes the pixels that logits of a size lie on, corners on corners."""
    label_map = tf.convert_to_tensor(label_map)
    for axis, wanted in ((1, size[0]), (2, size[1])):
        last = tf.cast(tf.shape(label_map)[axis] - 1, tf.float32)
        places = tf.linspace(0.0, last, wanted)
        label_map = tf.gather(
            label_map, tf.cast(tf.round(places), tf.int32), axis=axis
        )
    return label_map
