"""Mean intersection over union of label maps (LIP and PASCAL protocol).

One confusion matrix is filled over the whole set, and the measures are read
from it once. So pictures count by their pixels, and nothing depends on
batches. Pixels whose true label is the ignore label do not count.

What is missing: a picture needs a prediction of its truth's size, with a class
for every pixel that counts; there is no word for "not predicted". Where nothing
counts, every rate is NaN; a class in neither truth nor prediction has NaN and
leaves the means alone.
"""

from collections.abc import Mapping
from collections.abc import Sequence

import keras
import numpy as np
import tensorflow as tf

from nppnet_tf import keys
from nppnet_tf import resampling

ABSENT_SKIPPED = "mean over classes present in truth or prediction"


class LabelError(ValueError):
    """Labels that are no classes.

    Attributes:
        found: Which array holds which of them, "prediction=[20]".
    """

    def __init__(
        self, name: str, labels: Sequence[int], num_classes: int
    ) -> None:
        self.found = f"{name}={labels}"
        super().__init__(
            f"`{name}` must hold classes from 0 to {num_classes - 1}. "
            f"Received: {self.found}"
        )


def confusion_matrix(
    label_map: np.ndarray,
    prediction: np.ndarray,
    num_classes: int,
    ignore_label: int = keys.IGNORE_LABEL,
) -> np.ndarray:
    """Counts the pixels of every (true, predicted) pair of classes.

    C classes.

    Args:
        label_map: Integer array of any shape, true classes; `ignore_label`
            where the pixel does not count.
        prediction: Integer array of that shape, predicted classes; not looked
            at where the truth is to be ignored.
        num_classes: C.
        ignore_label: Label of the truth that is not counted.

    Returns:
        Int64 array [C, C], rows true, columns predicted. Matrices of several
        pictures add up.

    Raises:
        ValueError: If the shapes differ.
        LabelError: If a counted label is not a class.
    """
    label_map = np.asarray(label_map)
    prediction = np.asarray(prediction)
    if label_map.shape != prediction.shape:
        raise ValueError(
            "`label_map` and `prediction` must have one shape. Received: "
            f"label_map={label_map.shape}, prediction={prediction.shape}"
        )
    counted = label_map != ignore_label
    truth = _checked_classes("label_map", label_map[counted], num_classes)
    found = _checked_classes("prediction", prediction[counted], num_classes)
    counts = np.bincount(truth * num_classes + found, minlength=num_classes**2)
    return counts.reshape(num_classes, num_classes).astype(np.int64)


def intersection_over_union(confusion: np.ndarray) -> np.ndarray:
    """Returns the IoU of every class.

    C classes.

    Args:
        confusion: Integer array [C, C], rows true, columns predicted.

    Returns:
        Float64 array [C] in [0, 1]; NaN for a class that is absent from both
        truth and prediction.
    """
    hits = np.diag(confusion)
    return _ratio(hits, confusion.sum(0) + confusion.sum(1) - hits)


def summarize(
    confusion: np.ndarray, class_names: Sequence[str] | None = None
) -> dict:
    """Reads every measure of the field from one confusion matrix.

    Two conventions for a class that is absent are in use: it is skipped (MuLA,
    the release's `calc_miou`; default here) or counts 0 (SCHP, CorrPM). They
    agree wherever all classes occur, as they do on LIP's validation set.

    C classes.

    Args:
        confusion: Integer array [C, C], rows true, columns predicted.
        class_names: C names; "0", "1", ... by default.

    Returns:
        Dict of plain Python values, all rates in [0, 1] or NaN where nothing
        was counted: "mean_iou" and "mean_accuracy" with absent classes skipped,
        "mean_iou_absent_as_zero" and "mean_accuracy_absent_as_zero",
        "pixel_accuracy", "frequency_weighted_iou", "iou" and "accuracy" (dicts
        by class name), "absent_classes" (names of classes in neither truth nor
        prediction), "num_pixels", and "convention", which names that of
        "mean_iou".

    Raises:
        ValueError: If the names are not as many as the classes.
    """
    confusion = np.asarray(confusion)
    if class_names is None:
        class_names = [str(label) for label in range(len(confusion))]
    if len(class_names) != len(confusion):
        raise ValueError(
            f"`class_names` must hold {len(confusion)} names. "
            f"Received: class_names={class_names}"
        )
    iou = intersection_over_union(confusion)
    accuracy = _ratio(np.diag(confusion), confusion.sum(1))
    frequency = _ratio(confusion.sum(1), confusion.sum())
    return {
        "mean_iou": _mean_of_present(iou),
        "mean_iou_absent_as_zero": _mean_with_zeros(iou),
        "mean_accuracy": _mean_of_present(accuracy),
        "mean_accuracy_absent_as_zero": _mean_with_zeros(accuracy),
        "pixel_accuracy": float(_ratio(np.trace(confusion), confusion.sum())),
        "frequency_weighted_iou": (
            float(np.nansum(frequency * iou)) if confusion.any() else np.nan
        ),
        "iou": dict(zip(class_names, iou.tolist(), strict=True)),
        "accuracy": dict(zip(class_names, accuracy.tolist(), strict=True)),
        "absent_classes": [
            name
            for name, value in zip(class_names, iou, strict=True)
            if np.isnan(value)
        ],
        "num_pixels": int(confusion.sum()),
        "convention": ABSENT_SKIPPED,
    }


@keras.saving.register_keras_serializable(package="nppnet_tf")
class MeanIoU(keras.metrics.Metric):
    """Fills a confusion matrix while a network trains or is validated.

    `result` is the mean IoU over the classes present in truth or prediction,
    0 before anything was counted. At the network's input size, so not the
    published protocol: `evaluation.evaluation` measures at the picture's own.

    C classes.

    Args:
        num_classes: C.
        ignore_label: Label of the truth that is not counted.

    Update arguments:
        label_map: Integer tensor [B, H, W].
        prediction: Float logits [B, h, w, C], which are upsampled to [H, W],
            or integer classes [B, H, W].
        has_label_map: Float tensor [B], 1 or 0; None where all have one.
    """

    def __init__(
        self,
        num_classes: int,
        ignore_label: int = keys.IGNORE_LABEL,
        name: str = "mean_iou",
        **kwargs,
    ) -> None:
        super().__init__(name=name, **kwargs)
        self.num_classes = num_classes
        self.ignore_label = ignore_label
        # float32 would stop counting at 2**24 pixels of one pair.
        self.confusion = self.add_variable(
            (num_classes, num_classes), "zeros", dtype="int64", name="confusion"
        )

    def update(
        self,
        batch: Mapping[str, tf.Tensor],
        predictions: Mapping[str, Sequence[tf.Tensor]],
    ) -> None:
        """Counts the last stage of NPPNet's predictions for a batch."""
        self.update_state(
            batch[keys.LABEL_MAP],
            predictions[keys.PARSING_LOGITS][-1],
            batch[keys.HAS_LABEL_MAP],
        )

    def update_state(
        self,
        label_map: tf.Tensor,
        prediction: tf.Tensor,
        has_label_map: tf.Tensor | None = None,
    ) -> None:
        label_map = tf.cast(label_map, tf.int32)
        prediction = tf.convert_to_tensor(prediction)
        if prediction.shape.rank == 4:
            prediction = _classes_at(prediction, tf.shape(label_map)[1:3])
        prediction = tf.cast(prediction, tf.int32)
        counted = label_map != self.ignore_label
        if has_label_map is not None:
            counted &= (has_label_map > 0)[:, None, None]
        num_pairs = self.num_classes**2
        # A pair of `num_pairs` falls behind the last bin and is dropped.
        pair = tf.where(
            counted, label_map * self.num_classes + prediction, num_pairs
        )
        counts = tf.raw_ops.DenseBincount(
            input=tf.reshape(pair, [-1]),
            size=num_pairs,
            weights=tf.zeros([0], tf.int32),
        )
        self.confusion.assign_add(
            tf.reshape(
                tf.cast(counts, tf.int64), [self.num_classes, self.num_classes]
            )
        )

    def result(self) -> tf.Tensor:
        confusion = tf.cast(
            tf.convert_to_tensor(self.confusion.value), tf.float64
        )
        hits = tf.linalg.diag_part(confusion)
        union = tf.reduce_sum(confusion, 0) + tf.reduce_sum(confusion, 1) - hits
        present = tf.cast(union > 0, tf.float64)
        iou = tf.math.divide_no_nan(hits, union)
        mean = tf.math.divide_no_nan(tf.reduce_sum(iou), tf.reduce_sum(present))
        return tf.cast(mean, tf.float32)

    def get_config(self) -> dict:
        return {
            **super().get_config(),
            "num_classes": self.num_classes,
            "ignore_label": self.ignore_label,
        }


def _classes_at(logits: tf.Tensor, size: tf.Tensor) -> tf.Tensor:
    logits = resampling.resize_bilinear(tf.cast(logits, tf.float32), size)
    return tf.argmax(logits, axis=-1, output_type=tf.int32)


def _ratio(numerator, denominator) -> np.ndarray:
    numerator = np.asarray(numerator, np.float64)
    denominator = np.asarray(denominator, np.float64)
    undefined = np.full(np.broadcast(numerator, denominator).shape, np.nan)
    return np.divide(
        numerator, denominator, out=undefined, where=denominator > 0
    )


def _mean_of_present(rates: np.ndarray) -> float:
    present = rates[~np.isnan(rates)]
    return float(present.mean()) if present.size else float("nan")


def _mean_with_zeros(rates: np.ndarray) -> float:
    """Mean that counts NaN as 0, unless there is nothing else."""
    if np.isnan(rates).all():
        return float("nan")
    return float(np.nan_to_num(rates).mean())


def _checked_classes(
    name: str, labels: np.ndarray, num_classes: int
) -> np.ndarray:
    labels = labels.astype(np.int64)
    outside = (labels < 0) | (labels >= num_classes)
    if outside.any():
        raise LabelError(name, np.unique(labels[outside]).tolist(), num_classes)
    return labels
