"""One annotated person, whatever data set it came from."""

import dataclasses

import numpy as np

ABSENT = 0
OCCLUDED = 1
VISIBLE = 2


@dataclasses.dataclass(frozen=True)
class Crop:
    """Where the picture of a record was cut out of a larger one.

    Attributes:
        picture_id: Id of the larger picture; several records may share it.
        box: (left, top, right, bottom) in its pixels, whole numbers, right
            and bottom exclusive; inside of it.
        picture_size: (height, width) of the larger picture.
        score: Score of the detection, 0..1; 1 for what people annotated.
    """

    picture_id: str
    box: tuple[int, int, int, int]
    picture_size: tuple[int, int]
    score: float = 1.0


@dataclasses.dataclass(frozen=True)
class Record:
    """One person: an encoded picture and what is known about it.

    Attributes:
        record_id: Unique in its data set; LIP's file name without extension.
        image_bytes: Encoded JPEG or PNG, upright, decoded to RGB.
        label_map: Class of every pixel, uint8 [H, W] at the picture's own
            size with the ignore label of the descriptor, or None.
        keypoints_xy: Float32 [K, 2], pixels of the picture, origin at the
            center of the top left pixel, in the descriptor's order; (0, 0)
            where absent. None where the picture has no pose at all.
        visibility: Int32 [K], ABSENT, OCCLUDED or VISIBLE; None with
            `keypoints_xy`.
        crop: Where the picture lies in a larger one; None where it is whole.
        notes: Lines on what a user should know of how it was read.
    """

    record_id: str
    image_bytes: bytes
    label_map: np.ndarray | None = None
    keypoints_xy: np.ndarray | None = None
    visibility: np.ndarray | None = None
    crop: Crop | None = None
    notes: tuple[str, ...] = ()
