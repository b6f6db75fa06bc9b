"""Regions of pictures as annotation programs write them: outlines.

An outline is a polygon whose coordinates count from the corner of the top left
pixel; a pixel is inside where its center is. So a polygon along the edges of
pixels gives these pixels and no others.
"""

import math

import numpy as np

# No picture is larger.
_LARGEST = 1e9


def filled(points_xy: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Returns which pixels of a picture lie inside of a polygon.

    Where the polygon crosses itself, what lies inside of it twice is outside.

    Args:
        points_xy: Float [N, 2], its corners in order, the last one joined to
            the first; (0, 0) is the corner of the top left pixel. They may
            lie beyond the picture.
        size: (height, width) of the picture.

    Returns:
        Bool [height, width].
    """
    height, width = size
    # Whether a pixel and the one to its left lie on different sides.
    crossed = np.zeros((height, width + 1), np.bool_)
    points_xy = np.clip(points_xy, -_LARGEST, _LARGEST)
    ends = np.roll(points_xy, -1, axis=0)
    for (x, y), (end_x, end_y) in zip(points_xy, ends, strict=True):
        low, high = sorted((y, end_y))
        # An edge crosses the rows whose centers are in [low, high).
        first, last = (
            min(max(math.ceil(side - 0.5), 0), height) for side in (low, high)
        )
        rows = np.arange(first, last)
        if not rows.size:
            continue
        crossing = x + (rows + 0.5 - y) * ((end_x - x) / (end_y - y))
        columns = np.clip(np.ceil(crossing - 0.5), 0, width).astype(np.int64)
        crossed[rows, columns] ^= True
    return np.logical_xor.accumulate(crossed[:, :width], axis=1)
