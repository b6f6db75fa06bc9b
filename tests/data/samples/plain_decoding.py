"""Keypoints from heatmaps, once more in NumPy: map by map, pixel by pixel."""

import math

import numpy as np

_SMALLEST = 1e-6


def decode(
    heatmaps: np.ndarray, stride: int, smoothing: float = 0.0
) -> tuple[np.ndarray, np.ndarray]:
    """As `heatmap_codec.decode_heatmaps`, of one sample.

    Args:
        heatmaps: Float [h, w, K].
        stride: Input pixels per heatmap pixel.
        smoothing: Standard deviation, in input pixels, of a Gaussian filter
            before the search; 0 for none.

    Returns:
        keypoints_xy: Float32 [K, 2], input pixels.
        scores: Float32 [K], height of the highest pixel.
    """
    heatmaps = plain_maps = np.asarray(heatmaps, np.float32)
    if smoothing:
        heatmaps = _smoothed(heatmaps, smoothing / stride)
    rim = max(1, math.ceil(2 * smoothing / stride))
    height, width, num_keypoints = heatmaps.shape
    keypoints_xy = np.empty((num_keypoints, 2), np.float32)
    scores = np.empty(num_keypoints, np.float32)
    for k in range(num_keypoints):
        heatmap = heatmaps[..., k]
        y, x = np.unravel_index(np.argmax(heatmap), (height, width))
        scores[k] = heatmap[y, x]
        keypoints_xy[k] = (
            _refined(heatmap[y, :], plain_maps[y, :, k], int(x), rim),
            _refined(heatmap[:, x], plain_maps[:, x, k], int(y), rim),
        )
    return keypoints_xy * stride + (stride - 1) / 2, scores


def _refined(
    line: np.ndarray, plain_line: np.ndarray, peak: int, rim: int
) -> float:
    """Position of the maximum near pixel `peak` of one row or column."""
    middle, most = peak, 0.5
    if peak < rim or peak >= len(line) - rim:
        line, most = plain_line, 1.5
        middle = min(max(peak, 1), len(line) - 2)
        if len(line) < 3 or min(line[middle - 1 : middle + 2]) <= 0.01:
            return float(peak)
    left, center, right = (
        math.log(max(float(value), _SMALLEST))
        for value in line[middle - 1 : middle + 2]
    )
    curvature = 2 * center - left - right
    if curvature <= 0:
        return float(peak)
    return middle + min(max((right - left) / (2 * curvature), -most), most)


def _kernel(sigma: float) -> np.ndarray:
    """Sampled Gaussian of sum 1, float32 [2 * radius + 1]."""
    radius = max(1, math.ceil(3 * sigma))
    steps = np.arange(-radius, radius + 1)
    values = np.exp(-(steps**2) / (2 * sigma**2))
    return (values / values.sum()).astype(np.float32)


def _smoothed(heatmaps: np.ndarray, sigma: float) -> np.ndarray:
    kernel = _kernel(sigma)
    radius = len(kernel) // 2
    for axis in (0, 1):
        margins = [(0, 0)] * 3
        margins[axis] = (radius, radius)
        padded = np.pad(heatmaps, margins, "edge")
        size = heatmaps.shape[axis]
        heatmaps = sum(
            weight * np.take(padded, range(start, start + size), axis)
            for start, weight in enumerate(kernel)
        )
    return heatmaps
