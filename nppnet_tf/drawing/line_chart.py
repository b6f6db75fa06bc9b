"""Line charts of what a run wrote, for pages and for the figures of a study."""

import dataclasses
import math
from typing import TYPE_CHECKING

from nppnet_tf.drawing import figures

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D

_WIDTH = 520
_PLOT_HEIGHT = 262
_LEGEND_ROW = 18
_LEGEND_COLUMNS = 2
# What is larger, or on a logarithmic axis closer to 0, leaves no room for
# anything else, and the ticks overflow.
_MOST, _LEAST = 1e100, 1e-100
# First digits of the steps between two ticks.
_ROUND = (1, 2, 5, 10)


@dataclasses.dataclass(frozen=True)
class Curve:
    """One line of a chart.

    Attributes:
        name: Name in the legend.
        points: (x, y) in the order of x; values that are not finite, or
            beyond 1e100, leave a gap.
    """

    name: str
    points: tuple[tuple[float, float], ...]


@dataclasses.dataclass(frozen=True)
class Chart:
    """Curves over one pair of axes.

    Attributes:
        title: Above the chart.
        curves: Curves, at least one, in the order of the legend.
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


def has_values(chart: Chart) -> bool:
    """Whether any curve holds a value that can be drawn."""
    return any(_pieces(curve, chart) for curve in chart.curves)


def to_svg(chart: Chart) -> str:
    """Returns the chart as an SVG element for a page.

    Raises:
        ValueError: If no curve holds a value that can be drawn.
    """
    notes = {
        _gid(number, piece): f"{curve.name}: {points[-1][1]:.4g} at "
        f"{points[-1][0]:g}"
        for number, curve in enumerate(chart.curves)
        for piece, points in enumerate(_pieces(curve, chart))
    }
    return figures.to_svg(figure(chart), chart.title, notes)


def figure(chart: Chart) -> "Figure":
    """Returns the chart with its legend, without its title.

    Raises:
        ValueError: If no curve holds a value that can be drawn.
    """
    rows = math.ceil(len(chart.curves) / _LEGEND_COLUMNS)
    with figures.style():
        made = figures.new(_WIDTH, _PLOT_HEIGHT + rows * _LEGEND_ROW)
        made.set_layout_engine("constrained")
        axes = made.add_subplot()
        draw(chart, axes)
        made.legend(
            handles=_handles(chart),
            loc="outside lower left",
            ncols=_LEGEND_COLUMNS,
        )
    return made


def draw(chart: Chart, axes: "Axes") -> None:
    """Draws the curves, without title and legend, onto axes of any figure.

    Args:
        chart: What to draw.
        axes: Made inside `figures.style()`, which is still open.

    Raises:
        ValueError: If no curve holds a value that can be drawn.
    """
    pieces = [_pieces(curve, chart) for curve in chart.curves]
    if not any(pieces):
        raise ValueError(f"Nothing to draw. Received: chart={chart.title!r}")
    for number, parts in enumerate(pieces):
        for piece, points in enumerate(parts):
            axes.plot(
                *zip(*points, strict=True),
                color=f"C{number}",
                # A line of one point would not be seen.
                marker="o" if len(points) == 1 else None,
                gid=_gid(number, piece),
                clip_on=False,
            )
    _scale(axes, chart)


def _gid(number: int, piece: int) -> str:
    return f"curve-{number}-{piece}"


def _pieces(curve: Curve, chart: Chart) -> list[list[tuple[float, float]]]:
    """Cuts a curve where a value cannot be drawn."""
    pieces: list[list[tuple[float, float]]] = [[]]
    for x, y in curve.points:
        # No comparison holds for nan.
        is_drawn = abs(y) <= _MOST
        if chart.is_logarithmic:
            is_drawn = _LEAST <= y <= _MOST
        if is_drawn:
            pieces[-1].append((x, y))
        elif pieces[-1]:
            pieces.append([])
    return [piece for piece in pieces if piece]


def _handles(chart: Chart) -> "list[Line2D]":
    """Lines of the legend; a curve without a value has one, too."""
    from matplotlib.lines import Line2D

    return [
        Line2D([], [], color=f"C{number}", linewidth=3, label=curve.name)
        for number, curve in enumerate(chart.curves)
    ]


def _scale(axes: "Axes", chart: Chart) -> None:
    from matplotlib import ticker

    axes.set_xlabel(chart.x_label, loc="right")
    axes.xaxis.set_major_locator(
        ticker.MaxNLocator(8, integer=True, min_n_ticks=1, steps=_ROUND)
    )
    axes.yaxis.set_major_locator(ticker.MaxNLocator(6, steps=_ROUND))
    if chart.is_logarithmic:
        _scale_logarithmically(axes)
    elif 0 <= axes.dataLim.y0 < 0.3 * axes.dataLim.y1:
        # An axis of what cannot be negative starts at 0, not below.
        axes.set_ylim(bottom=0)
    if chart.y_limits is not None:
        axes.set_ylim(chart.y_limits)


def _scale_logarithmically(axes: "Axes") -> None:
    from matplotlib import ticker

    axes.set_yscale("log")
    low, high = axes.dataLim.y0, axes.dataLim.y1
    # At least one power of ten, or there would be no tick.
    first = math.floor(math.log10(low))
    last = max(math.ceil(math.log10(high)), first + 1)
    axes.set_ylim(10.0**first, 10.0**last)
    axes.yaxis.set_major_locator(ticker.LogLocator(numticks=6))
    axes.yaxis.set_major_formatter(ticker.StrMethodFormatter("{x:g}"))
    axes.yaxis.set_minor_formatter(ticker.NullFormatter())
