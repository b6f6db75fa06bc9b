"""The page of a study: tables, figures, and what they do not say."""

import os
from collections.abc import Mapping
from typing import Any

from nppnet_tf.reports import page
from nppnet_tf.study import figures
from nppnet_tf.study import plan
from nppnet_tf.study import targets
from nppnet_tf.study.trainer import MEASURES

_BUDGETS = {
    plan.STEPS: "after equal steps",
    plan.TIME: "after as many steps as equal time buys",
}
_PROTOCOL = {
    "people": "drawn; {train_people} to train and search on, "
    "{selection_people} to choose by, {test_people} to measure: three seeds, "
    "nobody in two sets",
    "chosen on the selection set": "the epoch of each training of "
    "{evaluations}; of three learning rates ({learning_rates}) the best at the "
    "first seed, kept for all seeds and for both comparisons",
    "measured": "the chosen epoch, once, at the size of each test picture, "
    "without mirroring and scales",
    "equal cost": "U-Net, ResNet-50 + FPN and random genotypes within 5 % of "
    "the multiply-accumulates of the searched network of their seed; the "
    "released genotype and rows of Table 5 at its C",
    "equal time": "seconds of a step of each system and of the searched one, "
    "measured in turns in one process: their ratio says how many steps the "
    "same seconds buy",
    "a search": "two stages, {search_epochs} epochs of {search_steps} steps "
    "each, on the training set alone; its last genotype is trained",
    "a training": "{steps} steps of {batch_size} pictures at {image_size}",
    "seeds": "of the search or the draw of a genotype, of the weights, of the "
    "order and of every drawn transform; differences are paired by them",
    "intervals": "95 %, bootstrap of the mean of paired differences, "
    "percentiles of 9999 samples; few seeds make them too narrow",
}


def write(summary: Mapping[str, Any], path: str | os.PathLike[str]) -> None:
    """Writes the page.

    Args:
        summary: What `summary.of` returned.
        path: HTML file.
    """
    page.write(data(summary), path)


def data(summary: Mapping[str, Any]) -> page.ReportData:
    """Returns what the page shows."""
    settings = summary["settings"]
    return page.ReportData(
        title="Searched, random and designed networks at equal cost",
        introduction=(
            f"{summary['units']} units of the study are finished. "
            "Every number is of people that no training saw and no choice was "
            "made by.",
        ),
        summary=tables_of(summary)[0],
        tables=tables_of(summary)[1:],
        protocol={
            name: text.format_map(_plain(settings))
            for name, text in _PROTOCOL.items()
        },
        figures=drawings_of(summary),
        phases=(
            page.Phase(
                "longest training, everything around it included",
                summary["seconds"].get("training", 0.0),
                (f"python -m tools.study \\\n{summary['command'].strip()}",),
            ),
            page.Phase(
                "longest search", summary["seconds"].get("search", 0.0), ()
            ),
        ),
        environment={
            **{name: str(value) for name, value in summary["versions"].items()},
            "processors": str(summary["processors"]),
        },
    )


def tables_of(summary: Mapping[str, Any]) -> tuple[page.Table, ...]:
    """Returns all tables in their order, those that have rows."""
    tables = (
        _table(summary, plan.STEPS),
        _table(summary, plan.TIME),
        _target_table(summary),
        _row_table(summary),
        _search_table(summary),
        _speed_table(summary),
        _rate_table(summary),
    )
    return tuple(table for table in tables if table is not None)


def _target_table(summary: Mapping[str, Any]) -> page.Table:
    words = {True: "yes", False: "no", None: "not known yet"}
    return page.Table(
        ("wanted of the searched network", "found", "met"),
        tuple(
            (target.wanted, target.found, words[target.is_met])
            for target in targets.of(summary)
        ),
        caption="Targets that were set beforehand",
    )


def _table(summary: Mapping[str, Any], budget: str) -> page.Table:
    reference = targets.name_of(summary["reference"], summary)
    return page.Table(
        header=(
            "system",
            "seeds",
            "mIoU",
            "PCKh@0.5",
            "searched - it, mIoU",
            "searched - it, PCKh",
            "GMAC",
            "M param.",
            "steps",
            "rate",
        ),
        rows=tuple(
            _row(summary, budget, name, system)
            for name, system in summary["budgets"][budget].items()
            if name not in plan.TABLE_5 and name != plan.SAMPLE
        ),
        caption=f"Test scores {_BUDGETS[budget]}",
        note=f"Mean ± standard deviation over the seeds; differences of "
        f'"{reference}" and the system, with their 95 % intervals.',
    )


def _row_table(summary: Mapping[str, Any]) -> page.Table | None:
    found = summary["table_5"]
    if not found:
        return None
    return page.Table(
        ("row", "mIoU, paper", "mIoU here", "PCK, paper", "PCKh here"),
        tuple(
            (
                row.removeprefix("row_"),
                *(
                    text
                    for measure in MEASURES
                    for text in (
                        f"{found[measure]['rows'][row]['paper']:.2f}",
                        _spread(found[measure]["rows"][row]),
                    )
                ),
            )
            for row in found[MEASURES[0]]["rows"]
        ),
        caption="Rows of Table 5",
        note="Mean ± standard deviation over the seeds, after equal steps. Row "
        "8 is the searched network. All have its C, ResNet-50 + FPN (row 1) "
        "too.",
    )


def _speed_table(summary: Mapping[str, Any]) -> page.Table | None:
    if not summary["speed"]:
        return None
    return page.Table(
        ("system", "a step", "of the searched", "ratio", "quartiles"),
        tuple(
            (
                targets.name_of(name, summary),
                f"{1000 * speed['seconds_per_step']:.0f} ms",
                f"{1000 * speed['reference_seconds_per_step']:.0f} ms",
                f"{speed['share']:.2f}",
                " to ".join(f"{value:.2f}" for value in speed["quartiles"]),
            )
            for name, speed in summary["speed"].items()
        ),
        caption="Steps in turns",
        note="The ratio says how many steps a system takes while the searched "
        "network takes one.",
    )


def _rate_table(summary: Mapping[str, Any]) -> page.Table | None:
    systems = {
        name: system
        for name, system in summary["budgets"][plan.STEPS].items()
        if name != plan.SAMPLE
    }
    rates = sorted({float(r) for s in systems.values() for r in s["rates"]})
    if not rates:
        return None
    return page.Table(
        ("system", *(f"{rate:g}" for rate in rates)),
        tuple(
            (
                targets.name_of(name, summary),
                *(f"{system['rates'][str(rate)]:.3f}" for rate in rates),
            )
            for name, system in systems.items()
        ),
        caption="Learning rates",
        note="Score of the first seed on the selection set: mean of mIoU and "
        "PCKh@0.5 at the network's size.",
    )


def _search_table(summary: Mapping[str, Any]) -> page.Table | None:
    if not summary["searches"]:
        return None
    return page.Table(
        ("search", "seed", "largest share of skips", "entropy", "seconds"),
        tuple(
            (
                search["strategy"],
                str(search["seed"]),
                f"{search['largest_skip_share']:.3f}",
                ", ".join(
                    f"{entropy:.2f}"
                    for entropy in search["last_entropy"].values()
                ),
                f"{search['seconds']:.0f}",
            )
            for search in summary["searches"]
        ),
        caption="Searches",
        note="Entropy of an edge's operations at the end of both stages, nats; "
        "log 8 = 2.08 where nothing is decided.",
    )


def _row(
    summary: Mapping[str, Any],
    budget: str,
    name: str,
    system: Mapping[str, Any],
) -> tuple[str, ...]:
    differences = summary["differences"][budget].get(name, {})
    return (
        targets.name_of(name, summary),
        str(len(system["seeds"])),
        *(_spread(system[measure]) for measure in MEASURES),
        *(_difference(differences.get(measure)) for measure in MEASURES),
        f"{system['gmac']:.3f}",
        f"{system['parameters']:.2f}",
        str(system["steps"]),
        f"{system['learning_rate']:g}",
    )


def _spread(spread: Mapping[str, Any]) -> str:
    if spread["deviation"] is None:
        return f"{spread['mean']:.3f}"
    return f"{spread['mean']:.3f} ± {spread['deviation']:.3f}"


def _difference(difference: Mapping[str, Any] | None) -> str:
    if difference is None:
        return ""
    if difference["interval"] is None:
        return f"{difference['mean']:+.3f}"
    low, high = difference["interval"]
    return f"{difference['mean']:+.3f} [{low:+.3f}, {high:+.3f}]"


def drawings_of(summary: Mapping[str, Any]) -> tuple[page.Drawing, ...]:
    """Returns all figures in their order, those that have something to show."""
    drawings = []
    for budget, words in _BUDGETS.items():
        drawings += [
            (
                f"Scores {words}",
                figures.scores(summary, budget),
                "A dot is a seed; the bar is the mean, with the standard error "
                "of the mean.",
            ),
            (
                f"Paired differences {words}",
                figures.differences(summary, budget),
                "A dot is a seed; the diamond is the mean with its 95 % "
                "interval. Right of 0 the searched network is better.",
            ),
        ]
    drawings += [
        (
            "Cost beside score, equal steps",
            figures.cost_and_score(summary, plan.STEPS),
            "Means and standard errors.",
        ),
        (
            "Scores over time",
            figures.curves(summary, plan.TIME),
            "Each system's steps by its calibrated seconds of a step; thin "
            "lines are seeds, thick ones their means.",
        ),
        (
            "What the supernet foretells",
            figures.supernet(summary),
            "Random interactions and fusions on the encoder-decoder of the "
            "first search: scores with the supernet's weights, on the "
            "selection set, and of the trained networks, on the test set.",
        ),
        (
            "The rows of Table 5",
            figures.table_5(summary),
            "Row 8 is the searched network.",
        ),
    ]
    return tuple(
        page.Drawing(title, svg, note) for title, svg, note in drawings if svg
    )


def _plain(settings: Mapping[str, Any]) -> dict[str, str]:
    return {
        name: ", ".join(value) if isinstance(value, list) else str(value)
        for name, value in settings.items()
    }
