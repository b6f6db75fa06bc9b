r"""Looks a data set over before anything is trained on it.

    python -m tools.check_dataset --dataset=lip --root=LIP --output=checked
    python -m tools.check_dataset --records=records/train,records/val \
        --output=checked

Reads every sample of all splits, or of --split: files that are missing, cannot
be read or do not fit together; labels and joints that cannot be right; left
and right exchanged; ids and pictures that occur twice, in one split or in two.
Writes report.json (every finding with id, kind, severity and detail;
statistics of sizes, classes and joints) and contact_sheet.png (the worst
suspects first, then samples drawn at random) into --output.

Ends with status 0 where nothing is wrong, 1 where there are findings of
severity error, 2 where it cannot look at all.
"""

import pathlib
import sys
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING

from nppnet_tf.data.source import SPLITS
from nppnet_tf.data.source import Source
from nppnet_tf.errors import UserError

from .command_line import app
from .command_line import console
from .command_line import paths
from .command_line import worker_flags
from .command_line.dataset_flags import DatasetFlags
from .command_line.progress import Progress
from .command_line.tool_flags import ToolFlags

if TYPE_CHECKING:
    from nppnet_tf.data.descriptors import DatasetDescriptor
    from nppnet_tf.dataset_check.findings import Finding

FLAGS = ToolFlags()

DATASET = DatasetFlags(FLAGS)

NUM_WORKERS = worker_flags.define(FLAGS)

REPORT = "report.json"
CONTACT_SHEET = "contact_sheet.png"

_FOUND_ERRORS = 1
_WHOLE = "all"

# A sheet of more is a picture that nothing shows.
_MOST_TILES = 1000

RECORDS = FLAGS.define_paths(
    "records",
    "Folders of records to look at instead of a data set's own files, one for "
    "each split.",
    paths.require_records,
)
OUTPUT = FLAGS.define_output(
    "output",
    None,
    "Folder for report and contact sheet.",
    paths.require_new_folder,
)
SUSPECTS = FLAGS.define_count(
    "suspects", 36, "Suspects on the contact sheet at most.", 0, _MOST_TILES
)
DRAWN = FLAGS.define_count(
    "drawn",
    12,
    "Further samples on the sheet, drawn at random.",
    0,
    _MOST_TILES,
)
SEED = FLAGS.define_seed("seed", 0, "Seed of the samples drawn at random.")


def main() -> None:
    """Entry point of the console script."""
    app.run(_run, FLAGS, required=("output",))


def _run(argv: list[str]) -> None:
    del argv
    started = time.perf_counter()
    if RECORDS.value:
        DATASET.refuse_idle("no --records")
    output = paths.new_folder(OUTPUT.value, "--output")
    sources, refused = _sources()
    for name, source in sources.items():
        DATASET.say_found(source, name)

    from nppnet_tf.dataset_check import report as reports
    from nppnet_tf.dataset_check import survey

    total = sum(len(source.samples) for source in sources.values())
    num_workers = worker_flags.num_workers(NUM_WORKERS.value, total)
    with Progress(total, "looking at samples") as progress:
        examined, rate = survey.examine(sources, num_workers, progress.advance)
    found = survey.judge(sources, examined, refused, DATASET.required_tasks)
    _write_sheet(output / CONTACT_SHEET, sources, found)
    report = reports.document(sources, examined, found)
    report["measured"] = {
        "seconds": round(time.perf_counter() - started, 1),
        "samples_per_second": round(rate, 1),
        "num_workers": num_workers,
    }
    reports.write(output / REPORT, report)
    published = _descriptor(sources).split_sizes.get("train")
    for line in (
        *reports.lines(report),
        reports.rate_line(total, rate, published),
        f"{output / REPORT}, {output / CONTACT_SHEET}",
    ):
        console.say(line)
    if reports.has_errors(report):
        sys.exit(_FOUND_ERRORS)


def _descriptor(sources: Mapping[str, Source]) -> "DatasetDescriptor":
    """What all splits annotate."""
    return next(iter(sources.values())).descriptor


def _write_sheet(
    path: pathlib.Path,
    sources: Mapping[str, Source],
    found: "Mapping[str, list[Finding]]",
) -> None:
    from nppnet_tf.dataset_check import suspects

    tiles = suspects.tiles(
        sources, found, SUSPECTS.value, DRAWN.value, SEED.value
    )
    suspects.write_sheet(path, tiles, _descriptor(sources))


def _sources() -> tuple[dict[str, Source], dict[str, UserError]]:
    """Sources by split, and what kept other splits from being read."""
    if RECORDS.value:
        return _record_sources(), {}
    if DATASET.is_split_given():
        source = DATASET.read_source()
        return {source.facts["split"] or _WHOLE: source}, {}
    sources: dict[str, Source] = {}
    refused: dict[str, UserError] = {}
    for split in SPLITS:
        try:
            sources[split] = DATASET.read_source(split)
        except UserError as error:
            refused[split] = error
    if not sources:
        # It has no splits, or nothing of it can be read.
        return {_WHOLE: DATASET.read_source()}, {}
    return sources, refused


def _record_sources() -> dict[str, Source]:
    from nppnet_tf.data.records import record_sample

    sources: dict[str, Source] = {}
    for folder in RECORDS.value:
        source = record_sample.source(folder)
        name = source.facts.get("split") or pathlib.Path(folder).name
        if name in sources:
            name = str(folder)
        sources[name] = source
    if len({source.descriptor for source in sources.values()}) > 1:
        raise UserError(
            "records of different data sets",
            "--records",
            "the same classes and joints in all",
            ", ".join(RECORDS.value),
        )
    return sources


if __name__ == "__main__":
    main()
