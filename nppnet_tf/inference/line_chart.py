"""Line charts as SVG text, for pages that must work without any other file."""

import dataclasses
import html
import math
from collections.abc import Sequence

# Distinct also to readers who confuse red and green (Okabe and Ito).
COLOURS = (
    "#0072b2",
    "#d55e00",
    "#009e73",
    "#cc79a7",
    "#7a6a00",
    "#56b4e9",
    "#5b3a8c",
    "#8c564b",
    "#444444",
    "#e69f00",
)

_WIDTH = 520
_PLOT = (58, 14, 508, 230)  # left, top, right, bottom
_LEGEND_ROW = 18
_LEGEND_COLUMN = 220
_WANTED_TICKS = 5


@dataclasses.dataclass(frozen=True)
class Curve:
    """One line of a chart.

    Attributes:
        name: In the legend.
        points: (x, y) in the order of x; values that are not finite leave a
            gap.
    """

    name: str
    points: tuple[tuple[float, float], ...]


@dataclasses.dataclass(frozen=True)
class Chart:
    """Curves over one pair of axes.

    Attributes:
        title: Above the chart.
        curves: At least one, in the order of the legend.
        x_label: Below the axis.
        is_logarithmic: Whether y is drawn as its logarithm; values of 0 and
            less are left out then.
        y_limits: Lowest and highest y; from the values where None.
    """

    title: str
    curves: tuple[Curve, ...]
    x_label: str = "epoch"
    is_logarithmic: bool = False
    y_limits: tuple[float, float] | None = None


@dataclasses.dataclass(frozen=True)
class _Axes:
    """Maps values to pixels."""

    x_range: tuple[float, float]
    y_range: tuple[float, float]
    is_logarithmic: bool

    def x(self, value: float) -> float:
        low, high = self.x_range
        left, _, right, _ = _PLOT
        return left + (value - low) / (high - low) * (right - left)

    def y(self, value: float) -> float:
        low, high = self.y_range
        _, top, _, bottom = _PLOT
        if self.is_logarithmic:
            value, low, high = (math.log10(v) for v in (value, low, high))
        return bottom - (value - low) / (high - low) * (bottom - top)


def to_svg(chart: Chart) -> str:
    """Returns the chart as an SVG element for a page.

    Raises:
        ValueError: If no curve holds a value that can be drawn.
    """
    pieces = [(curve.name, _pieces(curve, chart)) for curve in chart.curves]
    points = [p for _, parts in pieces for part in parts for p in part]
    if not points:
        raise ValueError(f"Nothing to draw. Received: chart={chart.title!r}")
    axes = _axes(points, chart)
    rows = -(-len(pieces) // 2)
    height = _PLOT[3] + 44 + rows * _LEGEND_ROW
    body = [_grid(axes, chart)]
    for number, (name, parts) in enumerate(pieces):
        colour = COLOURS[number % len(COLOURS)]
        body += [_draw(part, axes, colour, name) for part in parts]
        body.append(_legend_entry(number, name, colour))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="chart" '
        f'viewBox="0 0 {_WIDTH} {height}" width="{_WIDTH}" height="{height}" '
        f'font-family="system-ui, sans-serif" font-size="11" role="img">'
        f"<title>{html.escape(chart.title)}</title>"
        f"{''.join(body)}</svg>"
    )


def ticks(low: float, high: float, wanted: int = _WANTED_TICKS) -> list[float]:
    """Returns round numbers in [low, high], about as many as wanted.

    Args:
        low: Lower end.
        high: Upper end, above the lower.
        wanted: Steps between the ends.
    """
    rough = (high - low) / wanted
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(f * power for f in (1, 2, 5, 10) if f * power >= rough * 0.999)
    first = math.ceil(low / step - 1e-9)
    last = math.floor(high / step + 1e-9)
    return [number * step for number in range(first, last + 1)]


def _pieces(curve: Curve, chart: Chart) -> list[list[tuple[float, float]]]:
    """Cuts a curve where a value cannot be drawn."""
    pieces: list[list[tuple[float, float]]] = [[]]
    for x, y in curve.points:
        is_drawn = math.isfinite(y) and (y > 0 or not chart.is_logarithmic)
        if is_drawn:
            pieces[-1].append((x, y))
        elif pieces[-1]:
            pieces.append([])
    return [piece for piece in pieces if piece]


def _axes(points: Sequence[tuple[float, float]], chart: Chart) -> _Axes:
    x_range = _widened(min(x for x, _ in points), max(x for x, _ in points))
    if chart.y_limits is not None:
        return _Axes(x_range, chart.y_limits, chart.is_logarithmic)
    low, high = min(y for _, y in points), max(y for _, y in points)
    if chart.is_logarithmic:
        # At least one power of ten, or there would be no tick.
        low = 10.0 ** math.floor(math.log10(low))
        high = 10.0 ** math.ceil(math.log10(high))
        return _Axes(x_range, (low, high if high > low else 10 * low), True)
    low, high = _widened(low, high)
    margin = 0.05 * (high - low)
    # An axis of what cannot be negative starts at 0, not below.
    floor = 0.0 if 0.0 <= low < 0.3 * high else low - margin
    return _Axes(x_range, (floor, high + margin), False)


def _widened(low: float, high: float) -> tuple[float, float]:
    if high > low:
        return low, high
    reach = abs(low) * 0.1 or 1.0
    return low - reach, high + reach


def _grid(axes: _Axes, chart: Chart) -> str:
    left, top, right, bottom = _PLOT
    parts = []
    y_ticks = _y_ticks(axes)
    for value in y_ticks:
        y = axes.y(value)
        parts.append(
            f'<line x1="{left}" y1="{y:.1f}" x2="{right}" y2="{y:.1f}" '
            f'stroke="#e4e4e4"/>'
            f'<text x="{left - 6}" y="{y:.1f}" dy="0.35em" fill="#555" '
            f'text-anchor="end">{_tick_text(value, y_ticks)}</text>'
        )
    for value in ticks(*axes.x_range, 8):
        if value != round(value):
            continue
        x = axes.x(value)
        parts.append(
            f'<line x1="{x:.1f}" y1="{bottom}" x2="{x:.1f}" '
            f'y2="{bottom + 4}" stroke="#999"/>'
            f'<text x="{x:.1f}" y="{bottom + 17}" fill="#555" '
            f'text-anchor="middle">{value:g}</text>'
        )
    parts.append(
        f'<polyline points="{left},{top} {left},{bottom} {right},{bottom}" '
        f'fill="none" stroke="#999"/>'
        f'<text x="{right}" y="{bottom + 32}" fill="#555" '
        f'text-anchor="end">{html.escape(chart.x_label)}</text>'
    )
    return "".join(parts)


def _y_ticks(axes: _Axes) -> list[float]:
    low, high = axes.y_range
    if not axes.is_logarithmic:
        return ticks(low, high)
    first, last = round(math.log10(low)), round(math.log10(high))
    step = max(1, (last - first) // _WANTED_TICKS)
    return [10.0**power for power in range(first, last + 1, step)]


def _tick_text(value: float, others: Sequence[float]) -> str:
    """Returns a number with the digits that tell it from the others."""
    for digits in range(4, 15):
        texts = {f"{other:.{digits}g}" for other in others}
        if len(texts) == len(others):
            break
    text = f"{value:.{digits}g}"
    return "0" if text == "-0" else text


def _draw(
    points: Sequence[tuple[float, float]],
    axes: _Axes,
    colour: str,
    name: str,
) -> str:
    last = points[-1]
    title = f"<title>{html.escape(name)}: {last[1]:.4g} at {last[0]:g}</title>"
    if len(points) == 1:
        return (
            f'<circle cx="{axes.x(last[0]):.1f}" cy="{axes.y(last[1]):.1f}" '
            f'r="2.5" fill="{colour}">{title}</circle>'
        )
    path = " ".join(f"{axes.x(x):.1f},{axes.y(y):.1f}" for x, y in points)
    return (
        f'<polyline points="{path}" fill="none" stroke="{colour}" '
        f'stroke-width="1.8" stroke-linejoin="round">{title}</polyline>'
    )


def _legend_entry(number: int, name: str, colour: str) -> str:
    x = _PLOT[0] + (number % 2) * _LEGEND_COLUMN
    y = _PLOT[3] + 44 + (number // 2) * _LEGEND_ROW
    return (
        f'<line x1="{x}" y1="{y}" x2="{x + 20}" y2="{y}" stroke="{colour}" '
        f'stroke-width="3"/><text x="{x + 26}" y="{y}" dy="0.35em" '
        f'fill="#333">{html.escape(name)}</text>'
    )
