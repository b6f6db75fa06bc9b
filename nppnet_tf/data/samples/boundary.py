"""Label map to boundary map: the outline between body parts."""

import numpy as np

from nppnet_tf import keys


def boundary_map(label_map: np.ndarray, width: int = 3) -> np.ndarray:
    """Marks pixels at which two known labels meet.

    Of two neighbors with different labels one is marked: the lower of a
    vertical pair, the left of a horizontal, the upper left of a diagonal, the
    upper right of an anti-diagonal pair (the choice of CE2P and the release).
    The marks are widened to squares of `width`.

    Args:
        label_map: Integers [H, W]; pixels with the ignore label 255 meet
            nobody.
        width: Odd side of the squares, in pixels.

    Returns:
        Uint8 [H, W]: 1 on a boundary, 0 off it, 255 where the label map has
        it.
    """
    if width < 1 or width % 2 == 0:
        raise ValueError(f"width must be odd. Received: {width=}")
    height, columns = label_map.shape
    # In one long row every shift is one slice. A column of ignored pixels
    # keeps the end of a row from meeting the start of the next.
    stride = columns + 1
    padded = np.full((height, stride), keys.IGNORE_LABEL, label_map.dtype)
    padded[:, :columns] = label_map
    flat = padded.ravel()
    known = flat != keys.IGNORE_LABEL
    marked = np.zeros(flat.shape, bool)
    # One array for all that is kept for a moment: to make one costs more than
    # to fill it.
    scratch = np.empty(flat.shape, bool)
    pairs = ((stride, 0), (0, 1), (0, stride + 1), (1, stride))
    for own, other in pairs:
        length = max(flat.size - max(own, other), 0)
        at_own = slice(own, own + length)
        at_other = slice(other, other + length)
        meets = scratch[:length]
        np.not_equal(flat[at_own], flat[at_other], out=meets)
        meets &= known[at_own]
        meets &= known[at_other]
        marked[at_own] |= meets
    for _ in range(width // 2):
        _widen(marked, scratch, stride)
        marked.reshape(padded.shape)[:, columns] = False
    result = marked.view(np.uint8)
    np.putmask(result, ~known, keys.IGNORE_LABEL)
    return result.reshape(padded.shape)[:, :columns]


def _widen(marked: np.ndarray, scratch: np.ndarray, stride: int) -> None:
    """Adds the eight neighbors of every mark, columns first, then rows."""
    scratch[:] = marked
    scratch[stride:] |= marked[:-stride]
    scratch[:-stride] |= marked[stride:]
    marked[:] = scratch
    marked[1:] |= scratch[:-1]
    marked[:-1] |= scratch[1:]
