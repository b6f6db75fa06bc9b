"""Bilinear resampling along rows and columns, in the graph.

A letterbox, its inverse and an aligned-corners resize map rows to rows and
columns to columns. So one function with two lists of coordinates serves all of
them, exactly and for sizes that are known only when the graph runs.
"""

import tensorflow as tf


def aligned_corners(size: tf.Tensor, source_size: tf.Tensor) -> tf.Tensor:
    """Returns where an aligned-corners resize reads along one axis.

    Args:
        size: Int, pixels to make.
        source_size: Int, pixels there are; the first and the last of them
            meet the first and the last of those made.

    Returns:
        Float32 [size], source pixels.
    """
    last = tf.cast(source_size - 1, tf.float32)
    steps = tf.cast(tf.maximum(size - 1, 1), tf.float32)
    positions = tf.cast(tf.range(size), tf.float32)
    return positions * last / steps


def resize_aligned_corners(
    images: tf.Tensor, height: tf.Tensor, width: tf.Tensor
) -> tf.Tensor:
    """Resizes bilinearly so that the corner pixels' centres meet.

    Args:
        images: Float32 [..., h, w, channels].
        height: Rows to make.
        width: Columns to make.

    Returns:
        Float32 [..., height, width, channels].
    """
    images = tf.convert_to_tensor(images)
    shape = tf.shape(images)
    return sample(
        images,
        aligned_corners(height, shape[-3]),
        aligned_corners(width, shape[-2]),
    )


def sample(
    images: tf.Tensor,
    rows: tf.Tensor,
    columns: tf.Tensor,
) -> tf.Tensor:
    """Reads images between their pixels, bilinearly.

    Args:
        images: Float32 [..., h, w, channels]; pixel centres are integers.
        rows: Float32 [height], y to read.
        columns: Float32 [width], x to read. Outside, the nearest pixel is
            read.

    Returns:
        Float32 [..., height, width, channels].
    """
    images = tf.convert_to_tensor(images)
    # Rows first: they are contiguous, and fewer are left for the columns.
    return _sample_axis(_sample_axis(images, rows, -3), columns, -2)


def _sample_axis(
    images: tf.Tensor, positions: tf.Tensor, axis: int
) -> tf.Tensor:
    last = tf.shape(images)[axis] - 1
    positions = tf.clip_by_value(positions, 0.0, tf.cast(last, tf.float32))
    floor = tf.floor(positions)
    low = tf.cast(floor, tf.int32)
    high = tf.minimum(low + 1, last)
    rank = images.shape.rank
    weight = tf.reshape(
        positions - floor, [-1 if i == axis % rank else 1 for i in range(rank)]
    )
    first = tf.gather(images, low, axis=axis)
    second = tf.gather(images, high, axis=axis)
    return first + (second - first) * weight
