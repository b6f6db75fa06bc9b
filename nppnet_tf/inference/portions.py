"""Many things of a request, a portion of them at a time.

What is done for several at once is done once for all of them, where they are
small; a large one is worked on alone, so that memory is bounded.
"""

from collections.abc import Callable
from collections.abc import Sequence

import tensorflow as tf

# Things of a portion that are worked on at once, on as many cores.
AT_ONCE = 8


def apply(
    function: Callable[[slice], Sequence[tf.Tensor]],
    sizes: tf.Tensor,
    most: int,
    signature: Sequence[tf.TensorSpec],
) -> list[tf.Tensor]:
    """Applies a function to portions of a list, one after the other.

    Args:
        function: Function of where a portion lies in the list. Returns
            tensors with an axis for the things of the portion in front.
        sizes: Int64 [B], how large each thing is; at least one.
        most: Size from which on a portion is full. A thing that is larger is
            the last one of its portion.
        signature: What the function returns of one thing.

    Returns:
        What the function returned, joined: with an axis [B] in front.
    """
    ends = borders(sizes, most)

    def step(
        number: tf.Tensor, *arrays: tf.TensorArray
    ) -> tuple[tf.Tensor | tf.TensorArray, ...]:
        outputs = function(slice(ends[number], ends[number + 1]))
        return number + 1, *_written(arrays, number, outputs)

    _, *arrays = tf.while_loop(
        lambda number, *_: number < tf.size(ends) - 1,
        step,
        (tf.constant(0), *(_array(spec.dtype) for spec in signature)),
        parallel_iterations=1,
    )
    return [
        tf.ensure_shape(array.concat(), [None, *spec.shape])
        for array, spec in zip(arrays, signature, strict=True)
    ]


def apply_to_each(
    begin: Callable[[slice], tf.Tensor],
    function: Callable[[tf.Tensor, tf.Tensor], Sequence[tf.Tensor]],
    sizes: tf.Tensor,
    most: int,
    signature: Sequence[tf.TensorSpec],
) -> list[tf.Tensor]:
    """Begins portions as a whole, and goes on with each thing.

    Args:
        begin: Function of where a portion lies in the list; what it returns
            is dropped before the next portion.
        function: Function of what was begun of a thing, and of its place.
        sizes: Int64 [B], how large each thing is; at least one.
        most: Size from which on a portion is full.
        signature: What the function returns.

    Returns:
        What the function returned, with an axis [B] in front.
    """
    ends = borders(sizes, most)

    def step(
        number: tf.Tensor, *arrays: tf.TensorArray
    ) -> tuple[tf.Tensor | tf.TensorArray, ...]:
        start, end = ends[number], ends[number + 1]
        begun = begin(slice(start, end))

        def go_on(
            place: tf.Tensor, *arrays: tf.TensorArray
        ) -> tuple[tf.Tensor | tf.TensorArray, ...]:
            outputs = function(begun[place - start], place)
            return place + 1, *_written(arrays, place, outputs)

        _, *arrays = tf.while_loop(
            lambda place, *_: place < end,
            go_on,
            (start, *arrays),
            parallel_iterations=AT_ONCE,
        )
        return number + 1, *arrays

    _, *arrays = tf.while_loop(
        lambda number, *_: number < tf.size(ends) - 1,
        step,
        (
            tf.constant(0),
            *(
                tf.TensorArray(
                    spec.dtype, tf.size(sizes), element_shape=spec.shape
                )
                for spec in signature
            ),
        ),
        parallel_iterations=1,
    )
    return [array.stack() for array in arrays]


def borders(sizes: tf.Tensor, most: int) -> tf.Tensor:
    """Divides a list into portions.

    Args:
        sizes: Int64 [B].
        most: Size from which on a portion is full.

    Returns:
        Int32 [portions + 1], ascending from 0 to B.
    """
    numbers = tf.cumsum(sizes, exclusive=True) // most
    is_first = tf.not_equal(numbers[1:], numbers[:-1])
    is_border = tf.pad(is_first, [[1, 1]], constant_values=True)
    return tf.cast(tf.where(is_border)[:, 0], tf.int32)


def _array(dtype: tf.DType) -> tf.TensorArray:
    return tf.TensorArray(dtype, 0, dynamic_size=True, infer_shape=False)


def _written(
    arrays: Sequence[tf.TensorArray],
    place: tf.Tensor,
    values: Sequence[tf.Tensor],
) -> list[tf.TensorArray]:
    return [
        array.write(place, value)
        for array, value in zip(arrays, values, strict=True)
    ]
