"""A file of poses beside each picture: what `predict` and OpenPose write.

    <picture>.json              `nppnet_tf.prediction` or `nppnet_tf.people`
    <picture>_keypoints.json    OpenPose, 25 or 18 keypoints
    <picture>_openpose.json     likewise, as `predict` names it

Joints are taken by their names. OpenPose has none for the top of the head, and
what it has no name for is absent; a person's box is that of the joints there.
"""

import json
import pathlib
from collections.abc import Callable
from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any

import numpy as np

from nppnet_tf.data import openpose
from nppnet_tf.data import source
from nppnet_tf.data.descriptors import DatasetDescriptor
from nppnet_tf.data.readers import poses
from nppnet_tf.data.readers.poses import Box
from nppnet_tf.data.readers.poses import Pose
from nppnet_tf.data.readers.poses import PoseFile
from nppnet_tf.errors import UserError
from nppnet_tf.files import json_documents

_JOINT = {"name": "a text", "visible": "true or false"}
_JOINTS = {"keypoints": [_JOINT]}
_PEOPLE = {"people": [{"box": ["a number"], **_JOINTS}]}
_SIZE = {"height": "an integer", "width": "an integer"}
_OPENPOSE = {"people": [{"pose_keypoints_2d": ["a number"]}]}

_LAYOUTS = {3 * len(names): names for names in openpose.LAYOUTS.values()}

_Read = Callable[[Any, DatasetDescriptor, object], list[Pose]]


def read(
    folder: pathlib.Path, descriptor: DatasetDescriptor, names: Sequence[str]
) -> PoseFile:
    """Reads the file of each picture; a damaged one is that picture's fault.

    Args:
        folder: The folder.
        descriptor: Names of the K keypoints.
        names: Names of all pictures without extension.

    Raises:
        UserError: There is no file of any of them.
    """
    found: dict[str, list[Pose]] = {}
    is_openpose = False
    for name in names:
        for ending, read_people in _ENDINGS.items():
            path = folder / f"{name}{ending}"
            if not path.is_file():
                continue
            try:
                document = json_documents.read(path)
                found[name] = read_people(document, descriptor, path)
            except UserError as error:
                found[name] = [poses.faulty(descriptor.num_keypoints, error)]
            is_openpose |= read_people is _of_openpose
            break
    if not found:
        raise UserError(
            "no poses of the pictures",
            folder,
            ", ".join(f"<picture>{ending}" for ending in _ENDINGS),
            "none",
        )
    notes = ()
    if is_openpose:
        known = {name for names in _LAYOUTS.values() for name in names}
        lacking = [name for name in descriptor.keypoints if name not in known]
        listed = source.listed(lacking)
        notes = (f"{folder}: OpenPose has no {listed}: absent",)
    return PoseFile(found, notes if is_openpose and lacking else ())


def _of_predict(
    document: Any, descriptor: DatasetDescriptor, where: object
) -> list[Pose]:
    """The people of `nppnet_tf.prediction` or `nppnet_tf.people`."""
    is_object = isinstance(document, dict)
    has_people = is_object and "people" in document
    form = _SIZE | (_PEOPLE if has_people else _JOINTS)
    json_documents.require_form(document, form, where, "the document")
    size = (document["height"], document["width"])
    people = document["people"] if has_people else [document]
    return [
        poses.checked(
            lambda person=person: _joints(
                {
                    each["name"]: (each["x"], each["y"], 2 * each["visible"])
                    for each in person["keypoints"]
                },
                descriptor,
                is_whole=True,
            ),
            descriptor.keypoints,
            tuple(person["box"]) if has_people else None,
            stated_size=size,
        )
        for person in people
    ]


def _of_openpose(
    document: Any, descriptor: DatasetDescriptor, where: object
) -> list[Pose]:
    json_documents.require_form(document, _OPENPOSE, where, "the document")
    found = []
    for person in document["people"]:
        values = person["pose_keypoints_2d"]
        if len(values) not in _LAYOUTS:
            raise UserError(
                "another number of joints",
                where,
                " or ".join(f"{count} numbers" for count in _LAYOUTS),
                len(values),
            )
        triples = np.reshape(values, (-1, 3))
        triples[:, 2] = np.where(triples[:, 2] > 0, 2, 0)
        named = dict(zip(_LAYOUTS[len(values)], triples.tolist(), strict=True))
        joints = _joints(named, descriptor, is_whole=False)
        found.append(
            poses.checked(
                lambda joints=joints: joints,
                descriptor.keypoints,
                _box_around(joints),
            )
        )
    return found


_ENDINGS: Mapping[str, _Read] = {
    ".json": _of_predict,
    "_keypoints.json": _of_openpose,
    "_openpose.json": _of_openpose,
}


def _joints(
    named: Mapping[str, Sequence[float]],
    descriptor: DatasetDescriptor,
    is_whole: bool,
) -> np.ndarray:
    """Float64 [K, 3]; (0, 0, 0) of names that are not there."""
    if is_whole and set(named) != set(descriptor.keypoints):
        raise UserError(
            "keypoints of other names than the descriptor's",
            None,
            ", ".join(descriptor.keypoints),
            ", ".join(map(json.dumps, named)),
        )
    nothing = (0.0, 0.0, 0.0)
    return poses.numbers(
        [named.get(name, nothing) for name in descriptor.keypoints]
    )


def _box_around(joints: np.ndarray) -> Box | None:
    there = joints[joints[:, 2] > 0, :2]
    if not len(there):
        return None
    (left, top), (right, bottom) = there.min(0), there.max(0)
    return float(left), float(top), float(right) + 1, float(bottom) + 1
