"""A folder of drawn people in LIP's own layout."""

import csv
import dataclasses
import io
import json
import os
import pathlib
from collections.abc import Mapping
from typing import NamedTuple

from PIL import Image

from nppnet_tf import workers
from nppnet_tf.data import record
from nppnet_tf.drawn_people import figure as figure_lib
from nppnet_tf.drawn_people import person
from nppnet_tf.errors import UserError
from nppnet_tf.files import atomic
from nppnet_tf.files import json_documents

# A change of what is drawn for a (seed, index) must change this number.
GENERATOR_VERSION = 1
SPLITS = ("train", "val")
STATE_FILE = "drawn.json"

_IMAGES = "TrainVal_images"
_LABELS = "TrainVal_parsing_annotations"
_POSES = "TrainVal_pose_annotations"
# Far apart, so that a split can grow without meeting another.
_MAX_COUNT = 1_000_000
_FIRST_INDEX = {"train": 0, "val": _MAX_COUNT}
_OCCLUDED_CELL = {record.VISIBLE: 0, record.OCCLUDED: 1}


@dataclasses.dataclass(frozen=True)
class _Places:
    """Where one split lies."""

    images: pathlib.Path
    labels: pathlib.Path
    ids: pathlib.Path
    poses: pathlib.Path
    unfinished: pathlib.Path

    @classmethod
    def of(cls, root: pathlib.Path, split: str) -> "_Places":
        poses = root / _POSES / f"lip_{split}_set.csv"
        return cls(
            root / _IMAGES / f"{split}_images",
            root / _LABELS / f"{split}_segmentations",
            root / _IMAGES / f"{split}_id.txt",
            poses,
            poses.with_suffix(".csv.part"),
        )


def _ignore(count: int) -> None:
    """Takes the number of pictures that are done."""


def write_lip(
    root: str | os.PathLike[str],
    split_counts: Mapping[str, int],
    seed: int,
    median_size: tuple[int, int] | None = None,
    advance: workers.Advance = _ignore,
    num_workers: int = 1,
) -> pathlib.Path:
    """Draws people into a folder of LIP's own layout.

    Every file is written whole or not at all. Called again, what lies there
    already is kept and the rest is drawn; a split may grow or shrink.

    Args:
        root: The folder; made where it is missing.
        split_counts: Pictures per split, of "train" and "val".
        seed: Seed of the whole set.
        median_size: Median (height, width) of the pictures; None means LIP's.
        advance: Told of pictures that are done.
        num_workers: Processes; what is drawn does not depend on it.

    Returns:
        The folder.

    Raises:
        UserError: A count is negative, a split unknown or a size out of
            range; the root is a file, holds pictures of another seed, size or
            generator, or pictures that were not drawn.
    """
    _check_counts(split_counts)
    if median_size is not None:
        person.check_size(median_size, "median_size")
    root = pathlib.Path(root)
    _claim(root, seed, median_size)
    for split, count in split_counts.items():
        _write_split(
            root, split, count, _Kind(seed, median_size), advance, num_workers
        )
    return root


def _check_counts(split_counts: Mapping[str, int]) -> None:
    for split, count in split_counts.items():
        if split not in SPLITS:
            raise UserError(
                "There is no such split", "split_counts", SPLITS, split
            )
        if not 0 <= count <= _MAX_COUNT:
            raise UserError(
                "The number of pictures is out of range",
                split,
                f"0 to {_MAX_COUNT}",
                count,
            )


def _claim(
    root: pathlib.Path, seed: int, median_size: tuple[int, int] | None
) -> None:
    """Writes who draws into a folder, or compares it with who drew before."""
    if root.exists() and not root.is_dir():
        raise UserError("Not a folder", root, "a folder", "a file")
    wanted = {
        "generator_version": GENERATOR_VERSION,
        "seed": seed,
        "median_size": None if median_size is None else list(median_size),
    }
    path = root / STATE_FILE
    if not path.exists():
        if (root / _IMAGES).exists():
            raise UserError(
                "The folder holds pictures that were not drawn",
                root,
                f"an empty folder or one with {STATE_FILE}",
                _IMAGES,
            )
        atomic.write_text(path, json.dumps(wanted, indent=2) + "\n")
        return
    found = json_documents.read(path)
    if found != wanted:
        raise UserError(
            "The folder holds other drawings",
            path,
            json.dumps(wanted),
            json.dumps(found),
        )


class _Kind(NamedTuple):
    """What decides a picture besides its number."""

    seed: int
    median_size: tuple[int, int] | None


class _Job(NamedTuple):
    """Some people for one process to draw."""

    places: _Places
    kind: _Kind
    indices: tuple[int, ...]


def _write_split(
    root: pathlib.Path,
    split: str,
    count: int,
    kind: _Kind,
    advance: workers.Advance,
    num_workers: int,
) -> None:
    places = _Places.of(root, split)
    for folder in (places.images, places.labels, places.poses.parent):
        folder.mkdir(parents=True, exist_ok=True)
    known = _known_rows(places)
    rows, missing = [], []
    for index in range(_FIRST_INDEX[split], _FIRST_INDEX[split] + count):
        name = _person_name(index, kind)
        row = known.get(f"{name}.jpg")
        if row is not None and _is_complete(places, name):
            rows.append(row)
        else:
            missing.append(index)
    advance(len(rows))
    jobs = [
        _Job(places, kind, tuple(indices))
        for indices in workers.portions(missing)
    ]
    for drawn in workers.each(_write_people, jobs, num_workers, advance):
        _append(places.unfinished, _csv_text(drawn))
        rows += drawn
    rows.sort(key=lambda row: row[0])
    atomic.write_text(places.poses, _csv_text(rows))
    names = [row[0].removesuffix(".jpg") for row in rows]
    atomic.write_text(places.ids, "".join(f"{name}\n" for name in names))
    places.unfinished.unlink(missing_ok=True)


def _append(path: pathlib.Path, text: str) -> None:
    """Goes on with a file that a call that was stopped may leave behind."""
    with (
        atomic.naming(path),
        path.open("a", encoding="utf-8", newline="") as journal,
    ):
        journal.write(text)


def _person_name(index: int, kind: _Kind) -> str:
    return f"{index:07d}_{kind.seed}"


def _known_rows(places: _Places) -> dict[str, list[str]]:
    """Returns the pose rows that earlier calls have written, by file name."""
    known = {}
    for path in (places.poses, places.unfinished):
        if not path.exists():
            continue
        text = path.read_text(encoding="utf-8", errors="replace")
        # An interrupted call may have left half a last line.
        whole = text[: text.rfind("\n") + 1]
        if path == places.unfinished and whole != text:
            path.write_text(whole, encoding="utf-8")
        for row in csv.reader(io.StringIO(whole)):
            if len(row) == 1 + 3 * figure_lib.NUM_JOINTS:
                known[row[0]] = row
    return known


def _is_complete(places: _Places, name: str) -> bool:
    paths = (places.images / f"{name}.jpg", places.labels / f"{name}.png")
    return all(path.is_file() and path.stat().st_size > 0 for path in paths)


def _write_people(job: _Job, advance: workers.Advance) -> list[list[str]]:
    """Draws people, writes two files of each, returns their rows."""
    rows = []
    for index in job.indices:
        rows.append(_write_person(job.places, job.kind, index))
        advance(1)
    return rows


def _write_person(places: _Places, kind: _Kind, index: int) -> list[str]:
    """Draws a person, writes its two files, returns its row of the CSV."""
    drawn = person.draw_person(kind.seed, index, median_size=kind.median_size)
    name = _person_name(index, kind)
    picture = drawn.image
    if (picture == picture[:, :, :1]).all():
        # Gray pictures are gray files, as a few of LIP's are.
        picture = picture[:, :, 0]
    quality = person.stream(kind.seed, index, "jpeg").randrange(78, 96)
    with atomic.atomic_path(places.labels / f"{name}.png") as path:
        Image.fromarray(drawn.label_map).save(path, "PNG", compress_level=3)
    with atomic.atomic_path(places.images / f"{name}.jpg") as path:
        Image.fromarray(picture).save(path, "JPEG", quality=quality)
    return [f"{name}.jpg", *_pose_cells(drawn)]


def _pose_cells(drawn: person.DrawnPerson) -> list[str]:
    cells = []
    for (x, y), seen in zip(drawn.keypoints_xy, drawn.visibility, strict=True):
        if seen == record.ABSENT:
            cells += ["nan", "nan", "nan"]
        else:
            cells += [
                str(round(float(x))),
                str(round(float(y))),
                str(_OCCLUDED_CELL[int(seen)]),
            ]
    return cells


def _csv_text(rows: list[list[str]]) -> str:
    return "".join(",".join(row) + "\n" for row in rows)
