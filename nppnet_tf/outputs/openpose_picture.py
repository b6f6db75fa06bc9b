"""A pose drawn as OpenPose draws its 25 keypoints: colors on black."""

import colorsys

import numpy as np
from PIL import Image
from PIL import ImageDraw

# Limbs of BODY_25 that have both ends on a body, in OpenPose's order.
_LIMBS = (
    (1, 8),
    (1, 2),
    (1, 5),
    (2, 3),
    (3, 4),
    (5, 6),
    (6, 7),
    (8, 9),
    (9, 10),
    (10, 11),
    (8, 12),
    (12, 13),
    (13, 14),
    (1, 0),
)
_NUM_KEYPOINTS = 25
# Of the longer side of the picture.
_LINE = 1 / 128
_POINT = 1 / 160


def draw(points: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Draws one person.

    Args:
        points: Float [25, 3], x, y and score; zeros where not found.
        size: (height, width) of the picture.

    Returns:
        Uint8 [height, width, 3], black where nothing is drawn.
    """
    image = Image.new("RGB", size[::-1])
    pen = ImageDraw.Draw(image)
    width = max(1, round(max(size) * _LINE))
    radius = max(1.0, max(size) * _POINT)
    found = np.asarray(points)[:, 2] > 0
    for start, end in _LIMBS:
        if found[start] and found[end]:
            ends = [tuple(points[start, :2]), tuple(points[end, :2])]
            pen.line(ends, fill=_color(end), width=width)
    for number in np.flatnonzero(found):
        x, y = points[number, :2]
        place = (x - radius, y - radius, x + radius, y + radius)
        pen.ellipse(place, fill=_color(int(number)))
    return np.asarray(image)


def _color(number: int) -> tuple[int, int, int]:
    """Hues around the circle, one for each keypoint."""
    red, green, blue = colorsys.hsv_to_rgb(number / _NUM_KEYPOINTS, 1, 1)
    return round(red * 255), round(green * 255), round(blue * 255)
