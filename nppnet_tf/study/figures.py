"""Figures of a study, by matplotlib: every seed is to be seen."""

from collections.abc import Mapping
from collections.abc import Sequence
from typing import TYPE_CHECKING
from typing import Any

import numpy as np

from nppnet_tf.drawing import figures
from nppnet_tf.study import plan
from nppnet_tf.study.targets import TITLES
from nppnet_tf.study.targets import name_of
from nppnet_tf.study.trainer import MEASURES

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_WIDTH = 860
_ROW = 26
_MARGINS = 74

Summary = Mapping[str, Any]


def scores(summary: Summary, budget: str) -> str | None:
    """Draws every seed of every system, their means and standard errors.

    Args:
        summary: What `summary.of` returned.
        budget: One of `plan.BUDGETS`.

    Returns:
        An SVG; None where nothing is finished.
    """
    systems = _shown(summary, budget)
    if not systems:
        return None

    def draw(axes: "Axes", measure: str) -> None:
        for row, (name, system) in enumerate(systems.items()):
            spread = system[measure]
            _dots(axes, row, spread["values"], _color(summary, name))
            _bar(axes, row, spread["mean"], spread["standard_error"])
        axes.set_xlabel(f"{TITLES[measure]}, test set")

    names = [name_of(name, summary) for name in systems]
    return _rows(names, draw, f"Scores after equal {budget}")


def differences(summary: Summary, budget: str) -> str | None:
    """Draws how much the searched network is above each, with intervals.

    Args:
        summary: What `summary.of` returned.
        budget: One of `plan.BUDGETS`.

    Returns:
        An SVG; None where nothing is finished.
    """
    found = {
        name: of_system
        for name, of_system in summary["differences"][budget].items()
        if name in _shown(summary, budget)
        and len(of_system[MEASURES[0]]["values"]) > 1
    }
    if not found:
        return None

    def draw(axes: "Axes", measure: str) -> None:
        axes.axvline(0, color="#999999", linewidth=1)
        for row, (name, of_system) in enumerate(found.items()):
            spread = of_system[measure]
            color = _color(summary, name)
            _dots(axes, row, spread["values"], color)
            axes.plot(spread["interval"], [row, row], color="#333333")
            axes.plot(spread["mean"], row, "d", color="#333333")
        axes.set_xlabel(f"{TITLES[measure]} above that of the system")

    title = f"{summary['reference']} minus each system, equal {budget}"
    return _rows([name_of(name, summary) for name in found], draw, title)


def cost_and_score(summary: Summary, budget: str) -> str | None:
    """Draws scores over multiply-accumulates and over parameters."""
    systems = _shown(summary, budget)
    if not systems:
        return None
    with figures.style():
        figure = figures.new(_WIDTH, 300)
        figure.set_layout_engine("constrained")
        panels = figure.subplots(1, 2)
        axes_titles = {"gmac": "GMAC a picture", "parameters": "M parameters"}
        for axes, (cost, title) in zip(
            panels, axes_titles.items(), strict=True
        ):
            for name, system in systems.items():
                axes.errorbar(
                    system[cost],
                    system["mean_iou"]["mean"],
                    system["mean_iou"]["standard_error"] or 0,
                    fmt="o",
                    color=_color(summary, name),
                    label=name_of(name, summary),
                )
            axes.set_xlabel(title)
            axes.set_ylabel("mIoU, test set")
            axes.margins(y=0.12)
            axes.set_xlim(0, 1.15 * max(s[cost] for s in systems.values()))
        _legend(figure, panels[0])
    return figures.to_svg(figure, "Cost and score")


def curves(summary: Summary, budget: str) -> str | None:
    """Draws scores on the selection set over the seconds of training.

    Seconds are steps by the calibrated seconds of a step, so that what else
    the machine did is left out.
    """
    seconds = _seconds_per_step(summary)
    systems = {
        name: system
        for name, system in _shown(summary, budget).items()
        if name in seconds
    }
    if not systems:
        return None
    with figures.style():
        figure = figures.new(_WIDTH, 340)
        figure.set_layout_engine("constrained")
        panels = figure.subplots(1, 2)
        for axes, measure in zip(panels, MEASURES, strict=True):
            for name, system in systems.items():
                _curve(axes, system, measure, seconds[name], summary, name)
            axes.set_xlabel("seconds of training")
            axes.set_ylabel(f"{TITLES[measure]}, selection set")
            axes.set_xlim(left=0)
        _legend(figure, panels[0])
    return figures.to_svg(figure, f"Scores over time, equal {budget}")


def supernet(summary: Summary) -> str | None:
    """Draws scores with inherited weights and those of trained networks."""
    found = summary["supernet"]
    if not found:
        return None
    with figures.style():
        figure = figures.new(_WIDTH, 300)
        figure.set_layout_engine("constrained")
        for axes, measure in zip(figure.subplots(1, 2), MEASURES, strict=True):
            of_measure = found[measure]
            axes.plot(of_measure["inherited"], of_measure["trained"], "o")
            axes.set_xlabel(f"{TITLES[measure]} with inherited weights")
            axes.set_ylabel(f"{TITLES[measure]} of the trained network")
            axes.margins(0.1)
            axes.set_title(_told(of_measure["correlation"]), fontsize=11)
    return figures.to_svg(figure, "Supernet and derived networks")


def table_5(summary: Summary) -> str | None:
    """Draws the rows of Table 5 beside the paper's."""
    found = summary["table_5"]
    if not found:
        return None
    with figures.style():
        figure = figures.new(_WIDTH, 320)
        figure.set_layout_engine("constrained")
        for axes, measure in zip(figure.subplots(1, 2), MEASURES, strict=True):
            for row, scores_of_row in found[measure]["rows"].items():
                place = (scores_of_row["paper"], scores_of_row["mean"])
                axes.errorbar(
                    *place, scores_of_row["deviation"] or 0, fmt="o", color="C0"
                )
                axes.annotate(
                    row.removeprefix("row_"),
                    place,
                    (6, 3),
                    textcoords="offset points",
                )
            axes.set_xlabel(f"{TITLES[measure]} of the paper, percent")
            axes.set_ylabel(f"{TITLES[measure]} here")
            axes.margins(0.12)
            axes.set_title(_told(found[measure]["correlation"]), fontsize=11)
    return figures.to_svg(figure, "Rows of Table 5")


def _shown(summary: Summary, budget: str) -> dict[str, Mapping[str, Any]]:
    """Systems of a figure: not the samples, nor rows of Table 5."""
    return {
        name: system
        for name, system in summary["budgets"][budget].items()
        if name != plan.SAMPLE and name not in plan.TABLE_5
    }


def _rows(names: Sequence[str], draw: "Any", title: str) -> str:
    """Draws a panel for each measure, with a row for each name."""
    with figures.style():
        figure = figures.new(_WIDTH, _MARGINS + _ROW * len(names))
        figure.set_layout_engine("constrained")
        panels = figure.subplots(1, len(MEASURES), sharey=True)
        for axes, measure in zip(panels, MEASURES, strict=True):
            draw(axes, measure)
            axes.grid(axis="x")
            axes.margins(x=0.08)
            axes.set_ylim(len(names) - 0.4, -0.6)
        panels[0].set_yticks(range(len(names)), names)
    return figures.to_svg(figure, title)


def _dots(axes: "Axes", row: int, values: Sequence[float], color: str) -> None:
    # Beside each other: equal ones would hide one another.
    offsets = np.linspace(-0.18, 0.18, len(values)) if len(values) > 1 else [0]
    axes.plot(values, row + np.asarray(offsets), "o", color=color, alpha=0.75)


def _bar(axes: "Axes", row: int, mean: float, error: float | None) -> None:
    axes.errorbar(
        mean, row, xerr=error or 0, fmt="|", color="#333333", markersize=14
    )


def _curve(
    axes: "Axes",
    system: Mapping[str, Any],
    measure: str,
    seconds: float,
    summary: Summary,
    name: str,
) -> None:
    """Draws the mean over the seeds, and each of them fainter."""
    color = _color(summary, name)
    whole = [
        curve
        for curve in system["curves"]
        if len(curve["step"]) == len(system["curves"][0]["step"])
    ]
    times = np.asarray(whole[0]["step"]) * seconds
    for curve in whole:
        axes.plot(times, curve[measure], color=color, alpha=0.25, linewidth=1)
    mean = np.mean([curve[measure] for curve in whole], axis=0)
    axes.plot(times, mean, color=color, label=name_of(name, summary))


def _seconds_per_step(summary: Summary) -> dict[str, float]:
    speed = summary["speed"]
    if not speed:
        return {}
    reference = float(
        np.median([s["reference_seconds_per_step"] for s in speed.values()])
    )
    return {
        summary["reference"]: reference,
        **{name: reference / s["share"] for name, s in speed.items()},
    }


def _legend(figure: Any, axes: "Axes") -> None:
    figure.legend(
        *axes.get_legend_handles_labels(), loc="outside lower left", ncols=4
    )


def _color(summary: Summary, name: str) -> str:
    names = list(summary["budgets"][plan.STEPS])
    return f"C{names.index(name)}" if name in names else "#444444"


def _told(correlation: Mapping[str, Any] | None) -> str:
    if correlation is None:
        return ""
    return (
        f"Spearman {correlation['spearman']:.2f} of {correlation['count']}, "
        f"p = {correlation['p_value']:.2g}"
    )
