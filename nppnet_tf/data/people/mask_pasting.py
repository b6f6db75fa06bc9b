"""Small masks of boxes, put where the boxes are in a picture.

A Mask R-CNN says of every cell of a grid in a box how likely it shows the
person. Box and picture are continuous: pixel (column, row) covers the square
from there to one further and is judged at its center; so is a cell.

Reference:
    He et al., Mask R-CNN, Sec. 3.1: "resized to the RoI size, and binarized at
    a threshold of 0.5"; with the whole fractions of the box, as Detectron2.
"""

import numpy as np

_THRESHOLD = 0.5


def paste(
    masks: np.ndarray, boxes: np.ndarray, picture_size: tuple[int, int]
) -> np.ndarray:
    """Returns which pixels of a picture the masks of boxes say are inside.

    A pixel takes the bilinear mixture of the cells around it, with nothing
    beyond the grid, and is inside where that is above one half.

    Args:
        masks: Float [N, h, w], 0..1.
        boxes: Float [N, 4], left, top, right, bottom in pixels; may reach
            beyond the picture. One without an inside has an empty mask.
        picture_size: (height, width).

    Returns:
        Bool [N, height, width].
    """
    height, width = picture_size
    pasted = np.zeros((len(masks), height, width), np.bool_)
    for mask, box, inside in zip(masks, boxes, pasted, strict=True):
        left, top, right, bottom = (float(side) for side in box)
        # What is above one half never lies outside of the box.
        rows = _pixels(top, bottom, height)
        columns = _pixels(left, right, width)
        down = _weights(rows, top, bottom, mask.shape[0])
        across = _weights(columns, left, right, mask.shape[1])
        soft = down @ mask.astype(np.float64) @ across.T
        inside[np.ix_(rows, columns)] = soft > _THRESHOLD
    return pasted


def _pixels(start: float, end: float, size: int) -> np.ndarray:
    """Int [n], the pixels of one axis that a box touches."""
    if not start < end:
        return np.arange(0)
    first, last = np.clip((np.floor(start), np.ceil(end)), 0, size)
    return np.arange(int(first), int(last))


def _weights(
    pixels: np.ndarray, start: float, end: float, num_cells: int
) -> np.ndarray:
    """Float64 [n, num_cells], how much of every cell a pixel takes."""
    if not len(pixels):
        return np.zeros((0, num_cells))
    cells = (pixels + 0.5 - start) / (end - start) * num_cells - 0.5
    distances = np.abs(cells[:, np.newaxis] - np.arange(num_cells))
    return np.maximum(0, 1 - distances)
