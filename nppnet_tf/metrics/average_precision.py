"""Two scores that the literature on PASCAL-Person-Part calls "mAP".

They are not comparable, so they carry different names here.
`pckh_average_precision` is the measure of Insafutdinov et al., Xia et al. and
MuLA: average precision of keypoints, matched by PCKh. `oks_recall` is what the
authors' release prints as mAP: a recall over similarity thresholds, without
scores.

What is missing, in both: a keypoint of which a coordinate is no finite number
is absent. The truth's absent ones do not count. A predicted one that is absent,
or whose score is no finite number, was not predicted: no hit for it, and no
false positive. A picture without a predicted person, None or an empty list,
lowers the recall of its people. Where nothing is annotated the rate of that
keypoint is NaN, and means leave it out.

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
        pictures: For each picture, by name: "truth_xy" float [P, K, 2], NaN
            where absent; "head_size" float [P], the length that counts as 1
            (MPII: 0.6 times the diagonal of the head's box), without which,
            NaN, a person can not be matched; "predicted_xy" float [Q, K, 2],
            NaN where not predicted; "scores" float [Q, K].
        descriptor: Names of the K keypoints and their groups.
        threshold: Largest distance of a match, in head sizes.

    Returns:
        Dict of plain Python values in [0, 1], NaN where nothing is annotated:
        "pckh_average_precision" (mean over the annotated keypoints),
        "keypoints" and
        "groups" (dicts by name), "counts" (annotated keypoints by name),
        "num_pictures", "num_people", "threshold", "protocol".
    """
    num_keypoints = descriptor.num_keypoints
    pictures = [_checked(picture, num_keypoints) for picture in pictures]
    matches = [_matched_picture(picture, threshold) for picture in pictures]
    hits, scores = _stacked(matches, num_keypoints)
    counts = _counts(pictures, num_keypoints)
    rates = [
        _average_precision(hits[:, k], scores[:, k], int(counts[k]))
        for k in range(descriptor.num_keypoints)
    ]
    return {
        "pckh_average_precision": pck.mean_of_counted(rates),
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
        Float64 array [P, Q] in [0, 1]; 0 for a person without annotation. An
        annotated keypoint that was not predicted adds nothing.
    """
    squared = _squared_distances(truth_xy, boxes, predicted_xy)
    scale = 2 * _AREA_SHARE * _areas(boxes)[:, None, None]
    present = ~pck.are_absent(truth_xy)[:, None]
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
        pictures: For each picture, by name: "truth_xy" float [P, K, 2], NaN
            where absent; "boxes" float [P, 4], x1, y1, x2, y2; "predicted_xy"
            float [Q, K, 2], pixels of a crop of the box.
        descriptor: Names of the K keypoints; the spread is 0.08 for elbows
            and wrists, 0.06 for hips, knees and ankles, 0.1 for others.
        thresholds: T similarities.

    Returns:
        Dict in [0, 1], NaN where nothing is annotated: "oks_recall" (mean over
        annotated keypoints and thresholds), "keypoints" and "groups" (dicts by
        name, means over thresholds), "by_threshold" (list of T means over
        keypoints), "counts" (by keypoint), "num_pictures", "num_people",
        "protocol".
    """
    num_keypoints = descriptor.num_keypoints
    spreads = np.array([_spread(name) for name in descriptor.keypoints])
    pictures = [_checked(picture, num_keypoints) for picture in pictures]
    counts = _counts(pictures, num_keypoints)
    hits = np.zeros([len(thresholds), num_keypoints])
    for picture in pictures:
        hits += _hits(picture, spreads, np.asarray(thresholds))
    recall = np.where(counts > 0, hits / np.maximum(counts, 1), np.nan)
    return {
        "oks_recall": pck.mean_of_counted(recall.ravel()),
        **_named(recall.mean(0).tolist(), counts, descriptor),
        "by_threshold": [pck.mean_of_counted(rates) for rates in recall],
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
    # An absent keypoint is infinitely far and reaches no threshold above 0.
    reached = np.minimum(single, similarity[people, best][:, None])
    found = reached >= thresholds[:, None, None]
    return (found & np.isfinite(squared)).sum(1)


def _squared_distances(truth_xy, boxes, predicted_xy) -> np.ndarray:
    """[P, Q, K]: the predictions laid into the box of every person.

    Infinite where either is absent.
    """
    origins = np.asarray(boxes, np.float64)[:, None, None, :2]
    placed = np.asarray(predicted_xy, np.float64)[None] + origins
    truth_xy = np.asarray(truth_xy, np.float64)[:, None]
    absent = pck.are_absent(placed) | pck.are_absent(truth_xy)
    apart = np.where(absent[..., None], np.inf, placed) - np.where(
        absent[..., None], 0.0, truth_xy
    )
    return (apart**2).sum(-1)


def _areas(boxes: np.ndarray) -> np.ndarray:
    boxes = np.asarray(boxes, np.float64)
    sides = np.nan_to_num(boxes[:, 2:] - boxes[:, :2], posinf=0, neginf=0)
    return np.maximum(sides, 0).prod(-1) + np.finfo(np.float64).eps


def _checked(
    picture: Mapping[str, np.ndarray | None], num_keypoints: int
) -> dict[str, np.ndarray]:
    """Gives all arrays of a picture their shapes, also where one is empty."""
    shapes = {
        "truth_xy": (num_keypoints, 2),
        "predicted_xy": (num_keypoints, 2),
        "scores": (num_keypoints,),
        "boxes": (4,),
        "head_size": (),
    }
    found = {
        name: np.asarray(
            [] if picture[name] is None else picture[name], np.float64
        ).reshape(-1, *shape)
        for name, shape in shapes.items()
        if name in picture
    }
    if "scores" in found:
        unknown = ~np.isfinite(found["scores"])
        found["scores"] = np.where(unknown, np.nan, found["scores"])
        found["predicted_xy"] = np.where(
            unknown[..., None], np.nan, found["predicted_xy"]
        )
    return found


def _counts(
    pictures: Sequence[Mapping[str, np.ndarray]], num_keypoints: int
) -> np.ndarray:
    """Annotated keypoints of all pictures, int [K]."""
    counts = np.zeros(num_keypoints, np.int64)
    for picture in pictures:
        counts += (~pck.are_absent(picture["truth_xy"])).sum(0)
    return counts


def _spread(keypoint: str) -> float:
    return _SPREADS.get(keypoint.rsplit("_", 1)[-1], _CENTRAL_SPREAD)


def _matched_picture(
    picture: Mapping[str, np.ndarray], threshold: float
) -> tuple[np.ndarray, np.ndarray]:
    """Whether each predicted keypoint is a true positive, and its score.

    Returns:
        Boolean [Q, K] and float [Q, K], NaN where nothing was predicted.
    """
    truth_xy, predicted_xy = picture["truth_xy"], picture["predicted_xy"]
    positives = np.zeros(predicted_xy.shape[:2], bool)
    absent = pck.are_absent(predicted_xy)
    scores = np.where(absent, np.nan, picture["scores"])
    if not len(truth_xy) or not len(predicted_xy):
        return positives, scores
    annotated = ~pck.are_absent(truth_xy)
    apart = np.where(absent[..., None], 0.0, predicted_xy)[:, None] - np.where(
        annotated[..., None], truth_xy, 0.0
    )
    reach = threshold * picture["head_size"]
    reach = np.where(np.isfinite(reach), reach, -1.0)[None, :, None]
    matched = np.linalg.norm(apart, axis=-1) <= reach
    matched &= annotated[None] & ~absent[:, None]
    for predicted, person in _assignment(matched, annotated):
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
            group: pck.mean_of_counted([by_name[name] for name in names])
            for group, names in descriptor.keypoint_groups.items()
        },
        "counts": dict(zip(descriptor.keypoints, counts.tolist(), strict=True)),
    }
