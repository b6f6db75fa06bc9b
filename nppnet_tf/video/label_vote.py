"""Smooths label maps over time: the frames around one vote on its pixels."""

from collections.abc import Sequence

import numpy as np


def vote(codes: Sequence[np.ndarray], center: int) -> np.ndarray:
    """Returns what most frames say of each pixel.

    Args:
        codes: Integer [H, W] each, frames in the order of time.
        center: Index of the frame that is voted on. Where votes are equal its
            own counts, then that of the nearest.

    Returns:
        Integer [H, W].
    """
    order = sorted(
        range(len(codes)), key=lambda number: (abs(number - center), number)
    )
    stacked = np.stack([codes[number] for number in order])
    result = stacked[0].copy()
    unclear = (stacked != stacked[0]).any(axis=0)
    candidates = stacked[:, unclear]
    counts = np.stack(
        [(candidates == candidate).sum(axis=0) for candidate in candidates]
    )
    best = counts.argmax(axis=0)
    result[unclear] = candidates[best, np.arange(candidates.shape[1])]
    return result
