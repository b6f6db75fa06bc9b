"""LIP as it lies on disk: pictures, label PNGs, poses, id lists.

Accepts the official archives in both nestings that are in use
(`TrainVal_images/train_images` and `TrainVal_images/TrainVal_images/...`) and
the flat layout of later projects (`train_images`, `train_segmentations`).
"""

import os
import pathlib
from collections.abc import Mapping
from collections.abc import Sequence
from typing import NamedTuple

from nppnet_tf import keys
from nppnet_tf.data import absence
from nppnet_tf.data import source
from nppnet_tf.data.absence import Annotations
from nppnet_tf.data.descriptors import LIP
from nppnet_tf.data.raw import RawSample
from nppnet_tf.data.readers import id_list
from nppnet_tf.data.readers import pose_files
from nppnet_tf.data.readers.poses import Pose
from nppnet_tf.data.readers.poses import PoseFile
from nppnet_tf.data.source import SPLITS
from nppnet_tf.data.source import Options
from nppnet_tf.data.source import Source
from nppnet_tf.errors import AbsentSplitError
from nppnet_tf.errors import UserError
from nppnet_tf.files import file_names
from nppnet_tf.files import file_table
from nppnet_tf.files.file_table import FileTable
from nppnet_tf.pictures import picture_names

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
# CSV first: only there the third cell says whether a joint is occluded.
_POSE_FILES = {
    "train": ("lip_train_set.csv", "LIP_SP_TRAIN_annotations.json"),
    "val": (
        "lip_val_set.csv",
        "lip_val_groundtruth.csv",
        "pose_gt.csv",
        "LIP_SP_VAL_annotations.json",
    ),
    "test": (),
}


def read(
    roots: Sequence[str | os.PathLike[str]],
    split: str | None,
    options: Options,
) -> Source:
    """Reader of `datasets.READERS`; the split is "train" where None.

    The id list decides which samples there are and in which order; without
    one, all pictures of the split in the order of their names. A sample
    without a label PNG or a pose lacks that annotation. Poses are read from
    the CSV of the split, or, where there is none, from its JSON.

    Raises:
        UserError: No such folder or split, no pictures, an id list or file of
            poses that cannot be read, or ids that occur twice; several roots,
            or other than the published number of samples where the options
            are strict.
    """
    root = source.one_root(roots, "lip")
    source.refuse(options, "lip", *source.OF_FOLDERS, *source.OF_PEOPLE)
    split = split or "train"
    found = _read_split(root, split)
    samples = found.samples
    published = LIP.split_sizes[split]
    notes = source.count_notes(
        len(samples), published, f"samples of {split}", root, options.strict
    )
    pose_file = _pose_file(root, split)
    facts = {
        "split": split,
        "published_split_size": published,
        "poses": pose_file and pose_file.relative_to(root).as_posix(),
    }
    unread = picture_names.unsupported_pictures(found.image_folder)
    below = picture_names.line_of_folders(found.image_folder)
    return Source(
        LIP,
        samples,
        (
            *notes,
            *([picture_names.unsupported_line(unread)] if unread else ()),
            *([below] if below else ()),
            *found.pose_notes,
            *source.stray_notes(found.stray_label_maps, found.stray_poses),
        ),
        facts,
        found.stray_poses,
        found.stray_label_maps,
        _annotations(root, split, samples),
    )


class _Split(NamedTuple):
    """The samples of a split, and ids of annotations that have none."""

    samples: list[RawSample]
    image_folder: pathlib.Path
    stray_label_maps: tuple[str, ...]
    stray_poses: tuple[str, ...]
    pose_notes: tuple[str, ...]


def _read_split(root: pathlib.Path, split: str) -> _Split:
    """Lists the samples of one split, and what is not read."""
    if split not in SPLITS:
        raise AbsentSplitError("unknown split", root, ", ".join(SPLITS), split)
    if not root.is_dir():
        raise UserError("no such folder", root, "the folder of LIP", "nothing")
    image_folder = _image_folder(root, split)
    ids = _ids(root, image_folder, split)
    pictures = FileTable(image_folder, picture_names.ENDINGS)
    label_maps = FileTable(
        _label_folder(root, split) or image_folder / "none", (".png",)
    )
    listed = file_names.NameTable({name: name for name in ids})
    pose_file = _poses(root, split)
    # A picture of LIP shows one person.
    poses = {
        listed.get(name, name): people[0]
        for name, people in pose_file.poses.items()
    }
    samples = [
        _sample(record_id, pictures, label_maps, poses) for record_id in ids
    ]
    strange = {
        name
        for name in label_maps
        if name not in pictures and name not in listed
    }
    return _Split(
        samples,
        image_folder,
        tuple(sorted(strange)),
        tuple(sorted(set(poses) - set(ids))),
        pose_file.notes,
    )


def _annotations(
    root: pathlib.Path, split: str, samples: Sequence[RawSample]
) -> dict[str, Annotations]:
    """Promised of all splits but test, of which nothing is published."""
    num_labels, num_poses = source.count_annotated(samples)
    labels = f"{split}_segmentations"
    expected = _POSE_FILES[split]
    near_labels = near_poses = ""
    if not num_labels and split != "test":
        near_labels = absence.near_names(root, (labels,))
        found = _label_folder(root, split)
        if found is not None:
            names = [sample.record_id for sample in samples]
            near_labels = absence.near_label_maps(
                root, found, names, _image_folder(root, split)
            )
    if not num_poses and expected:
        near_poses = absence.near_names(root, expected)
        if (path := _pose_file(root, split)) is not None:
            near_poses = f"{path.name}, no pose in it of these pictures"
    return {
        keys.PARSING: Annotations(
            num_labels, len(samples), f"{labels}/", split != "test", near_labels
        ),
        keys.POSE: Annotations(
            num_poses,
            len(samples),
            " or ".join(expected[:2]) or "no file of poses",
            bool(expected),
            near_poses,
        ),
    }


def _sample(
    record_id: str,
    pictures: FileTable,
    label_maps: FileTable,
    poses: Mapping[str, Pose],
) -> RawSample:
    pose = poses.get(record_id)
    return RawSample(
        record_id,
        pictures.get(record_id, pictures.folder / f"{record_id}.jpg"),
        label_maps.get(record_id),
        pose and pose.keypoints_xy,
        pose and pose.visibility,
        pose and pose.fault,
        palette=LIP.palette,
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
    raise AbsentSplitError(
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


def _poses(root: pathlib.Path, split: str) -> PoseFile:
    path = _pose_file(root, split)
    return PoseFile({}) if path is None else pose_files.read(path, LIP)


def _pose_file(root: pathlib.Path, split: str) -> pathlib.Path | None:
    folders = (
        *_nestings(root, "TrainVal_pose_annotations"),
        root / "pose_csv",
        root / "jsons",
    )
    for name in _POSE_FILES[split]:
        for folder in folders:
            if (folder / name).is_file():
                return folder / name
    return None


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
        file_table.id_of(path)
        for path in file_table.files_in(image_folder)
        if picture_names.is_picture_name(path)
    ]
    if not stems:
        raise UserError(
            "no pictures in the folder", image_folder, "<id>.jpg", "none"
        )
    # Two files of one name are told by `write_records`.
    return sorted(stems)
