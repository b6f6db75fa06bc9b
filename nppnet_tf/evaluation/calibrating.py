"""Measures what the scores of a model mean, on records.

The network answers with a place for every joint, also for those that a picture
does not show. The threshold that tells them apart is the one of the best
balanced accuracy: shown joints, hidden or not, that count as found, and others
that do not, weigh the same, however few pictures end at the hips.
"""

from collections.abc import Callable
from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

from nppnet_tf.data.damage import BadRecordError
from nppnet_tf.data.descriptors import DatasetDescriptor
from nppnet_tf.data.record import ABSENT
from nppnet_tf.data.record import Record
from nppnet_tf.data.records.record_set import RecordSet
from nppnet_tf.errors import UserError
from nppnet_tf.evaluation import evaluation
from nppnet_tf.inference.calibration import Calibration
from nppnet_tf.inference.calibration import Curve
from nppnet_tf.inference.predictor import Prediction
from nppnet_tf.inference.predictor import Predictor
from nppnet_tf.metrics import pck
from nppnet_tf.pictures import picture_files

# Points of a curve, and what each is made of at least.
_MOST_POINTS = 10
_LEAST_VALUES = 8

# Of PCKh: a joint is right within half a head.
_HALF = 0.5

_BACKGROUND = 0


class Measured(NamedTuple):
    """What came of the joints and pictures. N joints, P pictures.

    Attributes:
        scores: Float [N], of all joints of pictures with a pose.
        is_shown: Bool [N], whether the picture shows the joint.
        hit_scores: Float [M], of shown joints of people with a head.
        is_hit: Bool [M], whether the joint is at its place.
        confidences: Float [P], mean probability over a person's pixels.
        accuracies: Float [P], share of these that are right.
    """

    scores: np.ndarray
    is_shown: np.ndarray
    hit_scores: np.ndarray
    is_hit: np.ndarray
    confidences: np.ndarray
    accuracies: np.ndarray


def calibrate(
    predictor: Predictor,
    records: RecordSet,
    progress: Callable[[Iterable], Iterable] = iter,
) -> tuple[float, Calibration]:
    """Finds the least score of a joint that was found, and what scores mean.

    Args:
        predictor: The model.
        records: Annotated people whom it was not trained on.
        progress: Wraps the numbers of the records and passes them on.

    Raises:
        UserError: Model and records do not speak of the same classes and
            keypoints, or the pictures show every joint or none.
    """
    evaluation.require_same_names(predictor.descriptor, records)
    measured = measure(predictor, records, progress)
    shown = int(measured.is_shown.sum())
    if shown in (0, len(measured.scores)):
        raise UserError(
            "nothing to calibrate on",
            records.directory,
            "joints that pictures show, and joints that they do not",
            f"{shown} that they show, of {len(measured.scores)}",
        )
    threshold, accuracy = best_threshold(measured.scores, measured.is_shown)
    return threshold, Calibration(
        len(measured.confidences),
        len(measured.scores),
        round(accuracy, 4),
        fitted(measured.hit_scores, measured.is_hit),
        fitted(measured.confidences, measured.accuracies),
    )


def measure(
    predictor: Predictor,
    records: RecordSet,
    progress: Callable[[Iterable], Iterable] = iter,
) -> Measured:
    """Predicts records and holds scores against the truth.

    Args:
        predictor: The model.
        records: Annotated people.
        progress: Wraps the numbers of the records and passes them on.
    """
    joints, hits, parts = [], [], []
    for number in progress(range(records.count)):
        try:
            record = records.read(number)
            image = picture_files.decode(record.image_bytes, record.record_id)
        except BadRecordError as bad:
            records.damage.skip(bad, records.max_bad_records)
            continue
        prediction = predictor.predict_confidence(image)
        if record.keypoints_xy is not None:
            is_shown = record.visibility != ABSENT
            joints.append((prediction.scores, is_shown))
            hits.append(_hits(record, prediction, predictor.descriptor))
        if record.label_map is not None:
            ignored = predictor.descriptor.ignore_label
            parts.append(_parts(record.label_map, prediction, ignored))
    scores, is_shown = _joined(joints)
    hit_scores, is_hit = _joined(hits)
    confidences, accuracies = np.array(parts, float).reshape(-1, 2).T
    return Measured(
        scores,
        is_shown.astype(bool),
        hit_scores,
        is_hit.astype(bool),
        confidences[~np.isnan(accuracies)],
        accuracies[~np.isnan(accuracies)],
    )


def best_threshold(
    scores: np.ndarray, is_shown: np.ndarray
) -> tuple[float, float]:
    """Returns the threshold of the best balanced accuracy, and that.

    Args:
        scores: Float [N].
        is_shown: Bool [N], some true and some false.
    """
    order = np.argsort(scores, kind="stable")
    ordered, shown = np.asarray(scores, float)[order], is_shown[order]
    # At position i, the first i joints do not count as found.
    lost = np.concatenate([[0], np.cumsum(shown)]) / shown.sum()
    left_out = np.concatenate([[0], np.cumsum(~shown)]) / (~shown).sum()
    accuracy = (1 - lost + left_out) / 2
    below = np.concatenate([[-np.inf], ordered])
    above = np.concatenate([ordered, [np.inf]])
    # Equal scores fall on one side, and a threshold is from 0 to 1.
    is_edge = (below < above) & (below < 1) & (above >= 0)
    best = int(np.argmax(np.where(is_edge, accuracy, -1)))
    return _between(below[best], above[best]), float(accuracy[best])


def _between(below: float, above: float) -> float:
    """A threshold of few digits that the one score misses, not the other."""
    most = min(float(above), 1.0)
    least = most if below == -np.inf else max(float(below), 0.0)
    threshold = round((least + most) / 2, 4)
    # Compared as `visibility` does.
    return threshold if below < np.float32(threshold) <= above else most


def balanced_accuracy(is_found: np.ndarray, is_shown: np.ndarray) -> float:
    """Returns the mean of both shares that a decision gets right.

    Args:
        is_found: Bool [N], the decision.
        is_shown: Bool [N], the truth; some true and some false.
    """
    return float(is_found[is_shown].mean() + (~is_found)[~is_shown].mean()) / 2


def fitted(scores: np.ndarray, shares: np.ndarray) -> Curve | None:
    """Fits a curve, and measures its error on what it was not fitted to.

    Args:
        scores: Float [N].
        shares: Float or bool [N].

    Returns:
        The curve of all; its error is that of every second of them against a
        curve of the others. None where there are too few.
    """
    if len(scores) < 2 * _LEAST_VALUES:
        return None
    shares = np.asarray(shares, float)
    points = _points(scores[::2], shares[::2])
    others = np.interp(scores[1::2], *points)
    error = 0.0
    for group in _groups(others):
        off = abs(others[group].mean() - shares[1::2][group].mean())
        error += len(group) / len(others) * off
    at, share = _points(scores, shares)
    return Curve(
        tuple(at.round(4).tolist()),
        tuple(share.round(4).tolist()),
        round(float(error), 4),
    )


def _points(
    scores: np.ndarray, shares: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    groups = _groups(scores)
    at = np.array([scores[group].mean() for group in groups])
    share = np.array([shares[group].mean() for group in groups])
    return at, np.maximum.accumulate(share)


def _groups(values: np.ndarray) -> list[np.ndarray]:
    """Indices in groups of one size, by growing value."""
    count = max(1, min(_MOST_POINTS, len(values) // _LEAST_VALUES))
    return np.array_split(np.argsort(values, kind="stable"), count)


def _hits(
    record: Record, prediction: Prediction, descriptor: DatasetDescriptor
) -> tuple[np.ndarray, np.ndarray]:
    is_shown = record.visibility != ABSENT
    truth = np.where(is_shown[:, np.newaxis], record.keypoints_xy, np.nan)
    (head,) = pck.head_sizes(truth[np.newaxis], descriptor)
    if not np.isfinite(head):
        return np.zeros(0), np.zeros(0, bool)
    distances = np.linalg.norm(prediction.keypoints_xy - truth, axis=-1)
    return prediction.scores[is_shown], distances[is_shown] <= _HALF * head


def _parts(
    truth: np.ndarray, prediction: Prediction, ignore_label: int
) -> tuple[float, float]:
    seen = prediction.label_map != _BACKGROUND
    person = (seen | (truth != _BACKGROUND)) & (truth != ignore_label)
    if not seen.any() or not person.any():
        return np.nan, np.nan
    is_right = prediction.label_map[person] == truth[person]
    return float(prediction.confidence[seen].mean()), float(is_right.mean())


def _joined(
    pairs: list[tuple[np.ndarray, np.ndarray]],
) -> tuple[np.ndarray, np.ndarray]:
    if not pairs:
        return np.zeros(0), np.zeros(0, bool)
    first, second = zip(*pairs, strict=True)
    return np.concatenate(first), np.concatenate(second)
