"""Maps of who is where, as PNG whose colors tell people apart."""

import colorsys
import os

import numpy as np
from PIL import Image

from nppnet_tf.files import atomic

# Neighboring numbers far apart on the circle of hues.
_GOLDEN = 0.618033988749895


def write(path: str | os.PathLike[str], instance_map: np.ndarray) -> None:
    """Writes a palette PNG whose indices count people from 1.

    Args:
        path: Path of the PNG file.
        instance_map: Uint8 [H, W], 0 where nobody is.
    """
    picture = Image.fromarray(np.asarray(instance_map, np.uint8))
    picture.putpalette(palette().tobytes())
    with atomic.atomic_path(path) as temporary:
        picture.save(temporary, format="PNG")


def palette() -> np.ndarray:
    """Returns uint8 [256, 3]: the color of nobody, then those of people."""
    colors = [(0, 0, 0)]
    for number in range(1, 256):
        hue = number * _GOLDEN % 1
        red, green, blue = colorsys.hsv_to_rgb(hue, 0.75, 1.0)
        colors.append((round(red * 255), round(green * 255), round(blue * 255)))
    return np.array(colors, np.uint8)
