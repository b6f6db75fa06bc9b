"""People who are cut out of one picture, predicted alone, and laid back.

A network looks at one person. Where a picture shows several, each is cut out
at the box that a detector or a person made, with a margin; the answers are
laid into the picture, where the more confident one wins. `predict` does so
with boxes, and `evaluation.whole_pictures` with the people of records.
"""

import dataclasses
from collections.abc import Callable
from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from nppnet_tf.data.people import boxes as box_geometry
from nppnet_tf.data.people.detections import Detections
from nppnet_tf.data.record import Crop
from nppnet_tf.errors import UserError
from nppnet_tf.inference import picture_answer
from nppnet_tf.inference.picture_answer import PersonAnswer
from nppnet_tf.inference.picture_answer import PictureAnswer

if TYPE_CHECKING:
    from nppnet_tf.inference.predictor import Prediction

# Share of the sides of a box by which a person is cut out larger.
PADDING = 0.1

_BACKGROUND = 0

Predict = Callable[[np.ndarray], "Prediction"]
JudgeOne = Callable[[np.ndarray, "Prediction"], Mapping[str, float | None]]


class MergedLabelMap:
    """The parts of several people in one picture.

    Args:
        size: (height, width) of the picture.

    Attributes:
        label_map: Uint8 [height, width], background where no part was laid.
        instance_map: Uint8 [height, width]: 0 where no part was laid, else
            which person's, counted from 1 in the order of `add`.
    """

    def __init__(self, size: tuple[int, int]) -> None:
        self.label_map = np.full(size, _BACKGROUND, np.uint8)
        self.instance_map = np.zeros(size, np.uint8)
        self._confidence = np.zeros(size, np.float32)
        self._count = 0

    def add(
        self, label_map: np.ndarray, confidence: np.ndarray, crop: Crop
    ) -> None:
        """Lays one person into the picture; the more confident part wins.

        Args:
            label_map: Integer [h, w], classes of the person's picture.
            confidence: Float [h, w], probability of each.
            crop: Where the person's picture lies.
        """
        self._count += 1
        left, top, right, bottom = crop.box
        place = np.s_[top:bottom, left:right]
        weighed = confidence * np.float32(crop.score)
        wins = (label_map != _BACKGROUND) & (weighed > self._confidence[place])
        self.label_map[place][wins] = label_map[wins]
        self.instance_map[place][wins] = min(
            self._count, np.iinfo(np.uint8).max
        )
        self._confidence[place][wins] = weighed[wins]


def placed(keypoints_xy: np.ndarray, crop: Crop) -> np.ndarray:
    """Returns joints of a cut out person in pixels of the larger picture.

    Args:
        keypoints_xy: Float [K, 2], pixels of the person's picture.
        crop: Where that lies.
    """
    return keypoints_xy + np.array(crop.box[:2])


@dataclasses.dataclass(frozen=True)
class CutPeople:
    """Where the people of a picture are cut out.

    Attributes:
        crops: Where each is cut out; the box with its margin.
        boxes: Float64 [P, 4], what the crops were made of.
        outside: Boxes that show nothing of the picture; nobody is cut out
            there.
    """

    crops: tuple[Crop, ...]
    boxes: np.ndarray
    outside: tuple[tuple[float, ...], ...]


def cut(
    found: Detections,
    size: tuple[int, int],
    padding: float = PADDING,
    name: str = "",
) -> CutPeople:
    """Decides where people are cut out of a picture.

    Args:
        found: Boxes and scores in pixels of the picture.
        size: (height, width) of the picture.
        padding: Share of the sides of a box that is added on every side.
        name: Name of the picture.

    Raises:
        UserError: If there are more people than a map of them can tell apart.
    """
    if len(found.boxes) > picture_answer.MOST_PEOPLE:
        raise UserError(
            "too many people in one picture",
            name or None,
            f"at most {picture_answer.MOST_PEOPLE}",
            len(found.boxes),
        )
    crops, kept, outside = [], [], []
    for box, score in zip(found.boxes, found.scores, strict=True):
        crop_box = padded(box, size, padding)
        seen = box_geometry.inside(
            box_geometry.whole_pixels(box, outwards=True), size
        )
        if _is_empty(crop_box) or _is_empty(seen):
            outside.append(tuple(float(side) for side in box))
        else:
            kept.append(box)
            crops.append(Crop(name, crop_box, size, float(score)))
    kept_boxes = np.array(kept, np.float64).reshape(-1, 4)
    return CutPeople(tuple(crops), kept_boxes, tuple(outside))


def predict(
    predict_one: Predict,
    picture: np.ndarray,
    people: CutPeople,
    judge: JudgeOne | None = None,
) -> PictureAnswer:
    """Predicts people one by one and lays them into their picture.

    Args:
        predict_one: Returns the prediction of one person's picture with its
            confidence, as `Predictor.predict_confidence`.
        picture: Uint8 [H, W, 3], RGB, upright.
        people: Where they are.
        judge: Returns the quality of an answer about a person's picture;
            nobody asks where None.
    """
    merged = MergedLabelMap(picture.shape[:2])
    answers = []
    for crop, box in zip(people.crops, people.boxes, strict=True):
        left, top, right, bottom = crop.box
        image = np.ascontiguousarray(picture[top:bottom, left:right])
        prediction = predict_one(image)
        merged.add(prediction.label_map, prediction.confidence, crop)
        answers.append(
            PersonAnswer(
                placed(prediction.keypoints_xy, crop),
                prediction.scores,
                tuple(float(side) for side in box),
                crop.score,
                None if judge is None else judge(image, prediction),
            )
        )
    return PictureAnswer(merged.label_map, tuple(answers), merged.instance_map)


def padded(
    box: np.ndarray, size: tuple[int, int], padding: float
) -> tuple[int, int, int, int]:
    """Returns a box with a margin, in whole pixels, inside of a picture.

    Args:
        box: Float [4], left, top, right, bottom.
        size: (height, width) of the picture.
        padding: Share of the sides of the box that is added on every side.
    """
    left, top, right, bottom = np.asarray(box, np.float64)
    wide, high = (right - left) * padding, (bottom - top) * padding
    # Cut first: a box may reach farther than integers do.
    limit = 2.0 * max(size) + 1
    grown = np.clip(
        [left - wide, top - high, right + wide, bottom + high], -limit, limit
    )
    return box_geometry.inside(
        box_geometry.whole_pixels(grown, outwards=True), size
    )


def _is_empty(box: tuple[int, int, int, int]) -> bool:
    left, top, right, bottom = box
    return left >= right or top >= bottom
