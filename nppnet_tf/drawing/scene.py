"""A page to draw on with boxes, wires and words.

Coordinates are pixels of the page, x to the right, y downwards. matplotlib
writes the page as SVG and as pixels, so what the two files show cannot drift
apart.
"""

import math
from collections.abc import Sequence
from typing import Any
from typing import NamedTuple

from nppnet_tf.drawing import figures

Point = tuple[float, float]

INK = "#333333"

_OUTLINE = 1.2
_DASH = (6.0, 4.0)
_ARROW_LENGTH = 8.0
_ALIGNMENTS = {"start": "left", "middle": "center", "end": "right"}


class Style(NamedTuple):
    """How a box looks, and wires in its color."""

    fill: str
    stroke: str
    is_dashed: bool = False


class Scene:
    """A white page with shapes, in the order of the calls; words above all.

    Args:
        width: Width of the page.
        title: Read out by screen readers.
    """

    def __init__(self, width: float, title: str) -> None:
        with figures.style():
            self.figure = figures.new(width, width)
            self.axes = self.figure.add_axes((0, 0, 1, 1))
        self.axes.set_axis_off()
        self.width = width
        self.title = title

    def end(self, height: float) -> None:
        """Cuts the page at `height`, once all is drawn."""
        self.height = height
        self.figure.set_size_inches(
            self.width / figures.PIXELS_PER_INCH,
            height / figures.PIXELS_PER_INCH,
        )
        self.axes.set(xlim=(0, self.width), ylim=(height, 0))

    def line(
        self,
        points: Sequence[Point],
        style: Style,
        width: float = 2.0,
        arrow: bool = False,
    ) -> None:
        """Draws straight pieces, with an arrow head at the last point."""
        self._stroke(points, None, style, width)
        if arrow:
            head = _arrow_head(*points[-2:], width)
            self._add("Polygon", head, facecolor=style.stroke, linewidth=0)

    def curve(
        self, start: Point, end: Point, style: Style, width: float = 2.0
    ) -> None:
        """Draws a wire that leaves `start` and reaches `end` horizontally."""
        middle = (start[0] + end[0]) / 2
        points = (start, (middle, start[1]), (middle, end[1]), end)
        # To the first point, then a cubic Bezier curve.
        self._stroke(points, (1, 4, 4, 4), style, width)

    def box(
        self,
        corner: Point,
        width: float,
        height: float,
        style: Style,
        words: str = "",
        size: float = 12,
    ) -> None:
        """Draws a rectangle, `corner` its upper left, words in its middle."""
        shape = (corner, width, height, "round, pad=0, rounding_size=4")
        self._add("FancyBboxPatch", *shape, **_pen(style, _OUTLINE))
        middle = (corner[0] + width / 2, corner[1] + height / 2)
        self.label(middle, words, size, anchor="middle")

    def circle(
        self, center: Point, radius: float, fill: str = INK, words: str = ""
    ) -> None:
        """Draws a disc with an outline, words in its middle."""
        pen = _pen(Style(fill, INK), _OUTLINE)
        self._add("Circle", center, radius, **pen)
        self.label(center, words, 12, anchor="middle")

    def label(
        self,
        place: Point,
        words: str,
        size: float,
        color: str = INK,
        anchor: str = "start",
    ) -> None:
        """Writes one line of text, if any.

        Args:
            place: (x, y) of the anchor; y is the middle of the letters' height.
            words: Without line breaks.
            size: Height of the letters.
            color: Color as "#rrggbb".
            anchor: "start", "middle" or "end" of the text stands at x.
        """
        if not words:
            return
        self.axes.text(
            *place,
            words,
            size=size,
            color=color,
            horizontalalignment=_ALIGNMENTS[anchor],
            verticalalignment="center_baseline",
            parse_math=False,
        )

    def to_svg(self) -> str:
        """Returns a whole SVG document that needs no other file."""
        return figures.to_svg(self.figure, self.title)

    def to_png(self, scale: float = 1.5) -> bytes:
        """Returns the page as a PNG file, `scale` pixels per pixel."""
        return figures.to_png(self.figure, scale)

    def _stroke(self, points, codes, style: Style, width: float) -> None:
        from matplotlib.path import Path

        pen = _pen(style._replace(fill="none"), width)
        self._add("PathPatch", Path(points, codes), **pen)

    def _add(self, kind: str, *arguments, **settings) -> None:
        from matplotlib import patches

        shape = getattr(patches, kind)(*arguments, **settings)
        self.axes.add_patch(shape)


def _pen(style: Style, width: float) -> dict[str, Any]:
    """Settings of an outline; matplotlib counts dashes in line widths."""
    dashes = (0, tuple(length / width for length in _DASH))
    return {
        "facecolor": style.fill,
        "edgecolor": style.stroke,
        "linestyle": dashes if style.is_dashed else "-",
        "linewidth": width,
    }


def _arrow_head(start: Point, end: Point, width: float) -> Sequence[Point]:
    (x0, y0), (x1, y1) = start, end
    length = math.hypot(x1 - x0, y1 - y0) or 1.0
    along = ((x1 - x0) / length, (y1 - y0) / length)
    back = (x1 - _ARROW_LENGTH * along[0], y1 - _ARROW_LENGTH * along[1])
    half = 2.5 + width / 2
    return (
        end,
        (back[0] - half * along[1], back[1] + half * along[0]),
        (back[0] + half * along[1], back[1] - half * along[0]),
    )
