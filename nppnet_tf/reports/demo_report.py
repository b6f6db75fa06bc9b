"""Gathers what a demo has made: its pictures, its table, its page."""

import dataclasses
import json
import os
import pathlib
from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Mapping
from typing import Any

import numpy as np
from PIL import Image

from nppnet_tf.data.descriptors import DatasetDescriptor
from nppnet_tf.data.record import Record
from nppnet_tf.data.records.record_set import RecordSet
from nppnet_tf.drawing import genotype_drawing
from nppnet_tf.drawing import rendering
from nppnet_tf.errors import UserError
from nppnet_tf.files import atomic
from nppnet_tf.files import json_documents
from nppnet_tf.pictures import picture_files
from nppnet_tf.reports import page
from nppnet_tf.reports import run_report
from nppnet_tf.reports import search_report
from nppnet_tf.search_space import genotype as genotypes

_OVERLAY = "_overlay.png"
_PNG_START = b"\x89PNG"
_HEADER = ("network", "mIoU", "PCKh@0.5", "parameters", "GMAC", "train minutes")


@dataclasses.dataclass(frozen=True)
class Sources:
    """Where everything of a report lies.

    Attributes:
        title: Title of the page.
        introduction: First paragraphs of the page.
        runs: Folder of every trained network, by its title.
        results: Result of `tools.evaluate`, by the same titles.
        summary_names: Key in summary.json, by the same titles.
        searches: Folder of every stage of the search, by its title.
        pictures: Folder of the pictures that were predicted.
        columns: Folder with an overlay per picture, by the column's title.
        rule: How the pictures were picked.
        measured_on: Which pictures the scores belong to.
        genotype: File of the derived genotype.
        phases: Commands and times.
        report: Page to write.
        summary: JSON file to write.
    """

    title: str
    introduction: tuple[str, ...]
    runs: Mapping[str, pathlib.Path]
    results: Mapping[str, pathlib.Path]
    summary_names: Mapping[str, str]
    searches: Mapping[str, pathlib.Path]
    pictures: pathlib.Path
    columns: Mapping[str, pathlib.Path]
    rule: str
    measured_on: str
    genotype: pathlib.Path
    phases: tuple[page.Phase, ...]
    report: pathlib.Path
    summary: pathlib.Path


def lay_out_pictures(
    records: pathlib.Path,
    count: int,
    pictures: pathlib.Path,
    truth: pathlib.Path,
    progress: Callable[[Iterable[int]], Iterable[int]] = iter,
) -> None:
    """Writes the first pictures of a record folder, and their truth.

    Args:
        records: Made by `tools.build_records`.
        count: Pictures at most.
        pictures: Folder to make: every picture as it is.
        truth: Folder to make: what is known, drawn over every picture.
        progress: Wraps the iteration over the records.
    """
    record_set = RecordSet.open(records)
    for folder in (pictures, truth):
        folder.mkdir(parents=True, exist_ok=True)
    numbers = range(min(count, record_set.count))
    for number in progress(numbers):
        record = record_set.read(number)
        _write_picture(record, pictures)
        _write_truth(record, truth, record_set)


def write(sources: Sources) -> None:
    """Writes the page and the summary.

    Raises:
        UserError: A file that the road has made is damaged.
    """
    try:
        report, summary = _gathered(sources)
    except json_documents.FORM_ERRORS as error:
        raise UserError(
            "what the report is of cannot be read",
            sources.report.parent,
            "results and records as the phases before have written them",
            f"{type(error).__name__}: {error}",
        ) from error
    page.write(report, sources.report)
    atomic.write_text(sources.summary, json.dumps(summary, indent=1) + "\n")


def _gathered(sources: Sources) -> tuple[page.ReportData, dict[str, Any]]:
    from nppnet_tf.inference import predictor

    results = {
        title: run_report.read_json(path)
        for title, path in sources.results.items()
    }
    metrics = {
        title: run_report.read_metrics(run / "metrics.jsonl")
        for title, run in sources.runs.items()
    }
    networks = {
        title: predictor.load_run(run) for title, run in sources.runs.items()
    }
    _, descriptor, _ = next(iter(networks.values()))
    summary = _summary(sources, results, metrics, networks)
    report = page.ReportData(
        title=sources.title,
        introduction=sources.introduction,
        summary=_table(summary),
        protocol=summary["protocol"],
        gallery=_gallery(sources, descriptor),
        genotype_svg=_drawing(sources.genotype),
        genotype_note="Every operation below was chosen by the search; the "
        "numbers 1/4, 2C ... are the size of a level's features and their "
        "channels.",
        drawings=_drawings(sources),
        charts=_charts(sources, metrics),
        scores=run_report.score_tables(results),
        phases=sources.phases,
        environment=run_report.environment(),
    )
    return report, summary


def read_summary(path: str | os.PathLike[str]) -> tuple[str, float]:
    """Returns the table of a summary as lines of a screen, and the minutes.

    Raises:
        UserError: The file is not what `write` has written.
    """
    found = json_documents.read(path)
    try:
        minutes = json_documents.require(
            found["minutes"], "a number", path, "minutes"
        )
        return run_report.text_table(_table(found)), minutes
    except json_documents.FORM_ERRORS as error:
        raise UserError(
            "not a summary of a demo",
            path,
            "what the demo wrote; without the file it is written again",
            f"{type(error).__name__}: {error}",
        ) from error


def _summary(
    sources: Sources,
    results: Mapping[str, Any],
    metrics: Mapping[str, run_report.Records],
    networks: Mapping[str, Any],
) -> dict[str, Any]:
    from nppnet_tf.models import cost

    summary: dict[str, Any] = {}
    for title, key in sources.summary_names.items():
        network, _, image_size = networks[title]
        cost_of_network = cost.cost(network, image_size)
        seconds = sum(record["seconds"] for record in metrics[title])
        summary[key] = {
            **run_report.scores(results[title]),
            "title": title,
            "parameters": cost_of_network.parameters,
            "gmac": round(cost_of_network.macs / 1e9, 4),
            "epochs": len(metrics[title]),
            "train_minutes": round(seconds / 60, 2),
        }
    total = sum(phase.seconds for phase in sources.phases)
    summary["minutes"] = round(total / 60, 2)
    budget = {
        f"{title}: {len(records)} epochs" for title, records in metrics.items()
    }
    summary["protocol"] = {
        **run_report.protocol(next(iter(results.values()))),
        "measured on": sources.measured_on,
        "budget": f"{'; '.join(sorted(budget))}; same records, batches, "
        "augmentation, losses and optimizer",
    }
    return summary


def _table(summary: Mapping[str, Any]) -> page.Table:
    systems = [
        value
        for value in summary.values()
        if isinstance(value, Mapping) and "parameters" in value
    ]
    rows = tuple(
        (
            system["title"],
            run_report.number(system["miou"]),
            run_report.number(system["pckh"]),
            f"{system['parameters'] / 1e6:.2f} M",
            f"{system['gmac']:.3f}",
            f"{system['train_minutes']:.1f}",
        )
        for system in systems
    )
    return page.Table(_HEADER, rows)


def _gallery(sources: Sources, descriptor: DatasetDescriptor) -> page.Gallery:
    examples = tuple(
        page.Example(
            picture.stem,
            (
                picture,
                *(
                    folder / f"{picture.stem}{_OVERLAY}"
                    for folder in sources.columns.values()
                ),
            ),
        )
        for picture in sorted(sources.pictures.iterdir())
    )
    legend = {
        name: "#{:02x}{:02x}{:02x}".format(*color)
        for name, color in zip(
            descriptor.classes[1:], descriptor.palette[1:], strict=True
        )
    }
    return page.Gallery(
        ("picture", *sources.columns),
        examples,
        f"{sources.rule} Left limbs of the person are blue, right ones orange.",
        legend,
    )


def _drawing(genotype: pathlib.Path) -> str:
    drawing = genotype_drawing.draw(
        genotypes.load(genotype), "The network that the search found"
    )
    return drawing.to_svg()


def _drawings(sources: Sources) -> tuple[page.Drawing, ...]:
    """What each stage of the search did, in pictures."""
    return tuple(
        dataclasses.replace(drawing, title=f"{title}: {drawing.title}")
        for title, run in sources.searches.items()
        for drawing in search_report.drawings(
            run, run_report.read_metrics(run / "metrics.jsonl")
        )
    )


def _charts(
    sources: Sources, metrics: Mapping[str, run_report.Records]
) -> tuple[page.ChartGroup, ...]:
    searches = tuple(
        run_report.search_charts(
            title, run_report.read_metrics(run / "metrics.jsonl")
        )
        for title, run in sources.searches.items()
    )
    training = run_report.training_charts("Training of the networks", metrics)
    return (*searches, training)


def _write_picture(record: Record, folder: pathlib.Path) -> None:
    is_png = record.image_bytes.startswith(_PNG_START)
    path = folder / f"{record.record_id}{'.png' if is_png else '.jpg'}"
    with atomic.atomic_path(path) as temporary:
        temporary.write_bytes(record.image_bytes)


def _write_truth(
    record: Record, folder: pathlib.Path, record_set: RecordSet
) -> None:
    drawn = rendering.overlay(
        picture_files.decode(record.image_bytes, record.record_id),
        record.label_map,
        record.keypoints_xy,
        record.visibility,
        record_set.descriptor,
    )
    path = folder / f"{record.record_id}{_OVERLAY}"
    with atomic.atomic_path(path) as temporary:
        Image.fromarray(np.asarray(drawn)).save(temporary, format="PNG")
