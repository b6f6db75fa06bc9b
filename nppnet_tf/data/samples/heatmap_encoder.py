"""Keypoints to heatmaps, in NumPy; `heatmap_codec` finds them again.

One heatmap pixel g covers `stride` input pixels, whose center is at
`g * stride + (stride - 1) / 2`: 1.5 for the first of stride 4.
"""

import math

import numpy as np

from nppnet_tf.data.record import ABSENT

# exp(-4.6052) = 0.01: a Gaussian is zero below a hundredth of its peak.
CUT_EXPONENT = 4.6052


def encode(
    keypoints_xy: np.ndarray,
    visibility: np.ndarray,
    image_size: tuple[int, int],
    stride: int,
    sigma: float,
) -> np.ndarray:
    """Draws one Gaussian per keypoint.

    K keypoints, [h, w] = image_size / stride.

    Args:
        keypoints_xy: Float [K, 2], input pixels; may lie outside.
        visibility: Int [K]; a keypoint that is ABSENT has an empty map.
        image_size: (height, width) of the input, multiples of `stride`.
        stride: Input pixels per heatmap pixel.
        sigma: Standard deviation in input pixels.

    Returns:
        Float32 [h, w, K] in 0..1; 1 only where a keypoint lies on the center
        of a heatmap pixel.
    """
    height, width = image_size[0] // stride, image_size[1] // stride
    num_keypoints = len(keypoints_xy)
    heatmaps = np.zeros((height, width, num_keypoints), np.float32)
    present = np.flatnonzero(np.asarray(visibility) != ABSENT)
    points_xy = np.asarray(keypoints_xy, np.float32)[present]
    # The Gaussian lives in a small window: it is the outer product of two of
    # one dimension there and zero elsewhere.
    columns, exponents_x = _window(points_xy[:, 0], stride, sigma)
    rows, exponents_y = _window(points_xy[:, 1], stride, sigma)
    patches = np.exp(-exponents_y)[:, :, None] * np.exp(-exponents_x)[:, None]
    is_drawn = exponents_y[:, :, None] + exponents_x[:, None] <= CUT_EXPONENT
    is_drawn &= ((rows >= 0) & (rows < height))[:, :, None]
    is_drawn &= ((columns >= 0) & (columns < width))[:, None]
    places = (rows[:, :, None] * width + columns[:, None]) * num_keypoints
    places += present[:, None, None]
    heatmaps.reshape(-1)[places[is_drawn]] = patches[is_drawn]
    return heatmaps


def _window(
    points: np.ndarray, stride: int, sigma: float
) -> tuple[np.ndarray, np.ndarray]:
    """Heatmap pixels that a Gaussian reaches along one axis.

    Returns:
        Int [K, n], their numbers, some of which lie outside of the heatmap;
        and float32 [K, n], the axis' part of the exponent there.
    """
    reach = math.ceil(math.sqrt(2 * CUT_EXPONENT) * sigma / stride)
    first = np.floor((points - (stride - 1) / 2) / stride).astype(np.int64)
    places = first[:, None] + np.arange(-reach, reach + 2)
    centers = places.astype(np.float32) * stride + (stride - 1) / 2
    distance = centers - points[:, None]
    return places, distance**2 / np.float32(2 * sigma**2)
