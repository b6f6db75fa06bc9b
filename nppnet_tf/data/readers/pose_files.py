"""Files of poses: rows of LIP, and the JSON and arrays of other data sets.

    .csv         a table, LIP's: see `pose_tables`
    .json        COCO keypoints, MPII, LIP of later projects: `pose_documents`
    .npz, .mat   an array `joints` of Leeds Sports: pictures in the order of
                 their names
    a folder     a file for each picture: `pose_folders`

What is wrong with one pose becomes a fault of that pose, so that its record
can be named; what is wrong with the file is an error.
"""

import os
import pathlib
from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence

import numpy as np

from nppnet_tf.data import source
from nppnet_tf.data.descriptors import DatasetDescriptor
from nppnet_tf.data.readers import pose_documents
from nppnet_tf.data.readers import pose_folders
from nppnet_tf.data.readers import pose_tables
from nppnet_tf.data.readers import poses
from nppnet_tf.data.readers.pose_documents import Naming
from nppnet_tf.data.readers.poses import Pose
from nppnet_tf.data.readers.poses import PoseFile
from nppnet_tf.data.record import OCCLUDED
from nppnet_tf.data.record import VISIBLE
from nppnet_tf.errors import UserError
from nppnet_tf.files import array_archives
from nppnet_tf.files import matlab

# The array of Leeds Sports.
_JOINTS = "joints"


def read(
    path: str | os.PathLike[str],
    descriptor: DatasetDescriptor,
    names: Sequence[str] = (),
    naming: Naming = pose_documents.UNSAID,
) -> PoseFile:
    """Reads a file of poses, whatever its form.

    Args:
        path: The file.
        descriptor: Names of the K keypoints. A form that names them itself
            must name the same, in any order.
        names: Names of all pictures without extension, in order; a form that
            names no pictures numbers them.
        naming: What a file of COCO does not say of itself.

    Raises:
        UserError: The file cannot be read or has another form.
    """
    path = pathlib.Path(path)
    found = _read(path, descriptor, names, naming)
    return PoseFile(found.poses, (*found.notes, *_nowhere(path, found.poses)))


def _read(
    path: pathlib.Path,
    descriptor: DatasetDescriptor,
    names: Sequence[str],
    naming: Naming,
) -> PoseFile:
    if path.is_dir():
        return pose_folders.read(path, descriptor, names)
    suffix = path.suffix.lower()
    if suffix == ".csv":
        table = pose_tables.read(path, descriptor)
        return PoseFile(
            {name: [pose] for name, pose in table.items()},
            tuple(_all_occluded(path, table)),
        )
    if suffix == ".json":
        return pose_documents.read(path, descriptor, naming)
    if suffix in (".npz", ".mat"):
        return _read_array(path, descriptor, names)
    raise UserError(
        "unknown kind of a file of poses",
        path,
        ".csv, .json, .npz or .mat",
        suffix or "no extension",
    )


def _all_occluded(
    path: pathlib.Path, table: Mapping[str, Pose]
) -> Iterator[str]:
    """A line on a table that may count visibility the other way round."""
    kinds = {v for pose in table.values() for v in pose.visibility.tolist()}
    if OCCLUDED in kinds and VISIBLE not in kinds:
        yield (
            f"{path}: no joint is visible, all have v = 1, which is occluded "
            "in such tables; 0 is visible"
        )


def _nowhere(
    path: pathlib.Path, found: Mapping[str, Sequence[Pose]]
) -> Iterator[str]:
    """A line on joints that are absent by their place alone."""
    counts = {
        name: sum(pose.num_nowhere for pose in people)
        for name, people in found.items()
    }
    pictures = [name for name, count in counts.items() if count]
    if pictures:
        yield (
            f"{path}: {sum(counts.values())} joints at 0, 0 or -1, -1 count as "
            f"absent: of {source.listed(pictures)}"
        )


def _read_array(
    path: pathlib.Path, descriptor: DatasetDescriptor, names: Sequence[str]
) -> PoseFile:
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

    def read_joints(person: np.ndarray) -> np.ndarray:
        return poses.with_visibility(
            person[:, :2], np.nan_to_num(person[:, 2]) != 0
        )

    return PoseFile(
        {
            name: [
                poses.checked(
                    lambda person=person: read_joints(person),
                    descriptor.keypoints,
                )
            ]
            for name, person in zip(names, joints, strict=True)
        }
    )


def _joints_array(path: pathlib.Path) -> np.ndarray:
    if path.suffix.lower() == ".mat":
        return matlab.numbers(matlab.read(path, (_JOINTS,))[_JOINTS], path)
    return matlab.numbers(array_archives.read(path, (_JOINTS,))[_JOINTS], path)
