"""Many annotated pictures on one sheet, to look at."""

import dataclasses
from collections.abc import Sequence

import numpy as np
from PIL import Image
from PIL import ImageDraw
from PIL import ImageFont

from nppnet_tf import errors
from nppnet_tf.data.descriptors import DatasetDescriptor
from nppnet_tf.drawing import rendering

_TILE_SIZE = (224, 288)
_MARGIN = 10
_TEXT_SIZE = 13
_LINES = 4
_PAPER = (255, 255, 255)
_INK = (30, 30, 30)
_ALARM = (190, 20, 20)
_NOTHING = (225, 225, 225)


@dataclasses.dataclass(frozen=True)
class Tile:
    """One picture with what is known about it.

    Attributes:
        title: First line under it.
        text: Further lines; in red, they say what is wrong.
        image: Uint8 [H, W, 3], or None where it cannot be read.
        label_map: Integer [H, W], or None.
        keypoints_xy: Float [K, 2], or None.
        visibility: Int [K], or None.
    """

    title: str
    text: str = ""
    image: np.ndarray | None = None
    label_map: np.ndarray | None = None
    keypoints_xy: np.ndarray | None = None
    visibility: np.ndarray | None = None


def contact_sheet(
    tiles: Sequence[Tile],
    descriptor: DatasetDescriptor,
    heading: str,
    columns: int = 6,
) -> np.ndarray:
    """Draws tiles in rows under a heading.

    Args:
        tiles: Tiles of the sheet, at least one.
        descriptor: Names, colors and skeleton.
        heading: One line.
        columns: Tiles in a row.

    Returns:
        Uint8 [H, W, 3].
    """
    if not tiles:
        raise ValueError("a sheet needs at least one tile. Received: none")
    font = ImageFont.load_default(_TEXT_SIZE)
    width, height = _TILE_SIZE
    step_x = width + _MARGIN
    step_y = height + _LINES * (_TEXT_SIZE + 3) + 2 * _MARGIN
    top = 2 * _MARGIN + _TEXT_SIZE + 3
    columns = min(columns, len(tiles))
    rows = -(-len(tiles) // columns)
    longest = int(font.getlength(heading)) + 2 * _MARGIN
    size = (max(columns * step_x + _MARGIN, longest), rows * step_y + top)
    sheet = Image.new("RGB", size, _PAPER)
    pencil = ImageDraw.Draw(sheet)
    pencil.text((_MARGIN, _MARGIN), heading, _INK, font)
    for number, tile in enumerate(tiles):
        row, column = divmod(number, columns)
        left, upper = _MARGIN + column * step_x, top + row * step_y
        picture = _picture(tile, descriptor)
        # At the foot, where the words begin.
        indent = (width - picture.width) // 2
        sheet.paste(picture, (left + indent, upper + height - picture.height))
        below = upper + height + 4
        lines = _wrapped(tile.title, font, width)[:1]
        colors = [_INK]
        told = _wrapped(tile.text, font, width)[: _LINES - 1]
        lines, colors = lines + told, colors + [_ALARM] * len(told)
        for line, color in zip(lines, colors, strict=True):
            pencil.text((left, below), line, color, font)
            below += _TEXT_SIZE + 3
    return np.asarray(sheet)


def _picture(tile: Tile, descriptor: DatasetDescriptor) -> Image.Image:
    width, height = _TILE_SIZE
    if tile.image is None:
        return Image.new("RGB", (width, height // 3), _NOTHING)
    source = tile.image.shape[1::-1]
    scale = min(width / source[0], height / source[1])
    size = tuple(max(1, round(side * scale)) for side in source)
    # Drawn at the size of the tile, so that lines are as thick everywhere.
    image = Image.fromarray(tile.image).resize(size, Image.Resampling.LANCZOS)
    label_map = keypoints_xy = None
    if tile.label_map is not None:
        label_map = np.asarray(
            Image.fromarray(np.asarray(tile.label_map, np.uint8)).resize(
                size, Image.Resampling.NEAREST
            )
        )
    if tile.keypoints_xy is not None:
        factors = np.divide(size, source)
        keypoints_xy = (np.asarray(tile.keypoints_xy) + 0.5) * factors - 0.5
    drawn = rendering.overlay(
        np.asarray(image), label_map, keypoints_xy, tile.visibility, descriptor
    )
    return Image.fromarray(drawn)


def _wrapped(text: str, font: ImageFont.FreeTypeFont, width: int) -> list[str]:
    """Breaks a text into lines, inside of words where they are too long."""
    lines, line = [], ""
    for word in errors.printable(text).replace("/", "/ ").split():
        for piece in _pieces(word, font, width):
            longer = f"{line} {piece}".strip()
            if line.endswith("/"):
                longer = line + piece
            if line and font.getlength(longer) > width:
                lines.append(line)
                longer = piece
            line = longer
    return [*lines, line] if line else lines


def _pieces(word: str, font: ImageFont.FreeTypeFont, width: int) -> list[str]:
    pieces = [""]
    for letter in word:
        if font.getlength(pieces[-1] + letter) > width:
            pieces.append("")
        pieces[-1] += letter
    return pieces
