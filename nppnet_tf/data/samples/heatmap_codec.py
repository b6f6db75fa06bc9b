"""Heatmaps to keypoints, in TensorFlow: the inverse of `heatmap_encoder`."""

import math

import numpy as np
import tensorflow as tf

# Far below the noise of any prediction, far above the smallest float32.
_SMALLEST = 1e-6


def decode_heatmaps(
    heatmaps: tf.Tensor, stride: int, smoothing: float = 0.0
) -> tuple[tf.Tensor, tf.Tensor]:
    """Finds the place of every keypoint, to a fraction of a pixel.

    The highest pixel, then along each axis the vertex of the parabola through
    the logarithms of it and its two neighbors. Exact for a Gaussian, whose
    logarithm is a parabola; none at the rim, where a neighbor is missing.

    Mirrored maps give mirrored places, to the last bit: of several equal peaks
    the middle of those that are found first from each corner. A map without
    any peak, all of one height, has its first pixel.

    Args:
        heatmaps: Float [B, h, w, K].
        stride: Input pixels per heatmap pixel.
        smoothing: Standard deviation, in input pixels, of a Gaussian filter
            before the search; the release uses 3. 0 for none.

    Returns:
        keypoints_xy: Float32 [B, K, 2], input pixels.
        scores: Float32 [B, K].
    """
    heatmaps = tf.cast(heatmaps, tf.float32)
    if smoothing:
        heatmaps = _smoothed_heatmaps(heatmaps, smoothing / stride)
    # Of equal peaks the first is found, which in the mirror image is another:
    # what the mirror images say is averaged. Of one peak all say the same.
    axes = ([], [2], [1], [1, 2])
    mirrored = tf.concat([tf.reverse(heatmaps, each) for each in axes], 0)
    offsets_xy, scores = _peaks(mirrored)
    plain, across, down, both = tf.split(offsets_xy, len(axes), 0)
    offsets_xy = (
        (plain + across * [-1.0, 1.0]) + (down * [1.0, -1.0] - both)
    ) * 0.25
    scores = tf.split(scores, len(axes), 0)[0]
    is_flat = tf.equal(scores, tf.reduce_min(heatmaps, [1, 2]))
    offsets_xy = tf.where(is_flat[..., None], plain, offsets_xy)
    sides_xy = tf.cast(tf.shape(heatmaps)[2:0:-1], tf.float32)
    center_xy = (sides_xy * stride - 1) / 2
    return beside(center_xy, offsets_xy * stride), scores


def highest_places(heatmaps: tf.Tensor, stride: int) -> tf.Tensor:
    """Finds the highest pixel of every map, the first of several.

    Args:
        heatmaps: Float [B, h, w, K].
        stride: Input pixels per heatmap pixel.

    Returns:
        Centers of these pixels, float32 [B, K, 2], input pixels.
    """
    places = _highest_pixels(heatmaps)
    grid_xy = tf.cast(tf.stack(places, axis=-1), tf.float32)
    return grid_xy * stride + 0.5 * (stride - 1)


def beside(center_xy: tf.Tensor, offsets_xy: tf.Tensor) -> tf.Tensor:
    """Adds offsets to a center so that opposite ones round alike.

    Args:
        center_xy: Float32, halves, 0 or more.
        offsets_xy: Float32, of the same shape but for leading axes.

    Returns:
        Float32, center plus offset. Twice the center minus the one is exactly
        the other, whose offset is opposite.
    """
    away = (center_xy + tf.abs(offsets_xy)) - center_xy
    return tf.where(offsets_xy < 0, center_xy - away, center_xy + away)


def _highest_pixels(heatmaps: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Columns and rows of the first highest pixels, int32 [B, K] each."""
    shape = tf.shape(heatmaps)
    flat = tf.reshape(heatmaps, [shape[0], shape[1] * shape[2], shape[3]])
    highest = tf.argmax(flat, axis=1, output_type=tf.int32)
    return highest % shape[2], highest // shape[2]


def _peaks(heatmaps: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """First highest pixels of maps, refined, and their heights.

    Args:
        heatmaps: Float32 [B, h, w, K].

    Returns:
        Offsets (x, y) from the middle of the maps, float32 [B, K, 2] in their
        pixels; and float32 [B, K].
    """
    shape = tf.shape(heatmaps)
    height, width = shape[1], shape[2]
    # [B, K, h * w]: one row per map.
    maps = tf.transpose(heatmaps, [0, 3, 1, 2])
    flat = tf.reshape(maps, [shape[0], shape[3], height * width])
    x, y = _highest_pixels(heatmaps)

    def at(step_y: int, step_x: int) -> tf.Tensor:
        row = tf.clip_by_value(y + step_y, 0, height - 1)
        column = tf.clip_by_value(x + step_x, 0, width - 1)
        place = (row * width + column)[..., None]
        values = tf.gather(flat, place, axis=-1, batch_dims=2)[..., 0]
        return tf.math.log(tf.maximum(values, _SMALLEST))

    center = at(0, 0)
    offset_x = _vertex(at(0, -1), center, at(0, 1))
    offset_y = _vertex(at(-1, 0), center, at(1, 0))
    offset_x = tf.where((x > 0) & (x < width - 1), offset_x, 0.0)
    offset_y = tf.where((y > 0) & (y < height - 1), offset_y, 0.0)
    offsets_xy = [
        tf.cast(place, tf.float32) - tf.cast(side - 1, tf.float32) / 2 + offset
        for place, side, offset in (
            (x, width, offset_x),
            (y, height, offset_y),
        )
    ]
    return tf.stack(offsets_xy, axis=-1), tf.reduce_max(flat, axis=-1)


def _vertex(left: tf.Tensor, center: tf.Tensor, right: tf.Tensor) -> tf.Tensor:
    """Vertex of the parabola through three neighbors, in -0.5..0.5."""
    # As a sum of two that change places in the mirror image.
    curvature = (center - left) + (center - right)
    offset = tf.math.divide_no_nan(right - left, 2 * curvature)
    return tf.where(curvature > 0, tf.clip_by_value(offset, -0.5, 0.5), 0.0)


def _kernel(sigma: float) -> np.ndarray:
    """Sampled Gaussian of sum 1, float32 [2 * radius + 1]."""
    radius = max(1, math.ceil(3 * sigma))
    steps = np.arange(-radius, radius + 1)
    values = np.exp(-(steps**2) / (2 * sigma**2))
    return (values / values.sum()).astype(np.float32)


def _smoothed_heatmaps(heatmaps: tf.Tensor, sigma: float) -> tf.Tensor:
    kernel = _kernel(sigma)
    for axis in (1, 2):
        heatmaps = _smoothed_axis(heatmaps, kernel, axis)
    return heatmaps


def _smoothed_axis(
    heatmaps: tf.Tensor, kernel: np.ndarray, axis: int
) -> tf.Tensor:
    radius = len(kernel) // 2
    size = tf.shape(heatmaps)[axis]
    places = tf.range(-radius, size + radius)
    places = tf.clip_by_value(places, 0, size - 1)
    padded = tf.gather(heatmaps, places, axis=axis)

    def shifted(step: int) -> tf.Tensor:
        start = radius + step
        return tf.gather(padded, tf.range(start, start + size), axis=axis)

    result = float(kernel[radius]) * shifted(0)
    for step in range(1, radius + 1):
        # Both sides first: their sum is that of the mirror image.
        pair = shifted(-step) + shifted(step)
        result += float(kernel[radius + step]) * pair
    return result
