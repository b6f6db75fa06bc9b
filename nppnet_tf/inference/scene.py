"""A drawing as plain shapes, written as SVG text or as pixels.

One list of shapes, two renderers: what the two files show cannot drift apart.
Coordinates are pixels of the scene, x to the right, y downwards.
"""

import dataclasses
import functools
import math
import xml.sax.saxutils
from collections.abc import Sequence

from PIL import Image
from PIL import ImageDraw
from PIL import ImageFont

Point = tuple[float, float]

# Pillow's own font is close to these.
_SVG_FONT = "Helvetica, Arial, 'DejaVu Sans', sans-serif"
_DASH = (6.0, 4.0)
_ARROW_LENGTH = 8.0
_CURVE_SAMPLES = 48
# Pillow draws lines without smoothing: they are drawn larger and shrunk.
_SUPERSAMPLING = 2


@dataclasses.dataclass(frozen=True)
class Line:
    """Straight pieces through `points`, with an arrow head at the last one."""

    points: tuple[Point, ...]
    colour: str = "#555555"
    width: float = 1.5
    dashed: bool = False
    arrow: bool = False


@dataclasses.dataclass(frozen=True)
class Curve:
    """A smooth wire that leaves `start` and reaches `end` horizontally."""

    start: Point
    end: Point
    colour: str = "#555555"
    width: float = 1.5
    dashed: bool = False

    @property
    def controls(self) -> tuple[Point, Point]:
        """The two inner points of the cubic Bezier curve."""
        middle = (self.start[0] + self.end[0]) / 2
        return (middle, self.start[1]), (middle, self.end[1])

    def sampled(self) -> tuple[Point, ...]:
        """Returns points along the curve, both ends included."""
        corners = (self.start, *self.controls, self.end)
        return tuple(
            _bezier(corners, step / _CURVE_SAMPLES)
            for step in range(_CURVE_SAMPLES + 1)
        )


@dataclasses.dataclass(frozen=True)
class Box:
    """A rectangle with its upper left corner at (x, y)."""

    x: float
    y: float
    width: float
    height: float
    fill: str = "#ffffff"
    stroke: str = "#555555"
    stroke_width: float = 1.2
    radius: float = 4.0
    dashed: bool = False

    def overlaps(self, other: "Box") -> bool:
        """Whether the two rectangles share more than a border."""
        return (
            self.x < other.x + other.width
            and other.x < self.x + self.width
            and self.y < other.y + other.height
            and other.y < self.y + self.height
        )


@dataclasses.dataclass(frozen=True)
class Circle:
    """A disc around (x, y)."""

    x: float
    y: float
    radius: float
    fill: str = "#ffffff"
    stroke: str = "#555555"
    stroke_width: float = 1.2


@dataclasses.dataclass(frozen=True)
class Label:
    """One line of text; y is the middle of its height.

    Attributes:
        x: Where the anchor of the text stands.
        y: Middle of the letters.
        text: Without line breaks.
        size: Of the letters, in pixels.
        colour: As "#rrggbb".
        anchor: "start", "middle" or "end" of the text stands at x.
    """

    x: float
    y: float
    text: str
    size: float = 12.0
    colour: str = "#222222"
    anchor: str = "start"

    @property
    def width(self) -> float:
        """Pixels that the text takes in the font of the PNG."""
        return text_width(self.text, self.size)


Shape = Line | Curve | Box | Circle | Label


@dataclasses.dataclass(frozen=True)
class Scene:
    """A white page with shapes, drawn in their order; labels above all.

    Attributes:
        width: Of the page.
        height: Of the page.
        title: Read out by screen readers; first element of the SVG.
        shapes: What is on the page.
    """

    width: float
    height: float
    title: str
    shapes: tuple[Shape, ...]

    def to_svg(self) -> str:
        """Returns a whole SVG document that needs no other file."""
        size = f'width="{_number(self.width)}" height="{_number(self.height)}"'
        view = f'viewBox="0 0 {_number(self.width)} {_number(self.height)}"'
        body = "\n".join(_svg_shape(shape) for shape in self._painted())
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" {size} {view} '
            f'font-family="{_SVG_FONT}" role="img">\n'
            f"<title>{xml.sax.saxutils.escape(self.title)}</title>\n"
            f'<rect width="100%" height="100%" fill="#ffffff"/>\n'
            f"{body}\n</svg>\n"
        )

    def to_image(self, scale: float = 1.5) -> Image.Image:
        """Returns the page as an RGB picture, `scale` pixels per pixel."""
        size = (round(self.width * scale), round(self.height * scale))
        factor = scale * _SUPERSAMPLING
        image = Image.new(
            "RGB",
            (size[0] * _SUPERSAMPLING, size[1] * _SUPERSAMPLING),
            "#ffffff",
        )
        canvas = ImageDraw.Draw(image)
        for shape in self._painted():
            if not isinstance(shape, Label):
                _paint_shape(canvas, shape, factor)
        # A box filter over whole blocks smooths without ringing.
        image = image.reduce(_SUPERSAMPLING)
        canvas = ImageDraw.Draw(image)
        for shape in self.shapes:
            if isinstance(shape, Label):
                _paint_label(canvas, shape, scale)
        return image

    def _painted(self) -> Sequence[Shape]:
        labels = [s for s in self.shapes if isinstance(s, Label)]
        return [s for s in self.shapes if not isinstance(s, Label)] + labels


def text_width(text: str, size: float) -> float:
    """Returns the pixels that a line of text takes at this letter size."""
    return _font(100).getlength(text) * size / 100


@functools.cache
def _font(size: float) -> ImageFont.ImageFont | ImageFont.FreeTypeFont:
    return ImageFont.load_default(size)


def _bezier(corners: Sequence[Point], share: float) -> Point:
    rest = 1 - share
    weights = (rest**3, 3 * rest**2 * share, 3 * rest * share**2, share**3)
    return (
        sum(w * x for w, (x, _) in zip(weights, corners, strict=True)),
        sum(w * y for w, (_, y) in zip(weights, corners, strict=True)),
    )


def _number(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")


def _arrow_head(points: Sequence[Point], width: float) -> tuple[Point, ...]:
    (x0, y0), (x1, y1) = points[-2:]
    length = math.hypot(x1 - x0, y1 - y0) or 1.0
    along = ((x1 - x0) / length, (y1 - y0) / length)
    back = (x1 - _ARROW_LENGTH * along[0], y1 - _ARROW_LENGTH * along[1])
    half = 2.5 + width / 2
    return (
        (x1, y1),
        (back[0] - half * along[1], back[1] + half * along[0]),
        (back[0] + half * along[1], back[1] - half * along[0]),
    )


def _svg_shape(shape: Shape) -> str:
    match shape:
        case Line():
            return _svg_line(shape)
        case Curve():
            return _svg_curve(shape)
        case Box():
            return (
                f'<rect x="{_number(shape.x)}" y="{_number(shape.y)}" '
                f'width="{_number(shape.width)}" '
                f'height="{_number(shape.height)}" '
                f'rx="{_number(shape.radius)}" fill="{shape.fill}" '
                f"{_svg_stroke(shape.stroke, shape.stroke_width, shape.dashed)}"
                "/>"
            )
        case Circle():
            return (
                f'<circle cx="{_number(shape.x)}" cy="{_number(shape.y)}" '
                f'r="{_number(shape.radius)}" fill="{shape.fill}" '
                f"{_svg_stroke(shape.stroke, shape.stroke_width)}/>"
            )
        case Label():
            # 0.35 em below the middle is the base line of most letters.
            return (
                f'<text x="{_number(shape.x)}" y="{_number(shape.y)}" '
                f'dy="0.35em" font-size="{_number(shape.size)}" '
                f'fill="{shape.colour}" text-anchor="{shape.anchor}">'
                f"{xml.sax.saxutils.escape(shape.text)}</text>"
            )


def _svg_stroke(colour: str, width: float, dashed: bool = False) -> str:
    dashes = f' stroke-dasharray="{_DASH[0]:g} {_DASH[1]:g}"' if dashed else ""
    return f'stroke="{colour}" stroke-width="{_number(width)}"{dashes}'


def _svg_points(points: Sequence[Point]) -> str:
    return " ".join(f"{_number(x)},{_number(y)}" for x, y in points)


def _svg_line(line: Line) -> str:
    stroke = _svg_stroke(line.colour, line.width, line.dashed)
    text = (
        f'<polyline points="{_svg_points(line.points)}" fill="none" {stroke}/>'
    )
    if line.arrow:
        head = _svg_points(_arrow_head(line.points, line.width))
        text += f'<polygon points="{head}" fill="{line.colour}"/>'
    return text


def _svg_curve(curve: Curve) -> str:
    first, second = curve.controls
    ends = [_svg_points([p]) for p in (curve.start, first, second, curve.end)]
    stroke = _svg_stroke(curve.colour, curve.width, curve.dashed)
    return (
        f'<path d="M {ends[0]} C {ends[1]} {ends[2]} {ends[3]}" '
        f'fill="none" {stroke}/>'
    )


def _paint_shape(
    canvas: ImageDraw.ImageDraw, shape: Shape, factor: float
) -> None:
    match shape:
        case Line():
            _paint_line(canvas, shape, factor)
        case Curve():
            points = shape.sampled()
            line = Line(points, shape.colour, shape.width, shape.dashed)
            _paint_line(canvas, line, factor)
        case Box():
            _paint_box(canvas, shape, factor)
        case Circle():
            reach = shape.radius * factor
            x, y = shape.x * factor, shape.y * factor
            canvas.ellipse(
                (x - reach, y - reach, x + reach, y + reach),
                shape.fill,
                shape.stroke,
                max(1, round(shape.stroke_width * factor)),
            )


def _paint_line(canvas: ImageDraw.ImageDraw, line: Line, factor: float) -> None:
    width = max(1, round(line.width * factor))
    pieces = _dashes(line.points) if line.dashed else [line.points]
    for piece in pieces:
        scaled = [(x * factor, y * factor) for x, y in piece]
        canvas.line(scaled, line.colour, width, joint="curve")
    if line.arrow:
        head = _arrow_head(line.points, line.width)
        canvas.polygon([(x * factor, y * factor) for x, y in head], line.colour)


def _paint_box(canvas: ImageDraw.ImageDraw, box: Box, factor: float) -> None:
    corners = (
        box.x * factor,
        box.y * factor,
        (box.x + box.width) * factor,
        (box.y + box.height) * factor,
    )
    width = max(1, round(box.stroke_width * factor))
    canvas.rounded_rectangle(
        corners,
        box.radius * factor,
        box.fill,
        None if box.dashed else box.stroke,
        0 if box.dashed else width,
    )
    if box.dashed:
        left, top = box.x, box.y
        right, bottom = left + box.width, top + box.height
        outline = (
            (left, top),
            (right, top),
            (right, bottom),
            (left, bottom),
            (left, top),
        )
        _paint_line(
            canvas, Line(outline, box.stroke, box.stroke_width, True), factor
        )


def _paint_label(
    canvas: ImageDraw.ImageDraw, label: Label, scale: float
) -> None:
    anchor = {"start": "l", "middle": "m", "end": "r"}[label.anchor]
    canvas.text(
        (label.x * scale, (label.y + 0.35 * label.size) * scale),
        label.text,
        label.colour,
        _font(label.size * scale),
        anchor=anchor + "s",
    )


def _dashes(points: Sequence[Point]) -> list[tuple[Point, Point]]:
    """Cuts a line into the pieces that a dashed pen draws."""
    pieces = []
    period = sum(_DASH)
    travelled = 0.0
    for start, end in zip(points, points[1:], strict=False):
        length = math.dist(start, end)
        position = 0.0
        while position < length:
            phase = (travelled + position) % period
            drawn = phase < _DASH[0]
            step = (_DASH[0] if drawn else period) - phase
            # Rounding may leave a step that no longer moves.
            stop = min(length, position + max(step, 1e-6))
            if drawn:
                pieces.append(
                    (
                        _between(start, end, position / length),
                        _between(start, end, stop / length),
                    )
                )
            position = stop
        travelled += length
    return pieces


def _between(start: Point, end: Point, share: float) -> Point:
    return (
        start[0] + share * (end[0] - start[0]),
        start[1] + share * (end[1] - start[1]),
    )
