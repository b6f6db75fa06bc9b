"""Label map to boundary map: the outline between body parts."""

import numpy as np

from nppnet_tf.data.descriptors import IGNORE_LABEL


def boundary_map(
    label_map: np.ndarray,
    width: int = 3,
    ignore_label: int = IGNORE_LABEL,
) -> np.ndarray:
    """Marks pixels at which two known labels meet.

    Of two neighbours with different labels one is marked: the lower of a
    vertical pair, the left of a horizontal, the upper left of a diagonal, the
    upper right of an anti-diagonal pair (the choice of CE2P and the release).
    The marks are widened to squares of `width`.

    Args:
        label_map: Integers [H, W].
        width: Odd side of the squares, in pixels.
        ignore_label: Pixels with it meet nobody, and stay ignored.

    Returns:
        Uint8 [H, W]: 1 on a boundary, 0 off it, `ignore_label` where the label
        map has it.
    """
    if width < 1 or width % 2 == 0:
        raise ValueError(f"width must be odd. Received: {width=}")
    known = label_map != ignore_label
    marked = np.zeros(label_map.shape, bool)
    upper, lower = np.s_[:-1, :], np.s_[1:, :]
    left, right = np.s_[:, :-1], np.s_[:, 1:]
    pairs = (
        (lower, upper),
        (left, right),
        (np.s_[:-1, :-1], np.s_[1:, 1:]),
        (np.s_[:-1, 1:], np.s_[1:, :-1]),
    )
    for own, other in pairs:
        differs = label_map[own] != label_map[other]
        marked[own] |= differs & known[own] & known[other]
    for _ in range(width // 2):
        marked = _widened(marked)
    return np.where(known, marked, np.uint8(ignore_label)).astype(np.uint8)


def _widened(marked: np.ndarray) -> np.ndarray:
    """Adds the eight neighbours of every mark, rows first, then columns."""
    rows = marked.copy()
    rows[1:] |= marked[:-1]
    rows[:-1] |= marked[1:]
    square = rows.copy()
    square[:, 1:] |= rows[:, :-1]
    square[:, :-1] |= rows[:, 1:]
    return square
