"""Mean squared error of heatmaps, over the samples that have keypoints."""

import tensorflow as tf

from nppnet_tf.losses import reduction


def heatmap_loss(
    targets: tf.Tensor,
    predictions: tf.Tensor,
    has_keypoints: tf.Tensor,
    global_samples: tf.Tensor | None = None,
) -> tf.Tensor:
    """Returns this replica's share of the mean squared error.

    The mean runs over the annotated samples of the global batch, all pixels
    and all keypoints. A keypoint that is not visible has a map of zeros and
    counts, as in the release; a sample without any pose does not. Predictions
    of another size are first resized to that of the targets.

    Args:
        targets: Float tensor [B, h, w, K].
        predictions: Float tensor [B, h', w', K].
        has_keypoints: Float tensor [B], 1 or 0.
        global_samples: Annotated samples of the global batch, where the caller
            has counted them; counted here otherwise.

    Returns:
        Float32 scalar, 0 where no sample of the global batch has keypoints.
    """
    targets = tf.cast(targets, tf.float32)
    predictions = tf.cast(predictions, tf.float32)
    has_keypoints = tf.cast(has_keypoints, tf.float32)
    if predictions.shape[1:3] != targets.shape[1:3]:
        predictions = reduction.upsample(
            predictions, tf.shape(targets)[1:3], align_corners=False
        )
    if global_samples is None:
        global_samples = reduction.global_sum(tf.reduce_sum(has_keypoints))
    per_sample = tf.reduce_mean(
        tf.math.squared_difference(predictions, targets), axis=(1, 2, 3)
    )
    annotated = tf.where(has_keypoints > 0, per_sample, 0.0)
    return reduction.share(tf.reduce_sum(annotated), global_samples)
