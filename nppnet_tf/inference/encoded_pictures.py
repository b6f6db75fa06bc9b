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
from nppnet_tf.inference import portions
from nppnet_tf.inference.encoded_structure import PictureStructure
from nppnet_tf.pictures import picture_decoder
from nppnet_tf.pictures import picture_structure as rule

# Stands for a note that cannot be read.
_BROKEN = -1

# Pixels that are decoded before the first of them is used: 12 MB, and one
# picture of any size.
_PORTION_PIXELS = 1 << 22


def read_each(
    image_bytes: tf.Tensor,
    structures: PictureStructure,
    prepare: Callable[[tf.Tensor], Sequence[tf.Tensor]],
    nothing: Sequence[tf.Tensor],
) -> tuple[tf.Tensor, list[tf.Tensor]]:
    """Decodes files to upright RGB and makes something of each.

    Args:
        image_bytes: String [B], the files.
        structures: What `encoded_structure.read_each` says of them.
        prepare: Function of a picture, uint8 [height, width, 3]. Must not
            fail.
        nothing: What it returns, for a picture that cannot be read; of the
            same types and shapes.

    Returns:
        Statuses, int32 [B], and each output of `prepare` with an axis [B] in
        front.
    """
    orientations, statuses = _orientations(image_bytes, structures)
    pixels = tf.reduce_prod(tf.cast(structures.size, tf.int64), 1)
    pixels = tf.where(tf.equal(statuses, rule.READ), pixels, 0)

    def decoded(part: slice) -> tf.Tensor:
        return _decoded(structures.decodable[part], statuses[part])

    def prepared(optional: tf.Tensor, place: tf.Tensor) -> list[tf.Tensor]:
        is_read = tf.raw_ops.OptionalHasValue(optional=optional)
        outputs = tf.cond(
            is_read,
            lambda: prepare(
                turn_upright(_value(optional), orientations[place])
            ),
            lambda: nothing,
        )
        return [is_read, *outputs]

    is_read, *outputs = portions.apply_to_each(
        decoded,
        prepared,
        pixels,
        _PORTION_PIXELS,
        [
            tf.TensorSpec(v.shape, v.dtype)
            for v in (tf.constant(False), *nothing)
        ],
    )
    is_damaged = tf.equal(statuses, rule.READ) & ~is_read
    return tf.where(is_damaged, rule.UNREADABLE, statuses), outputs


def each_or_default(
    elements: Any,
    function: Callable[[Any], Sequence[tf.Tensor]],
    default: Sequence[tf.Tensor],
) -> list[tf.Tensor]:
    """Applies a function to every element and survives its failing.

    A graph has no way to catch an error but that of a data set. Making one
    costs as much as its function is long: there is one for all, and that which
    decodes (`read_each`) does nothing else.

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
    return tf.cond(
        orientation > 1, lambda: _turned(image, orientation), lambda: image
    )


def _turned(image: tf.Tensor, orientation: tf.Tensor) -> tf.Tensor:
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


def _orientations(
    image_bytes: tf.Tensor, structures: PictureStructure
) -> tuple[tf.Tensor, tf.Tensor]:
    """Returns orientations [B], and statuses [B] that know of broken notes."""
    is_read = tf.equal(structures.status, rule.READ)
    has_notes = is_read & tf.reduce_any(structures.notes > 0, [1, 2])
    upright = tf.ones_like(structures.status)

    def by_notes() -> tuple[tf.Tensor, tf.Tensor]:
        places = tf.where(has_notes)
        elements = tf.nest.map_structure(
            lambda values: tf.gather_nd(values, places),
            (image_bytes, structures),
        )
        (found,) = each_or_default(
            elements,
            lambda element: [encoded_orientation.orientation(*element)],
            [tf.constant(_BROKEN)],
        )
        found = tf.tensor_scatter_nd_update(upright, places, found)
        is_broken = tf.equal(found, _BROKEN)
        return found, tf.where(is_broken, rule.UNREADABLE, structures.status)

    return tf.cond(
        tf.reduce_any(has_notes),
        by_notes,
        lambda: (upright, structures.status),
    )


def _decoded(decodable: tf.Tensor, statuses: tf.Tensor) -> tf.Tensor:
    """Decodes files, string [n], of which some may be damaged.

    Returns:
        Variant [n]: optionals, without a value where the status is not `READ`
        or the file is damaged.
    """
    count = tf.size(statuses, tf.int64)
    numbers = tf.where(tf.equal(statuses, rule.READ))[:, 0]
    dataset = tf.data.Dataset.from_tensor_slices(
        (numbers, tf.gather(decodable, numbers))
    )
    answers = dataset.map(
        lambda number, data: (number, _optional(picture_decoder.decode(data))),
        num_parallel_calls=portions.AT_ONCE,
    ).ignore_errors()
    # One more, so that there is a batch even if all fail.
    last = tf.data.Dataset.from_tensors((count, tf.raw_ops.OptionalNone()))
    answers = answers.concatenate(last).batch(count + 1)
    numbers, optionals = answers.with_options(_options()).get_single_element()
    found = tf.size(numbers) - 1
    places = tf.tensor_scatter_nd_update(
        tf.fill([count + 1], found), numbers[:, tf.newaxis], tf.range(found + 1)
    )
    return tf.gather(optionals, places[:-1])


def _optional(image: tf.Tensor) -> tf.Tensor:
    """Puts a picture of any size into a scalar, which a batch can hold."""
    return tf.raw_ops.OptionalFromValue(components=[image])


def _value(optional: tf.Tensor) -> tf.Tensor:
    (image,) = tf.raw_ops.OptionalGetValue(
        optional=optional,
        output_types=[tf.uint8],
        output_shapes=[tf.TensorShape([None, None, 3])],
    )
    return image


def _options() -> tf.data.Options:
    """Nothing that takes longer to set up than a few pictures to read."""
    options = tf.data.Options()
    options.autotune.enabled = False
    options.experimental_optimization.apply_default_optimizations = False
    return options
