"""Measures people who were cut out of pictures at whole-picture size.

Every person is predicted alone; the answers are laid back into the picture
(`inference.several_people`) and measured there, as the literature on
PASCAL-Person-Part does (Xia et al., SCHP): people whom nobody cut out, and
parts outside of every box, count as missed.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from nppnet_tf.data.damage import BadRecordError
from nppnet_tf.data.descriptors import DatasetDescriptor
from nppnet_tf.data.people.whole_picture import WholePicture
from nppnet_tf.data.record import Crop
from nppnet_tf.data.records.record_set import RecordSet
from nppnet_tf.errors import UserError
from nppnet_tf.evaluation import evaluation
from nppnet_tf.inference import several_people
from nppnet_tf.inference.predictor import Prediction
from nppnet_tf.inference.predictor import Predictor
from nppnet_tf.metrics import average_precision
from nppnet_tf.metrics import pck
from nppnet_tf.pictures import picture_files

# A head is about a fifth of the square root of a standing person's box: of
# people whose head nobody annotated.
_HEAD_OF_BOX = 0.2

_MERGE = (
    "label maps of people laid into the picture at their boxes; where several "
    "see a part, the one of the highest probability times the score of its "
    "detection; background where none does"
)
_LISTED = 5


def evaluate_pictures(
    predictor: Predictor,
    records: RecordSet,
    pictures: Sequence[WholePicture],
    limit: int | None = None,
    head_factor: float = 1.0,
    progress: evaluation.ProgressBar = iter,
) -> dict[str, Any]:
    """Predicts people one by one and measures the pictures they are from.

    Args:
        predictor: The model.
        records: People, cut out of the pictures.
        pictures: The truth, of those and of pictures without any record.
        limit: Only the first so many pictures.
        head_factor: Head size in distances of the descriptor's head segment,
            for the average precision of keypoints.
        progress: Wraps the iteration over the pictures.

    Returns:
        The result, as `evaluation.evaluate_records`, with
        "average_precision" (`pckh_average_precision`) and "oks_recall" of the
        pictures with joints.

    Raises:
        UserError: Model and records do not speak of the same classes and
            keypoints, the records are no people of these pictures, or nothing
            is annotated.
    """
    evaluation.require_same_names(predictor.descriptor, records)
    numbers = _numbers_by_picture(records, pictures)
    measurement = evaluation.Measurement(records.descriptor)
    poses = _Poses(records.descriptor, head_factor)
    chosen = pictures[:limit]
    for picture in progress(chosen):
        people = _predict_people(
            predictor, records, numbers.get(picture.picture_id, [])
        )
        try:
            _measure(measurement, poses, picture, people)
        except BadRecordError as bad:
            records.damage.skip(bad, records.max_bad_records)
    if not measurement.num_label_maps and not poses.pictures:
        raise UserError(
            "nothing to measure",
            records.directory,
            "pictures with label maps or poses",
            f"{len(chosen)} pictures without either",
        )
    protocol = {
        "kind": "model on people, measured in whole pictures",
        **evaluation.describe_model(predictor),
        **_protocol(records, chosen, numbers),
        "head_size": _head_size(records.descriptor, head_factor),
        "people_without_head": poses.num_without_head,
        **evaluation.MODEL_PROTOCOL,
    }
    return evaluation.make_result(protocol, measurement, poses.summary())


def _protocol(
    records: RecordSet,
    chosen: Sequence[WholePicture],
    numbers: dict[str, list[int]],
) -> dict[str, Any]:
    """What was measured and how, as far as no model has a part in it."""
    cut = sum(picture.picture_id in numbers for picture in chosen)
    published = records.descriptor.split_sizes.get(
        records.manifest.get("split")
    )
    return {
        **evaluation.describe_records(records, len(chosen)),
        "pictures_of_records": len(numbers),
        "is_whole_published_split": len(chosen) == published,
        "people_of_records": records.count,
        "people_cut_by": records.manifest.get("people"),
        "pictures_without_records": len(chosen) - cut,
        "measured_at": "the size of each whole picture",
        "merge": _MERGE,
    }


def _head_size(descriptor: DatasetDescriptor, factor: float) -> str:
    """What lengths are measured in, in words."""
    ends = " and ".join(descriptor.head_segment or ("nothing",))
    return (
        f"{factor:g} times the distance of {ends}; of people without it "
        f"{_HEAD_OF_BOX:g} times the square root of their box"
    )


class _Poses:
    """Collects true and predicted poses for the average precisions."""

    def __init__(
        self, descriptor: DatasetDescriptor, head_factor: float
    ) -> None:
        self.pictures: list[dict[str, np.ndarray]] = []
        self.num_without_head = 0
        self._descriptor = descriptor
        self._head_factor = head_factor

    def add(
        self,
        picture: WholePicture,
        people: Sequence[tuple[Crop, Prediction]],
    ) -> None:
        """Takes one picture; without annotated people it does not count."""
        if picture.people is None:
            return
        num_keypoints = self._descriptor.num_keypoints
        in_crops = [prediction.keypoints_xy for _, prediction in people]
        placed = [
            several_people.placed(prediction.keypoints_xy, crop)
            for crop, prediction in people
        ]
        scores = [prediction.scores * crop.score for crop, prediction in people]
        self.pictures.append(
            {
                "truth_xy": picture.people.poses,
                "boxes": picture.people.boxes,
                "head_size": self._head_sizes(picture),
                "predicted_xy": _stacked(placed, (num_keypoints, 2)),
                "in_crops": _stacked(in_crops, (num_keypoints, 2)),
                "scores": _stacked(scores, (num_keypoints,)),
            }
        )

    def summary(self) -> dict[str, Any]:
        """Returns the entries of the result."""
        if not self.pictures:
            return {"average_precision": None, "oks_recall": None}
        # The release knows predictions in crops of the annotated boxes.
        in_crops = [
            {**picture, "predicted_xy": picture["in_crops"]}
            for picture in self.pictures
        ]
        return {
            "average_precision": average_precision.pckh_average_precision(
                self.pictures, self._descriptor
            ),
            "oks_recall": average_precision.oks_recall(
                in_crops, self._descriptor
            ),
        }

    def _head_sizes(self, picture: WholePicture) -> np.ndarray:
        people = picture.people
        sizes = np.full(people.count, np.nan)
        if self._descriptor.head_segment is not None and people.count:
            sizes = self._head_factor * pck.head_sizes(
                people.poses, self._descriptor
            )
        is_unknown = np.isnan(sizes)
        self.num_without_head += int(is_unknown.sum())
        sides = np.clip(people.boxes[:, 2:] - people.boxes[:, :2], 0, None)
        return np.where(
            is_unknown, _HEAD_OF_BOX * np.sqrt(sides.prod(1)), sizes
        )


def _numbers_by_picture(
    records: RecordSet, pictures: Sequence[WholePicture]
) -> dict[str, list[int]]:
    """Which records show people of which picture."""
    numbers: dict[str, list[int]] = {}
    for number in range(records.count):
        try:
            crop = records.read(number).crop
        except BadRecordError as bad:
            records.damage.skip(bad, records.max_bad_records)
            continue
        if crop is None:
            raise UserError(
                "records of whole pictures",
                records.directory,
                "people cut out of pictures, as --people of build_records",
                records.ids[number],
            )
        numbers.setdefault(crop.picture_id, []).append(number)
    known = {picture.picture_id for picture in pictures}
    if strange := [name for name in numbers if name not in known]:
        raise UserError(
            "records of other pictures than these",
            records.directory,
            f"the {len(pictures)} pictures of the data set",
            ", ".join(strange[:_LISTED]),
        )
    return numbers


def _predict_people(
    predictor: Predictor, records: RecordSet, numbers: Sequence[int]
) -> list[tuple[Crop, Prediction]]:
    people = []
    for number in numbers:
        record = records.read(number)
        image = picture_files.decode(record.image_bytes, record.record_id)
        people.append((record.crop, predictor.predict_confidence(image)))
    return people


def _measure(
    measurement: evaluation.Measurement,
    poses: _Poses,
    picture: WholePicture,
    people: Sequence[tuple[Crop, Prediction]],
) -> None:
    truth = picture.label_map()
    if truth is not None:
        merged = several_people.MergedLabelMap(truth.shape)
        for crop, prediction in people:
            if crop.picture_size != truth.shape:
                raise BadRecordError(
                    picture.picture_id,
                    "label map is not of the size of the picture that people "
                    f"were cut from: {truth.shape}, {crop.picture_size}",
                )
            merged.add(prediction.label_map, prediction.confidence, crop)
        measurement.add_label_map(truth, merged.label_map, picture.picture_id)
    poses.add(picture, people)


def _stacked(
    arrays: Sequence[np.ndarray], shape: tuple[int, ...]
) -> np.ndarray:
    return np.array(arrays, np.float64).reshape(-1, *shape)
