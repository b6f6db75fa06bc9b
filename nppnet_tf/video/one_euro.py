"""Smooths joints over time: the one-euro filter.

Reference:
    Casiez et al., 1 Euro Filter: A Simple Speed-based Low-pass Filter for Noisy
    Input in Interactive Systems, CHI 2012.

The slower a joint, the more it is smoothed: at rest jitter shows, in motion lag
does. Speeds are measured in heights of the person, so that one setting serves
people near and far. A leap to a wrong place and back looks fast, so leaps of a
single frame are taken out before.
"""

import math
from collections.abc import Sequence

import numpy as np

# Hertz at rest, and what every height a second adds.
MIN_CUTOFF = 2.0
BETA = 4.0
# Hertz at which speeds are smoothed.
_SPEED_CUTOFF = 1.5

# A joint that was not found for longer begins anew.
_PATIENCE_SECONDS = 0.5


def without_spikes(frames: Sequence[np.ndarray]) -> np.ndarray:
    """Returns the joints of a frame, without leaps there and back.

    Args:
        frames: Float [K, 2] each: the frame between the two around it.
    """
    return np.median(np.stack(frames), axis=0)


class OneEuroFilter:
    """Follows the joints of one person. K joints.

    Args:
        num_keypoints: K.
        min_cutoff: Hertz, of a joint at rest.
        beta: Hertz for every height of the person in a second.
    """

    def __init__(
        self,
        num_keypoints: int,
        min_cutoff: float = MIN_CUTOFF,
        beta: float = BETA,
    ) -> None:
        self._min_cutoff = min_cutoff
        self._beta = beta
        self._places = np.full((num_keypoints, 2), np.nan)
        self._speeds = np.zeros((num_keypoints, 2))
        self._seconds = np.full(num_keypoints, -math.inf)

    def smooth(
        self,
        keypoints_xy: np.ndarray,
        is_found: np.ndarray,
        seconds: float,
        height: float,
    ) -> np.ndarray:
        """Returns the joints of the next frame, smoothed.

        Args:
            keypoints_xy: Float [K, 2], pixels.
            is_found: Bool [K]; others stay as they are, and are forgotten.
            seconds: Time of the frame, later than the one before.
            height: Height of the person in pixels.

        Returns:
            Float64 [K, 2].
        """
        keypoints_xy = np.asarray(keypoints_xy, np.float64)
        gap = seconds - self._seconds
        is_known = is_found & (gap <= _PATIENCE_SECONDS) & (gap > 0)
        is_known &= np.isfinite(self._places).all(axis=1)
        step = np.where(is_known, gap, 1.0)[:, np.newaxis]
        moved = np.where(
            is_known[:, np.newaxis], keypoints_xy - self._places, 0.0
        )
        share = _share(_SPEED_CUTOFF, step)
        speeds = self._speeds + share * (moved / step - self._speeds)
        pace = np.linalg.norm(speeds, axis=1, keepdims=True)
        cutoff = self._min_cutoff + self._beta * pace / max(height, 1.0)
        smoothed = self._places + _share(cutoff, step) * moved
        known = is_known[:, np.newaxis]
        result = np.where(known, smoothed, keypoints_xy)
        found = is_found[:, np.newaxis]
        self._places = np.where(found, result, self._places)
        self._speeds = np.where(known, speeds, np.where(found, 0, self._speeds))
        self._seconds = np.where(is_found, seconds, self._seconds)
        return result


def _share(cutoff: np.ndarray | float, step: np.ndarray) -> np.ndarray:
    """Share of a new value that passes a low-pass filter."""
    return 1 / (1 + 1 / (2 * math.pi * cutoff * step))
