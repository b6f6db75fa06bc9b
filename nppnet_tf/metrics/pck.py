"""PCKh: the share of keypoints found within a part of the head's length.

The protocol of LIP: head size is the distance between the two keypoints of the
descriptor's head segment, without a factor. A picture in which one of them is
absent, or both coincide, is left out altogether. A keypoint counts wherever
the truth has it, occluded or not, and is right at a distance of `threshold`
head sizes or less. Groups are means of the rates of their keypoints that
occur; "upper_body" and "pckh" pool keypoints.

What is missing: a place of which a coordinate is no finite number is absent. A
keypoint that the truth lacks does not count; one that counts and was not
predicted is wrong, and so are all of a picture without a prediction. Where
nothing counts the rate is NaN, of that keypoint or group alone.

Legend of shapes: N pictures, K keypoints, B samples.
"""

from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from nppnet_tf import keys
from nppnet_tf.config import OUTPUT_STRIDE
from nppnet_tf.data import descriptors
from nppnet_tf.data.samples import heatmap_codec

THRESHOLD = 0.5
UPPER_BODY = "upper_body"


def are_absent(keypoints_xy: np.ndarray) -> np.ndarray:
    """Says which places are none: a coordinate is NaN or infinite.

    Args:
        keypoints_xy: Float array [..., 2].

    Returns:
        Boolean array [...].
    """
    return ~np.isfinite(np.asarray(keypoints_xy, np.float64)).all(-1)


def mean_of_counted(rates: Sequence[float]) -> float:
    """Returns the mean of the rates that are numbers, NaN where none is."""
    rates = np.asarray(rates, np.float64)
    counted = rates[~np.isnan(rates)]
    return float(counted.mean()) if counted.size else float("nan")


def head_sizes(
    truth_xy: np.ndarray,
    descriptor: descriptors.DatasetDescriptor = descriptors.LIP,
) -> np.ndarray:
    """Measures the head segment of every picture.

    Args:
        truth_xy: Float array [N, K, 2], pixels; NaN where absent.
        descriptor: Names the two ends of the segment.

    Returns:
        Float64 array [N], pixels; NaN where an end is absent or the length 0.

    Raises:
        ValueError: If the descriptor names no head segment.
    """
    top, neck = _head_segment(descriptor)
    truth_xy = _without_absent(truth_xy)
    sizes = np.linalg.norm(truth_xy[:, top] - truth_xy[:, neck], axis=-1)
    return np.where(sizes > 0, sizes, np.nan)


def normalized_distances(
    truth_xy: np.ndarray,
    predicted_xy: np.ndarray,
    head_size: np.ndarray,
    released_reading: bool = False,
) -> np.ndarray:
    """Measures the error of every keypoint in head sizes.

    Args:
        truth_xy: Float array [N, K, 2], pixels; NaN where absent.
        predicted_xy: Float array [N, K, 2], pixels; NaN where not predicted.
        head_size: Float array [N], pixels; NaN where the picture is left out.
        released_reading: See `pckh`.

    Returns:
        Float64 array [N, K]: NaN where the keypoint does not count, infinite
        where it counts and was not predicted.

    Raises:
        ValueError: If truth and prediction differ in shape.
    """
    truth_xy = np.asarray(truth_xy, np.float64)
    predicted_xy = np.asarray(predicted_xy, np.float64)
    if truth_xy.shape != predicted_xy.shape:
        raise ValueError(
            "`truth_xy` and `predicted_xy` must have one shape. Received: "
            f"truth_xy={truth_xy.shape}, predicted_xy={predicted_xy.shape}"
        )
    if released_reading:
        readable = predicted_xy >= 0
        predicted_xy = np.where(readable, predicted_xy, 1.0)
    head_size = np.asarray(head_size, np.float64)
    has_head = np.isfinite(head_size) & (head_size > 0)
    counted = ~are_absent(truth_xy) & has_head[:, None]
    errors = np.linalg.norm(
        _without_absent(predicted_xy) - _without_absent(truth_xy), axis=-1
    )
    errors = errors / np.where(has_head, head_size, np.nan)[:, None]
    return np.where(counted, np.where(np.isnan(errors), np.inf, errors), np.nan)


def pckh(
    truth_xy: np.ndarray,
    predicted_xy: np.ndarray,
    descriptor: descriptors.DatasetDescriptor = descriptors.LIP,
    threshold: float = THRESHOLD,
    released_reading: bool = False,
) -> dict[str, Any]:
    """Scores the poses of a set of pictures, one person each.

    Args:
        truth_xy: Float array [N, K, 2], pixels of the picture, in the order of
            the descriptor; NaN where a keypoint is absent.
        predicted_xy: Float array [N, K, 2], the same pixels and order; NaN
            where nothing was predicted, which counts as wrong.
        descriptor: Names of keypoints and groups, head segment, and which
            keypoints no pooled score counts.
        threshold: Largest distance of a right keypoint, in head sizes.
        released_reading: Read a predicted coordinate that is NaN or negative
            as 1, as the scripts of MuLA and the release do when they read a
            submission, and call a group NaN of which one keypoint never
            occurs; only for comparison with their numbers.

    Returns:
        Dict of plain Python values, rates in [0, 1] or NaN where nothing was
        counted: "pckh" (pooled over all scored keypoints), "upper_body"
        (pooled), "groups" and "keypoints" (dicts by name), "counts" (by
        keypoint, how many were counted), "num_pictures",
        "num_pictures_with_head" (the others are left out), "num_keypoints"
        (counted in "pckh"), "num_missing" (of them, not predicted),
        "threshold" and "protocol".

    Raises:
        ValueError: If shapes differ or do not fit the descriptor.
    """
    _check_keypoints(truth_xy, descriptor)
    sizes = head_sizes(truth_xy, descriptor)
    distances = normalized_distances(
        truth_xy, predicted_xy, sizes, released_reading
    )
    mean_of_group = _mean if released_reading else mean_of_counted
    counted = ~np.isnan(distances)
    right = counted & (distances <= threshold)
    scored = _indices(descriptor, _scored(descriptor))
    upper_body = _indices(descriptor, descriptor.upper_body)
    rates = dict(
        zip(
            descriptor.keypoints,
            map(_rate, right.T, counted.T),
            strict=True,
        )
    )
    return {
        "pckh": _rate(right[:, scored], counted[:, scored]),
        UPPER_BODY: _rate(right[:, upper_body], counted[:, upper_body]),
        "groups": {
            group: mean_of_group([rates[name] for name in names])
            for group, names in descriptor.keypoint_groups.items()
        },
        "keypoints": rates,
        "counts": dict(
            zip(descriptor.keypoints, counted.sum(0).tolist(), strict=True)
        ),
        "num_pictures": len(sizes),
        "num_pictures_with_head": int((~np.isnan(sizes)).sum()),
        "num_keypoints": int(counted[:, scored].sum()),
        "num_missing": int(np.isinf(distances[:, scored]).sum()),
        "threshold": threshold,
        "protocol": (
            f"PCKh@{threshold:g}, head size {'-'.join(descriptor.head_segment)}"
            f", pooled over {len(scored)} keypoints"
            + (", NaN and negative read as 1" if released_reading else "")
        ),
    }


@keras.saving.register_keras_serializable(package="nppnet_tf")
class HeatmapPCKh(keras.metrics.Metric):
    """Scores heatmaps by PCKh while a network trains or is validated.

    The protocol of `pckh`, pooled over the scored keypoints, with maxima of
    heatmaps as predictions and in pixels of the network's input. Not the
    published number: `evaluation.evaluation` decodes finer and measures in the
    picture. `result` is 0 before anything was counted.

    Args:
        head_segment: Positions of the two keypoints whose distance is the
            head size.
        scored_keypoints: Positions of the keypoints that count.
        stride: Input pixels per heatmap pixel.
        threshold: Largest distance of a right keypoint, in head sizes.

    Update arguments:
        keypoints_xy: Float tensor [B, K, 2], input pixels.
        visibility: Integer tensor [B, K], 0 where absent.
        heatmaps: Float tensor [B, h, w, K].
        has_keypoints: Float tensor [B], 1 or 0; None where all have some.
    """

    def __init__(
        self,
        head_segment: Sequence[int],
        scored_keypoints: Sequence[int],
        stride: int = OUTPUT_STRIDE,
        threshold: float = THRESHOLD,
        name: str = "pckh",
        **kwargs,
    ) -> None:
        super().__init__(name=name, **kwargs)
        self.head_segment = tuple(head_segment)
        self.scored_keypoints = tuple(scored_keypoints)
        self.stride = stride
        self.threshold = threshold
        self.right = self.add_variable((), "zeros", "int64", name="right")
        self.counted = self.add_variable((), "zeros", "int64", name="counted")

    @classmethod
    def from_descriptor(
        cls, descriptor: descriptors.DatasetDescriptor, **kwargs
    ) -> "HeatmapPCKh":
        """Makes the metric of a data set; keyword arguments as above."""
        return cls(
            head_segment=_head_segment(descriptor),
            scored_keypoints=_indices(descriptor, _scored(descriptor)),
            **kwargs,
        )

    def update(
        self,
        batch: Mapping[str, tf.Tensor],
        predictions: Mapping[str, Sequence[tf.Tensor]],
    ) -> None:
        """Counts the last stage of NPPNet's predictions for a batch."""
        self.update_state(
            batch[keys.KEYPOINTS_XY],
            batch[keys.VISIBILITY],
            predictions[keys.HEATMAPS][-1],
            batch[keys.HAS_KEYPOINTS],
        )

    def update_state(
        self,
        keypoints_xy: tf.Tensor,
        visibility: tf.Tensor,
        heatmaps: tf.Tensor,
        has_keypoints: tf.Tensor | None = None,
    ) -> None:
        keypoints_xy = tf.cast(keypoints_xy, tf.float32)
        present = tf.convert_to_tensor(visibility) > 0
        if has_keypoints is not None:
            present &= (has_keypoints > 0)[:, None]
        top, neck = self.head_segment
        head_size = tf.norm(
            keypoints_xy[:, top] - keypoints_xy[:, neck], axis=-1
        )
        has_head = present[:, top] & present[:, neck] & (head_size > 0)
        predicted_xy = heatmap_codec.highest_places(heatmaps, self.stride)
        errors = tf.norm(predicted_xy - keypoints_xy, axis=-1)
        counted = present & has_head[:, None]
        right = counted & (errors <= self.threshold * head_size[:, None])
        for total, members in ((self.right, right), (self.counted, counted)):
            scored = tf.gather(members, self.scored_keypoints, axis=1)
            total.assign_add(tf.math.count_nonzero(scored))

    def result(self) -> tf.Tensor:
        right, counted = (
            tf.cast(tf.convert_to_tensor(total.value), tf.float64)
            for total in (self.right, self.counted)
        )
        return tf.cast(tf.math.divide_no_nan(right, counted), tf.float32)

    def get_config(self) -> dict:
        return {
            **super().get_config(),
            "head_segment": list(self.head_segment),
            "scored_keypoints": list(self.scored_keypoints),
            "stride": self.stride,
            "threshold": self.threshold,
        }


def _without_absent(keypoints_xy: np.ndarray) -> np.ndarray:
    """Places as float64 [..., 2], both coordinates NaN where absent."""
    keypoints_xy = np.asarray(keypoints_xy, np.float64)
    absent = are_absent(keypoints_xy)[..., None]
    return np.where(absent, np.nan, keypoints_xy)


def _mean(rates: Sequence[float]) -> float:
    return float(np.mean(rates))


def _rate(right: np.ndarray, counted: np.ndarray) -> float:
    return float(right.sum() / counted.sum()) if counted.any() else np.nan


def _scored(descriptor: descriptors.DatasetDescriptor) -> tuple[str, ...]:
    return tuple(
        name
        for name in descriptor.keypoints
        if name not in descriptor.unscored_keypoints
    )


def _indices(
    descriptor: descriptors.DatasetDescriptor, names: Sequence[str]
) -> list[int]:
    return list(descriptor.keypoint_indices(tuple(names)))


def _head_segment(descriptor: descriptors.DatasetDescriptor) -> list[int]:
    if descriptor.head_segment is None:
        raise ValueError(
            "the descriptor must name a head segment. "
            f"Received: descriptor={descriptor.name}"
        )
    return _indices(descriptor, descriptor.head_segment)


def _check_keypoints(
    truth_xy: np.ndarray, descriptor: descriptors.DatasetDescriptor
) -> None:
    shape = np.shape(truth_xy)
    if len(shape) != 3 or shape[1:] != (descriptor.num_keypoints, 2):
        raise ValueError(
            f"`truth_xy` must be [N, {descriptor.num_keypoints}, 2]. "
            f"Received: truth_xy={shape}"
        )
