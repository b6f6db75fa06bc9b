"""Turns the files of runs into the parts of a report page."""

import importlib.metadata
import os
import platform
from collections.abc import Iterable
from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any

import nppnet_tf
from nppnet_tf import keys
from nppnet_tf.drawing import line_chart
from nppnet_tf.errors import UserError
from nppnet_tf.files import json_documents
from nppnet_tf.files import text_files
from nppnet_tf.losses import terms
from nppnet_tf.reports import page

_TOTAL = terms.Term(keys.TOTAL_LOSS, "", "", terms.TOTAL_TITLE)

_SEARCH_TERMS = {
    "loss": "weight half",
    "architecture_loss": "architecture half",
}

_HEALTH = {
    "entropy": "Entropy of the operations on an edge (Eq. 8), nats",
    "largest_share": "Largest share of a node's operations",
    "skip_share": "Share of skip connections",
    "pooling_share": "Share of poolings",
    "kept_skips": "Skip connections among the operations that pruning keeps",
}

# Of the whole search: the curves of a chart, by where a record has them.
_WHOLE = {
    "Agreement of the genotype with an earlier one": {
        "1 epoch ago": ("agreement", "1_ago"),
        "5 epochs ago": ("agreement", "5_ago"),
    },
    "Loss on the architecture half / on the weight half - 1": {
        "pose": ("loss_gap", keys.POSE_LOSS),
        "parsing": ("loss_gap", keys.PARSING_LOSS),
    },
    "Cost of the derived network, in the unit of its target": {
        name: ("cost", name)
        for name in ("target", "expected", "pruned", "derived")
    },
    "Loss on some batches of the architecture half": {
        "supernet": ("pruned", "supernet_loss"),
        "pruned": ("pruned", "loss"),
    },
    "Pruned network with the weights of the search": {
        "mIoU": ("pruned", "mean_iou"),
        "PCKh@0.5": ("pruned", "pckh"),
    },
    "Norm of the gradient, architecture / weights": {
        "ratio": ("gradient_norms", "ratio"),
    },
}

_VALIDATION = {
    "mean_iou": "Validation mIoU, at the network's size",
    "pckh": "Validation PCKh@0.5, at the network's size",
}

_STAGES_NOTE = (
    "Losses are sums over the stages of a network: two with a fusion (initial "
    "and refined), one without, as in the baselines."
)

_MOST_EPOCHS = 1_000_000_000

# Of a network that is compared with others.
_SCORED = {"parsing": {"mean_iou": "a number"}, "pose": {"pckh": "a number"}}

_PACKAGES = ("tensorflow", "keras", "numpy", "pillow", "absl-py")

# What a record holds under a name of its own.
_GROUPS = (
    "losses",
    "validation",
    "parts",
    "agreement",
    "loss_gap",
    "gradient_norms",
    "cost",
    "pruned",
    "alarms",
)

Records = Sequence[Mapping[str, Any]]


def read_json(path: str | os.PathLike) -> Any:
    """Reads a JSON file.

    Raises:
        UserError: If it cannot be read.
    """
    return json_documents.read(path)


def read_metrics(path: str | os.PathLike) -> list[dict[str, Any]]:
    """Reads the records of a run's epochs, one JSON object per line.

    Raises:
        UserError: If the file cannot be read.
    """
    records = []
    for number, line in enumerate(text_files.read(path).splitlines(), 1):
        where = f"{path}, line {number}"
        record = json_documents.parse(line, where)
        json_documents.require(record, "an object", where, "record")
        epoch = json_documents.require(
            record.get("epoch"), "an integer", where, "epoch"
        )
        if not 0 <= epoch < _MOST_EPOCHS:
            raise UserError(
                "no number of an epoch",
                where,
                f"0 to {_MOST_EPOCHS - 1}",
                json_documents.described(epoch),
            )
        for group in _GROUPS:
            json_documents.require(
                record.get(group, {}), "an object", where, group
            )
        for part, measures in record.get("parts", {}).items():
            json_documents.require(measures, "an object", where, part)
        records.append(record)
    return records


def search_charts(title: str, records: Records) -> page.ChartGroup:
    """Returns losses, entropies and shares of one stage of the search.

    Args:
        title: Title of the group.
        records: One per epoch, as a search writes them.
    """
    losses = {
        name: _curve(records, lambda r, t=term: r.get("losses", {}).get(t))
        for term, name in _SEARCH_TERMS.items()
    }
    charts = [_chart("Total loss on the two halves of the data", losses)]
    parts = records[-1].get("parts", {}) if records else {}
    for measure, heading in _HEALTH.items():
        curves = {
            part: _curve(
                records,
                lambda r, p=part, m=measure: (
                    r.get("parts", {}).get(p, {}).get(m)
                ),
            )
            for part in parts
        }
        charts.append(_chart(heading, curves))
    charts += [
        _chart(
            heading,
            {
                name: _curve(
                    records, lambda r, g=group, v=value: r.get(g, {}).get(v)
                )
                for name, (group, value) in curves.items()
            },
        )
        for heading, curves in _WHOLE.items()
    ]
    curvature = _curve(records, lambda r: r.get("curvature"))
    charts.append(
        _chart(
            "Dominant eigenvalue of the Hessian of alpha and beta",
            {"eigenvalue": curvature},
        )
    )
    return page.ChartGroup(title, _present(charts))


def training_charts(title: str, runs: Mapping[str, Records]) -> page.ChartGroup:
    """Returns losses and validation scores of several runs together.

    Args:
        title: Title of the group.
        runs: Records of every epoch, by the name of the run.
    """
    charts = [
        _chart(
            term.title,
            {
                name: _curve(
                    records, lambda r, t=term.name: r.get("losses", {}).get(t)
                )
                for name, records in runs.items()
            },
            is_logarithmic=term.is_logarithmic,
        )
        for term in (_TOTAL, *terms.TERMS)
    ]
    charts += [
        _chart(
            heading,
            {
                name: _curve(
                    records,
                    lambda r, m=metric: r.get("validation", {}).get(m),
                )
                for name, records in runs.items()
            },
        )
        for metric, heading in _VALIDATION.items()
    ]
    return page.ChartGroup(title, _present(charts), _STAGES_NOTE)


def score_tables(
    results: Mapping[str, Mapping[str, Any]],
) -> tuple[page.ScoreTable, ...]:
    """Returns IoU per class and PCKh per keypoint of several systems.

    Args:
        results: Results of `tools.evaluate`, by the name of the system.
    """
    tables = []
    if parsing := _sections(results, "parsing"):
        tables.append(_score_table("Class", "IoU per class", parsing, "iou"))
    if pose := _sections(results, "pose"):
        threshold = next(iter(pose.values()))["threshold"]
        tables.append(
            _score_table(
                "Keypoint",
                f"PCKh@{threshold:g} per keypoint",
                pose,
                "keypoints",
            )
        )
    return tuple(tables)


def scores(result: Mapping[str, Any]) -> dict[str, float | None]:
    """Returns the two numbers of a result of `tools.evaluate`."""
    parsing, pose = result.get("parsing"), result.get("pose")
    return {
        "miou": parsing["mean_iou"] if parsing else None,
        "pckh": pose["pckh"] if pose else None,
    }


def read_scores(path: str | os.PathLike) -> dict[str, float]:
    """Reads the two numbers of a file of `tools.evaluate`, which has both.

    Raises:
        UserError: If it cannot be read, or has not both.
    """
    result = json_documents.read(path)
    try:
        json_documents.require_form(result, _SCORED, path, "the result")
    except UserError as error:
        raise UserError(
            "a network lacks a score",
            path,
            "a result of validation records with label maps and poses",
            error.problem,
        ) from error
    return scores(result)


def protocol(result: Mapping[str, Any]) -> dict[str, str]:
    """Returns how a result was measured, in words."""
    facts = result["protocol"]
    parsing, pose = result.get("parsing"), result.get("pose")
    described = {
        "pictures": f"{facts['pictures']}, of which "
        f"{facts['pictures_with_label_map']} with a label map and "
        f"{facts['pictures_with_head']} with a head to measure poses by",
        "measured at": facts["measured_at"],
        "network input": " x ".join(map(str, facts["input_size"])),
        "test time": f"scales {', '.join(f'{s:g}' for s in facts['scales'])}, "
        + ("with" if facts["flip"] else "without")
        + " the mirrored picture",
    }
    if parsing:
        described["mIoU"] = parsing["convention"]
    if pose:
        described["PCKh"] = pose["protocol"]
    return described


def environment() -> dict[str, str]:
    """Returns versions and machine, without the name of either."""
    found = {"nppnet_tf": nppnet_tf.__version__}
    found["python"] = platform.python_version()
    for package in _PACKAGES:
        found[package] = importlib.metadata.version(package)
    found["system"] = f"{platform.system()} {platform.machine()}"
    found["processors"] = str(os.cpu_count())
    return found


def number(value: float | None) -> str:
    """Returns a score for a table."""
    return "-" if value is None else f"{value:.3f}"


def text_table(table: page.Table) -> str:
    """Returns a table as lines of a screen."""
    rows = [table.header, *table.rows]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        "  ".join(
            cell.ljust(width) if column == 0 else cell.rjust(width)
            for column, (cell, width) in enumerate(
                zip(row, widths, strict=True)
            )
        ).rstrip()
        for row in rows
    )


def _curve(records: Records, read: Any) -> tuple[tuple[float, float], ...]:
    """Points (epoch, value) where there is a value; epochs from 1."""
    points = ((record["epoch"] + 1, read(record)) for record in records)
    return tuple((x, y) for x, y in points if y is not None)


def _chart(
    title: str,
    curves: Mapping[str, tuple[tuple[float, float], ...]],
    is_logarithmic: bool = False,
) -> line_chart.Chart:
    return line_chart.Chart(
        title,
        tuple(line_chart.Curve(n, points) for n, points in curves.items()),
        is_logarithmic=is_logarithmic,
    )


def _present(
    charts: Iterable[line_chart.Chart],
) -> tuple[line_chart.Chart, ...]:
    """Leaves out what the runs did not write, or nothing that can be drawn."""
    return tuple(filter(line_chart.has_values, charts))


def _sections(
    results: Mapping[str, Mapping[str, Any]], name: str
) -> dict[str, Mapping[str, Any]]:
    found = {system: result.get(name) for system, result in results.items()}
    return {system: section for system, section in found.items() if section}


def _score_table(
    title: str,
    caption: str,
    sections: Mapping[str, Mapping[str, Any]],
    rates: str,
) -> page.ScoreTable:
    names = next(iter(sections.values()))[rates]
    rows = tuple(
        (name, tuple(section[rates][name] for section in sections.values()))
        for name in names
    )
    return page.ScoreTable((title, *sections), rows, caption)
