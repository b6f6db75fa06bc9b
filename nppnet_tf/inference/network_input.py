"""Pictures, fitted into the network's input.

The inverse, from the network's answer to the picture, is `network_output`.
"""

from collections.abc import Callable

import numpy as np
import tensorflow as tf

from nppnet_tf import resampling
from nppnet_tf.pictures import pixels

# Side of the largest block of pixels whose levels add up exactly.
_EXACT_FACTOR = 256

Size = tuple[int, int]


def letterbox_scale(image_size: tf.Tensor, input_size: Size) -> tf.Tensor:
    """Returns by how much a picture is enlarged to fit the input.

    Args:
        image_size: Int32 (height, width) of the picture.
        input_size: (height, width) of the network's input.
    """
    ratios = tf.constant(input_size, tf.float32) / tf.cast(
        image_size, tf.float32
    )
    return tf.reduce_min(ratios)


def preprocess(image: tf.Tensor, input_size: Size) -> tf.Tensor:
    """Fits pictures of one size into the network's input and normalizes them.

    The picture is scaled by min(W / w, H / h) about its center, read
    bilinearly, with gray 128 around it. A picture of at least twice the input's
    size is first averaged over blocks of pixels, since reading it at few places
    would see its noise (departs from the release, which has no such pictures).
    `data.samples.geometry` does both in training and validation.

    A mirrored picture gives the mirrored input, to the last bit, at every size
    and along both axes (where a picture that is averaged has whole levels).

    Args:
        image: Uint8 or float32 [..., h, w, 3], RGB of 0 to 255; at most one
            leading axis.
        input_size: (H, W).

    Returns:
        Float32 [..., H, W, 3], ImageNet-normalized.
    """
    image_size = tf.shape(image)[-3:-1]
    scale = letterbox_scale(image_size, input_size)
    positions = [
        _picture_positions(input_size[axis], image_size[axis], scale)
        for axis in (0, 1)
    ]
    inside = [
        # A pixel reaches half a pixel beyond its center; on the border of the
        # picture, its own pixel is read, at both ends.
        resampling.mirrored_half(position)[0] >= -0.5
        for position in positions
    ]
    image, positions = _average_blocks(image, positions, image_size, scale)
    rows, columns = (
        resampling.places(tf.boolean_mask(position, is_inside), side)
        for position, is_inside, side in zip(
            positions, inside, tf.unstack(tf.shape(image)[-3:-1]), strict=True
        )
    )
    sampled = resampling.sample(image, rows, columns)
    return _normalized(_with_borders(sampled, input_size))


def _with_borders(image: tf.Tensor, input_size: Size) -> tf.Tensor:
    """Lays gray about pictures [..., h, w, 3], alike on opposite sides."""
    borders = [
        [(input_side - side) // 2] * 2
        for input_side, side in zip(
            input_size, tf.unstack(tf.shape(image)[-3:-1]), strict=True
        )
    ]
    outer = [[0, 0]] * (image.shape.rank - 3)
    padded = tf.pad(
        image, [*outer, *borders, [0, 0]], constant_values=float(pixels.FILL)
    )
    return tf.ensure_shape(
        padded, [*image.shape[:-3].as_list(), *input_size, 3]
    )


def _normalized(image: tf.Tensor) -> tf.Tensor:
    """Normalizes levels of 0 to 255; whole rows at once, which is faster."""
    shape = tf.shape(image)
    rows = tf.reshape(image, [*tf.unstack(shape[:-2]), -1])
    gain, offset = (
        np.tile(values, image.shape[-2])
        for values in (pixels.GAIN, pixels.OFFSET)
    )
    return tf.reshape(rows * gain - offset, shape)


def _picture_positions(
    input_side: int, side: tf.Tensor, scale: tf.Tensor
) -> tf.Tensor:
    """Where the pixels of the input lie in the picture, along one axis."""
    offsets = tf.range(input_side, dtype=tf.float32) - (input_side - 1) / 2
    return offsets / scale + tf.cast(side - 1, tf.float32) / 2


def _average_blocks(
    image: tf.Tensor,
    positions: list[tf.Tensor],
    image_size: tf.Tensor,
    scale: tf.Tensor,
) -> tuple[tf.Tensor, list[tf.Tensor]]:
    """Shrinks a large picture by averaging; moves the positions with it."""
    # A hair more than 1 / scale, so that exactly 2 is not read as 1.999.
    factor = tf.cast(tf.floor(1.0 / scale + 1e-4), tf.int32)
    factor = tf.maximum(factor, 1)
    reduced_size = (image_size + factor - 1) // factor

    def averaged(batch: tf.Tensor, size: tf.Tensor) -> tf.Tensor:
        return tf.raw_ops.ResizeArea(images=batch, size=size)

    def both_ways(batch: tf.Tensor) -> tf.Tensor:
        """Where blocks hold parts of pixels, sums round by their order."""
        for axis, size in (
            # Columns first: what one sum reads lies side by side.
            (2, tf.stack([image_size[0], reduced_size[1]])),
            (1, reduced_size),
        ):
            batch = _of_mirror_images(
                lambda each, size=size: averaged(each, size), batch, axis
            )
        return batch

    def reduced() -> tf.Tensor:
        batch = image if image.shape.rank == 4 else image[tf.newaxis]
        is_whole = tf.reduce_all(tf.equal(image_size % factor, 0))
        # Of whole levels, float32 adds up to 2^24 exactly.
        is_whole &= factor <= _EXACT_FACTOR
        shrunk = tf.cond(
            is_whole,
            lambda: averaged(batch, reduced_size),
            lambda: both_ways(batch),
        )
        return shrunk if image.shape.rank == 4 else shrunk[0]

    result = tf.cond(factor > 1, reduced, lambda: tf.cast(image, tf.float32))
    result.set_shape([*image.shape[:-3], None, None, 3])
    ratios = tf.cast(reduced_size, tf.float32) / tf.cast(image_size, tf.float32)
    moved = [(positions[axis] + 0.5) * ratios[axis] - 0.5 for axis in (0, 1)]
    return result, moved


def _of_mirror_images(
    function: Callable[[tf.Tensor], tf.Tensor], images: tf.Tensor, axis: int
) -> tf.Tensor:
    """Mean of a function of images and of their mirror images, mirrored back.

    Of mirrored images it is the mirror image, whatever the function rounds.
    """
    mirrored = tf.reverse(function(tf.reverse(images, [axis])), [axis])
    return (function(images) + mirrored) * 0.5
