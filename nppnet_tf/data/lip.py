"""LIP as it lies on disk: pictures, label PNGs, pose CSV, id lists.

Accepts the official archives in both nestings that are in use
(`TrainVal_images/train_images` and `TrainVal_images/TrainVal_images/...`) and
the flat layout of later projects (`train_images`, `train_segmentations`).
"""

import csv
import math
import os
import pathlib
from collections.abc import Iterable
from collections.abc import Mapping
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from nppnet_tf.data import id_list
from nppnet_tf.data import raw
from nppnet_tf.data import source
from nppnet_tf.data.descriptors import LIP
from nppnet_tf.data.raw import RawSample
from nppnet_tf.data.record import ABSENT
from nppnet_tf.data.record import OCCLUDED
from nppnet_tf.data.record import VISIBLE
from nppnet_tf.data.source import SPLITS
from nppnet_tf.data.source import Options
from nppnet_tf.data.source import Source
from nppnet_tf.errors import UserError

# An absent joint in the CSV; all three of its cells together.
_ABSENT_CELL = "nan"
# The third cell of a joint: LIP counts the other way round than MPII.
_VISIBILITIES = {0: VISIBLE, 1: OCCLUDED}

_IMAGE_FOLDERS = {
    "train": ("train_images",),
    "val": ("val_images",),
    "test": ("testing_images", "test_images"),
}
_IMAGE_PARENTS = {
    "train": "TrainVal_images",
    "val": "TrainVal_images",
    "test": "Testing_images",
}
_POSE_FILES = {
    "train": ("lip_train_set.csv",),
    "val": ("lip_val_set.csv", "lip_val_groundtruth.csv", "pose_gt.csv"),
    "test": (),
}


class Pose(NamedTuple):
    """A row of a pose CSV.

    Attributes:
        keypoints_xy: Float32 [16, 2], (0, 0) where absent.
        visibility: Int32 [16].
        fault: What is wrong with the row, or None; then the rest counts.
    """

    keypoints_xy: np.ndarray
    visibility: np.ndarray
    fault: str | None = None


def read(
    roots: Sequence[str | os.PathLike[str]],
    split: str | None,
    options: Options,
) -> Source:
    """Reader of `datasets.READERS`; the split is "train" where None.

    Raises:
        UserError: As `read_split`; several roots, or other than the published
            number of samples where the options are strict.
    """
    root = source.one_root(roots, "lip")
    source.refuse(options, "lip", "descriptor", *source.OF_PEOPLE)
    split = split or "train"
    samples = read_split(root, split)
    published = LIP.split_sizes[split]
    notes = source.count_notes(
        len(samples), published, f"samples of {split}", root, options.strict
    )
    facts = {"split": split, "published_split_size": published}
    return Source(LIP, samples, notes, facts)


def read_split(root: str | os.PathLike[str], split: str) -> list[RawSample]:
    """Lists the samples of one split; files are read when `load` is called.

    The id list decides which samples there are and in which order; without
    one, all pictures of the split in the order of their names. A sample
    without a label PNG or a row in the CSV lacks that annotation.

    Args:
        root: Folder into which the archives were unpacked.
        split: "train", "val" or "test".

    Raises:
        UserError: No such folder or split, no pictures, an id list or CSV that
            cannot be read, or ids that occur twice.
    """
    root = pathlib.Path(root)
    if split not in SPLITS:
        raise UserError("unknown split", root, ", ".join(SPLITS), split)
    if not root.is_dir():
        raise UserError("no such folder", root, "the folder of LIP", "nothing")
    image_folder = _image_folder(root, split)
    ids = _ids(root, image_folder, split)
    label_folder = _label_folder(root, split)
    poses = _poses(root, split)
    return [
        _sample(record_id, image_folder, label_folder, poses)
        for record_id in ids
    ]


def read_pose_csv(path: str | os.PathLike[str]) -> dict[str, Pose]:
    """Reads a pose CSV of LIP.

    One row per picture without a header: its name, then x, y and v of 16
    joints in the order of `descriptors.LIP`; v is 0 for visible and 1 for
    occluded; an absent joint is `nan,nan,nan`.

    Returns:
        Poses by record id (the name without its extension). A row that is
        wrong becomes a pose with a `fault`, so that its record can be named.

    Raises:
        UserError: The file cannot be read, a row has no name, or a name occurs
            twice.
    """
    path = pathlib.Path(path)
    poses: dict[str, Pose] = {}
    for number, row in _rows(path):
        record_id = id_list.stem(row[0])
        if not record_id:
            raise UserError(
                "row without a name",
                f"{path} line {number}",
                "<id>.jpg,x,y,v,...",
                ",".join(row)[:40],
            )
        if record_id in poses:
            raise UserError(
                "picture occurs twice", f"{path} line {number}", None, row[0]
            )
        poses[record_id] = _pose(row[1:], f"{path} line {number}")
    return poses


def _rows(path: pathlib.Path) -> Iterable[tuple[int, list[str]]]:
    try:
        with open(path, encoding="utf-8-sig", newline="") as stream:
            reader = csv.reader(stream)
            return [(reader.line_num, row) for row in reader if row]
    except OSError as error:
        raise UserError(
            "pose CSV cannot be read", path, "a CSV file", error.strerror
        ) from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise UserError(
            "pose CSV cannot be read", path, "a CSV file", error
        ) from error


def _pose(cells: list[str], where: str) -> Pose:
    num_keypoints = LIP.num_keypoints
    keypoints_xy = np.zeros((num_keypoints, 2), np.float32)
    visibility = np.full(num_keypoints, ABSENT, np.int32)
    try:
        if len(cells) != 3 * num_keypoints:
            raise UserError(
                "row of another length",
                where,
                f"name and {3 * num_keypoints} cells",
                f"name and {len(cells)} cells",
            )
        for k, name in enumerate(LIP.keypoints):
            joint = [cell.strip() for cell in cells[3 * k : 3 * k + 3]]
            xy, visible = _joint(joint, f"{where}, {name}")
            keypoints_xy[k], visibility[k] = xy, visible
    except UserError as error:
        return Pose(keypoints_xy, visibility, str(error))
    return Pose(keypoints_xy, visibility)


def _joint(cells: list[str], where: str) -> tuple[tuple[float, float], int]:
    if all(cell.lower() == _ABSENT_CELL for cell in cells):
        return (0.0, 0.0), ABSENT
    try:
        x, y, visible = (float(cell) for cell in cells)
        if math.isfinite(x) and math.isfinite(y):
            return (x, y), _VISIBILITIES[visible]
    except (ValueError, KeyError):
        pass
    raise UserError(
        "joint is malformed",
        where,
        "x,y,0 or x,y,1 or nan,nan,nan",
        ",".join(cells),
    )


def _sample(
    record_id: str,
    image_folder: pathlib.Path,
    label_folder: pathlib.Path | None,
    poses: Mapping[str, Pose],
) -> RawSample:
    label_path = label_folder and label_folder / f"{record_id}.png"
    if label_path is not None and not label_path.is_file():
        label_path = None
    pose = poses.get(record_id)
    return RawSample(
        record_id,
        raw.find_image(image_folder, record_id),
        label_path,
        pose and pose.keypoints_xy,
        pose and pose.visibility,
        pose and pose.fault,
    )


def _image_folder(root: pathlib.Path, split: str) -> pathlib.Path:
    parent = _IMAGE_PARENTS[split]
    candidates = [
        folder / name
        for folder in _nestings(root, parent)
        for name in _IMAGE_FOLDERS[split]
    ]
    for candidate in candidates:
        if candidate.is_dir():
            return candidate
    raise UserError(
        f"no pictures of the split {split}",
        root,
        " or ".join(str(path.relative_to(root)) for path in candidates),
        "none of them",
    )


def _label_folder(root: pathlib.Path, split: str) -> pathlib.Path | None:
    if split == "test":
        return None
    for folder in _nestings(root, "TrainVal_parsing_annotations"):
        candidate = folder / f"{split}_segmentations"
        if candidate.is_dir():
            return candidate
    return None


def _poses(root: pathlib.Path, split: str) -> dict[str, Pose]:
    folders = _nestings(root, "TrainVal_pose_annotations")
    for folder in (*folders, root / "pose_csv"):
        for name in _POSE_FILES[split]:
            if (folder / name).is_file():
                return read_pose_csv(folder / name)
    return {}


def _nestings(root: pathlib.Path, archive: str) -> tuple[pathlib.Path, ...]:
    """Folders in which the content of an archive may lie."""
    return (
        root / archive,
        root / archive / archive,
        root / "images_labels",
        root,
    )


def _ids(
    root: pathlib.Path, image_folder: pathlib.Path, split: str
) -> list[str]:
    for folder in _nestings(root, _IMAGE_PARENTS[split]):
        path = folder / f"{split}_id.txt"
        if path.is_file():
            return id_list.read(path)
    stems = [
        path.stem
        for path in image_folder.iterdir()
        if path.suffix in raw.IMAGE_SUFFIXES
    ]
    if not stems:
        raise UserError(
            "no pictures in the folder", image_folder, "<id>.jpg", "none"
        )
    # Two files of one name are told by `write_records`.
    return sorted(stems)
