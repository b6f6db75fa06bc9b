"""Encoded pictures in the graph: what they are, upright pixels, bad ones.

A batch of a server must survive a bad picture, so everything here answers with
a status instead of an error. The rule is that of `docs/pictures.md`, which
`nppnet_tf.pictures.picture_files` follows in Python.
"""

from collections.abc import Callable
from collections.abc import Sequence
from typing import Any

import tensorflow as tf

from nppnet_tf.inference import encoded_orientation
from nppnet_tf.inference import encoded_structure
from nppnet_tf.inference.encoded_structure import PictureStructure
from nppnet_tf.pictures import picture_decoder
from nppnet_tf.pictures import picture_files
from nppnet_tf.pictures import picture_structure as rule


def read(
    image_bytes: tf.Tensor, max_pixels: int = picture_files.MAX_PIXELS
) -> tuple[tf.Tensor, tf.Tensor]:
    """Decodes one JPEG or PNG to upright RGB.

    Args:
        image_bytes: Scalar string; any bytes.
        max_pixels: A larger picture is not decoded.

    Returns:
        Its status, int32 scalar, and uint8 [height, width, 3]; [0, 0, 3] where
        the status is not `READ`. Transparency is dropped.

    Raises:
        tf.errors.OpError: The file is whole but its pixels or its note of the
            orientation are damaged, when run; `each_or_default` survives it.
    """
    structure = encoded_structure.read(image_bytes, max_pixels)
    return structure.status, decode(image_bytes, structure)


def decode(image_bytes: tf.Tensor, structure: PictureStructure) -> tf.Tensor:
    """As `read` of a file whose structure is known; returns the pixels."""

    def upright() -> tf.Tensor:
        return turn_upright(
            picture_decoder.decode(structure.decodable, structure.is_png),
            encoded_orientation.orientation(image_bytes, structure),
        )

    image = tf.cond(
        tf.equal(structure.status, rule.READ),
        upright,
        lambda: tf.zeros([0, 0, 3], tf.uint8),
    )
    return tf.ensure_shape(image, [None, None, 3])


def each_or_default(
    elements: Any,
    function: Callable[[Any], Sequence[tf.Tensor]],
    default: Sequence[tf.Tensor],
) -> list[tf.Tensor]:
    """Applies a function to every element and survives its failing.

    A graph has no way to catch an error but that of a data set. Making one
    costs as much as reading a small picture: there is one for all.

    Args:
        elements: Tensors [B, ...], one or a structure of them.
        function: Function of one element; may fail when run.
        default: What it returns where it fails; of the same types and shapes.

    Returns:
        Each output of the function with an axis [B] in front.
    """
    count = tf.shape(tf.nest.flatten(elements)[0])[0]
    dataset = tf.data.Dataset.from_tensor_slices((tf.range(count), elements))
    answers = dataset.map(
        lambda index, element: (index, *function(element))
    ).ignore_errors()
    # One more, so that there is a batch even if all fail.
    last = tf.data.Dataset.from_tensors((count, *default))
    answers = answers.concatenate(last).batch(tf.cast(count, tf.int64) + 1)
    indices, *values = answers.with_options(_options()).get_single_element()
    return [
        tf.tensor_scatter_nd_update(
            tf.repeat(tf.expand_dims(nothing, 0), count + 1, 0),
            indices[:, tf.newaxis],
            value,
        )[:count]
        for value, nothing in zip(values, default, strict=True)
    ]


def turn_upright(image: tf.Tensor, orientation: tf.Tensor) -> tf.Tensor:
    """Applies an EXIF orientation, 1 to 8, to an image [height, width, 3]."""

    def one_of(*numbers: int) -> tf.Tensor:
        return tf.reduce_any(tf.equal(orientation, numbers))

    image = tf.cond(
        one_of(5, 6, 7, 8),
        lambda: tf.transpose(image, [1, 0, 2]),
        lambda: image,
    )
    # In one step: large pictures are copied no oftener than they must be.
    mirrored = [one_of(3, 4, 7, 8), one_of(2, 3, 6, 7), False]
    return tf.raw_ops.Reverse(tensor=image, dims=tf.stack(mirrored))


def _options() -> tf.data.Options:
    """Nothing that takes longer to set up than a few pictures to read."""
    options = tf.data.Options()
    options.autotune.enabled = False
    options.experimental_optimization.apply_default_optimizations = False
    return options
