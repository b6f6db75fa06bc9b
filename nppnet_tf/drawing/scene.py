"""A page to draw on with boxes, wires and words.

Coordinates are pixels of the page, x to the right, y downwards. matplotlib
writes the page as SVG and as pixels, so what the two files show cannot drift
apart.
"""

import math
from collections.abc import Sequence

from nppnet_tf.drawing import figures

Point = tuple[float, float]

INK = "#333333"

_OUTLINE = 1.2
_DASH = (6.0, 4.0)
_ARROW_LENGTH = 8.0
_ALIGNMENTS = {"start": "left", "middle": "center", "end": "right"}


class Scene:
    """A white page with shapes, in the order of the calls; words above all.

    Args:
        width: Of the page.
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
        color: str,
        width: float,
        dashed: bool = False,
        arrow: bool = False,
    ) -> None:
        """Draws straight pieces, with an arrow head at the last point."""
        self._stroke(points, None, color, width, dashed)
        if arrow:
            head = _arrow_head(*points[-2:], width)
            self._add("Polygon", head, facecolor=color, linewidth=0)

    def curve(
        self,
        start: Point,
        end: Point,
        color: str,
        width: float,
        dashed: bool = False,
    ) -> None:
        """Draws a wire that leaves `start` and reaches `end` horizontally."""
        middle = (start[0] + end[0]) / 2
        points = (start, (middle, start[1]), (middle, end[1]), end)
        # To the first point, then a cubic Bezier curve.
        self._stroke(points, (1, 4, 4, 4), color, width, dashed)

    def box(
        self,
        corner: Point,
        width: float,
        height: float,
        fill: str,
        stroke: str,
        dashed: bool = False,
        words: str = "",
        size: float = 12,
    ) -> None:
        """Draws a rectangle, `corner` its upper left, words in its middle."""
        self._add(
            "FancyBboxPatch",
            corner,
            width,
            height,
            "round, pad=0, rounding_size=4",
            facecolor=fill,
            edgecolor=stroke,
            **_pen(_OUTLINE, dashed),
        )
        middle = (corner[0] + width / 2, corner[1] + height / 2)
        if words:
            self.label(middle, words, size, INK, "middle")

    def circle(
        self, center: Point, radius: float, fill: str = INK, words: str = ""
    ) -> None:
        """Draws a disc with an outline, words in its middle."""
        self._add(
            "Circle",
            center,
            radius,
            facecolor=fill,
            edgecolor=INK,
            linewidth=_OUTLINE,
        )
        if words:
            self.label(center, words, 12, INK, "middle")

    def label(
        self,
        place: Point,
        words: str,
        size: float,
        color: str = INK,
        anchor: str = "start",
    ) -> None:
        """Writes one line of text.

        Args:
            place: Of the anchor; y is the middle of the letters' height.
            words: Without line breaks.
            size: Of the letters.
            color: As "#rrggbb".
            anchor: "start", "middle" or "end" of the text stands at x.
        """
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

    def _stroke(self, points, codes, color, width, dashed) -> None:
        from matplotlib.path import Path

        self._add(
            "PathPatch",
            Path(points, codes),
            facecolor="none",
            edgecolor=color,
            **_pen(width, dashed),
        )

    def _add(self, kind: str, *arguments, **settings) -> None:
        from matplotlib import patches

        shape = getattr(patches, kind)(*arguments, **settings)
        self.axes.add_patch(shape)


def _pen(width: float, dashed: bool) -> dict:
    """How an outline is drawn; matplotlib counts dashes in line widths."""
    dashes = (0, tuple(length / width for length in _DASH))
    return {"linewidth": width, "linestyle": dashes if dashed else "-"}


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
