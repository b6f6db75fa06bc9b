"""Folders of LabelMe: documents beside their pictures.

    somewhere/a.jpg, somewhere/a.json    a picture and what is drawn over it
    somewhere/train_id.txt               which documents a split has, if there
                                         are splits

A polygon, mask, rectangle or circle is the part whose name it has, over what
was drawn before it; a point is a joint. The group says whose they are. What has
the name `__ignore__` counts nowhere; a rectangle `person` is the box of its
group. A picture is one record, or with `Options.people` every person in it is.
`predict --format=labelme` writes such a folder.
"""

import dataclasses
import os
import pathlib
from collections.abc import Mapping
from collections.abc import Sequence

import numpy as np

from nppnet_tf import keys
from nppnet_tf.data import frames
from nppnet_tf.data import raw
from nppnet_tf.data import source
from nppnet_tf.data.absence import Annotations
from nppnet_tf.data.damage import BadRecordError
from nppnet_tf.data.descriptors import LIP
from nppnet_tf.data.descriptors import DatasetDescriptor
from nppnet_tf.data.frames import Frame
from nppnet_tf.data.people import boxes
from nppnet_tf.data.people import cropped
from nppnet_tf.data.people import cutting
from nppnet_tf.data.readers import folder
from nppnet_tf.data.readers import labelme_documents
from nppnet_tf.data.readers.labelme_documents import POINT
from nppnet_tf.data.readers.labelme_documents import RECTANGLE
from nppnet_tf.data.readers.labelme_documents import Document
from nppnet_tf.data.readers.labelme_documents import Shape
from nppnet_tf.data.readers.pose_documents import joint_name
from nppnet_tf.data.record import ABSENT
from nppnet_tf.data.record import OCCLUDED
from nppnet_tf.data.record import VISIBLE
from nppnet_tf.data.record import Record
from nppnet_tf.data.source import Options
from nppnet_tf.data.source import Source
from nppnet_tf.errors import UserError
from nppnet_tf.files import file_table
from nppnet_tf.files.file_table import FileTable
from nppnet_tf.pictures import picture_names

NAME = "labelme"

# Why something of a folder makes no record.
_REASONS = ("json_files_of_another_kind", "pictures_without_people")

# How people are cut out, if they are; see `cutting`.
_WAYS = (folder.WHOLE, cutting.INSTANCES, cutting.BOXES)

# LabelMe's own words, and ours for the box of a person.
_IGNORED = "__ignore__"
_BACKGROUND = "_background_"
_PERSON = "person"

# LabelMe counts from the corner of a pixel, we from its center.
_HALF = 0.5


def read(
    roots: Sequence[str | os.PathLike[str]],
    split: str | None,
    options: Options,
) -> Source:
    """Reader of `datasets.READERS`.

    Parts and joints are LIP's where the options hold no descriptor. What is
    wrong with a document is damage of its record.

    Raises:
        UserError: No such folder or list, or no document in the folder.
    """
    root = source.one_root(roots, NAME)
    source.refuse(options, NAME, "keypoints", "labels", "joints", "category",
                  "detections", "keep_without_joints", "strict")  # fmt: skip
    way = options.people or folder.WHOLE
    cutting.require_way(way, _WAYS)
    descriptor = options.descriptor or LIP
    table = FileTable(root, (".json",))
    names = list(table) if split is None else folder.split_names(root, split)
    samples: list[LabelmeSample] = []
    left_out: dict[str, list[str]] = {name: [] for name in _REASONS}
    for name in names:
        try:
            document = _read(table, name)
            if document is None:
                left_out["json_files_of_another_kind"].append(name)
                continue
            found = _people(name, document, descriptor, way)
        except UserError as error:
            path = table.get(name, root / f"{name}.json")
            fault = error.kept()
            found = [LabelmeSample(name, name, path, descriptor, fault=fault)]
        if not found:
            left_out["pictures_without_people"].append(name)
        samples += found
    left_out["pictures_without_document"] = _alone(root, table)
    if not samples:
        raise UserError(
            "no documents of LabelMe in the folder",
            root,
            "<picture>.json with shapes",
            _left_out_line(left_out) or "no JSON",
        )
    facts = {"split": split, "people": way, "num_pictures": len(names)}
    line = _left_out_line(left_out)
    return Source(
        descriptor,
        samples,
        (line,) if line else (),
        {**facts, **left_out},
        annotations=_annotations(samples),
    )


@dataclasses.dataclass(frozen=True)
class LabelmeSample:
    """A document, or one person of it.

    Attributes:
        record_id: Unique in its data set.
        picture_id: Id of the document.
        path: The document.
        descriptor: Names of parts and joints.
        image_path: The picture, or None where that is in the document.
        way: How people are cut out.
        group: Number of the person; None where the record is the picture.
        has_parts: Whether a part is drawn.
        has_joints: Whether a joint is.
        fault: What is wrong already, an error, or None.
    """

    record_id: str
    picture_id: str
    path: pathlib.Path
    descriptor: DatasetDescriptor
    image_path: pathlib.Path | None = None
    way: str = folder.WHOLE
    group: int | None = None
    has_parts: bool = False
    has_joints: bool = False
    fault: UserError | None = None

    @property
    def paths(self) -> tuple[pathlib.Path, ...]:
        """The picture, where it has a file, and the document."""
        if self.image_path is None:
            return (self.path,)
        return (self.image_path, self.path)

    def digest(self) -> str:
        """Hexadecimal sha256 of everything that the record is made of."""
        names = (self.descriptor.classes, self.descriptor.keypoints)
        words = (self.record_id, self.way, self.group, self.fault, names)
        return raw.digest_of(words, self.paths, ())

    def load(self) -> Record:
        """Reads the files and draws what the document says.

        Raises:
            BadRecordError: Something cannot be read, is of another size than
                the picture, or is called by no name of the descriptor.
        """
        try:
            return self._load()
        except BadRecordError:
            raise
        except UserError as error:
            raise BadRecordError(self.record_id, error) from error

    def _load(self) -> Record:
        if self.fault is not None:
            raise BadRecordError(self.record_id, self.fault)
        document = labelme_documents.read(self.path)
        data = labelme_documents.read_image(document, self.record_id)
        drawing = Drawing(document, self.descriptor)
        frame = frames.of(data, document.image_name)
        size = _size_of(document, frame)
        is_person = self.group is not None
        keeps_others = self.way != cutting.INSTANCES
        label_map = None
        if self.has_parts:
            label_map = drawing.label_map(
                size, None if keeps_others else self.group
            )
            label_map = frame.label_map(label_map)
        doubt = frame.doubt(size, self.has_joints, label_map)
        is_turned = frame.is_stored(size)
        keypoints_xy, visibility = drawing.pose(self.group)
        if is_turned:
            keypoints_xy = frame.points(keypoints_xy)
        is_absent = (visibility == ABSENT)[:, np.newaxis]
        keypoints_xy = np.where(is_absent, 0, keypoints_xy).astype(np.float32)
        record = Record(
            self.record_id,
            data,
            label_map,
            keypoints_xy if self.has_joints else None,
            visibility if self.has_joints else None,
            notes=() if doubt is None else (doubt,),
        )
        if not is_person:
            return record
        box = drawing.box(self.group)
        if is_turned:
            box = frame.boxes(np.array(box)).tolist()
        return cropped.cut(
            record,
            boxes.whole_pixels(box, outwards=True),
            self.picture_id,
            frame.upright_size,
        )


class Drawing:
    """What the shapes of a document are.

    Args:
        document: The document.
        descriptor: Names of parts and joints.

    Raises:
        UserError: A shape has the name of neither, or the name of a joint and
            the form of a part.
    """

    def __init__(
        self, document: Document, descriptor: DatasetDescriptor
    ) -> None:
        self._descriptor = descriptor
        self._classes = {
            joint_name(name): number
            for number, name in enumerate(descriptor.classes)
        }
        self._classes[_IGNORED] = descriptor.ignore_label
        self._classes[_BACKGROUND] = 0
        self._joints = {
            joint_name(name): number
            for number, name in enumerate(descriptor.keypoints)
        }
        self._boxes: dict[int | None, Shape] = {}
        self._parts: list[tuple[int, Shape]] = []
        self._points: dict[tuple[int | None, int], Shape] = {}
        for shape in document.shapes:
            self._add(shape)

    @property
    def has_parts(self) -> bool:
        """Whether a part is drawn."""
        return bool(self._parts)

    @property
    def groups(self) -> list[int]:
        """Numbers of the people, in order; none where nobody is numbered."""
        found = {shape.group for _, shape in self._parts}
        found |= {group for group, _ in self._points}
        return sorted((found | self._boxes.keys()) - {None})

    @property
    def has_joints_of_nobody(self) -> bool:
        """Whether a joint has no number."""
        return any(group is None for group, _ in self._points)

    @property
    def shows_anything(self) -> bool:
        """Whether a part or a joint is drawn."""
        return bool(self._parts or self._points)

    def has_joints(self, group: int | None = None) -> bool:
        """Whether a joint is drawn, of a person if one is named."""
        return any(group in (None, each) for each, _ in self._points)

    def label_map(
        self, size: tuple[int, int], group: int | None = None
    ) -> np.ndarray:
        """Draws the parts, later ones over earlier ones.

        Args:
            size: (height, width).
            group: Whose parts; others become background. None for all.

        Returns:
            Uint8 [height, width].
        """
        label_map = np.zeros(size, np.uint8)
        for class_id, shape in self._parts:
            is_kept = group in (None, shape.group)
            is_kept |= class_id == self._descriptor.ignore_label
            label_map[shape.pixels(size)] = class_id if is_kept else 0
        return label_map

    def pose(self, group: int | None) -> tuple[np.ndarray, np.ndarray]:
        """Returns the joints of a person, of the only one if None.

        Returns:
            Float64 [K, 2] from the center of the top left pixel, and int32 [K].

        Raises:
            UserError: A joint of the only person is there twice.
        """
        count = self._descriptor.num_keypoints
        keypoints_xy = np.zeros((count, 2))
        visibility = np.full(count, ABSENT, np.int32)
        for (each, number), shape in self._points.items():
            if group in (None, each):
                if visibility[number] != ABSENT:
                    raise _twice(shape)
                keypoints_xy[number] = shape.points_xy[0] - _HALF
                visibility[number] = OCCLUDED if shape.is_occluded else VISIBLE
        return keypoints_xy, visibility

    def box(self, group: int) -> labelme_documents.Box:
        """Returns the box of a person: as it is drawn, or around the rest."""
        if group in self._boxes:
            return self._boxes[group].box()
        found = [s.box() for _, s in self._parts if s.group == group]
        for (each, _), shape in self._points.items():
            if each == group:
                left, top = np.floor(shape.points_xy[0]).tolist()
                found.append((left, top, left + 1, top + 1))
        starts, ends = np.array(found)[:, :2], np.array(found)[:, 2:]
        return (*starts.min(axis=0).tolist(), *ends.max(axis=0).tolist())

    def _add(self, shape: Shape) -> None:
        name = joint_name(shape.label)
        if shape.kind == POINT and name in self._joints:
            key = (shape.group, self._joints[name])
            if key in self._points:
                raise _twice(shape)
            self._points[key] = shape
        elif shape.is_region and name in self._classes:
            self._parts.append((self._classes[name], shape))
        elif shape.kind == RECTANGLE and name == _PERSON:
            if shape.group in self._boxes:
                raise UserError("person has two boxes", shape.where)
            self._boxes[shape.group] = shape
        else:
            self._refuse(shape, name)

    def _refuse(self, shape: Shape, name: str) -> None:
        words, kind = self._descriptor.classes, "part"
        if shape.kind == POINT:
            words, kind = self._descriptor.keypoints, "joint"
        others = self._joints if kind == "part" else self._classes
        found = f"{shape.label!r}, drawn as a {shape.kind}"
        if name in others:
            found += ", is the name of the other kind"
        raise UserError(
            f"not the name of a {kind} of {self._descriptor.name}",
            shape.where,
            f"one of {source.listed(words)}, or another `descriptor`",
            found,
        )


def _read(table: FileTable, name: str) -> Document | None:
    if name in table.doubled:
        names = ", ".join(path.name for path in table.doubled[name])
        raise UserError(f"several documents of one name: {names}")
    if name not in table:
        raise UserError("no document of this id", table.folder, f"{name}.json")
    return labelme_documents.read(table[name])


def _people(
    name: str, document: Document, descriptor: DatasetDescriptor, way: str
) -> list[LabelmeSample]:
    """The records of one document."""
    drawing = Drawing(document, descriptor)
    groups: Sequence[int | None] = drawing.groups
    if way == folder.WHOLE or not groups:
        if len(groups) > 1:
            raise UserError(
                "several people in one picture",
                document.path,
                f"one, or `people`={cutting.INSTANCES}",
                len(groups),
            )
        # Whoever is not numbered is the only one.
        groups = (None,)
        drawing.pose(None)
        if way != folder.WHOLE and not drawing.shows_anything:
            return []
    elif drawing.has_joints_of_nobody:
        raise UserError(
            "joint of nobody", document.path, "group_id of a person", "none"
        )
    return [
        LabelmeSample(
            name if group is None else f"{name}_{group}",
            name,
            document.path,
            descriptor,
            document.image_path,
            way,
            group,
            drawing.has_parts,
            drawing.has_joints(group),
        )
        for group in groups
    ]


def _alone(root: pathlib.Path, table: FileTable) -> list[str]:
    pictures = map(file_table.id_of, picture_names.pictures_in(root))
    return [name for name in pictures if name not in table]


def _left_out_line(left_out: Mapping[str, Sequence[str]]) -> str:
    return "; ".join(
        f"{len(names)} {reason.replace('_', ' ')}, not read: "
        + source.listed(names)
        for reason, names in left_out.items()
        if names
    )


def _annotations(samples: Sequence[LabelmeSample]) -> dict[str, Annotations]:
    """Either task may be what somebody drew: both are looked for."""
    num_parts = sum(sample.has_parts for sample in samples)
    num_poses = sum(sample.has_joints for sample in samples)
    nearest = source.damaged_line(samples)
    return {
        keys.PARSING: Annotations(
            num_parts,
            len(samples),
            "polygons and masks named as parts",
            bool(num_parts) or not num_poses,
            "" if num_parts else nearest,
        ),
        keys.POSE: Annotations(
            num_poses,
            len(samples),
            "points named as joints",
            bool(num_poses) or not num_parts,
            "" if num_poses or not num_parts else nearest,
        ),
    }


def _size_of(document: Document, frame: Frame) -> tuple[int, int]:
    """The size that shapes are drawn over; UserError where it is another's."""
    size = document.stated_size or frame.upright_size
    if size not in (frame.upright_size, frame.stored_size):
        raise UserError(
            "document of a picture of another size",
            document.path,
            "{} x {}".format(*frame.upright_size),
            "{} x {}".format(*size),
        )
    return size


def _twice(shape: Shape) -> UserError:
    return UserError("joint is there twice", shape.where, "one", shape.label)
