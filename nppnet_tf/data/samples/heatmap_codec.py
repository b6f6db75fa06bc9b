"""Heatmaps to keypoints, in TensorFlow: the inverse of `heatmap_encoder`."""

import math

import numpy as np
import tensorflow as tf

from nppnet_tf.data.samples.heatmap_encoder import CUT_EXPONENT

# Far below the noise of any prediction, far above the smallest float32.
_SMALLEST = 1e-6

# Standard deviations at which a Gaussian filter has little weight left, and
# pixels that a peak at the rim may be away from the middle of three.
_REACH = 2
_FAR = 1.5


def decode_heatmaps(
    heatmaps: tf.Tensor, stride: int, smoothing: float = 0.0
) -> tuple[tf.Tensor, tf.Tensor]:
    """Finds the place of every keypoint, to a fraction of a pixel.

    The highest pixel, then along each axis the vertex of the parabola through
    the logarithms of it and its two neighbors. Exact for a Gaussian, whose
    logarithm is a parabola. At the rim, where a neighbor is missing, the
    parabola goes through the outermost three pixels; and as far as the filter
    reaches beyond the map, through pixels before the filter. Where one of these
    is cut off as targets are, the highest pixel stays.

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
    heatmaps = plain_maps = tf.cast(heatmaps, tf.float32)
    if smoothing:
        heatmaps = _smoothed_heatmaps(heatmaps, smoothing / stride)
    rim = max(1, math.ceil(_REACH * smoothing / stride))
    # Of equal peaks the first is found, which in the mirror image is another:
    # what the mirror images say is averaged. Of one peak all say the same.
    axes = ([], [2], [1], [1, 2])
    offsets_xy, scores = _peaks(
        *(
            tf.concat([tf.reverse(maps, each) for each in axes], 0)
            for maps in (heatmaps, plain_maps)
        ),
        rim,
    )
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


def _peaks(
    heatmaps: tf.Tensor, plain_maps: tf.Tensor, rim: int
) -> tuple[tf.Tensor, tf.Tensor]:
    """First highest pixels of maps, refined, and their heights.

    Args:
        heatmaps: Float32 [B, h, w, K].
        plain_maps: The same before they were smoothed.
        rim: Pixels from a border on in which those are refined on.

    Returns:
        Offsets (x, y) from the middle of the maps, float32 [B, K, 2] in their
        pixels; and float32 [B, K].
    """
    peaks = _highest_pixels(heatmaps)
    rows_of_maps = [_rows_of_maps(maps) for maps in (heatmaps, plain_maps)]
    sides = tf.unstack(tf.shape(heatmaps)[2:0:-1])
    offsets_xy = []
    for axis, (place, side) in enumerate(zip(peaks, sides, strict=True)):
        is_rim = (place < rim) | (place >= side - rim)
        # The middle one of the three that the parabola goes through.
        middle = tf.clip_by_value(place, 1, tf.maximum(side - 2, 1))
        logarithms = [
            _logarithms(rows_of_maps, is_rim, middle + step, axis, peaks, sides)
            for step in (-1, 0, 1)
        ]
        vertex = _vertex(*logarithms, tf.where(is_rim, _FAR, 0.5))
        # A Gaussian that is cut within the three is none.
        is_whole = tf.reduce_min(logarithms, axis=0) > -CUT_EXPONENT
        is_found = tf.math.is_finite(vertex) & (is_whole | ~is_rim) & (side > 2)
        offset = tf.cast(tf.where(is_found, middle, place), tf.float32)
        offset -= tf.cast(side - 1, tf.float32) / 2
        offsets_xy.append(offset + tf.where(is_found, vertex, 0.0))
    scores = tf.reduce_max(heatmaps, axis=[1, 2])
    return tf.stack(offsets_xy, axis=-1), scores


def _rows_of_maps(heatmaps: tf.Tensor) -> tf.Tensor:
    """Turns [B, h, w, K] into [B, K, h * w]: one row per map."""
    shape = tf.shape(heatmaps)
    maps = tf.transpose(heatmaps, [0, 3, 1, 2])
    return tf.reshape(maps, [shape[0], shape[3], shape[1] * shape[2]])


def _logarithms(rows_of_maps, is_rim, place, axis, peaks, sides):
    """Logarithms beside the peaks, [B, K]: plain ones near a border."""
    place = tf.clip_by_value(place, 0, sides[axis] - 1)
    x, y = (place, peaks[1]) if axis == 0 else (peaks[0], place)
    at = (y * sides[0] + x)[..., None]
    smoothed, plain = (
        tf.gather(rows, at, axis=-1, batch_dims=2)[..., 0]
        for rows in rows_of_maps
    )
    values = tf.where(is_rim, plain, smoothed)
    return tf.math.log(tf.maximum(values, _SMALLEST))


def _vertex(
    left: tf.Tensor, center: tf.Tensor, right: tf.Tensor, most: tf.Tensor
) -> tf.Tensor:
    """Vertex of the parabola through three neighbors; NaN where it has none.

    Seen from the center, at most so far away.
    """
    # As a sum of two that change places in the mirror image.
    curvature = (center - left) + (center - right)
    offset = tf.math.divide_no_nan(right - left, 2 * curvature)
    offset = tf.clip_by_value(offset, -most, most)
    return tf.where(curvature > 0, offset, np.nan)


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
