"""Two scores that the literature on PASCAL-Person-Part calls "mAP".

They are not comparable, so they carry different names here.
`pckh_average_precision` is the measure of Insafutdinov et al., Xia et al. and
MuLA: average precision of keypoints, matched by PCKh. `oks_recall` is what the
authors' release prints as mAP: a recall over similarity thresholds, without
scores.

Legend of shapes: P annotated people and Q predicted people of a picture, K
keypoints, T thresholds.
"""

from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any

import numpy as np

from nppnet_tf.data import descriptors
from nppnet_tf.metrics import pck

# Of `oks_recall`: spread of a keypoint relative to the square root of the
# person's area, for torso and head, arms, and legs.
_CENTRAL_SPREAD = 0.1
_SPREADS = {
    "elbow": 0.08,
    "wrist": 0.08,
    "hip": 0.06,
    "knee": 0.06,
    "ankle": 0.06,
}
_AREA_SHARE = 0.06
OKS_THRESHOLDS = tuple(np.linspace(0.5, 0.95, 10).round(2).tolist())


def pckh_average_precision(
    pictures: Sequence[Mapping[str, np.ndarray]],
    descriptor: descriptors.DatasetDescriptor,
    threshold: float = pck.THRESHOLD,
) -> dict[str, Any]:
    """Measures average precision of every keypoint over a set of pictures.

    A predicted keypoint matches an annotated one within `threshold` head
    sizes. In a picture, every predicted person stands for the annotated one
    of whose keypoints it matches the largest share, and every annotated person
    takes the best of those that stand for it. Keypoints of people so taken are
    true positives where they match; every other prediction is a false one.
    Precision is made monotone and its area taken over all recalls (VOC 2010).

    Args:
        pictures: Of each, by name: "truth_xy" float [P, K, 2], NaN where
            absent; "head_size" float [P], the length that counts as 1 (MPII:
            0.6 times the diagonal of the head's box); "predicted_xy" float
            [Q, K, 2], NaN where not predicted; "scores" float [Q, K].
        descriptor: Names of the K keypoints and their groups.
        threshold: Largest distance of a match, in head sizes.

    Returns:
        Dict of plain Python values in [0, 1], NaN where nothing is annotated:
        "pckh_average_precision" (mean over the keypoints), "keypoints" and
        "groups" (dicts by name), "counts" (annotated keypoints by name),
        "num_pictures", "num_people", "threshold", "protocol".
    """
    matches = [_matched_picture(picture, threshold) for picture in pictures]
    hits, scores = _stacked(matches, descriptor.num_keypoints)
    counts = sum(
        (~_absent(picture["truth_xy"])).sum(0) for picture in pictures
    ) + np.zeros(descriptor.num_keypoints, np.int64)
    rates = [
        _average_precision(hits[:, k], scores[:, k], int(counts[k]))
        for k in range(descriptor.num_keypoints)
    ]
    return {
        "pckh_average_precision": float(np.mean(rates)),
        **_named(rates, counts, descriptor),
        "num_pictures": len(pictures),
        "num_people": sum(len(picture["truth_xy"]) for picture in pictures),
        "threshold": threshold,
        "protocol": (
            f"average precision, keypoints matched by PCKh@{threshold:g}"
        ),
    }


def object_keypoint_similarity(
    truth_xy: np.ndarray, boxes: np.ndarray, predicted_xy: np.ndarray
) -> np.ndarray:
    """Compares every annotated with every predicted person, as the release.

    The mean over the annotated keypoints of exp(-d^2 / (2 * 0.06 * area)).
    Departs from COCO: one spread for all keypoints, and the predictions are
    coordinates in a crop, laid into the box of the person compared with.

    Args:
        truth_xy: Float array [P, K, 2], pixels of the picture; NaN = absent.
        boxes: Float array [P, 4], x1, y1, x2, y2 in the picture.
        predicted_xy: Float array [Q, K, 2], pixels of a crop of the box.

    Returns:
        Float64 array [P, Q] in [0, 1]; 0 for a person without annotation.
    """
    squared = _squared_distances(truth_xy, boxes, predicted_xy)
    scale = 2 * _AREA_SHARE * _areas(boxes)[:, None, None]
    present = ~_absent(truth_xy)[:, None]
    similarity = np.where(present, np.exp(-squared / scale), 0.0).sum(-1)
    return similarity / np.maximum(present.sum(-1), 1)


def oks_recall(
    pictures: Sequence[Mapping[str, np.ndarray]],
    descriptor: descriptors.DatasetDescriptor = (
        descriptors.PASCAL_PERSON_PART
    ),
    thresholds: Sequence[float] = OKS_THRESHOLDS,
) -> dict[str, Any]:
    """Measures what the release calls mAP on PASCAL-Person-Part.

    Every annotated person is compared with the most similar prediction, which
    may serve several people. At a threshold, a keypoint is found if the
    person's similarity and exp(-d^2 / (2 * area * spread^2)) of the keypoint
    reach it. There are no scores and no false positives: a recall.

    Args:
        pictures: Of each, by name: "truth_xy" float [P, K, 2], NaN where
            absent; "boxes" float [P, 4], x1, y1, x2, y2; "predicted_xy" float
            [Q, K, 2], pixels of a crop of the box.
        descriptor: Names of the K keypoints; the spread is 0.08 for elbows
            and wrists, 0.06 for hips, knees and ankles, 0.1 for others.
        thresholds: T similarities.

    Returns:
        Dict in [0, 1], NaN where nothing is annotated: "oks_recall" (mean over
        keypoints and thresholds), "keypoints" and "groups" (dicts by name,
        means over thresholds), "by_threshold" (list of T means over
        keypoints), "counts" (by keypoint), "num_pictures", "num_people",
        "protocol".
    """
    spreads = np.array([_spread(name) for name in descriptor.keypoints])
    hits = np.zeros([len(thresholds), descriptor.num_keypoints])
    counts = np.zeros(descriptor.num_keypoints, np.int64)
    for picture in pictures:
        counts += (~_absent(picture["truth_xy"])).sum(0)
        hits += _hits(picture, spreads, np.asarray(thresholds))
    recall = np.where(counts > 0, hits / np.maximum(counts, 1), np.nan)
    return {
        "oks_recall": float(recall.mean()),
        **_named(recall.mean(0).tolist(), counts, descriptor),
        "by_threshold": recall.mean(1).tolist(),
        "num_pictures": len(pictures),
        "num_people": sum(len(picture["truth_xy"]) for picture in pictures),
        "protocol": (
            "recall of keypoints over similarity thresholds "
            f"{min(thresholds):g} to {max(thresholds):g}"
        ),
    }


def _hits(
    picture: Mapping[str, np.ndarray],
    spreads: np.ndarray,
    thresholds: np.ndarray,
) -> np.ndarray:
    """Keypoints found at every threshold, [T, K]."""
    if not len(picture["truth_xy"]) or not len(picture["predicted_xy"]):
        return np.zeros([len(thresholds), len(spreads)])
    arrays = [picture[n] for n in ("truth_xy", "boxes", "predicted_xy")]
    similarity = object_keypoint_similarity(*arrays)
    best = similarity.argmax(1)
    people = np.arange(len(best))
    squared = _squared_distances(*arrays)[people, best]
    areas = _areas(picture["boxes"])[:, None]
    single = np.exp(-squared / (2 * areas * spreads**2))
    # A distance to an absent keypoint is NaN, which reaches no threshold.
    reached = np.minimum(single, similarity[people, best][:, None])
    return (reached >= thresholds[:, None, None]).sum(1)


def _squared_distances(truth_xy, boxes, predicted_xy) -> np.ndarray:
    """[P, Q, K]: the predictions laid into the box of every person."""
    origins = np.asarray(boxes, np.float64)[:, None, None, :2]
    placed = np.asarray(predicted_xy, np.float64)[None] + origins
    return ((placed - np.asarray(truth_xy)[:, None]) ** 2).sum(-1)


def _areas(boxes: np.ndarray) -> np.ndarray:
    sides = np.asarray(boxes, np.float64)[:, 2:] - boxes[:, :2]
    return sides.prod(-1) + np.finfo(np.float64).eps


def _spread(keypoint: str) -> float:
    return _SPREADS.get(keypoint.rsplit("_", 1)[-1], _CENTRAL_SPREAD)


def _matched_picture(
    picture: Mapping[str, np.ndarray], threshold: float
) -> tuple[np.ndarray, np.ndarray]:
    """Whether each predicted keypoint is a true positive, and its score.

    Returns:
        Boolean [Q, K] and float [Q, K], NaN where nothing was predicted.
    """
    truth_xy = np.asarray(picture["truth_xy"], np.float64)
    predicted_xy = np.asarray(picture["predicted_xy"], np.float64)
    positives = np.zeros(predicted_xy.shape[:2], bool)
    scores = np.where(_absent(predicted_xy), np.nan, picture["scores"])
    if not len(truth_xy) or not len(predicted_xy):
        return positives, scores
    distances = np.linalg.norm(predicted_xy[:, None] - truth_xy[None], axis=-1)
    head_size = np.asarray(picture["head_size"], np.float64)[None, :, None]
    matched = distances <= threshold * head_size
    for predicted, person in _assignment(matched, ~_absent(truth_xy)):
        positives[predicted] = matched[predicted, person]
    return positives, scores


def _assignment(
    matched: np.ndarray, annotated: np.ndarray
) -> list[tuple[int, int]]:
    """Pairs (predicted, annotated person) from matches [Q, P, K]."""
    shares = matched.sum(-1) / np.maximum(annotated.sum(-1), 1)
    best = shares.argmax(1)
    kept = np.zeros_like(shares)
    rows = np.arange(len(shares))
    kept[rows, best] = shares[rows, best]
    taken = kept.argmax(0)
    return [
        (predicted, person)
        for person, predicted in enumerate(taken)
        if kept[predicted, person] > 0
    ]


def _average_precision(
    hits: np.ndarray, scores: np.ndarray, num_annotated: int
) -> float:
    """Area under the monotone precision of one keypoint's predictions."""
    if num_annotated == 0:
        return np.nan
    predicted = ~np.isnan(scores)
    order = np.argsort(-scores[predicted], kind="stable")
    true_positives = np.cumsum(hits[predicted][order])
    recall = np.concatenate([[0.0], true_positives / num_annotated])
    precision = true_positives / np.arange(1, len(order) + 1)
    envelope = np.maximum.accumulate(precision[::-1])[::-1]
    return float((np.diff(recall) * envelope).sum())


def _stacked(
    matches: Sequence[tuple[np.ndarray, np.ndarray]], num_keypoints: int
) -> tuple[np.ndarray, np.ndarray]:
    nothing = (
        np.zeros([0, num_keypoints], bool),
        np.zeros([0, num_keypoints]),
    )
    hits, scores = zip(nothing, *matches, strict=True)
    return np.concatenate(hits), np.concatenate(scores)


def _named(
    rates: Sequence[float],
    counts: np.ndarray,
    descriptor: descriptors.DatasetDescriptor,
) -> dict[str, dict]:
    by_name = dict(zip(descriptor.keypoints, rates, strict=True))
    return {
        "keypoints": by_name,
        "groups": {
            group: float(np.mean([by_name[name] for name in names]))
            for group, names in descriptor.keypoint_groups.items()
        },
        "counts": dict(zip(descriptor.keypoints, counts.tolist(), strict=True)),
    }


def _absent(xy: np.ndarray) -> np.ndarray:
    return np.isnan(np.asarray(xy, np.float64)).any(-1)
