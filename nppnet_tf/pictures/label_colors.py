"""Palettes of label maps: colors that say other ids than the indices.

An index of a palette PNG is a class id, and the palette is decoration, as
people of this field write label maps. A program that takes such a picture for
colors may write it again with its palette in another order: one that counts
colors (Photoshop, `quantize`), or one that makes gray ids a palette to save
bits (optipng, ImageMagick). Then the color still says the class, and the index
does not.
"""

from collections.abc import Mapping
from collections.abc import Sequence

Color = tuple[int, int, int]

_BITS = 8


def contradiction(
    colors: Mapping[int, Color], palette: Sequence[Color]
) -> str | None:
    """Says how the colors of a label map contradict its indices.

    They do where they are those of classes, or gray levels that are ids, at
    other places. One color may be unknown, that of the ignore label, where two
    others are moved.

    Args:
        colors: The color of every index that occurs.
        palette: The color of every class.

    Returns:
        A phrase that names the first of them, or None.
    """
    if all(color == voc_color(index) for index, color in colors.items()):
        # The usual palette of label maps, whatever the classes are.
        return None
    places: dict[Color, list[int]] = {}
    for class_id, color in enumerate(palette):
        places.setdefault(tuple(color), []).append(class_id)
    grays: dict[Color, list[int]] = {
        (level, level, level): [level] for level in range(len(palette))
    }
    # Colors of classes, where they are all there, are what is meant.
    for meaning, kind in ((places, "color"), (grays, "gray level")):
        moved = [
            (index, meaning[color][0])
            for index, color in colors.items()
            if color in meaning and index not in meaning[color]
        ]
        num_unknown = sum(color not in meaning for color in colors.values())
        if not moved and not num_unknown:
            return None
        if num_unknown < min(2, len(moved)):
            index, class_id = moved[0]
            return f"index {index} with the {kind} of class {class_id}"
    return None


def voc_color(index: int) -> Color:
    """Returns a color of the palette of PASCAL VOC.

    Args:
        index: Number of the class, 0..255.
    """
    color = [0, 0, 0]
    for bit in range(_BITS):
        for channel in range(3):
            is_set = index >> (3 * bit + channel) & 1
            color[channel] |= is_set << (_BITS - 1 - bit)
    return color[0], color[1], color[2]
