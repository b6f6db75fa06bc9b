"""What a mask of a box says of every pixel, one by one."""

import math

import numpy as np


def paste_one(
    mask: np.ndarray, box: tuple[float, ...], size: tuple[int, int]
) -> np.ndarray:
    """Returns bool [height, width], pixel for pixel from its four cells.

    Args:
        mask: [h, w], 0..1.
        box: Left, top, right, bottom.
        size: (height, width) of the picture.
    """
    left, top, right, bottom = map(float, box)
    inside = np.zeros(size, bool)
    for row in range(size[0]):
        for column in range(size[1]):
            y = (row + 0.5 - top) / (bottom - top) * mask.shape[0] - 0.5
            x = (column + 0.5 - left) / (right - left) * mask.shape[1] - 0.5
            inside[row, column] = _mixture(mask, y, x) > 0.5
    return inside


def _mixture(mask: np.ndarray, y: float, x: float) -> float:
    up, before = math.floor(y), math.floor(x)
    total = 0.0
    for row, of_row in ((up, up + 1 - y), (up + 1, y - up)):
        for column, of_column in (
            (before, before + 1 - x),
            (before + 1, x - before),
        ):
            if 0 <= row < mask.shape[0] and 0 <= column < mask.shape[1]:
                total += of_row * of_column * float(mask[row, column])
    return total
