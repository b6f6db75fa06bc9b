"""The page of one run: how a search fared, or how a training did."""

import os
import pathlib
from collections.abc import Mapping
from typing import Any

from nppnet_tf.drawing import genotype_drawing
from nppnet_tf.drawing import search_history
from nppnet_tf.errors import UserError
from nppnet_tf.files import json_documents
from nppnet_tf.reports import page
from nppnet_tf.reports import run_report
from nppnet_tf.search_space import genotype as genotypes

_SHARES_NOTE = (
    "How much of a node's sum (gamma of Eq. 2) each operation has, mean over "
    "the nodes of the part; bright is much."
)
_KEPT_NOTE = (
    "What pruning would keep in each epoch. A tile is an operation of a node; "
    "its number is the state that it reads, of the interaction the other "
    "branch's level. Framed in red is what was not kept in the column before."
)
_DIFFERENCE_EPOCHS = 5


def write(
    workdir: str | os.PathLike[str], path: str | os.PathLike[str]
) -> None:
    """Writes the page of a run, whole or not at all; it may still run.

    Args:
        workdir: Folder of a search or a training.
        path: HTML file to write.

    Raises:
        UserError: If the run has no complete epoch, or a file of it is damaged.
    """
    workdir = pathlib.Path(workdir)
    metrics = workdir / "metrics.jsonl"
    records = run_report.read_metrics(metrics) if metrics.exists() else []
    if not records:
        raise UserError(
            "nothing to report", metrics, "one complete epoch", "none"
        )
    try:
        data = _data(workdir, records)
    except json_documents.FORM_ERRORS as error:
        raise UserError(
            "records cannot be read", metrics, "records of a run", error
        ) from error
    page.write(data, path)


def _data(
    workdir: pathlib.Path, records: run_report.Records
) -> page.ReportData:
    is_search = bool(records[-1].get("parts"))
    title = f"{'Search' if is_search else 'Training'} {workdir.name}"
    charts = (
        run_report.search_charts("Curves of the search", records)
        if is_search
        else run_report.training_charts("Curves", {workdir.name: records})
    )
    return page.ReportData(
        title,
        (_introduction(records), *_events(records)),
        _summary(records),
        _settings(workdir),
        genotype_svg=_genotype(workdir),
        genotype_note="What the run's genotype.json holds.",
        drawings=drawings(workdir, records) if is_search else (),
        charts=(charts,),
        environment=run_report.environment(),
    )


def drawings(
    workdir: pathlib.Path, records: run_report.Records
) -> tuple[page.Drawing, ...]:
    """Returns what a search did, in pictures.

    Args:
        workdir: Folder of the search.
        records: Records of its epochs.

    Raises:
        UserError: If a genotype of an epoch cannot be read.
    """
    made = []
    searched = tuple(records[-1]["parts"])
    with_shares = [r for r in records if _has_shares(r)]
    if with_shares:
        made.append(
            page.Drawing(
                "Shares of the operations",
                search_history.shares(
                    _numbers(with_shares), _shares(with_shares, searched)
                ),
                _SHARES_NOTE,
            )
        )
    kept = [r for r in records if (workdir / r.get("genotype", "")).is_file()]
    derived = [genotypes.load(workdir / r["genotype"]) for r in kept]
    if derived:
        numbers = _numbers(kept)
        made.append(
            page.Drawing(
                "Genotypes",
                search_history.kept(numbers, derived, searched),
                _KEPT_NOTE,
            )
        )
        made += _difference(numbers, derived, searched)
    return tuple(made)


def _difference(numbers, derived, searched) -> list[page.Drawing]:
    """What has changed of late, where anything has."""
    first = max(0, len(derived) - 1 - _DIFFERENCE_EPOCHS)
    count = search_history.changes(derived[first], derived[-1], searched)
    if not count:
        return []
    names = [f"epoch {numbers[index]}" for index in (first, -1)]
    drawn = genotype_drawing.draw_difference(
        derived[first], derived[-1], *names
    )
    return [
        page.Drawing(
            f"What changed from {names[0]} to {names[1]}",
            drawn.to_svg(),
            f"{count} operations are new.",
        )
    ]


def _has_shares(record: Mapping[str, Any]) -> bool:
    return any("shares" in part for part in record.get("parts", {}).values())


def _shares(
    records: run_report.Records, searched: tuple[str, ...]
) -> dict[str, dict[str, list[float]]]:
    return {
        part: {
            name: [
                record["parts"][part]["shares"].get(name, float("nan"))
                for record in records
            ]
            for name in records[-1]["parts"][part]["shares"]
        }
        for part in searched
    }


def _numbers(records: run_report.Records) -> list[int]:
    return [record["epoch"] + 1 for record in records]


def _introduction(records: run_report.Records) -> str:
    last = records[-1]
    words = f"{last['epoch'] + 1} epochs are complete"
    if last.get("best_epoch") is not None:
        words += f"; the best is epoch {last['best_epoch'] + 1}"
    return f"{words}. Loss of the last: {last['losses']['loss']:.4f}."


def _events(records: run_report.Records) -> tuple[str, ...]:
    """Alarms where they began, rollbacks, and why a search is over."""
    told, before = [], {}
    for record in records:
        now = record.get("alarms", {})
        told += [
            f"Alarm in epoch {record['epoch'] + 1}, {name}: {what}."
            for name, what in now.items()
            if name not in before
        ]
        told += [
            f"Rollback to epoch {each['epoch'] + 1}, step {each['step']}: "
            f"{each['reason']}."
            for each in record.get("rollbacks", [])
        ]
        if "ended_because" in record:
            told.append(
                f"Over with epoch {record['epoch'] + 1}: "
                f"{record['ended_because']}."
            )
        before = now
    return tuple(told)


def _summary(records: run_report.Records) -> page.Table:
    """Epochs side by side: the first, the best, the last."""
    best = records[-1].get("best_epoch")
    chosen = {
        "first": records[0],
        "best": next((r for r in records if r["epoch"] == best), records[-1]),
        "last": records[-1],
    }
    rows = []
    for name, read in _MEASURES.items():
        values = [read(record) for record in chosen.values()]
        if any(value is not None for value in values):
            rows.append((name, *map(_shown, values)))
    header = (
        "measure",
        *(f"{name} (epoch {r['epoch'] + 1})" for name, r in chosen.items()),
    )
    return page.Table(header, tuple(rows))


def _shown(value: float | None) -> str:
    return "-" if value is None else f"{value:.4g}"


def _largest(measure: str):
    def read(record: Mapping[str, Any]) -> float | None:
        values = [
            part[measure]
            for part in record.get("parts", {}).values()
            if measure in part
        ]
        return max(values, default=None)

    return read


def _at(*names: str):
    def read(record: Mapping[str, Any]) -> float | None:
        for name in names[:-1]:
            record = record.get(name, {})
        return record.get(names[-1])

    return read


_MEASURES = {
    "loss": _at("losses", "loss"),
    "architecture loss": _at("losses", "architecture_loss"),
    "mean entropy": _at("entropy_mean"),
    "spread of alpha": _at("alpha_spread"),
    "largest share of skips in a part": _largest("skip_share"),
    "most skips that pruning keeps in a part": _largest("kept_skips"),
    "agreement with the epoch before": _at("agreement", "1_ago"),
    "agreement with 5 epochs before": _at("agreement", "5_ago"),
    "pose loss, other half higher by": _at("loss_gap", "pose_loss"),
    "parsing loss, other half higher by": _at("loss_gap", "parsing_loss"),
    "gradient of architecture to that of weights": _at(
        "gradient_norms", "ratio"
    ),
    "operations that the stop rule holds": _at("stop_rule", "held"),
    "cost of the derived network": _at("cost", "derived"),
    "loss of the pruned network": _at("pruned", "loss"),
    "what pruning adds to the loss": _at("pruned", "gap"),
    "mIoU of the pruned network": _at("pruned", "mean_iou"),
    "PCKh of the pruned network": _at("pruned", "pckh"),
    "dominant eigenvalue of the Hessian": _at("curvature"),
    "validation mIoU": _at("validation", "mean_iou"),
    "validation PCKh": _at("validation", "pckh"),
    "seconds": _at("seconds"),
}


def _settings(workdir: pathlib.Path) -> dict[str, str]:
    path = workdir / "run.json"
    if not path.exists():
        return {}
    found = run_report.read_json(path)
    settings = found.get("settings", {}) if isinstance(found, dict) else {}
    return {name: str(value) for name, value in settings.items()}


def _genotype(workdir: pathlib.Path) -> str:
    path = workdir / "genotype.json"
    if not path.exists():
        return ""
    return genotype_drawing.draw(
        genotypes.load(path), "The latest genotype"
    ).to_svg()
