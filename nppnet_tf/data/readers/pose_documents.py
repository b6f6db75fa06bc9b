"""JSON of poses: COCO keypoints, MPII, and LIP of later projects.

    {"images": ..., "annotations": ..., "categories": ...}    COCO
    [{"image": ...}, ...]                                      MPII
    {"root": [...]}                                            LIP

Joints of COCO are taken by their names: of the category of people, or of
`Naming.joints` where the file does not name them. They are never taken by
their place alone, and none is cut off.
"""

import collections
import json
import math
import os
from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any
from typing import NamedTuple

import numpy as np

from nppnet_tf.data import coco_entries
from nppnet_tf.data import descriptors
from nppnet_tf.data.descriptors import DatasetDescriptor
from nppnet_tf.data.readers import id_list
from nppnet_tf.data.readers import poses
from nppnet_tf.data.readers.poses import Box
from nppnet_tf.data.readers.poses import Pose
from nppnet_tf.data.readers.poses import PoseFile
from nppnet_tf.data.record import ABSENT
from nppnet_tf.errors import UserError
from nppnet_tf.files import file_names
from nppnet_tf.files import json_documents

# Orders that files without names of joints are known to have; the words that
# people use for them.
_ALIASES = {"coco17": "coco", "mpii16": "mpii", "lip16": "lip"}

# Of COCO: whose joints are read where several categories have some.
_PERSON = "person"

# Of MPII: a scale of 1 is a person of 200 pixels, and the usual margin.
_MPII_SIDE = 200 * 1.25

_LISTED = 5

Entry = tuple[str, Pose]


class Naming(NamedTuple):
    """What a user says of a file of COCO.

    Attributes:
        joints: Data set whose order the joints have, where the file does not
            name them: a name of `descriptors`, or "coco17".
        category: Name of the category that is read.
        keeps_regions: Whether regions of people are wanted, which take most
            of the memory of a document.
    """

    joints: str | None = None
    category: str | None = None
    keeps_regions: bool = False


# Where the user says nothing.
UNSAID = Naming()


def read(
    path: str | os.PathLike[str],
    descriptor: DatasetDescriptor,
    naming: Naming = UNSAID,
) -> PoseFile:
    """Reads a JSON file of poses, whatever its form.

    Args:
        path: The file.
        descriptor: Names of the K keypoints.
        naming: What the file does not say of itself.

    Raises:
        UserError: The file cannot be read, has another form, or its joints
            are not those of the descriptor.
    """
    document = json_documents.read(path, json_documents.MAX_ANNOTATION_BYTES)
    if isinstance(document, list):
        entries = _each(document, _mpii_entry, descriptor, path)
        return PoseFile(_grouped(entries))
    contents = document if isinstance(document, dict) else {}
    if "root" in contents:
        return PoseFile(_lip_poses(contents, descriptor, path))
    if "annotations" in contents:
        return _CocoReader(contents, descriptor, naming, path).read()
    raise UserError(
        "JSON of another form",
        path,
        '{"root": [...]} of LIP, {"images": ..., "annotations": [...]} of '
        "COCO or [...] of MPII",
        ", ".join(list(contents)[:_LISTED])
        or json_documents.described(document),
    )


def known_orders() -> tuple[str, ...]:
    """Words for `Naming.joints`."""
    return (*_ALIASES, *descriptors.names())


def _grouped(entries: Iterable[Entry]) -> dict[str, list[Pose]]:
    """Poses by picture, in the order of the file."""
    found: dict[str, list[Pose]] = {}
    for name, pose in entries:
        found.setdefault(name, []).append(pose)
    return found


def _each(
    entries: Iterable[Any],
    read_entry: Callable[[Mapping[str, Any], Sequence[str], str], Entry],
    descriptor: DatasetDescriptor,
    path: str | os.PathLike[str],
) -> list[Entry]:
    found = []
    for number, entry in enumerate(entries):
        where = f"{path} entry {number}"
        json_documents.require(entry, "an object", where, "the entry")
        found.append(read_entry(entry, descriptor.keypoints, where))
    return found


def picture_name(value: Any, where: str, key: str) -> str:
    """Returns the record id of what a file calls a picture.

    Args:
        value: Name or path of a picture.
        where: Place of it, for the message.
        key: Name of the entry.

    Raises:
        UserError: It is no name.
    """
    text = json_documents.require(value, "a text", where, key)
    name = id_list.stem(file_names.last_part(text.strip()))
    if not name or name in (".", "..") or "\0" in name:
        raise UserError("not a name of a picture", where, key, repr(text))
    return name


def _lip_poses(
    document: Mapping[str, Any],
    descriptor: DatasetDescriptor,
    path: str | os.PathLike[str],
) -> dict[str, list[Pose]]:
    entries = json_documents.require(document["root"], "a list", path, "root")
    # Those of the test set are names alone.
    annotated = [
        entry
        for entry in entries
        if not isinstance(entry, dict) or "joint_self" in entry
    ]
    found = _grouped(_each(annotated, _lip_entry, descriptor, path))
    if twice := [name for name in found if len(found[name]) > 1]:
        raise UserError("picture occurs twice", path, None, twice[0])
    return found


def _lip_entry(
    entry: Mapping[str, Any], names: Sequence[str], where: str
) -> Entry:
    def joints() -> np.ndarray:
        found = poses.numbers(entry["joint_self"])
        # The stored third column is not accurate: the release ignores it.
        # What is no number is no joint.
        is_present = found[:, :2].sum(1) != 0
        is_present &= ~np.isnan(found[:, :2]).all(axis=1)
        return poses.with_visibility(found[:, :2], is_present)

    name = picture_name(entry.get("im_name"), where, "im_name")
    return name, poses.checked(joints, names)


def _mpii_entry(
    entry: Mapping[str, Any], names: Sequence[str], where: str
) -> Entry:
    def joints() -> np.ndarray:
        xy = poses.numbers(entry["joints"])
        # MATLAB, which made the file, counts pixels from 1.
        visible = poses.numbers(entry["joints_vis"])
        return poses.with_visibility(xy - 1, np.nan_to_num(visible) != 0)

    name = picture_name(entry.get("image"), where, "image")
    box, box_fault = _mpii_box(entry)
    return name, poses.checked(joints, names, box, box_fault)


def _mpii_box(entry: Mapping[str, Any]) -> tuple[Box | None, str | None]:
    if "center" not in entry or "scale" not in entry:
        return None, None
    values = (entry["center"], entry["scale"])
    try:
        x, y = (float(value) - 1 for value in poses.numbers(values[0]))
        half = float(poses.numbers(values[1])) * _MPII_SIDE / 2
    except (UserError, *poses.ENTRY_ERRORS):
        return None, _wrong_box(values)
    return _box_of(x - half, y - half, 2 * half, 2 * half, values)


def _box_of(
    left: float, top: float, width: float, height: float, value: Any
) -> tuple[Box | None, str | None]:
    """The box, or what is wrong with it."""
    box = (left, top, left + width, top + height)
    if not all(map(math.isfinite, box)):
        return None, _wrong_box(value)
    if width <= 0 or height <= 0:
        found = f"box of no size; found: {_shown(value)}"
        return None, found
    return box, None


def _wrong_box(value: Any) -> str:
    return f"box is malformed; found: {_shown(value)}"


def _shown(value: Any) -> str:
    text = json.dumps(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


class _CocoReader:
    """Reads one document of COCO's form; see `read`."""

    def __init__(
        self,
        document: Mapping[str, Any],
        descriptor: DatasetDescriptor,
        naming: Naming,
        path: str | os.PathLike[str],
    ) -> None:
        self._document = document
        self._descriptor = descriptor
        self._naming = naming
        self._path = path
        self._left_out: dict[str, list[str]] = {}

    def read(self) -> PoseFile:
        pictures = self._pictures()
        people = self._people(self._category_id())
        order = self._order(people)
        entries = [
            (name, self._pose(entry, order, size))
            for key, entry in people
            for name, size in [pictures.get(key, (None, None))]
            if name is not None or self._leave("image_id unknown", key)
        ]
        found = _grouped(entries)
        for name in self._ambiguous(pictures):
            if name in found:
                error = UserError("two pictures of one name in the file")
                count = self._descriptor.num_keypoints
                found[name] = [poses.faulty(count, error)]
        return PoseFile(found, self._notes())

    def _pictures(self) -> dict[str, tuple[str, tuple[int, int] | None]]:
        """Name and stated size of every picture by its id."""
        found: dict[str, tuple[str, tuple[int, int] | None]] = {}
        self._file_names: dict[str, set[str]] = collections.defaultdict(set)
        for entry, where in objects_of(self._document, "images", self._path):
            key = coco_entries.identity(entry.get("id"), where, "id")
            name = picture_name(entry.get("file_name"), where, "file_name")
            self._file_names[name].add(key)
            value = (name, coco_entries.stated_size(entry))
            if found.setdefault(key, value) != value:
                raise UserError(
                    "two pictures of one id",
                    where,
                    "different ids",
                    f"{key}: {found[key][0]} and {name}",
                )
        return found

    def _ambiguous(self, pictures: Mapping[str, Any]) -> list[str]:
        return [n for n, keys in self._file_names.items() if len(keys) > 1]

    def _people(
        self, category: str | None
    ) -> list[tuple[str, Mapping[str, Any]]]:
        """Annotations of people with joints, and ids of their pictures."""
        found = []
        known = set()
        for entry, where in objects_of(
            self._document, "annotations", self._path
        ):
            key = coco_entries.identity(
                entry.get("image_id"), where, "image_id"
            )
            if entry.get("keypoints") is None:
                self._leave("without keypoints", key)
            elif self._is_of_other(entry, category, where):
                self._leave("of another category", key)
            elif coco_entries.is_crowd(entry, where):
                # A crowd is one region of many people.
                self._leave("crowds", key)
            elif (text := _content(entry, key)) in known:
                self._leave("repeated", key)
            else:
                known.add(text)
                found.append((key, entry))
        return found

    def _is_of_other(
        self, entry: Mapping[str, Any], category: str | None, where: str
    ) -> bool:
        found = entry.get("category_id")
        if category is None:
            return False
        if found is None:
            if len(self._categories) == 1:
                return False
            raise UserError("no category_id", where, category, "none")
        return coco_entries.identity(found, where, "category_id") != category

    def _category_id(self) -> str | None:
        """Chooses the category that is read; None where there is none."""
        self._categories = objects_of(self._document, "categories", self._path)
        self._names: list[str] | None = None
        if not self._categories:
            if self._naming.category is not None:
                raise UserError(
                    "no such category",
                    self._path,
                    f"`category`={self._naming.category}",
                    "no categories",
                )
            return None
        coco_entries.different_ids(self._categories)
        category, where = self._chosen()
        if category.get("keypoints"):
            names = json_documents.require(
                category["keypoints"], "a list", where, "keypoints"
            )
            for name in names:
                json_documents.require(name, "a text", where, "keypoints")
            self._names = [joint_name(name) for name in names]
        elif category.get("keypoints") not in (None, []):
            json_documents.require(
                category["keypoints"], "a list", where, "keypoints"
            )
        return coco_entries.identity(category.get("id"), where, "id")

    def _chosen(self) -> tuple[Mapping[str, Any], str]:
        named = [
            (str(entry.get("name", "")).strip().lower(), entry, where)
            for entry, where in self._categories
        ]
        with_joints = [each for each in named if each[1].get("keypoints")]
        if self._naming.category is not None:
            wanted = self._naming.category.strip().lower()
            found = [each for each in named if each[0] == wanted]
        elif len(named) == 1:
            found = named
        elif len(with_joints) == 1:
            found = with_joints
        else:
            found = [each for each in named if each[0] == _PERSON]
        if len(found) != 1:
            raise UserError(
                "no single category of people",
                self._path,
                self._naming.category or f"{_PERSON}, or `category`",
                ", ".join(each[0] for each in named),
            )
        return found[0][1], found[0][2]

    def _order(
        self, people: Sequence[tuple[str, Mapping[str, Any]]]
    ) -> list[int]:
        """Where the descriptor's keypoints stand among those of the file."""
        expected = self._descriptor.keypoints
        names = self._named_joints(people)
        if sorted(names) != sorted(map(joint_name, expected)):
            raise UserError(
                "keypoints of other names than the descriptor's",
                self._path,
                f"{len(expected)}: {', '.join(expected)}",
                f"{len(names)}: {', '.join(names)}",
            )
        self._num_joints = len(names)
        return [names.index(joint_name(name)) for name in expected]

    def _named_joints(
        self, people: Sequence[tuple[str, Mapping[str, Any]]]
    ) -> list[str]:
        expected = self._descriptor.keypoints
        if not people and self._names is None:
            # Nobody has joints, so there is nothing to be mistaken for.
            return [joint_name(name) for name in expected]
        known = self._known_joints()
        if self._names is not None:
            if known not in (None, self._names):
                raise UserError(
                    "the file names its joints otherwise",
                    f"{self._path}, `joints`",
                    ", ".join(self._names),
                    self._naming.joints,
                )
            return self._names
        if known is not None:
            return known
        numbers = [
            len(value) // 3
            for _, entry in people
            if isinstance(value := entry["keypoints"], list)
        ]
        count = max(numbers, default=0)
        hint = "coco17" if count == 17 else "NAME"
        raise UserError(
            "no names of joints in categories",
            self._path,
            f"{len(expected)} named joints, as {self._descriptor.name} has, "
            f"or `joints`={hint} (one of {', '.join(known_orders())})",
            f"{count} joints without names",
        )

    def _known_joints(self) -> list[str] | None:
        joints = self._naming.joints
        if joints is None:
            return None
        if joints not in known_orders():
            raise UserError(
                "unknown order of joints",
                "`joints`",
                ", ".join(known_orders()),
                joints,
            )
        order = descriptors.get(_ALIASES.get(joints, joints)).keypoints
        return [joint_name(name) for name in order]

    def _pose(
        self,
        entry: Mapping[str, Any],
        order: Sequence[int],
        size: tuple[int, int] | None,
    ) -> Pose:
        def joints() -> np.ndarray:
            found = poses.numbers(entry["keypoints"])
            if found.size != 3 * self._num_joints:
                raise UserError(
                    "another number of joints",
                    None,
                    f"{self._num_joints} x 3 numbers",
                    f"{found.size} numbers",
                )
            found = found.reshape(-1, 3)[list(order)]
            # A joint of which nothing is a number is absent.
            found[np.isnan(found).all(axis=1)] = ABSENT
            return found

        box, box_fault = _coco_box(entry)
        names = self._descriptor.keypoints
        pose = poses.checked(joints, names, box, box_fault, size)
        if self._naming.keeps_regions:
            pose = pose._replace(region=entry.get("segmentation"))
        return pose

    def _leave(self, reason: str, key: str) -> bool:
        self._left_out.setdefault(reason, []).append(key)
        return False

    def _notes(self) -> tuple[str, ...]:
        return tuple(
            f"{self._path}: {len(keys)} annotations {reason}, left out: of "
            f"image_id {', '.join(list(dict.fromkeys(keys))[:_LISTED])}"
            + (", ..." if len(set(keys)) > _LISTED else "")
            for reason, keys in self._left_out.items()
        )


def objects_of(
    document: Mapping[str, Any], name: str, path: str | os.PathLike[str]
) -> list[tuple[Mapping[str, Any], str]]:
    """Returns the objects of a list of COCO's, and where each stands.

    Args:
        document: The document.
        name: Name of the list, which may be missing.
        path: File of the document.

    Raises:
        UserError: It is no list of objects.
    """
    found = document.get(name)
    if found is None:
        found = []
    json_documents.require(found, "a list", path, name)
    listed = []
    for number, entry in enumerate(found):
        where = f"{path} {name}[{number}]"
        json_documents.require(entry, "an object", where, "the entry")
        listed.append((entry, where))
    return listed


def joint_name(name: str) -> str:
    """Returns what spellings of a name share: "Left arm" and "left-arm"."""
    return "_".join(name.strip().lower().replace("-", " ").split())


def _content(entry: Mapping[str, Any], key: str) -> str:
    parts = (entry.get("id"), entry["keypoints"], entry.get("bbox"))
    return json.dumps((key, *parts), sort_keys=True)


def _coco_box(entry: Mapping[str, Any]) -> tuple[Box | None, str | None]:
    value = entry.get("bbox")
    if value is None:
        return None, None
    try:
        left, top, width, height = map(float, poses.numbers(value))
    except (UserError, *poses.ENTRY_ERRORS):
        return None, _wrong_box(value)
    return _box_of(left, top, width, height, value)
