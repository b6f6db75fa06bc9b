"""A plain folder: pictures, label maps of the same name, a file of poses.

    somewhere/images/a.jpg     a picture (also in photos/, or beside the rest)
    somewhere/labels/a.png     its label map, if it has one
    somewhere/instances/a.png  ids of its people, if somebody made them
    somewhere/detections/a.npz what a detector found in it; see `detections`
    somewhere/pose.csv         poses, if there are any: rows of LIP, or
                               keypoints.json, joints.npz, joints.mat; see
                               `pose_files`
    somewhere/train_id.txt     which pictures a split has, if there are splits

The descriptor says what the labels and joints are. A picture is one record,
or, where the options ask for it, every person in it is; see `cutting`.
"""

import dataclasses
import os
import pathlib
from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any

import numpy as np

from nppnet_tf.data import cutting
from nppnet_tf.data import id_list
from nppnet_tf.data import people as people_files
from nppnet_tf.data import pose_files
from nppnet_tf.data import raw
from nppnet_tf.data import source
from nppnet_tf.data.cutting import Cutter
from nppnet_tf.data.cutting import Places
from nppnet_tf.data.descriptors import LIP
from nppnet_tf.data.descriptors import DatasetDescriptor
from nppnet_tf.data.people import People
from nppnet_tf.data.people import WholePicture
from nppnet_tf.data.pose_files import Pose
from nppnet_tf.data.pose_files import Poses
from nppnet_tf.data.raw import RawSample
from nppnet_tf.data.source import Options
from nppnet_tf.data.source import Sample
from nppnet_tf.data.source import Source
from nppnet_tf.errors import UserError

POSE_FILES = ("pose.csv", "keypoints.json", "joints.npz", "joints.mat")

# Names in the order of preference: ours first, then those of data sets.
_IMAGES = ("images", "Images", "photos", "JPEGImages")
_LABELS = ("labels", "Category_ids", "annotations/pixel-level")
_INSTANCES = ("instances", "Human_ids")
_DETECTIONS = ("detections",)

WHOLE = "whole"


def read(
    roots: Sequence[str | os.PathLike[str]],
    split: str | None,
    options: Options,
) -> Source:
    """Reader of `datasets.READERS`.

    Labels and joints are LIP's where the options hold no descriptor. A split
    is a list of ids in the folder; without one every picture is read.

    Raises:
        UserError: No such folder or list, no pictures, a file of poses that
            cannot be read or names pictures that are not there, several
            people in a picture that is to be one record, or two folders with
            the same name in them.
    """
    descriptor = options.descriptor or LIP
    sources = [
        _read_folder(_Folder.of(root, split, descriptor, options), options)
        for root in roots
    ]
    samples = [sample for each in sources for sample in each.samples]
    _check_names(samples)
    facts: dict[str, Any] = {"split": split}
    for each in sources:
        for name, value in each.facts.items():
            # Lists of what several folders left out are one list.
            joined = isinstance(value, list) and name in facts
            facts[name] = facts[name] + value if joined else value
    notes = tuple(note for each in sources for note in each.notes)
    return Source(descriptor, samples, notes, facts)


def read_pictures(
    root: str | os.PathLike[str],
    split: str | None,
    descriptor: DatasetDescriptor = LIP,
) -> list[WholePicture]:
    """Lists the truth about whole pictures, for measuring.

    A picture of which the file of poses does not speak has no people.
    """
    folder = _Folder.of(root, split, descriptor, Options())
    pictures = []
    for name in folder.names:
        people = fault = None
        try:
            people = folder.people(name)
        except UserError as error:
            fault = str(error)
        pictures.append(
            WholePicture(
                name,
                raw.find_image(folder.places.images, name),
                folder.places.label_path(name),
                people,
                fault,
            )
        )
    return pictures


@dataclasses.dataclass(frozen=True)
class _Folder:
    """One folder that was looked through.

    Attributes:
        root: The folder.
        places: Where in it things lie.
        names: Of the pictures, without extension.
        poses: By name.
        num_keypoints: K.
        has_poses: Whether there is a file of poses.
    """

    root: pathlib.Path
    places: Places
    names: Sequence[str]
    poses: Poses
    num_keypoints: int
    has_poses: bool

    @classmethod
    def of(
        cls,
        root: str | os.PathLike[str],
        split: str | None,
        descriptor: DatasetDescriptor,
        options: Options,
    ) -> "_Folder":
        root = pathlib.Path(root)
        if not root.is_dir():
            raise UserError("no such folder", root, "a folder of pictures")
        places = _places(root)
        names = _picture_names(root, places.images)
        pose_path = _pose_path(root, options)
        poses: Poses = {}
        if pose_path is not None:
            poses = pose_files.read(pose_path, descriptor, names)
        if missing := sorted(set(poses) - set(names)):
            raise UserError(
                "poses without a picture",
                pose_path,
                f"a picture in {places.images} for every pose",
                source.listed(missing),
            )
        if split is not None:
            names = _split_names(root, split)
        return cls(
            root,
            places,
            names,
            poses,
            descriptor.num_keypoints,
            pose_path is not None,
        )

    def people(self, name: str) -> People | None:
        """Annotated people of a picture, for cutting them out."""
        if not self.has_poses or name not in self.poses:
            return None
        return _people_of(self.poses[name], self.num_keypoints)

    def sample(self, name: str) -> RawSample:
        """A whole picture as one record."""
        found = self.poses.get(name, [])
        if len(found) > 1:
            raise UserError(
                "several people in one picture",
                f"{self.root}, {name}",
                f"one, or --people={cutting.BOXES}",
                len(found),
            )
        pose = found[0] if found else None
        return RawSample(
            name,
            raw.find_image(self.places.images, name),
            self.places.label_path(name),
            pose and pose.keypoints_xy,
            pose and pose.visibility,
            pose and pose.fault,
        )


def _read_folder(folder: _Folder, options: Options) -> Source:
    if options.people in (None, WHOLE):
        whole = dataclasses.replace(options, people=None)
        source.refuse(whole, f"folder --people={WHOLE}", *source.OF_PEOPLE)
        samples = [folder.sample(name) for name in folder.names]
        return Source(LIP, samples, facts={"people": WHOLE})
    if not folder.has_poses:
        options = dataclasses.replace(options, keep_without_joints=True)
    cutter = Cutter(
        folder.places,
        options.people,
        options,
        folder.num_keypoints,
        folder.people,
    )
    people = [sample for name in folder.names for sample in cutter.cut(name)]
    facts = {
        "people": cutter.way,
        "num_pictures": len(folder.names),
        **cutter.left_out,
    }
    return Source(LIP, people, tuple(cutter.notes()), facts)


def _people_of(poses: Sequence[Pose], num_keypoints: int) -> People:
    for pose in poses:
        if pose.fault is not None:
            raise UserError(pose.fault)
        if pose.box is None:
            raise UserError(
                "person without a box", None, "a file of poses with boxes"
            )
    if not poses:
        return people_files.no_people(num_keypoints)
    return People(
        np.array([pose.box for pose in poses], np.float64),
        np.stack([pose.keypoints_xy for pose in poses]),
        np.stack([pose.visibility for pose in poses]),
    )


def _check_names(samples: Sequence[Sample]) -> None:
    first: Mapping[str, Sample] = {}
    for sample in samples:
        other = first.setdefault(sample.record_id, sample)
        if other is not sample:
            raise UserError(
                "two folders hold the same name",
                sample.paths[0],
                "different names",
                other.paths[0],
            )


def _places(root: pathlib.Path) -> Places:
    def first(names: Sequence[str]) -> pathlib.Path | None:
        found = [root / name for name in names if (root / name).is_dir()]
        return found[0] if found else None

    images = first(_IMAGES)
    return Places(
        images or root,
        # Beside the pictures where these have no folder of their own.
        first(_LABELS) or (root / _LABELS[0] if images else root),
        first(_INSTANCES) or root / _INSTANCES[0],
        first(_DETECTIONS) or root / _DETECTIONS[0],
    )


def _picture_names(root: pathlib.Path, images: pathlib.Path) -> list[str]:
    names = {
        path.stem
        for path in images.iterdir()
        if path.suffix in raw.IMAGE_SUFFIXES
    }
    if not names:
        raise UserError(
            "no pictures in the folder", images, "JPEG or PNG files", "none"
        )
    return sorted(names)


def _split_names(root: pathlib.Path, split: str) -> list[str]:
    name = f"{split}_id.txt"
    for path in (root / name, root / "lists" / name, root / "list" / name):
        if path.is_file():
            return id_list.read(path)
    raise UserError(
        f"no list of the split {split}", root, f"{name}, or no --split"
    )


def _pose_path(root: pathlib.Path, options: Options) -> pathlib.Path | None:
    if options.keypoints is not None:
        return pathlib.Path(options.keypoints)
    found = [root / name for name in POSE_FILES if (root / name).is_file()]
    if len(found) > 1:
        raise UserError(
            "several files of poses",
            root,
            "one, or --keypoints",
            ", ".join(path.name for path in found),
        )
    return found[0] if found else None
