"""Measures predictions at the pictures' own size, and says how.

Of a model on records, or of any system's files. What comes out is a plain
dict: the numbers beside the protocol they were measured by, since neither
means anything without the other.
"""

import os
import pathlib
from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any

import numpy as np

import nppnet_tf
from nppnet_tf.data.descriptors import DatasetDescriptor
from nppnet_tf.data.record import ABSENT
from nppnet_tf.data.record import VISIBLE
from nppnet_tf.data.record import Record
from nppnet_tf.data.records.record_set import RecordSet
from nppnet_tf.errors import UserError
from nppnet_tf.evaluation import prediction_files
from nppnet_tf.files.file_table import FileTable
from nppnet_tf.inference.predictor import Prediction
from nppnet_tf.inference.predictor import Predictor
from nppnet_tf.metrics import consistency
from nppnet_tf.metrics import mean_iou
from nppnet_tf.metrics import pck
from nppnet_tf.pictures import picture_files

FORMAT = "nppnet_tf.evaluation"

_MEASURED_AT = "the size of each picture"
_PICTURE_TO_INPUT = (
    "whole picture scaled to fit, centered, bilinear (averaged first where it "
    "shrinks to half or less), gray 128 around it"
)
_LOGITS_TO_PICTURE = (
    "logits bilinear with aligned corners to the input, bilinear to the "
    "picture, then the class is chosen"
)
_HEATMAPS_TO_PICTURE = (
    "highest pixel of the smoothed heatmap, refined by a parabola, mapped to "
    "the picture"
)

MODEL_PROTOCOL = {
    "picture_to_input": _PICTURE_TO_INPUT,
    "logits_to_picture": _LOGITS_TO_PICTURE,
    "heatmaps_to_picture": _HEATMAPS_TO_PICTURE,
}

# How the places of predicted joints in files are read: as they stand, or as the
# release's script does, which takes NaN and what is negative for 1.
AS_WRITTEN = "as_written"
RELEASED = "released"
POSE_READINGS = (AS_WRITTEN, RELEASED)

# Names of missing files that a message lists.
_LISTED = 5

# Wraps what is iterated, to show progress: `Progress(...).over` of the tools.
ProgressBar = Callable[[Iterable[Any]], Iterable[Any]]


class Measurement:
    """Collects truth and predictions of one picture after the other.

    Args:
        descriptor: Classes, keypoints and which of them count.
        pose_reading: How a pose is read, one of `POSE_READINGS`.

    Raises:
        ValueError: If there is no such reading.
    """

    def __init__(
        self, descriptor: DatasetDescriptor, pose_reading: str = AS_WRITTEN
    ) -> None:
        if pose_reading not in POSE_READINGS:
            raise ValueError(
                f"`pose_reading` is one of {POSE_READINGS}. "
                f"Received: {pose_reading=}"
            )
        self.descriptor = descriptor
        self.pose_reading = pose_reading
        size = (descriptor.num_classes, descriptor.num_classes)
        self.num_label_maps = 0
        self._confusion = np.zeros(size, np.int64)
        self._true_poses: list[np.ndarray] = []
        self._predicted_poses: list[np.ndarray] = []

    @property
    def num_poses(self) -> int:
        """Poses so far, with or without a head."""
        return len(self._true_poses)

    def add_label_map(
        self, truth: np.ndarray, prediction: np.ndarray, where: object
    ) -> None:
        """Counts the pixels of one picture.

        Args:
            truth: Integer [H, W], classes or the ignore label.
            prediction: Integer [H, W], classes.
            where: Picture or file, for messages.

        Raises:
            UserError: If sizes differ or a label is no class.
        """
        if truth.shape != prediction.shape:
            raise UserError(
                "prediction is not of the truth's size",
                where,
                "{} x {}".format(*truth.shape),
                "{} x {}".format(*prediction.shape),
            )
        try:
            self._confusion += mean_iou.confusion_matrix(
                truth,
                prediction,
                self.descriptor.num_classes,
                self.descriptor.ignore_label,
            )
        except mean_iou.LabelError as error:
            raise UserError(
                "label out of range",
                where,
                f"0 to {self.descriptor.num_classes - 1}, and in the truth "
                f"{self.descriptor.ignore_label}",
                error.found,
            ) from error
        self.num_label_maps += 1

    def add_pose(
        self, truth_xy: np.ndarray, predicted_xy: np.ndarray | None
    ) -> None:
        """Takes one pose.

        Args:
            truth_xy: Float [K, 2], NaN where absent.
            predicted_xy: The same; None where nothing was predicted, which is
                wrong in every joint.
        """
        truth_xy = np.asarray(truth_xy, np.float64)
        if predicted_xy is None:
            predicted_xy = np.full_like(truth_xy, np.nan)
        self._true_poses.append(truth_xy)
        self._predicted_poses.append(np.asarray(predicted_xy, np.float64))

    def parsing(self) -> dict[str, Any] | None:
        """Returns `mean_iou.summarize`, or None without any label map."""
        if not self.num_label_maps:
            return None
        return mean_iou.summarize(self._confusion, self.descriptor.classes)

    def pose(self) -> dict[str, Any] | None:
        """Returns `pck.pckh`, or None without any pose."""
        if not self._true_poses or self.descriptor.head_segment is None:
            return None
        return pck.pckh(
            np.stack(self._true_poses),
            np.stack(self._predicted_poses),
            self.descriptor,
            released_reading=self.pose_reading == RELEASED,
        )


def evaluate_records(
    predictor: Predictor,
    records: RecordSet,
    limit: int | None = None,
    progress: ProgressBar = iter,
) -> dict[str, Any]:
    """Predicts the pictures of a record folder and measures the answers.

    Args:
        predictor: The model.
        records: Pictures with label maps, poses, or both.
        limit: Only the first so many pictures.
        progress: Wraps the iteration over the records.

    Returns:
        The result, plain values; rates are in [0, 1], None where nothing was
        counted.

    Raises:
        UserError: If model and records do not speak of the same classes and
            keypoints, or nothing is annotated.
    """
    require_same_names(predictor.descriptor, records)
    measurement = Measurement(records.descriptor)
    agreement = _Agreement(records.descriptor)
    num_pictures = 0
    for record in progress(_first(records, limit)):
        image = picture_files.decode(record.image_bytes, record.record_id)
        prediction = predictor.predict([image])[0]
        add_record(measurement, record, prediction)
        agreement.add(prediction, record)
        num_pictures += 1
    if not measurement.num_label_maps and not measurement.num_poses:
        raise UserError(
            "nothing to measure",
            records.directory,
            "records with label maps or poses",
            f"{num_pictures} pictures without either",
        )
    protocol = {
        "kind": "model on records",
        **describe_model(predictor),
        **describe_records(records, num_pictures),
        "measured_at": _MEASURED_AT,
        **MODEL_PROTOCOL,
    }
    return make_result(
        protocol, measurement, {"consistency": agreement.summary()}
    )


def add_record(
    measurement: Measurement, record: Record, prediction: Prediction
) -> None:
    """Measures the prediction of one record; what it lacks is skipped."""
    if record.label_map is not None:
        measurement.add_label_map(
            record.label_map, prediction.label_map, record.record_id
        )
    if record.keypoints_xy is not None:
        measurement.add_pose(_true_pose(record), prediction.keypoints_xy)


def evaluate_files(
    descriptor: DatasetDescriptor,
    label_maps: tuple[str, str] | None = None,
    poses: tuple[str, str] | None = None,
    allow_missing: bool = False,
    progress: ProgressBar = iter,
    pose_reading: str = AS_WRITTEN,
) -> dict[str, Any]:
    """Measures predictions of any system from its files.

    Args:
        descriptor: Classes and keypoints.
        label_maps: Folders of PNG files, truth and prediction, matched by
            name.
        poses: CSV files, truth and prediction, matched by the names in their
            rows.
        allow_missing: Leave pictures without a prediction out instead of
            stopping; the protocol says how many.
        progress: Wraps the iteration over the label maps.
        pose_reading: How a pose is read, one of `POSE_READINGS`; the protocol
            says which.

    Returns:
        The result, as `evaluate_records`.

    Raises:
        UserError: If a prediction is missing, unreadable, of another size or
            out of range.
    """
    measurement = Measurement(descriptor, pose_reading)
    protocol: dict[str, Any] = {
        "kind": "files",
        "dataset": descriptor.name,
        "measured_at": _MEASURED_AT,
    }
    if label_maps:
        protocol["label_maps"] = _add_label_map_files(
            measurement, *map(pathlib.Path, label_maps), allow_missing, progress
        )
    if poses:
        protocol["poses"] = {
            **_add_pose_files(
                measurement, *map(pathlib.Path, poses), allow_missing
            ),
            "reading": pose_reading,
        }
    return make_result(protocol, measurement, {})


class _Agreement:
    """Whether predicted keypoints lie on predicted parts that fit."""

    def __init__(self, descriptor: DatasetDescriptor) -> None:
        self._descriptor = descriptor
        self._counts = np.zeros(2, np.int64)

    def add(self, prediction: Prediction, record: Record) -> None:
        """Looks at the keypoints that the truth calls visible."""
        if record.visibility is None:
            return
        visible = (record.visibility == VISIBLE)[:, np.newaxis]
        keypoints_xy = np.where(visible, prediction.keypoints_xy, np.nan)
        found = consistency.keypoints_on_parts(
            prediction.label_map, keypoints_xy, 0.0, self._descriptor
        )
        counted = found[~np.isnan(found)]
        self._counts += (int(counted.sum()), counted.size)

    def summary(self) -> dict[str, Any] | None:
        on_parts, counted = self._counts.tolist()
        if not counted:
            return None
        return {
            "consistency": on_parts / counted,
            "num_keypoints": counted,
            "protocol": "predicted keypoints, visible in the truth, whose own "
            "pixel has a predicted class that fits",
        }


def _first(records: RecordSet, limit: int | None) -> Iterable[Record]:
    for number, record in enumerate(records):
        if limit is not None and number >= limit:
            return
        yield record


def _true_pose(record: Record) -> np.ndarray:
    is_present = (record.visibility != ABSENT)[:, np.newaxis]
    return np.where(is_present, record.keypoints_xy, np.nan)


def require_same_names(
    descriptor: DatasetDescriptor, records: RecordSet
) -> None:
    """Raises UserError where a model and records differ in their words.

    Args:
        descriptor: Descriptor of the model.
        records: Records to measure on.
    """
    for kind in ("classes", "keypoints"):
        expected = getattr(descriptor, kind)
        found = getattr(records.descriptor, kind)
        if expected != found:
            raise UserError(
                f"records have other {kind} than the model",
                records.directory,
                f"the {len(expected)} {kind} of {descriptor.name}",
                f"the {len(found)} {kind} of {records.descriptor.name}",
            )


def describe_model(predictor: Predictor) -> dict[str, Any]:
    """Returns what a protocol says of the model."""
    description = predictor.description
    return {
        "model": description.name,
        "model_version": description.version,
        "weights_sha256": description.weights_sha256,
        "input_size": list(description.image_size),
        "flip": description.flip,
        "scales": list(description.scales),
    }


def describe_records(records: RecordSet, num_pictures: int) -> dict[str, Any]:
    """Returns what a protocol says of records, so many of them measured."""
    split = records.manifest.get("split")
    published = records.descriptor.split_sizes.get(split)
    return {
        "records": os.fspath(records.directory),
        "dataset": records.descriptor.name,
        "split": split,
        "pictures_of_records": records.count,
        "pictures": num_pictures,
        "damaged_records": len(records.damage.bad_records),
        "published_split_size": published,
        "is_whole_published_split": num_pictures == published,
        "index_sha256": records.manifest["index"]["sha256"],
    }


def make_result(
    protocol: Mapping[str, Any],
    measurement: Measurement,
    more: Mapping[str, Any],
) -> dict[str, Any]:
    """Puts protocol and measures together.

    Args:
        protocol: How was measured.
        measurement: What was collected.
        more: Further entries.
    """
    parsing, pose = measurement.parsing(), measurement.pose()
    num_heads = pose["num_pictures_with_head"] if pose else 0
    without = {}
    if measurement.num_poses and pose is None:
        without["pose_not_measured"] = "the descriptor names no head segment"
    return {
        "format": FORMAT,
        "software_version": nppnet_tf.__version__,
        "protocol": {
            **protocol,
            "pictures_with_label_map": measurement.num_label_maps,
            "pictures_with_pose": measurement.num_poses,
            "pictures_with_head": num_heads,
            **without,
        },
        "parsing": parsing,
        "pose": pose,
        **more,
    }


def _add_label_map_files(
    measurement: Measurement,
    truth_folder: pathlib.Path,
    prediction_folder: pathlib.Path,
    allow_missing: bool,
    progress: ProgressBar,
) -> dict[str, Any]:
    descriptor = measurement.descriptor
    truths = _label_map_files(truth_folder)
    predictions = _label_map_files(prediction_folder)
    names, counts = _match(
        truths, predictions, truth_folder, prediction_folder, allow_missing
    )
    for name in progress(names):
        measurement.add_label_map(
            prediction_files.read_label_map(truths[name], descriptor),
            prediction_files.read_label_map(predictions[name], descriptor),
            predictions[name],
        )
    return counts


def _label_map_files(folder: pathlib.Path) -> FileTable:
    if not folder.is_dir():
        raise UserError("not found", folder, "a folder of label maps, PNG")
    files = FileTable(folder, (".png",))
    if not files:
        raise UserError(
            "no label maps",
            folder,
            "PNG files",
            "none",
        )
    return files


def _add_pose_files(
    measurement: Measurement,
    truth_path: pathlib.Path,
    prediction_path: pathlib.Path,
    allow_missing: bool,
) -> dict[str, Any]:
    descriptor = measurement.descriptor
    truths = prediction_files.read_pose_rows(truth_path, descriptor)
    predictions = prediction_files.read_pose_rows(prediction_path, descriptor)
    names, counts = _match(
        truths, predictions, truth_path, prediction_path, allow_missing
    )
    for name in names:
        measurement.add_pose(truths[name], predictions[name])
    return counts


def _match(
    truths: Mapping[str, Any],
    predictions: Mapping[str, Any],
    truth_place: pathlib.Path,
    prediction_place: pathlib.Path,
    allow_missing: bool,
) -> tuple[Sequence[str], dict[str, Any]]:
    """Names in both, and the counts for the protocol."""
    missing = [name for name in truths if name not in predictions]
    matched = [name for name in truths if name in predictions]
    if not matched or (missing and not allow_missing):
        names = ", ".join(missing[:_LISTED])
        more = ", ..." if len(missing) > _LISTED else ""
        raise UserError(
            "predictions are missing",
            prediction_place,
            f"one for each of the {len(truths)} of {truth_place}"
            + ("" if not matched else ", or `allow_missing`"),
            f"none for {len(missing)}: {names}{more}",
        )
    return matched, {
        "truth": os.fspath(truth_place),
        "prediction": os.fspath(prediction_place),
        "pictures": len(matched),
        "missing_predictions": len(missing),
        "missing_names": missing[:_LISTED],
        "predictions_without_truth": len(predictions) - len(matched),
    }
