"""Files of poses: rows of LIP, and the JSON and arrays of other data sets.

    .csv    LIP: a row for every picture
    .json   {"root": [...]}: LIP's annotations of later projects
            {"images": ..., "annotations": ...}: COCO keypoints
            [{"image": ...}, ...]: MPII
    .npz, .mat   an array `joints` of Leeds Sports: pictures in the order of
            their names

What is wrong with one pose becomes a fault of that pose, so that its record
can be named; what is wrong with the file is an error.
"""

import csv
import json
import math
import os
import pathlib
from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any
from typing import NamedTuple

import numpy as np

from nppnet_tf import array_archives
from nppnet_tf.data import id_list
from nppnet_tf.data import matlab
from nppnet_tf.data.descriptors import DatasetDescriptor
from nppnet_tf.data.record import ABSENT
from nppnet_tf.data.record import OCCLUDED
from nppnet_tf.data.record import VISIBLE
from nppnet_tf.errors import UserError

# An absent joint in the CSV; all three of its cells together.
_ABSENT_CELL = "nan"
# The third cell of a joint: LIP counts the other way round than MPII.
_VISIBILITIES = {0: VISIBLE, 1: OCCLUDED}

# The array of Leeds Sports.
_JOINTS = "joints"

# Of MPII: a scale of 1 is a person of 200 pixels, and the usual margin.
_MPII_SIDE = 200 * 1.25

Poses = dict[str, "list[Pose]"]

_ENTRY_ERRORS = (KeyError, TypeError, ValueError, IndexError, OverflowError)


class Pose(NamedTuple):
    """The joints of one person in a picture; K keypoints.

    Attributes:
        keypoints_xy: Float32 [K, 2], pixels, (0, 0) where absent.
        visibility: Int32 [K].
        box: Left, top, right, bottom in pixels, or None where nobody drew one.
        fault: What is wrong with the pose, or None; then the rest counts.
    """

    keypoints_xy: np.ndarray
    visibility: np.ndarray
    box: tuple[float, float, float, float] | None = None
    fault: str | None = None


def read(
    path: str | os.PathLike[str],
    descriptor: DatasetDescriptor,
    names: Sequence[str] = (),
) -> Poses:
    """Reads a file of poses, whatever its form.

    Args:
        path: The file.
        descriptor: Names of the K keypoints. A form that names them itself
            must name the same, in any order.
        names: Names of all pictures without extension, in order; a form that
            names no pictures numbers them.

    Returns:
        The poses of every picture by its name without extension, one for each
        person.

    Raises:
        UserError: The file cannot be read or has another form.
    """
    path = pathlib.Path(path)
    suffix = path.suffix.lower()
    if suffix == ".csv":
        poses = read_csv(path, descriptor)
        return {name: [pose] for name, pose in poses.items()}
    if suffix == ".json":
        return _read_json(path, descriptor)
    if suffix in (".npz", ".mat"):
        return _read_array(path, descriptor, names)
    raise UserError(
        "unknown kind of a file of poses",
        path,
        ".csv, .json, .npz or .mat",
        suffix or "no extension",
    )


def read_csv(
    path: str | os.PathLike[str], descriptor: DatasetDescriptor
) -> dict[str, Pose]:
    """Reads a CSV of LIP's form.

    One row per picture without a header: its name, then x, y and v of every
    joint in the descriptor's order; v is 0 for visible and 1 for occluded; an
    absent joint is `nan,nan,nan`.

    Args:
        path: The file.
        descriptor: Names of the keypoints.

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
        poses[record_id] = _row_pose(
            row[1:], descriptor.keypoints, f"{path} line {number}"
        )
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


def _row_pose(cells: list[str], keypoints: Sequence[str], where: str) -> Pose:
    try:
        if len(cells) != 3 * len(keypoints):
            raise UserError(
                "row of another length",
                where,
                f"name and {3 * len(keypoints)} cells",
                f"name and {len(cells)} cells",
            )
        joints = [
            _joint(
                [cell.strip() for cell in cells[3 * k : 3 * k + 3]],
                f"{where}, {name}",
            )
            for k, name in enumerate(keypoints)
        ]
    except UserError as error:
        return _faulty(len(keypoints), error)
    keypoints_xy, visibility = zip(*joints, strict=True)
    return Pose(
        np.array(keypoints_xy, np.float32), np.array(visibility, np.int32)
    )


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


def _read_json(path: pathlib.Path, descriptor: DatasetDescriptor) -> Poses:
    try:
        document = json.loads(path.read_text("utf-8-sig"))
    except OSError as error:
        raise UserError(
            "poses cannot be read", path, "a JSON file", error.strerror
        ) from error
    except (ValueError, RecursionError) as error:
        raise UserError(
            "poses cannot be read", path, "a JSON file", error
        ) from error
    num_keypoints = descriptor.num_keypoints
    if isinstance(document, list):
        return _grouped(document, _mpii_pose, num_keypoints, path)
    entries = document if isinstance(document, dict) else {}
    if isinstance(entries.get("root"), list):
        # Those of the test set are names alone.
        annotated = [
            entry
            for entry in entries["root"]
            if not isinstance(entry, dict) or "joint_self" in entry
        ]
        poses = _grouped(annotated, _lip_pose, num_keypoints, path)
        if twice := [name for name in poses if len(poses[name]) > 1]:
            raise UserError("picture occurs twice", path, None, twice[0])
        return poses
    if isinstance(entries.get("annotations"), list):
        return _coco_poses(entries, descriptor, path)
    raise UserError(
        "JSON of another form",
        path,
        '{"root": [...]} of LIP, {"images": ..., "annotations": [...]} of '
        "COCO or [...] of MPII",
        ", ".join(list(entries)[:5]) or type(document).__name__,
    )


def _grouped(
    entries: Iterable[Any],
    read_entry: Callable[[Any, int], tuple[str, Pose]],
    num_keypoints: int,
    path: pathlib.Path,
) -> Poses:
    """Poses by picture, in the order of the file."""
    poses: Poses = {}
    for number, entry in enumerate(entries):
        try:
            name, pose = read_entry(entry, num_keypoints)
        except _ENTRY_ERRORS as error:
            raise UserError(
                "entry without the name of a picture",
                f"{path} entry {number}",
                "an object with im_name, image or image_id",
                f"{type(error).__name__}: {error}",
            ) from error
        poses.setdefault(name, []).append(pose)
    return poses


def _lip_pose(entry: Any, num_keypoints: int) -> tuple[str, Pose]:
    def joints() -> np.ndarray:
        found = np.array(entry["joint_self"], np.float64)
        # The stored third column is not accurate: the release ignores it.
        return _with_visibility(found[:, :2], found[:, :2].sum(1) != 0)

    return id_list.stem(entry["im_name"]), _checked(joints, num_keypoints)


def _mpii_pose(entry: Any, num_keypoints: int) -> tuple[str, Pose]:
    def joints() -> np.ndarray:
        xy = np.array(entry["joints"], np.float64)
        # MATLAB, which made the file, counts pixels from 1.
        return _with_visibility(xy - 1, np.array(entry["joints_vis"]) != 0)

    def box() -> tuple[float, ...]:
        x, y = (float(value) - 1 for value in entry["center"])
        half = float(entry["scale"]) * _MPII_SIDE / 2
        return x - half, y - half, x + half, y + half

    return id_list.stem(entry["image"]), _checked(joints, num_keypoints, box)


def _coco_poses(
    document: Mapping[str, Any],
    descriptor: DatasetDescriptor,
    path: pathlib.Path,
) -> Poses:
    try:
        names = {
            image["id"]: id_list.stem(pathlib.PurePath(image["file_name"]).name)
            for image in document["images"]
        }
    except _ENTRY_ERRORS as error:
        raise UserError(
            "COCO file without names of pictures",
            path,
            "images with id and file_name",
            f"{type(error).__name__}: {error}",
        ) from error
    order = _coco_order(document, descriptor, path)

    def read_entry(entry: Any, num_keypoints: int) -> tuple[str, Pose]:
        def joints() -> np.ndarray:
            found = np.array(entry["keypoints"], np.float64).reshape(-1, 3)
            return found[order]

        def box() -> tuple[float, ...]:
            left, top, width, height = map(float, entry["bbox"])
            return left, top, left + width, top + height

        has_box = box if "bbox" in entry else None
        pose = _checked(joints, num_keypoints, has_box)
        return names[entry["image_id"]], pose

    # A crowd is one region of many people.
    people = [
        entry
        for entry in document["annotations"]
        if not isinstance(entry, dict)
        or ("keypoints" in entry and not entry.get("iscrowd"))
    ]
    return _grouped(people, read_entry, descriptor.num_keypoints, path)


def _coco_order(
    document: Mapping[str, Any],
    descriptor: DatasetDescriptor,
    path: pathlib.Path,
) -> list[int]:
    """Where the descriptor's keypoints stand among those of the file."""
    named = [
        category["keypoints"]
        for category in document.get("categories") or ()
        if isinstance(category, dict) and category.get("keypoints")
    ]
    if not named:
        return list(range(descriptor.num_keypoints))
    names = [str(name).lower().replace("-", "_") for name in named[0]]
    if sorted(names) != sorted(descriptor.keypoints):
        raise UserError(
            "keypoints of other names than the descriptor's",
            path,
            ", ".join(descriptor.keypoints),
            ", ".join(names),
        )
    return [names.index(name) for name in descriptor.keypoints]


def _read_array(
    path: pathlib.Path, descriptor: DatasetDescriptor, names: Sequence[str]
) -> Poses:
    joints = _joints_array(path)
    expected = (len(names), descriptor.num_keypoints, 3)
    if joints.ndim == 3 and joints.shape == (*expected[1:], expected[0]):
        # As MATLAB keeps it: pictures last.
        joints = joints.transpose(2, 0, 1)
    if joints.shape != expected:
        raise UserError(
            "joints of another form",
            path,
            "pictures x keypoints x 3, {} x {} x {}".format(*expected),
            " x ".join(map(str, joints.shape)),
        )
    return {
        name: [
            _checked(
                lambda person=person: _with_visibility(
                    person[:, :2], person[:, 2] != 0
                ),
                descriptor.num_keypoints,
            )
        ]
        for name, person in zip(names, joints, strict=True)
    }


def _joints_array(path: pathlib.Path) -> np.ndarray:
    if path.suffix.lower() == ".mat":
        return matlab.numbers(matlab.read(path, (_JOINTS,))[_JOINTS], path)
    return matlab.numbers(array_archives.read(path, (_JOINTS,))[_JOINTS], path)


def _with_visibility(xy: np.ndarray, is_present: np.ndarray) -> np.ndarray:
    """Joins columns as COCO has them: x, y, and 2 where there is a joint."""
    return np.column_stack([xy, np.where(is_present, VISIBLE, ABSENT)])


def _checked(
    read_joints: Callable[[], np.ndarray],
    num_keypoints: int,
    read_box: Callable[[], tuple[float, ...]] | None = None,
) -> Pose:
    """Makes a pose of x, y and COCO's v; what goes wrong is its fault."""
    try:
        joints = read_joints()
        box = read_box() if read_box else None
        if joints.shape != (num_keypoints, 3):
            raise UserError(
                "another number of joints",
                None,
                f"{num_keypoints} x 3",
                " x ".join(map(str, joints.shape)),
            )
        is_present = joints[:, 2] != ABSENT
        if not np.isin(joints[:, 2], (ABSENT, OCCLUDED, VISIBLE)).all():
            raise UserError("unknown visibility", None, "0, 1 or 2")
        if not np.isfinite(joints[is_present]).all() or (
            box is not None and not np.isfinite(box).all()
        ):
            raise UserError("joints that are no numbers", None, "finite")
    except UserError as error:
        return _faulty(num_keypoints, error)
    except _ENTRY_ERRORS as error:
        return _faulty(
            num_keypoints,
            UserError(
                "joints are malformed",
                None,
                f"{num_keypoints} of x, y",
                f"{type(error).__name__}: {error}",
            ),
        )
    keypoints_xy = np.where(is_present[:, np.newaxis], joints[:, :2], 0)
    return Pose(
        keypoints_xy.astype(np.float32), joints[:, 2].astype(np.int32), box
    )


def _faulty(num_keypoints: int, error: UserError) -> Pose:
    return Pose(
        np.zeros((num_keypoints, 2), np.float32),
        np.full(num_keypoints, ABSENT, np.int32),
        fault=str(error),
    )
