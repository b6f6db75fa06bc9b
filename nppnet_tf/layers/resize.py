"""The one resize policy of the network.

Features are resized bilinearly with aligned corners, as the release does: the
first and last pixel of a row stay where they are. Only the channels that
bypass a mixed op are resized to their nearest pixel, again as the release.
"""

import tensorflow as tf

from nppnet_tf import resampling


def resize_nearest(inputs, size):
    """Resizes to the nearest pixel above and left, as PyTorch does."""
    return tf.raw_ops.ResizeNearestNeighbor(images=inputs, size=size)


def scaled_size(inputs, factor: float):
    """Returns (height, width) of `inputs` times `factor`.

    Static where the shape is, so that the graph holds a constant.
    """
    static = inputs.shape[1:3]
    if static.is_fully_defined():
        return [int(side * factor) for side in static]
    if factor >= 1:
        return tf.shape(inputs)[1:3] * int(factor)
    return tf.shape(inputs)[1:3] // int(1 / factor)


def rescale(inputs, factor: float):
    """Resizes by a power of two; returns `inputs` where the factor is 1."""
    if factor == 1:
        return inputs
    return resampling.resize_bilinear(inputs, scaled_size(inputs, factor))
