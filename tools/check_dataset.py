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

import collections
import itertools
import json
import pathlib
import sys
import textwrap
import time
from collections.abc import Mapping
from collections.abc import Sequence
from typing import TYPE_CHECKING
from typing import Any

from nppnet_tf import durations
from nppnet_tf.data.source import SPLITS
from nppnet_tf.data.source import Sample
from nppnet_tf.data.source import Source
from nppnet_tf.errors import AbsentSplitError
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
    from nppnet_tf.dataset_check.examination import Examined
    from nppnet_tf.dataset_check.findings import Finding
    from nppnet_tf.drawing.contact_sheet import Tile

FLAGS = ToolFlags()

DATASET = DatasetFlags(FLAGS)

NUM_WORKERS = worker_flags.define(FLAGS)

REPORT = "report.json"
CONTACT_SHEET = "contact_sheet.png"

_FOUND_ERRORS = 1
_NAMED_ON_SCREEN = 5
_DETAIL_ON_SCREEN = 160
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
    "drawn", 12, "Further samples on it, drawn at random.", 0, _MOST_TILES
)
SEED = FLAGS.define_seed("seed", 0, "Of the samples drawn at random.")


def main() -> None:
    """Entry point of the console script."""
    app.run(_run, FLAGS, required=("output",))


def _run(argv: list[str]) -> None:
    del argv
    started = time.perf_counter()
    output = paths.new_folder(OUTPUT.value, "--output")
    sources, notes = _sources()
    for name, source in sources.items():
        DATASET.say_found(source, name)
    examined, rate = _examine(sources)
    descriptor = next(iter(sources.values())).descriptor
    found = _judge(sources, examined, notes, descriptor)
    _write_sheet(output / CONTACT_SHEET, sources, found, descriptor)
    total = sum(map(len, examined.values()))
    report = _report(sources, examined, found, descriptor)
    report["measured"] = {
        "seconds": round(time.perf_counter() - started, 1),
        "samples_per_second": round(rate, 1),
        "num_workers": worker_flags.num_workers(NUM_WORKERS.value, total),
    }
    _write_report(output / REPORT, report)
    _say_findings(report)
    _say_rate(total, rate, descriptor.split_sizes.get("train"))
    console.say(f"{output / REPORT}, {output / CONTACT_SHEET}")
    if any(each["severity"] == "error" for each in report["findings"]):
        sys.exit(_FOUND_ERRORS)


def _say_rate(total: int, rate: float, published: int | None) -> None:
    text = f"{total} samples, {rate:.0f} in a second"
    if published is not None and published > total and rate:
        text += (
            f"; at this rate the {published} of the published split train "
            f"take {durations.in_words(published / rate)}"
        )
    console.say(text)


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


def _examine(
    sources: Mapping[str, Source],
) -> "tuple[dict[str, list[Examined]], float]":
    """What is known of every sample, and how many were read in a second."""
    from nppnet_tf import workers
    from nppnet_tf.dataset_check import examination

    jobs = [
        (name, examination.Job(portion, source.descriptor))
        for name, source in sources.items()
        for portion in workers.portions(source.samples)
    ]
    total = sum(len(source.samples) for source in sources.values())
    examined: dict[str, list[Examined]] = {name: [] for name in sources}
    first: list[tuple[float, int]] = []
    with Progress(total, "looking at samples") as progress:

        def advance(count: int) -> None:
            progress.advance(count)
            if not first:
                first.append((time.perf_counter(), count))

        results = workers.each(
            examination.examine_all,
            [job for _, job in jobs],
            worker_flags.num_workers(NUM_WORKERS.value, total),
            advance,
        )
        for (name, _), result in zip(jobs, results, strict=True):
            examined[name] += result
    if not first:
        return examined, 0.0
    # Of the time from the first sample on: processes take seconds to start.
    began, count = first[0]
    seconds = max(time.perf_counter() - began, 1e-3)
    return examined, (total - count) / seconds


def _judge(
    sources: Mapping[str, Source],
    examined: "Mapping[str, list[Examined]]",
    refused: Mapping[str, UserError],
    descriptor: "DatasetDescriptor",
) -> "dict[str, list[Finding]]":
    from nppnet_tf.dataset_check import dataset_check
    from nppnet_tf.dataset_check import findings
    from nppnet_tf.dataset_check.findings import Finding

    found = dataset_check.judge(examined, descriptor)
    for name, source in sources.items():
        found[name] += [
            Finding(record_id, findings.POSE_WITHOUT_PICTURE, "only a pose")
            for record_id in source.poses_without_picture
        ]
        found[name] += [
            Finding(record_id, findings.LABEL_MAP_WITHOUT_PICTURE, "no picture")
            for record_id in source.label_maps_without_picture
        ]
        found[name] += dataset_check.absent_tasks(
            examined[name],
            source.annotations,
            DATASET.required_tasks(source),
        )
    for name, error in refused.items():
        is_absent = isinstance(error, AbsentSplitError)
        kind = findings.SPLIT_ABSENT if is_absent else findings.SPLIT_UNREADABLE
        found[name] = [Finding(findings.WHOLE_SPLIT, kind, str(error))]
    return {
        name: sorted(each, key=lambda finding: _rank(finding.kind))
        for name, each in found.items()
    }


def _rank(kind: str) -> int:
    from nppnet_tf.dataset_check import findings

    return list(findings.KINDS).index(kind)


def _report(
    sources: Mapping[str, Source],
    examined: "Mapping[str, list[Examined]]",
    found: "Mapping[str, list[Finding]]",
    descriptor: "DatasetDescriptor",
) -> dict[str, Any]:
    from nppnet_tf.dataset_check import dataset_check
    from nppnet_tf.dataset_check import findings

    every = [
        {
            "split": name,
            "id": finding.record_id,
            "kind": finding.kind,
            "severity": findings.KINDS[finding.kind].severity,
            "detail": finding.detail,
        }
        for name, each in found.items()
        for finding in each
    ]
    counts = collections.Counter(each["kind"] for each in every)
    return {
        "format": dataset_check.FORMAT,
        "format_version": dataset_check.FORMAT_VERSION,
        "descriptor": descriptor.name,
        "splits": {
            name: {
                "facts": dict(source.facts),
                "notes": list(source.notes),
                **dataset_check.statistics(examined[name], descriptor),
            }
            for name, source in sources.items()
        },
        "kinds": {
            name: {
                "count": counts[name],
                "severity": kind.severity,
                "repair": kind.repair,
            }
            for name, kind in findings.KINDS.items()
        },
        "findings": every,
    }


def _write_report(path: pathlib.Path, report: Mapping[str, Any]) -> None:
    from nppnet_tf.files import atomic

    atomic.write_text(path, json.dumps(report, indent=1) + "\n")


def _say_findings(report: Mapping[str, Any]) -> None:
    """One line for each kind: severity, kind, count, names, repair."""
    by_kind = collections.defaultdict(list)
    for finding in report["findings"]:
        by_kind[finding["kind"]].append(finding)
    for kind, described in report["kinds"].items():
        found = by_kind[kind]
        if not found:
            continue
        names = list(
            dict.fromkeys(f"{each['split']}/{each['id']}" for each in found)
        )
        if len(names) == 1:
            detail = textwrap.shorten(found[0]["detail"], _DETAIL_ON_SCREEN)
            names = [f"{names[0]} ({detail})"]
        shown = ", ".join(names[:_NAMED_ON_SCREEN])
        more = ", ..." if len(names) > _NAMED_ON_SCREEN else ""
        console.say(
            f"{described['severity']} {kind}: {len(found)}: {shown}{more}; "
            f"repair: {described['repair']}"
        )
    if not report["findings"]:
        console.say("nothing found")


def _write_sheet(
    path: pathlib.Path,
    sources: Mapping[str, Source],
    found: "Mapping[str, list[Finding]]",
    descriptor: "DatasetDescriptor",
) -> None:
    from PIL import Image

    from nppnet_tf.drawing import contact_sheet
    from nppnet_tf.files import atomic

    tiles = _tiles(sources, found)
    if not tiles:
        return
    heading = (
        f"{descriptor.name}: blue is left, orange is right, a ring is an "
        "occluded joint; what is red was found"
    )
    sheet = contact_sheet.contact_sheet(tiles, descriptor, heading)
    with atomic.atomic_path(path) as temporary:
        Image.fromarray(sheet).save(temporary, "PNG")


def _tiles(
    sources: Mapping[str, Source], found: "Mapping[str, list[Finding]]"
) -> "list[Tile]":
    """Suspects, the worst first, and samples drawn at random."""
    import numpy as np

    samples = {
        (name, sample.record_id): sample
        for name, source in sources.items()
        for sample in source.samples
    }
    texts: dict[tuple[str, str], list[str]] = {}
    ranked = sorted(
        ((name, each) for name, every in found.items() for each in every),
        key=lambda place: _rank(place[1].kind),
    )
    for name, finding in ranked:
        text = f"{finding.kind}: {finding.detail}"
        texts.setdefault((name, finding.record_id), []).append(text)
    suspects = _mixed([(key, texts[key][0]) for key in texts if key in samples])
    others = [key for key in samples if key not in texts]
    order = np.random.default_rng(SEED.value).permutation(len(others))
    tiles: list[Tile] = []
    for keys, count in (
        ([key for key, _ in suspects], SUSPECTS.value),
        ([others[place] for place in order], DRAWN.value),
    ):
        made = (
            _tile("/".join(key), "; ".join(texts.get(key, ())), samples[key])
            for key in keys
        )
        # Of a picture that cannot be read there is nothing to look at.
        visible = (tile for tile in made if tile.image is not None)
        tiles += itertools.islice(visible, count)
    return tiles


def _mixed(
    suspects: Sequence[tuple[tuple[str, str], str]],
) -> list[tuple[tuple[str, str], str]]:
    """The first of every kind, then the second: no kind fills the sheet."""
    seen: collections.Counter[str] = collections.Counter()
    turns = []
    for place, suspect in enumerate(suspects):
        kind = suspect[1].partition(":")[0]
        turns.append((seen[kind] // 6, place, suspect))
        seen[kind] += 1
    return [suspect for _, _, suspect in sorted(turns, key=lambda t: t[:2])]


def _tile(title: str, text: str, sample: Sample) -> "Tile":
    from nppnet_tf.drawing.contact_sheet import Tile
    from nppnet_tf.pictures import picture_files

    try:
        record = sample.load()
        image = picture_files.decode(record.image_bytes)
    except UserError:
        return Tile(title, text, _picture_alone(sample))
    label_map = record.label_map
    if label_map is not None and label_map.shape != image.shape[:2]:
        label_map = None
    return Tile(
        title, text, image, label_map, record.keypoints_xy, record.visibility
    )


def _picture_alone(sample: Sample) -> Any:
    """The picture where only the annotation is wrong, or None."""
    from nppnet_tf.pictures import picture_files

    try:
        return picture_files.decode(sample.paths[0].read_bytes())
    except (UserError, OSError):
        return None


if __name__ == "__main__":
    main()
