"""Requests joined into one batch, and its answer parted again.

An answer is what the request would have got alone: label maps are cut to the
largest picture of their own request, and where pictures did not fit beside
those of others, nothing is parted and each is to be run alone.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from nppnet_tf.inference import serving_graph
from nppnet_tf.pictures import picture_structure

Arrays = dict[str, np.ndarray]

# Of a telephone's picture; its pixels count for each scan of a JPEG.
_LARGE_BYTES = 8 << 20
_LARGE_PIXELS = 16 << 20


def can_join(signature: Any) -> bool:
    """Whether a request can be one batch with others.

    It can where nothing but the number of rows is open in the inputs of its
    signature.

    Args:
        signature: `SignatureDef`.
    """
    shapes = [info.tensor_shape for info in signature.inputs.values()]
    return bool(shapes) and all(
        not shape.unknown_rank
        and len(shape.dim) > 0
        and shape.dim[0].size == -1
        and all(axis.size >= 0 for axis in shape.dim[1:])
        for shape in shapes
    )


def join(requests: Sequence[Arrays], padding: int = 0) -> Arrays:
    """Returns the inputs of one batch.

    Args:
        requests: Inputs of the same names, one request each.
        padding: Rows to add, copies of the first.
    """
    return {
        name: np.concatenate(
            [
                *(request[name] for request in requests),
                *([requests[0][name][:1]] * padding),
            ]
        )
        for name in requests[0]
    }


def split(outputs: Arrays, sizes: Sequence[int]) -> list[Arrays] | None:
    """Returns the answer of every request of a batch.

    Args:
        outputs: Outputs of the batch; rows beyond the requests' are dropped.
        sizes: Rows of every request.

    Returns:
        Outputs for each, or None where the batch cannot be parted: pictures
        did not fit beside those of others, or outputs have other rows.
    """
    count = sum(sizes)
    if any(array.ndim < 1 or len(array) < count for array in outputs.values()):
        return None
    statuses = outputs.get(serving_graph.STATUS)
    if statuses is not None and np.any(
        statuses == picture_structure.DOES_NOT_FIT
    ):
        return None
    ends = np.cumsum(sizes)
    return [
        _cut({name: array[end - size : end] for name, array in outputs.items()})
        for size, end in zip(sizes, ends, strict=True)
    ]


def is_large(array: np.ndarray) -> bool:
    """Whether an input takes much longer than pictures of every day.

    By the bytes, and by what files say of themselves: one may be a thousand
    times as large unpacked.
    """
    if array.dtype != object:
        return array.nbytes > _LARGE_BYTES
    return any(
        len(data) > _LARGE_BYTES
        or picture_structure.stated_pixels(data) > _LARGE_PIXELS
        for data in array.flat
    )


def _cut(outputs: Arrays) -> Arrays:
    """Takes away what label maps were padded with for others' sake."""
    label_maps = outputs.get(serving_graph.LABEL_MAP)
    image_sizes = outputs.get(serving_graph.IMAGE_SIZE)
    if label_maps is None or image_sizes is None or label_maps.ndim != 3:
        return outputs
    height, width = image_sizes.max(axis=0)
    return {**outputs, serving_graph.LABEL_MAP: label_maps[:, :height, :width]}
