"""Regions of pictures as annotation programs write them: outlines and runs.

An outline is a polygon whose coordinates count from the corner of the top left
pixel; a pixel is inside where its center is. So a polygon along the edges of
pixels gives these pixels and no others. Runs are COCO's: how many pixels are
outside and inside in turn, column by column, as numbers or as its text.
"""

import itertools
import math
from collections.abc import Iterator
from collections.abc import Sequence

import numpy as np

from nppnet_tf.errors import UserError

# Of COCO's text of runs: five bits a letter, from this letter on.
_FIRST_LETTER = 48
_BITS = 5
_MORE = 1 << _BITS
_SIGN = _MORE >> 1

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


def runs_of(mask: np.ndarray) -> list[int]:
    """Returns the runs of a mask, bool [H, W]: pixels outside come first."""
    pixels = np.asarray(mask, np.bool_).ravel(order="F")
    changes = np.flatnonzero(pixels[1:] != pixels[:-1]) + 1
    runs = np.diff([0, *changes.tolist(), pixels.size]).tolist()
    return [0, *runs] if pixels.size and pixels[0] else runs


def mask_of(runs: Sequence[int], size: tuple[int, int]) -> np.ndarray:
    """Returns the mask of runs, bool [height, width].

    Args:
        runs: What `runs_of` returns.
        size: (height, width).

    Raises:
        UserError: The runs are not of that many pixels.
    """
    count = size[0] * size[1]
    if any(run < 0 for run in runs) or sum(runs) != count:
        raise UserError(
            "runs of another number of pixels",
            None,
            "{} x {}".format(*size),
            sum(runs),
        )
    is_inside = np.arange(len(runs)) % 2 == 1
    pixels = np.repeat(is_inside, np.array(runs, np.int64))
    return pixels.reshape(size, order="F")


def text_of(runs: Sequence[int]) -> str:
    """Returns runs as COCO's text: from the fourth on, what has changed."""
    return "".join(itertools.chain.from_iterable(_letters(runs)))


def runs_of_text(text: str) -> list[int]:
    """Returns the runs of COCO's text.

    Raises:
        UserError: It is no such text.
    """
    runs: list[int] = []
    value = shift = 0
    for letter in text:
        bits = ord(letter) - _FIRST_LETTER
        if not 0 <= bits < 2 * _MORE or shift > 60:
            raise UserError("no runs", None, "COCO's text of runs", letter)
        value |= (bits & (_MORE - 1)) << shift
        shift += _BITS
        if bits & _MORE:
            continue
        if bits & _SIGN:
            value -= 1 << shift
        runs.append(value + (runs[-2] if len(runs) > 2 else 0))
        value = shift = 0
    if shift:
        raise UserError("no runs", None, "COCO's text of runs", "half of one")
    return runs


def _letters(runs: Sequence[int]) -> Iterator[Iterator[str]]:
    for index, run in enumerate(runs):
        yield _of_number(run - runs[index - 2] if index > 2 else run)


def _of_number(value: int) -> Iterator[str]:
    is_open = True
    while is_open:
        bits = value & (_MORE - 1)
        value >>= _BITS
        is_open = value != (-1 if bits & _SIGN else 0)
        yield chr(_FIRST_LETTER + bits + (_MORE if is_open else 0))
