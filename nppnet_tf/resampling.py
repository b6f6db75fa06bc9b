"""Bilinear resizing and resampling: of features, logits and pictures.

`resize_bilinear` is TensorFlow's operation, with its gradient: of the network,
its losses and its metrics. The rest is for pictures and what is said of them:
a letterbox, its inverse and an aligned-corners resize map rows to rows and
columns to columns. So one function with a list of places for each axis serves
all of them, exactly and for sizes that are known only when the graph runs.

All of these maps take the mirror image to the mirror image, and so does every
rounding here: the second half of an axis is read as the mirror image of the
first, from the same numbers in the same order. A mirrored picture gives the
mirrored result to the last bit.
"""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import NamedTuple

import tensorflow as tf

from nppnet_tf import replicas

# Of pictures, not of class scores.
_FEW_CHANNELS = 4

_is_for_xla = replicas.Setting(False)


def is_for_xla() -> bool:
    """Whether XLA compiles what is traced."""
    return _is_for_xla.value


def for_xla() -> AbstractContextManager[None]:
    """Makes what is traced within right for XLA.

    XLA compiles TensorFlow's resize with aligned corners to another map and
    says nothing: with TensorFlow 2.20, 4 pixels made 16 differ from what the
    operation gives by up to twice their standard deviation.
    """
    return _is_for_xla.within(True)


def resize_bilinear(
    images: tf.Tensor,
    size: tf.Tensor | Sequence[int],
    align_corners: bool = True,
) -> tf.Tensor:
    """Resizes bilinearly, as the release does.

    Args:
        images: Float [B, h, w, channels].
        size: (height, width) of the result, numbers or an int32 tensor [2].
        align_corners: Whether the centers of the corner pixels stay in place,
            or the outlines of the pictures do.

    Returns:
        Float [B, *size, channels], of the type of `images`.
    """
    if is_for_xla():
        return _resize_by_matrices(images, size, align_corners)
    resized = tf.raw_ops.ResizeBilinear(
        images=images,
        size=size,
        align_corners=align_corners,
        half_pixel_centers=not align_corners,
    )
    # The operation answers in float32, whatever it is given.
    return tf.cast(resized, images.dtype)


def _resize_by_matrices(
    images: tf.Tensor, size: tf.Tensor | Sequence[int], align_corners: bool
) -> tf.Tensor:
    """Resizes by a matrix for each axis, of at most two weights in a row."""
    rows, columns = (
        _resizing_matrix(tf.shape(images)[1 + axis], size[axis], align_corners)
        for axis in range(2)
    )
    resized = tf.einsum("Hh,bhwc->bHwc", rows, tf.cast(images, tf.float32))
    resized = tf.einsum("Ww,bHwc->bHWc", columns, resized)
    return tf.cast(resized, images.dtype)


def _resizing_matrix(
    before: tf.Tensor, after: tf.Tensor, align_corners: bool
) -> tf.Tensor:
    """Returns the weights of one axis, float32 [after, before]."""
    places = tf.cast(tf.range(after), tf.float32)
    ends = tf.cast((before, after), tf.float32)
    if align_corners:
        places *= (ends[0] - 1) / tf.maximum(ends[1] - 1, 1)
    else:
        places = (places + 0.5) * ends[0] / ends[1] - 0.5
    places = tf.clip_by_value(places, 0, ends[0] - 1)[:, None]
    distance = tf.abs(places - tf.cast(tf.range(before), tf.float32))
    return tf.maximum(1 - distance, 0)


class Places(NamedTuple):
    """Where one axis is read: between two pixels, so far from the first.

    Attributes:
        first: Int32 [n], pixels.
        second: Int32 [n], their neighbors.
        weight: Float32 [n], of the second, 0 to 1.
    """

    first: tf.Tensor
    second: tf.Tensor
    weight: tf.Tensor

    def at(self, indices: tf.Tensor) -> "Places":
        """Returns some of the places."""
        return Places(*(tf.gather(part, indices) for part in self))


def mirrored_half(positions: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Replaces the second half of positions by the mirror image of the first.

    Args:
        positions: Float32 [n], ascending and symmetric but for rounding.

    Returns:
        Float32 [n], each position counted from its own end of the axis; and
        boolean [n], whether that is the far end.
    """
    numbers = tf.range(tf.size(positions))
    is_second = numbers > tf.reverse(numbers, [0])
    positions = tf.where(is_second, tf.reverse(positions, [0]), positions)
    return positions, is_second


def places(
    positions: tf.Tensor, size: tf.Tensor, has_middle: bool = False
) -> Places:
    """Returns between which pixels of an axis positions lie.

    Args:
        positions: Float32 [n], pixels, ascending and symmetric about the
            middle of the axis but for rounding; beyond a border, the border is
            read.
        size: Int, pixels of the axis.
        has_middle: Whether the images went through `with_middles`, which an
            odd number of positions on an even number of pixels needs.
    """
    positions, is_second = mirrored_half(positions)
    first, second, weight = _as_counted(positions, size)
    if has_middle:
        numbers = tf.range(tf.size(positions))
        is_middle = tf.equal(numbers, tf.reverse(numbers, [0]))
        is_middle &= tf.equal(size % 2, 0)
        first, second = (tf.where(is_middle, size, p) for p in (first, second))
        # What `with_middles` put there has no other end.
        is_second &= ~is_middle
    first, second = (
        tf.where(is_second, size - 1 - p, p) for p in (first, second)
    )
    return Places(first, second, weight)


def _as_counted(positions: tf.Tensor, size: tf.Tensor) -> Places:
    """Places of positions that need no symmetry."""
    last = size - 1
    positions = tf.clip_by_value(positions, 0.0, tf.cast(last, tf.float32))
    floor = tf.floor(positions)
    first = tf.cast(floor, tf.int32)
    return Places(first, tf.minimum(first + 1, last), positions - floor)


def with_middles(images: tf.Tensor) -> tf.Tensor:
    """Appends to an even number of rows, and columns, the mean of the middle.

    Between two pixels neither is the first, so that a middle read from one to
    the other would round otherwise in the mirror image.

    Args:
        images: Float32 [h, w, channels], even sides.

    Returns:
        Float32 [h + 1, w + 1, channels].
    """
    images = tf.convert_to_tensor(images)
    for axis in (0, 1):
        half = tf.shape(images)[axis] // 2
        middle = tf.gather(images, half - 1, axis=axis)
        middle = (middle + tf.gather(images, half, axis=axis)) * 0.5
        images = tf.concat([images, tf.expand_dims(middle, axis)], axis)
    return images


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
    """Resizes bilinearly so that the corner pixels' centers meet.

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
        places(aligned_corners(height, shape[-3]), shape[-3]),
        places(aligned_corners(width, shape[-2]), shape[-2]),
    )


def sample(
    images: tf.Tensor,
    rows: Places | tf.Tensor,
    columns: Places | tf.Tensor,
) -> tf.Tensor:
    """Reads images between their pixels, bilinearly.

    Args:
        images: Float32 [..., h, w, channels]; pixel centers are integers.
        rows: Places on the height; or any positions, float32 [n], outside of
            which the nearest pixel is read.
        columns: The same on the width.

    Returns:
        Float32 [..., height, width, channels].
    """
    images = tf.convert_to_tensor(images)
    # Rows first: they are contiguous, and fewer are left for the columns.
    return _sample_axis(_sample_axis(images, rows, -3), columns, -2)


def _sample_axis(
    images: tf.Tensor, read: Places | tf.Tensor, axis: int
) -> tf.Tensor:
    if not isinstance(read, Places):
        read = _as_counted(read, tf.shape(images)[axis])
    rank = images.shape.rank
    channels = images.shape[-1]
    if axis == -2 and channels is not None and channels <= _FEW_CHANNELS:
        # Copying many short pixels costs more than turning all of them.
        turned = _sample_axis(_turned(images), read, -3)
        return _turned(turned)
    weight = tf.reshape(
        read.weight, [-1 if i == axis % rank else 1 for i in range(rank)]
    )
    first = tf.gather(images, read.first, axis=axis)
    second = tf.gather(images, read.second, axis=axis)
    return first + (second - first) * weight


def _turned(images: tf.Tensor) -> tf.Tensor:
    """Makes columns of rows, and rows of columns."""
    *outer, height, width, channels = range(images.shape.rank)
    return tf.transpose(images, [*outer, width, height, channels])
