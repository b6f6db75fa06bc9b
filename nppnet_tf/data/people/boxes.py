"""Boxes of people: overlap, assignment, whole pixels.

A box is (left, top, right, bottom) in pixels, right and bottom exclusive.
Legend of shapes: P and Q boxes.
"""

from collections.abc import Sequence

import numpy as np


def intersection_over_union(
    boxes: np.ndarray, others: np.ndarray
) -> np.ndarray:
    """Returns the overlap of every box with every other.

    Args:
        boxes: Float [P, 4].
        others: Float [Q, 4].

    Returns:
        Float64 [P, Q] in [0, 1]; 0 where both are empty.
    """
    boxes = np.asarray(boxes, np.float64).reshape(-1, 1, 4)
    others = np.asarray(others, np.float64).reshape(1, -1, 4)
    starts = np.maximum(boxes[..., :2], others[..., :2])
    ends = np.minimum(boxes[..., 2:], others[..., 2:])
    shared = np.clip(ends - starts, 0, None).prod(-1)
    union = _areas(boxes) + _areas(others) - shared
    return np.divide(shared, union, out=np.zeros_like(shared), where=union > 0)


def assign(
    boxes: np.ndarray, others: np.ndarray, max_cost: float
) -> list[tuple[int, int]]:
    """Pairs boxes with others so that the sum of overlaps is the largest.

    As the release: the assignment is made first (Hungarian method on 1 - IoU),
    and pairs that overlap too little are dropped from it afterwards.

    Args:
        boxes: Float [P, 4].
        others: Float [Q, 4].
        max_cost: Pairs of a larger 1 - IoU are dropped.

    Returns:
        Pairs (index in boxes, index in others), in the order of `boxes`.
    """
    # Here: its import takes longer than all that flags are checked by.
    from scipy import optimize

    cost = 1 - intersection_over_union(boxes, others)
    pairs = zip(*optimize.linear_sum_assignment(cost), strict=True)
    return [
        (int(box), int(other))
        for box, other in pairs
        if cost[box, other] <= max_cost
    ]


def whole_pixels(
    box: Sequence[float], outwards: bool = False
) -> tuple[int, int, int, int]:
    """Returns a box of whole pixels.

    Args:
        box: Left, top, right, bottom.
        outwards: Whether the box grows to hold all of `box`; otherwise its
            fractions are cut off, as the release does.
    """
    if outwards:
        box = (*np.floor(box[:2]), *np.ceil(box[2:]))
    left, top, right, bottom = (int(side) for side in box)
    return left, top, right, bottom


def inside(
    box: tuple[int, int, int, int], picture_size: tuple[int, int]
) -> tuple[int, int, int, int]:
    """Returns the part of a box that lies in a picture of (height, width)."""
    height, width = picture_size
    left, top, right, bottom = box
    return max(left, 0), max(top, 0), min(right, width), min(bottom, height)


def _areas(boxes: np.ndarray) -> np.ndarray:
    return np.clip(boxes[..., 2:] - boxes[..., :2], 0, None).prod(-1)
