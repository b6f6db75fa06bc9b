"""A plain folder: pictures, label maps of the same name, a file of poses.

    somewhere/images/a.jpg     a picture (also in photos/, or beside the rest)
    somewhere/labels/a.png     its label map, if it has one
    somewhere/instances/a.png  ids of its people, if somebody made them
    somewhere/detections/a.npz what a detector found in it; see `detections`
    somewhere/pose.csv         poses, if there are any: rows of LIP, or
                               keypoints.json, joints.npz, joints.mat; see
                               `pose_files`
    somewhere/parts.json       parts as regions, in place of labels; see
                               `part_documents`
    somewhere/train_id.txt     which pictures a split has, if there are splits

The descriptor says what the labels and joints are. A picture is one record,
or, where the options ask for it, every person in it is; see `cutting`.
"""

import collections
import dataclasses
import os
import pathlib
from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any

import numpy as np

from nppnet_tf import keys
from nppnet_tf.data import absence
from nppnet_tf.data import source
from nppnet_tf.data.absence import Annotations
from nppnet_tf.data.descriptors import LIP
from nppnet_tf.data.descriptors import DatasetDescriptor
from nppnet_tf.data.people import cutting
from nppnet_tf.data.people import whole_picture as people_files
from nppnet_tf.data.people.cropped import RegionMask
from nppnet_tf.data.people.cutting import Cutter
from nppnet_tf.data.people.cutting import Places
from nppnet_tf.data.people.whole_picture import People
from nppnet_tf.data.people.whole_picture import WholePicture
from nppnet_tf.data.raw import RawSample
from nppnet_tf.data.readers import id_list
from nppnet_tf.data.readers import part_documents
from nppnet_tf.data.readers import pose_files
from nppnet_tf.data.readers.pose_documents import Naming
from nppnet_tf.data.readers.poses import Pose
from nppnet_tf.data.readers.poses import PoseFile
from nppnet_tf.data.source import Options
from nppnet_tf.data.source import Sample
from nppnet_tf.data.source import Source
from nppnet_tf.errors import AbsentSplitError
from nppnet_tf.errors import UserError
from nppnet_tf.files import file_names
from nppnet_tf.pictures import picture_names

# As VITON-HD calls them.
_POSE_FOLDER = "openpose_json"
POSE_FILES = ("pose.csv", "keypoints.json", "joints.npz", "joints.mat")

# Names in the order of preference: ours first, then those of data sets.
_IMAGES = ("images", "Images", "photos", "JPEGImages", "image")
LABELS = ("labels", "Category_ids", "annotations/pixel-level", "image-parse-v3")
_PARTS = "parts.json"
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
    strays = tuple(
        name for each in sources for name in each.poses_without_picture
    )
    stray_labels = tuple(
        name for each in sources for name in each.label_maps_without_picture
    )
    annotations = absence.join([each.annotations for each in sources])
    return Source(
        descriptor, samples, notes, facts, strays, stray_labels, annotations
    )


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
        people = folder.people(name)
        fault = folder.places.doubled(name)
        if people is not None:
            fault = fault or next(iter(people.faults.values()), None)
            try:
                people = folder.places.upright(name, people)
            except UserError as error:
                fault = fault or str(error)
        pictures.append(
            WholePicture(
                name,
                folder.places.image_path(name),
                folder.places.label_path(name),
                people,
                fault,
                descriptor.palette,
            )
        )
    return pictures


@dataclasses.dataclass(frozen=True)
class _Folder:
    """One folder that was looked through.

    Attributes:
        root: The folder.
        places: Where in it things lie.
        names: Names of the pictures, without extension.
        poses: Poses in pictures of the folder, by name.
        num_keypoints: K.
        pose_path: File of poses, or None.
        strays: Names of poses without a picture.
        stray_labels: Names of label maps without a picture.
        notes: Lines on what is not read.
    """

    root: pathlib.Path
    places: Places
    names: Sequence[str]
    poses: Mapping[str, list[Pose]]
    num_keypoints: int
    pose_path: pathlib.Path | None
    strays: tuple[str, ...] = ()
    stray_labels: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

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
        places, part_notes = _with_parts(
            root, _places(root, options, descriptor), descriptor, options
        )
        pictures = _picture_names(root, places)
        names = pictures if split is None else split_names(root, split)
        pose_path = _pose_path(root, options)
        found = PoseFile({})
        if pose_path is not None:
            are_wanted = options.people == cutting.INSTANCES
            naming = Naming(options.joints, options.category, are_wanted)
            found = pose_files.read(pose_path, descriptor, pictures, naming)
            if any(
                pose.region is not None
                for people in found.poses.values()
                for pose in people
            ):
                places = dataclasses.replace(places, has_regions=True)
        table = file_names.NameTable({name: name for name in pictures})
        poses: dict[str, list[Pose]] = collections.defaultdict(list)
        for name, people in found.poses.items():
            if name in table:
                poses[table[name]] += people
        strays = tuple(sorted(n for n in found.poses if n not in table))
        stray_labels = ()
        label_maps = places.label_maps if places.drawn is None else places.drawn
        if places.labels != places.images or places.drawn is not None:
            listed = file_names.NameTable({name: name for name in names})
            stray_labels = tuple(
                sorted(
                    name
                    for name in label_maps
                    if name not in table and name not in listed
                )
            )
        return cls(
            root,
            places,
            [table.get(name, name) for name in names],
            dict(poses),
            descriptor.num_keypoints,
            pose_path,
            strays,
            stray_labels,
            (
                *_unread(root, places),
                *part_notes,
                *found.notes,
                *source.stray_notes(stray_labels, strays),
            ),
        )

    def people(self, name: str) -> People | None:
        """Annotated people of a picture, for cutting them out."""
        if self.pose_path is None or name not in self.poses:
            return None
        people = _people_of(self.poses[name], self.num_keypoints)
        return dataclasses.replace(people, masks=self._masks(name))

    def _masks(self, name: str) -> list[RegionMask | None]:
        return [
            None
            if pose.region is None
            else RegionMask(self.pose_path, pose.stated_size, pose.region)
            for pose in self.poses[name]
        ]

    def source(
        self,
        samples: Sequence[Sample],
        notes: Sequence[str],
        facts: Mapping[str, Any],
    ) -> Source:
        """What is known of samples of the folder."""
        return Source(
            LIP,
            samples,
            (*self.notes, *notes),
            facts,
            self.strays,
            self.stray_labels,
            self._annotations(samples),
        )

    def _annotations(self, samples: Sequence[Sample]) -> dict[str, Annotations]:
        """Promised is what has a place of its own, or nearly one."""
        num_labels, num_poses = source.count_annotated(samples)
        labels = self.places.labels
        is_mixed = labels == self.places.images
        has_labels = not is_mixed and labels.is_dir()
        has_labels |= self.places.drawn is not None
        near = near_poses = ""
        damaged = source.damaged_line(samples)
        if not num_labels and has_labels and damaged:
            near = damaged
        elif not num_labels:
            pictures = set(self.places.pictures)
            near = absence.near_label_maps(
                self.root,
                labels,
                pictures,
                self.places.images,
                (self.places.instances, self.places.detections),
                "labels",
            )
        if not num_poses and self.pose_path is None:
            near_poses = absence.near_poses(self.root, POSE_FILES)
        elif not num_poses and damaged:
            near_poses = damaged
        elif not num_poses:
            near_poses = f"{self.pose_path.name} with {self._of_no_picture()}"
        return {
            keys.PARSING: Annotations(
                num_labels,
                len(samples),
                f"{LABELS[0]}/<picture>.png",
                has_labels or bool(num_labels or near),
                near,
            ),
            keys.POSE: Annotations(
                num_poses,
                len(samples),
                ", ".join(POSE_FILES[:2]),
                bool(num_poses or near_poses),
                near_poses,
            ),
        }

    def _of_no_picture(self) -> str:
        if not self.strays:
            return "no pose of these pictures"
        return f"{len(self.strays)} poses of other names, {self.strays[0]}"

    def sample(self, name: str) -> RawSample:
        """A whole picture as one record."""
        found = self.poses.get(name, [])
        if len(found) > 1:
            raise UserError(
                "several people in one picture",
                f"{self.root}, {name}",
                f"one, or `people`={cutting.BOXES}",
                len(found),
            )
        pose = found[0] if found else None
        return RawSample(
            name,
            self.places.image_path(name),
            self.places.label_path(name),
            pose and pose.keypoints_xy,
            pose and pose.visibility,
            self.places.doubled(name) or (pose and pose.fault),
            pose and pose.stated_size,
            self.places.palette,
        )


def _read_folder(folder: _Folder, options: Options) -> Source:
    if options.people in (None, WHOLE):
        whole = dataclasses.replace(options, people=None)
        source.refuse(whole, f"folder `people`={WHOLE}", *source.OF_PEOPLE)
        samples = [folder.sample(name) for name in folder.names]
        return folder.source(samples, (), {"people": WHOLE})
    if folder.pose_path is None:
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
    return folder.source(people, cutter.notes(), facts)


def _people_of(poses: Sequence[Pose], num_keypoints: int) -> People:
    if not poses:
        return people_files.no_people(num_keypoints)
    faults = {}
    for number, pose in enumerate(poses):
        fault = pose.fault or pose.box_fault
        if fault is None and pose.box is None:
            fault = "person without a box"
        if fault is not None:
            faults[number] = fault
    nothing = (0.0, 0.0, 0.0, 0.0)
    return People(
        np.array([pose.box or nothing for pose in poses], np.float64),
        np.stack([pose.keypoints_xy for pose in poses]),
        np.stack([pose.visibility for pose in poses]),
        faults,
        poses[0].stated_size,
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


def _places(
    root: pathlib.Path, options: Options, descriptor: DatasetDescriptor
) -> Places:
    def first(names: Sequence[str]) -> pathlib.Path | None:
        found = [root / name for name in names if (root / name).is_dir()]
        return found[0] if found else None

    images = first(_IMAGES)
    labels = first(LABELS)
    if options.labels is not None:
        labels = root / options.labels
        if not labels.exists():
            raise UserError(
                "no such folder", labels, "`labels`, a folder or JSON of COCO"
            )
    return Places(
        images or root,
        # Beside the pictures where these have no folder of their own.
        labels or (root / LABELS[0] if images else root),
        first(_INSTANCES) or root / _INSTANCES[0],
        first(_DETECTIONS) or root / _DETECTIONS[0],
        palette=descriptor.palette,
    )


def _with_parts(
    root: pathlib.Path,
    places: Places,
    descriptor: DatasetDescriptor,
    options: Options,
) -> tuple[Places, tuple[str, ...]]:
    """The label maps of a document, where there is no folder of them."""
    path = root / (options.labels or _PARTS)
    is_mixed = places.labels == places.images
    if not path.is_file() or (
        options.labels is None and not is_mixed and places.labels.is_dir()
    ):
        return places, ()
    found = part_documents.read(path, descriptor)
    return dataclasses.replace(places, drawn=found.labels), found.notes


def _picture_names(root: pathlib.Path, places: Places) -> list[str]:
    names = sorted(places.pictures)
    if not names:
        others = picture_names.unsupported_pictures(places.images)
        found = source.near_pictures(root)
        if others:
            found = picture_names.unsupported_line(others)
        raise UserError(
            "no pictures in the folder",
            places.images,
            "JPEG or PNG files",
            found or "none",
        )
    return names


def _unread(root: pathlib.Path, places: Places) -> Iterator[str]:
    images = places.images
    others = picture_names.unsupported_pictures(images)
    if others:
        yield f"{images}: {picture_names.unsupported_line(others)}"
    own = (places.labels, places.instances, places.detections)
    line = picture_names.line_of_folders(
        images,
        lambda path: (
            images == root and (path in own or absence.is_of_labels(path))
        ),
    )
    if line:
        yield f"{images}: {line}"


def split_names(root: pathlib.Path, split: str) -> list[str]:
    """Returns the ids of a split's list; AbsentSplitError where there is none.

    Args:
        root: Folder with the list, or with a folder of lists.
        split: Name of the split.
    """
    name = f"{split}_id.txt"
    for path in (root / name, root / "lists" / name, root / "list" / name):
        if path.is_file():
            return id_list.read(path)
    raise AbsentSplitError(
        f"no list of the split {split}", root, f"{name}, or no `split`"
    )


def _pose_path(root: pathlib.Path, options: Options) -> pathlib.Path | None:
    if options.keypoints is not None:
        return pathlib.Path(options.keypoints)
    found = [root / name for name in POSE_FILES if (root / name).is_file()]
    if not found and (root / _POSE_FOLDER).is_dir():
        found = [root / _POSE_FOLDER]
    if len(found) > 1:
        raise UserError(
            "several files of poses",
            root,
            "one, or `keypoints`",
            ", ".join(path.name for path in found),
        )
    return found[0] if found else None
