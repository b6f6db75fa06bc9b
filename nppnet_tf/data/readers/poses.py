"""The joints of people in pictures, as files of poses state them.

What is wrong with one pose is a fault of that pose, so that its record can be
named; what is wrong with a file is an error.
"""

import dataclasses
from collections.abc import Callable
from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any
from typing import NamedTuple

import numpy as np

from nppnet_tf.data.record import ABSENT
from nppnet_tf.data.record import OCCLUDED
from nppnet_tf.data.record import VISIBLE
from nppnet_tf.errors import UserError
from nppnet_tf.files import json_documents

Box = tuple[float, float, float, float]

# Where files put joints that are not there: x and y are both one of these.
_NOWHERE = (0, -1)

# Of so many joints, all within one pixel, none can be of a person.
_LEAST_JOINTS = 3

# What values of another kind or size raise.
ENTRY_ERRORS = (
    KeyError,
    TypeError,
    ValueError,
    IndexError,
    AttributeError,
    OverflowError,
)


class Pose(NamedTuple):
    """The joints of one person in a picture; K keypoints.

    Attributes:
        keypoints_xy: Float32 [K, 2], pixels, (0, 0) where absent.
        visibility: Int32 [K].
        box: Left, top, right, bottom in pixels, or None where nobody drew one.
        fault: What is wrong with the pose, or None; then the rest counts.
        box_fault: What is wrong with the box that somebody drew, or None.
        stated_size: (height, width) of the picture that joints and box are
            of, as the file states it, or None.
        num_nowhere: Joints that are absent because of their place alone, see
            `are_nowhere`.
        region: Which pixels are those of the person, as COCO writes it; None
            where nobody says so or asks.
    """

    keypoints_xy: np.ndarray
    visibility: np.ndarray
    box: Box | None = None
    fault: str | None = None
    box_fault: str | None = None
    stated_size: tuple[int, int] | None = None
    num_nowhere: int = 0
    region: Any = None


@dataclasses.dataclass(frozen=True)
class PoseFile:
    """What a file of poses holds.

    Attributes:
        poses: Poses in every picture by its name without extension, one for
            each person.
        notes: One line for each thing that was left out.
    """

    poses: Mapping[str, list[Pose]]
    notes: tuple[str, ...] = ()


def checked(
    read_joints: Callable[[], np.ndarray],
    names: Sequence[str],
    box: Box | None = None,
    box_fault: str | None = None,
    stated_size: tuple[int, int] | None = None,
) -> Pose:
    """Makes a pose of x, y and COCO's v; what goes wrong is its fault.

    Args:
        read_joints: Returns float [K, 3]; 0 of v is absent, and what x and y
            of an absent joint are does not matter. A joint that is nowhere
            (`are_nowhere`) is absent whatever its v.
        names: Names of the K keypoints.
        box: Box of the person, see `Pose`.
        box_fault: What is wrong with the box, see `Pose`.
        stated_size: Size that the annotation states, see `Pose`.
    """
    try:
        joints = np.array(read_joints())
        num_nowhere = _take_away_nowhere(joints)
        _check(joints, names)
    except UserError as error:
        return faulty(len(names), error)
    except ENTRY_ERRORS as error:
        return faulty(
            len(names),
            UserError(
                "joints are malformed",
                None,
                f"{len(names)} of x, y",
                f"{type(error).__name__}: {error}",
            ),
        )
    is_present = joints[:, 2] != ABSENT
    keypoints_xy = np.where(is_present[:, np.newaxis], joints[:, :2], 0)
    return Pose(
        keypoints_xy.astype(np.float32),
        joints[:, 2].astype(np.int32),
        box,
        None,
        box_fault,
        stated_size,
        num_nowhere,
    )


def are_nowhere(xy: np.ndarray) -> np.ndarray:
    """Which joints have a place that stands for none.

    Files say (0, 0) or (-1, -1) of joints that are not there, some of them
    beside a v that counts them as visible.

    Args:
        xy: Float [..., 2].

    Returns:
        Bool [...].
    """
    return (xy[..., 0] == xy[..., 1]) & np.isin(xy[..., 0], _NOWHERE)


def faulty(num_keypoints: int, error: UserError) -> Pose:
    """Returns a pose that is at fault."""
    return Pose(
        np.zeros((num_keypoints, 2), np.float32),
        np.full(num_keypoints, ABSENT, np.int32),
        fault=str(error),
    )


def with_visibility(xy: np.ndarray, is_present: np.ndarray) -> np.ndarray:
    """Joins columns as COCO has them: x, y, and 2 where there is a joint."""
    return np.column_stack([xy, np.where(is_present, VISIBLE, ABSENT)])


def numbers(value: Any) -> np.ndarray:
    """Returns a list of numbers as float64; what is null is no number.

    Raises:
        UserError: There are texts, or true and false, among them.
    """
    array = np.array(value, np.object_)
    for each in array.ravel():
        is_number = isinstance(each, (int, float)) and not isinstance(
            each, bool
        )
        if each is not None and not is_number:
            raise UserError(
                "joints are malformed",
                None,
                "numbers",
                json_documents.described(each),
            )
    # None becomes NaN.
    return array.astype(np.float64)


def _take_away_nowhere(joints: np.ndarray) -> int:
    """Makes joints absent that are nowhere; returns how many counted."""
    if joints.ndim != 2 or joints.shape[1] != 3:
        return 0
    is_taken = are_nowhere(joints[:, :2]) & (joints[:, 2] != ABSENT)
    joints[is_taken] = ABSENT
    return int(is_taken.sum())


def _check(joints: np.ndarray, names: Sequence[str]) -> None:
    if joints.shape != (len(names), 3):
        raise UserError(
            "another number of joints",
            None,
            f"{len(names)} x 3",
            " x ".join(map(str, joints.shape)),
        )
    is_known = np.isin(joints[:, 2], (ABSENT, OCCLUDED, VISIBLE))
    if not is_known.all():
        wrong = int(np.argmin(is_known))
        raise UserError(
            "unknown visibility",
            None,
            "0, 1 or 2",
            f"{joints[wrong, 2]:g} of {names[wrong]}",
        )
    # Of what becomes float32.
    with np.errstate(over="ignore"):
        is_finite = np.isfinite(joints[:, :2].astype(np.float32)).all(axis=1)
    is_wrong = (joints[:, 2] != ABSENT) & ~is_finite
    if is_wrong.any():
        wrong = int(np.argmax(is_wrong))
        raise UserError(
            "joints that are no numbers",
            None,
            "finite",
            "{:g}, {:g} of {}".format(*joints[wrong, :2], names[wrong]),
        )
    present = joints[joints[:, 2] != ABSENT, :2]
    is_within_a_pixel = ((present >= 0) & (present <= 1)).all()
    if (
        len(present) >= _LEAST_JOINTS
        and is_within_a_pixel
        and (present % 1).any()
    ):
        raise UserError(
            "joints are shares of the picture",
            None,
            "pixels",
            "{} joints, all from 0 to 1, {:g}, {:g} the first".format(
                len(present), *present[0]
            ),
        )
