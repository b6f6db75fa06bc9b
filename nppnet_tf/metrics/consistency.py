"""Whether keypoints lie on parts that they can belong to.

Parsing and pose of one person should agree: a knee lies on a leg or on what
covers it. The measure needs no annotation when it is read from predictions,
and on annotation it shows how well the two kinds of annotation agree, which
bounds what a network can reach. Which classes a keypoint may lie on stands in
the descriptor (`keypoint_classes`).

What is missing: a keypoint of which a coordinate is no finite number is absent
and does not count; one that lies outside of the picture counts and is on no
part. Where nothing counts the rate is NaN, of that keypoint alone.

Legend of shapes: N pictures, K keypoints.
"""

from collections.abc import Iterable
from typing import Any

import numpy as np

from nppnet_tf.data import descriptors
from nppnet_tf.metrics import pck

TOLERANCE = 0.05


def keypoints_on_parts(
    label_map: np.ndarray,
    keypoints_xy: np.ndarray,
    tolerance_pixels: float,
    descriptor: descriptors.DatasetDescriptor = descriptors.LIP,
) -> np.ndarray:
    """Looks at the parts around the keypoints of one picture.

    Args:
        label_map: Integer array [height, width].
        keypoints_xy: Float array [K, 2], pixels, the origin at the center of
            the top left pixel; NaN where absent.
        tolerance_pixels: Distance within which a compatible part is looked
            for; 0 asks for the keypoint's own pixel.
        descriptor: Names the classes on which a keypoint may lie.

    Returns:
        Float64 array [K]: 1 on or near a compatible part, 0 if not, NaN where
        the keypoint is absent, is named no classes, or lies on a pixel with
        the ignore label.

    Raises:
        ValueError: If the keypoints do not fit the descriptor.
    """
    if np.shape(keypoints_xy) != (descriptor.num_keypoints, 2):
        raise ValueError(
            f"`keypoints_xy` must be [{descriptor.num_keypoints}, 2]. "
            f"Received: keypoints_xy={np.shape(keypoints_xy)}"
        )
    absent = pck.are_absent(keypoints_xy)
    result = np.full(descriptor.num_keypoints, np.nan)
    for k, name in enumerate(descriptor.keypoints):
        classes = descriptor.keypoint_classes.get(name, ())
        if not classes or absent[k]:
            continue
        if _label_at(label_map, keypoints_xy[k]) == descriptor.ignore_label:
            continue
        result[k] = _is_near(
            label_map,
            keypoints_xy[k],
            tolerance_pixels,
            descriptor.class_indices(tuple(classes)),
        )
    return result


def consistency(
    label_maps: Iterable[np.ndarray],
    keypoints_xy: np.ndarray,
    descriptor: descriptors.DatasetDescriptor = descriptors.LIP,
    visible: np.ndarray | None = None,
    head_size: np.ndarray | None = None,
    tolerance: float = TOLERANCE,
) -> dict[str, Any]:
    """Measures the share of keypoints that lie on a compatible part.

    A keypoint counts as on a part from `tolerance` head sizes away, since
    annotators of joints and of outlines differ by pixels. Where a picture has
    no head size, the keypoint's own pixel must fit.

    Args:
        label_maps: N integer arrays [height, width], of any sizes.
        keypoints_xy: Float array [N, K, 2], pixels of the label map, NaN where
            absent.
        descriptor: Names keypoints and the classes they may lie on.
        visible: Boolean array [N, K], the keypoints to count; an occluded one
            rightly lies on something else. None counts all that are present.
        head_size: Float array [N], pixels, NaN where unknown; measured between
            the given keypoints by default.
        tolerance: Distance in head sizes.

    Returns:
        Dict of plain Python values, rates in [0, 1] or NaN where nothing was
        counted: "consistency" (pooled), "keypoints" (by name), "counts" (by
        name), "num_pictures", "num_pictures_with_head", "num_keypoints",
        "tolerance", "protocol".

    Raises:
        ValueError: If there are not as many label maps as poses.
    """
    keypoints_xy = np.asarray(keypoints_xy, np.float64)
    keypoints_xy = keypoints_xy.reshape(-1, descriptor.num_keypoints, 2)
    if head_size is None:
        head_size = pck.head_sizes(keypoints_xy, descriptor)
    head_size = np.where(np.isfinite(head_size), head_size, np.nan)
    if visible is not None:
        keypoints_xy = np.where(visible[..., None], keypoints_xy, np.nan)
    radii = tolerance * np.nan_to_num(head_size)
    on_parts = np.array(
        [
            keypoints_on_parts(label_map, points, radius, descriptor)
            for label_map, points, radius in zip(
                label_maps, keypoints_xy, radii, strict=True
            )
        ]
    ).reshape(-1, descriptor.num_keypoints)
    counted = ~np.isnan(on_parts)
    names = descriptor.keypoints
    return {
        "consistency": pck.mean_of_counted(on_parts.ravel()),
        "keypoints": dict(
            zip(names, map(pck.mean_of_counted, on_parts.T), strict=True)
        ),
        "counts": dict(zip(names, counted.sum(0).tolist(), strict=True)),
        "num_pictures": len(on_parts),
        "num_pictures_with_head": int((~np.isnan(head_size)).sum()),
        "num_keypoints": int(counted.sum()),
        "tolerance": tolerance,
        "protocol": (
            "keypoints on a compatible part or within "
            f"{tolerance:g} head sizes of one"
        ),
    }


def _is_near(label_map, point_xy, radius, classes) -> bool:
    """Whether a pixel center within the radius, or the nearest, fits."""
    if np.isin(_label_at(label_map, point_xy), classes):
        return True
    x, y = point_xy
    height, width = label_map.shape
    rows, columns = _within(y, radius, height), _within(x, radius, width)
    if not rows.size or not columns.size:
        return False
    squared = (rows[:, None] - y) ** 2 + (columns[None] - x) ** 2
    window = label_map[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    return bool((np.isin(window, classes) & (squared <= radius**2)).any())


def _within(place: float, radius: float, side: int) -> np.ndarray:
    """Pixels of one axis that may lie within a radius of a place."""
    # Cut first: a place may be farther away than integers reach.
    low, high = np.clip([place - radius, place + radius], -2, side)
    return np.arange(max(0, int(low)), min(side, int(high) + 2))


def _label_at(label_map, point_xy) -> int | None:
    """Label of the pixel that holds a point; None outside of the picture."""
    column, row = np.floor(np.asarray(point_xy) + 0.5)
    height, width = label_map.shape
    if not (0 <= row < height and 0 <= column < width):
        return None
    return int(label_map[int(row), int(column)])
