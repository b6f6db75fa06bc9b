"""The annotated people of one picture.

Legend of shapes: P people, K keypoints.
"""

import dataclasses
import os
import pathlib
from collections.abc import Mapping
from collections.abc import Sequence

import numpy as np

from nppnet_tf.data import frames
from nppnet_tf.data import raw
from nppnet_tf.data.damage import BadRecordError
from nppnet_tf.data.frames import Frame
from nppnet_tf.data.people.cropped import RegionMask
from nppnet_tf.data.raw import LabelPlace
from nppnet_tf.data.record import ABSENT
from nppnet_tf.data.record import VISIBLE
from nppnet_tf.errors import UserError
from nppnet_tf.files import matlab
from nppnet_tf.pictures.label_colors import Color


@dataclasses.dataclass(frozen=True)
class People:
    """Boxes and joints of the people of one picture.

    Attributes:
        boxes: Float64 [P, 4], left, top, right, bottom in pixels.
        keypoints_xy: Float32 [P, K, 2], pixels; (0, 0) where absent.
        visibility: Int32 [P, K]; see `Record`.
        faults: What is wrong with the box or the joints of a person, by index
            in the arrays, which hold zeros there.
        stated_size: (height, width) of the picture that they are of, as their
            file states it, or None; see `frames`.
        masks: Which pixels are those of each person, None where nobody says
            so; empty where nobody says so of any.
    """

    boxes: np.ndarray
    keypoints_xy: np.ndarray
    visibility: np.ndarray
    faults: Mapping[int, str] = dataclasses.field(default_factory=dict)
    stated_size: tuple[int, int] | None = None
    masks: Sequence[RegionMask | None] = ()

    @property
    def count(self) -> int:
        """P."""
        return len(self.boxes)

    @property
    def poses(self) -> np.ndarray:
        """Float64 [P, K, 2], NaN where absent."""
        is_present = (self.visibility != ABSENT)[..., np.newaxis]
        return np.where(is_present, self.keypoints_xy, np.nan)

    def upright(self, frame: Frame) -> "People":
        """Returns them in the upright picture; UserError as `is_stored`."""
        if not frame.is_stored(self.stated_size):
            return dataclasses.replace(self, stated_size=None)
        is_present = (self.visibility != ABSENT)[..., np.newaxis]
        keypoints_xy = frame.points(self.keypoints_xy)
        return dataclasses.replace(
            self,
            boxes=frame.boxes(self.boxes),
            keypoints_xy=np.where(is_present, keypoints_xy, 0).astype(
                np.float32
            ),
            stated_size=None,
        )


@dataclasses.dataclass(frozen=True)
class WholePicture:
    """The truth about a picture of several people, for measuring.

    Attributes:
        picture_id: What `Crop.picture_id` names.
        image_path: The picture.
        label_path: Label map of all people, see `RawSample`, or None.
        people: Those whose joints are annotated, or None where nobody looked.
        fault: What is wrong with the annotation, or None.
        palette: The color of every class, as in `RawSample`, or None.
    """

    picture_id: str
    image_path: pathlib.Path
    label_path: LabelPlace | None = None
    people: People | None = None
    fault: str | None = None
    palette: Sequence[Color] | None = None

    def label_map(self) -> np.ndarray | None:
        """Reads the label map, uint8 [H, W]; None where there is none.

        Raises:
            BadRecordError: It cannot be read, or the annotation is at fault.
        """
        if self.fault is not None:
            raise BadRecordError(self.picture_id, self.fault)
        if self.label_path is None:
            return None
        label_map = raw.read_label_map(
            self.label_path, self.picture_id, self.palette
        )
        return self._frame().label_map(label_map)

    def size(self) -> tuple[int, int]:
        """Reads (height, width) of the picture; BadRecordError as above."""
        return self._frame().upright_size

    def _frame(self) -> Frame:
        data = raw.read_bytes(self.image_path, self.picture_id)
        try:
            return frames.of(data)
        except UserError as error:
            raise BadRecordError(
                self.picture_id, error, self.image_path
            ) from error


def read_person_joints(
    path: str | os.PathLike[str], num_keypoints: int
) -> People:
    """Reads a file of PersonJoints of the extended PASCAL-Person-Part.

    Two cell arrays of one entry for every person: `joints`, K x 3 of x, y and
    v, and `boxes`, x1, y1, x2, y2, all in pixels of the picture as they stand
    in the file. A joint whose v is 0 is not annotated; every other counts as
    visible. People without a box, or with neither, are left out.

    Args:
        path: MATLAB file.
        num_keypoints: K.

    Raises:
        UserError: The file cannot be read or holds something else.
    """
    variables = matlab.read(path, ("joints", "boxes"))
    joints = matlab.cells(variables["joints"])
    boxes = matlab.cells(variables["boxes"])
    if len(joints) != len(boxes):
        raise UserError(
            "joints and boxes of different people",
            path,
            f"{len(joints)} boxes",
            len(boxes),
        )
    people = [
        (_box(box, path), *_person(person, num_keypoints, path))
        for person, box in zip(joints, boxes, strict=True)
        if np.size(box)
    ]
    if not people:
        return no_people(num_keypoints)
    found_boxes, keypoints_xy, visibility = zip(*people, strict=True)
    return People(
        np.stack(found_boxes), np.stack(keypoints_xy), np.stack(visibility)
    )


def no_people(num_keypoints: int) -> People:
    """Returns the people of a picture without any."""
    return People(
        np.zeros((0, 4)),
        np.zeros((0, num_keypoints, 2), np.float32),
        np.zeros((0, num_keypoints), np.int32),
    )


def _box(value: object, where: object) -> np.ndarray:
    box = matlab.numbers(value, where).ravel()
    if box.shape != (4,) or not np.isfinite(box).all():
        raise UserError("box of another form", where, "x1, y1, x2, y2", box)
    return box


def _person(
    value: object, num_keypoints: int, where: object
) -> tuple[np.ndarray, np.ndarray]:
    joints = matlab.numbers(value, where)
    if joints.size == 0:
        joints = np.zeros((num_keypoints, 3))
    if joints.shape != (num_keypoints, 3):
        raise UserError(
            "joints of another form",
            where,
            f"{num_keypoints} x 3",
            " x ".join(map(str, joints.shape)),
        )
    # NaN is no 0, but no joint either.
    is_present = (np.nan_to_num(joints[:, 2]) != 0) & np.isfinite(
        joints[:, :2]
    ).all(axis=1)
    keypoints_xy = np.where(is_present[:, np.newaxis], joints[:, :2], 0)
    visibility = np.where(is_present, VISIBLE, ABSENT)
    return keypoints_xy.astype(np.float32), visibility.astype(np.int32)
