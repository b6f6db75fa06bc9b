"""What the painters of trunk, limbs and head have in common."""

import math
import random
from collections.abc import Sequence

import numpy as np

from nppnet_tf.drawn_people import clothing
from nppnet_tf.drawn_people import figure as figure_lib
from nppnet_tf.drawn_people.canvas import Canvas
from nppnet_tf.drawn_people.clothing import Garment
from nppnet_tf.drawn_people.clothing import Outfit
from nppnet_tf.drawn_people.figure import Figure
from nppnet_tf.drawn_people.figure import flat

# Thickness along a leg: position (1 = knee, 2 = ankle), radius in standing
# heights.
LEG_RADII = np.array(
    [
        (0.0, 0.045),
        (0.12, 0.051),
        (0.3, 0.054),
        (0.6, 0.047),
        (0.9, 0.037),
        (1.0, 0.0355),
        (1.3, 0.038),
        (1.6, 0.030),
        (1.9, 0.0205),
        (2.0, 0.021),
    ]
)


def perpendicular(directions: np.ndarray) -> np.ndarray:
    """Returns vectors [..., 2] turned by a right angle."""
    return np.stack([-directions[..., 1], directions[..., 0]], axis=-1)


def unit2(vector: Sequence[float]) -> np.ndarray:
    """Returns a vector of length 1, (0, 1) for none."""
    length = math.hypot(vector[0], vector[1])
    if length < 1e-9:
        return np.array((0.0, 1.0))
    return np.array([vector[0] / length, vector[1] / length])


def tube(
    start: np.ndarray, end: np.ndarray, radii: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Returns the two edges of a straight tube of changing thickness."""
    fractions = np.linspace(0, 1, len(radii))[:, None]
    centers = start + fractions * (end - start)
    aside = perpendicular(unit2(end - start))
    return centers + aside * radii[:, None], centers - aside * radii[:, None]


def convex_hull(points: np.ndarray) -> np.ndarray:
    """Returns the corners of the convex hull of [N, 2] points, in order."""
    ordered = sorted({(float(x), float(y)) for x, y in points})
    if len(ordered) < 3:
        return np.array(ordered)

    def half(sequence: Sequence[tuple[float, float]]) -> list:
        chain: list[tuple[float, float]] = []
        for point in sequence:
            while len(chain) > 1:
                (ax, ay), (bx, by) = chain[-2], chain[-1]
                turn = (bx - ax) * (point[1] - ay) - (by - ay) * (point[0] - ax)
                if turn > 0:
                    break
                chain.pop()
            chain.append(point)
        return chain[:-1]

    return np.array(half(ordered) + half(ordered[::-1]))


def hull_edges(hull: np.ndarray, levels: int) -> tuple[np.ndarray, np.ndarray]:
    """Returns left and right outline of a convex polygon, from the top."""
    low, high = hull[:, 1].min(), hull[:, 1].max()
    rows = np.linspace(low + 1e-6, high - 1e-6, levels)[:, None]
    start, end = hull, np.roll(hull, -1, axis=0)
    rise = end[:, 1] - start[:, 1]
    share = (rows - start[:, 1]) / np.where(np.abs(rise) < 1e-12, 1, rise)
    crossing = start[:, 0] + share * (end[:, 0] - start[:, 0])
    crossed = (share >= 0) & (share <= 1) & (np.abs(rise) >= 1e-12)
    left = np.where(crossed, crossing, np.inf).min(axis=1)
    right = np.where(crossed, crossing, -np.inf).max(axis=1)
    rows = rows[:, 0]
    return np.stack([left, rows], axis=1), np.stack([right, rows], axis=1)


class PartPainter:
    """Paints a part of one figure in one outfit onto a canvas.

    Args:
        canvas: What is painted on.
        figure: Body and pose.
        outfit: Clothes, skin and hair.
        rng: Source of folds and other small accidents.
    """

    def __init__(
        self,
        canvas: Canvas,
        figure: Figure,
        outfit: Outfit,
        rng: random.Random,
    ) -> None:
        self._canvas = canvas
        self._figure = figure
        self._outfit = outfit
        self._rng = rng
        self._girth = figure.body.girth
        neck = flat(figure.joints[figure_lib.THORAX])
        self._spine_axis = unit2(neck)
        if math.hypot(*neck) < 0.35 * figure.body.torso:
            self._spine_axis = perpendicular(
                unit2(flat(figure.chest_frame[:, 0]))
            )
        self._facing = float(figure.chest_frame[2, 2])
        self._head_facing = float(figure.head_frame[2, 2])

    def _looseness(self, garment: Garment) -> float:
        """Returns a garment's distance from trunk and arms."""
        # Close to the body at the shoulders, whatever the skirt does; and
        # what is under a coat must not stick out of it.
        covered = self._outfit.coat is not None
        if covered and garment.label != clothing.COAT:
            return min(garment.looseness, 0.004)
        return min(garment.looseness, 0.024)

    def _paint_hanging(self, hull: np.ndarray, part: int, pleats: int) -> None:
        left, right = hull_edges(hull, 10)
        self._canvas.band(left, right, part)
        self._canvas.polygon(hull, part)
        for _ in range(pleats):
            share = self._rng.uniform(0.08, 0.92)
            line = left + share * (right - left)
            start = self._rng.randrange(2, 6)
            tone = self._rng.choice((74, 84, 148))
            self._canvas.tone_line(line[start:], tone, 0.007)
