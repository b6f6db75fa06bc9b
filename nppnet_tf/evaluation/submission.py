"""The two files of LIP's test server, from what `tools.predict` wrote."""

import io
import math
import pathlib
import zipfile
from collections.abc import Iterable

import numpy as np
from PIL import Image

from nppnet_tf.data.descriptors import DatasetDescriptor
from nppnet_tf.errors import UserError
from nppnet_tf.evaluation import prediction_files
from nppnet_tf.files import atomic
from nppnet_tf.files import json_documents

POSE_FILE = "pose.csv"
PARSING_FILE = "parsing.zip"

# What a file of `tools.predict` has, besides the places of joints.
_FORM = {
    "height": "an integer",
    "width": "an integer",
    "keypoints": [{"name": "a text"}],
}

# The same predictions make the same archive, whenever it is packed.
_MOMENT = (1980, 1, 1, 0, 0, 0)


def write(
    predictions: pathlib.Path,
    ids: Iterable[str],
    output: pathlib.Path,
    descriptor: DatasetDescriptor,
) -> None:
    """Writes `pose.csv` and `parsing.zip` in the order of the ids.

    Joints of low scores keep the places that the network answered: the server
    has no word for a joint that was not found, and counts a miss. A place that
    was no number is nan.

    Label maps are packed as gray PNGs, whose values every reader takes for
    class ids; of a palette PNG some read the colors.

    Args:
        predictions: Folder with `<id>.png` and `<id>.json` of every id.
        ids: What to submit.
        output: Folder to write to.
        descriptor: Whose classes and keypoints the predictions hold.

    Raises:
        UserError: If a prediction is missing, damaged, or of another data set;
            nothing is written then.
    """
    poses = {}
    paths = [output / PARSING_FILE, output / POSE_FILE]
    with atomic.atomic_paths(paths) as (parsing, pose):
        with atomic.naming(paths[0]), zipfile.ZipFile(parsing, "w") as archive:
            for name in ids:
                label_map = _label_map(predictions / f"{name}.png", descriptor)
                poses[name] = _keypoints(
                    predictions / f"{name}.json", label_map.shape, descriptor
                )
                entry = zipfile.ZipInfo(f"{name}.png", _MOMENT)
                archive.writestr(entry, _gray_png(label_map))
        prediction_files.write_pose_rows(pose, poses)


def _label_map(path: pathlib.Path, descriptor: DatasetDescriptor) -> np.ndarray:
    label_map = prediction_files.read_label_map(path, descriptor)
    if label_map.max() >= descriptor.num_classes:
        raise UserError(
            "label map holds other classes",
            path,
            f"ids below {descriptor.num_classes}",
            label_map.max(),
        )
    return label_map


def _keypoints(
    path: pathlib.Path, size: tuple[int, int], descriptor: DatasetDescriptor
) -> np.ndarray:
    document = json_documents.require_form(
        json_documents.read(path), _FORM, path, "prediction"
    )
    points = document["keypoints"]
    names = tuple(point["name"] for point in points)
    keypoints_xy = np.array(
        [
            [_coordinate(point, axis, path) for axis in ("x", "y")]
            for point in points
        ],
        np.float64,
    )
    own_size = (document["height"], document["width"])
    if names != descriptor.keypoints or own_size != size:
        raise UserError(
            "joints and label map do not belong together",
            path,
            f"{descriptor.num_keypoints} joints of {descriptor.name} in a "
            "picture of {} x {}".format(*size),
            "{} joints in one of {} x {}".format(len(names), *own_size),
        )
    return keypoints_xy


def _coordinate(point: dict, axis: str, path: pathlib.Path) -> float:
    """A place that was no number is null in the file."""
    if axis in point and point[axis] is None:
        return math.nan
    place = f"{point['name']}.{axis}"
    return json_documents.require(point.get(axis), "a number", path, place)


def _gray_png(label_map: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(label_map).save(buffer, "PNG")
    return buffer.getvalue()
