"""Many things of a request, a portion of them at a time.

What is done for several at once is done once for all of them, where they are
small; a large one is worked on alone, so that memory is bounded.
"""

from collections.abc import Callable
from collections.abc import Sequence

import tensorflow as tf


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
        written = (
            array.write(number, output)
            for array, output in zip(arrays, outputs, strict=True)
        )
        return number + 1, *written

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
