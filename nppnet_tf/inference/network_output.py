"""What the network says, read at a picture's own pixels.

The network answers at a quarter of its input's size, about the middle of which
the picture lies (`network_input`).
"""

from collections.abc import Callable

import tensorflow as tf

from nppnet_tf import resampling
from nppnet_tf.config import OUTPUT_STRIDE
from nppnet_tf.data.samples import heatmap_codec
from nppnet_tf.inference import network_input
from nppnet_tf.inference.network_input import Size

# Class scores that are held at once: 20 MB of each of the few tensors that a
# band needs.
_BAND_SCORES = 5 << 20

# Standard deviation of the filter that heatmaps pass before their peak is
# sought, relative to the longer side of the input: the release's 3 of 384.
_SMOOTHING = 3 / 384


def label_map_at(
    parsing_logits: tf.Tensor, image_size: tf.Tensor, input_size: Size
) -> tf.Tensor:
    """Returns the most likely class of every pixel of a picture.

    Logits are brought to the input's size (bilinear, corners aligned, as in
    the loss), then read at the picture's own pixels; the class is chosen last,
    so that outlines are as sharp as the picture. Works in bands of rows: the
    scores of a large picture would fill gigabytes.

    Args:
        parsing_logits: Float32 [H / 4, W / 4, classes].
        image_size: Int32 (h, w), at least 1.
        input_size: (H, W).

    Returns:
        Uint8 [h, w].
    """
    return _read_in_bands(
        parsing_logits,
        image_size,
        input_size,
        lambda scores: tf.cast(tf.argmax(scores, -1, tf.int32), tf.uint8),
        tf.uint8,
    )


def confidence_at(
    parsing_logits: tf.Tensor, image_size: tf.Tensor, input_size: Size
) -> tf.Tensor:
    """Returns the probability of the class that `label_map_at` chooses.

    Args:
        parsing_logits: Float32 [H / 4, W / 4, classes].
        image_size: Int32 (h, w), at least 1.
        input_size: (H, W).

    Returns:
        Float32 [h, w], 0 to 1.
    """
    return _read_in_bands(
        parsing_logits,
        image_size,
        input_size,
        lambda scores: tf.reduce_max(tf.nn.softmax(scores), -1),
        tf.float32,
    )


def keypoints_of(
    heatmaps: tf.Tensor, image_sizes: tf.Tensor, input_size: Size
) -> tuple[tf.Tensor, tf.Tensor]:
    """Returns the peaks of heatmaps, in pixels of the pictures.

    Args:
        heatmaps: Float32 [B, H / 4, W / 4, K].
        image_sizes: Int32 [B, 2], (height, width); (0, 0) of a picture that
            could not be read.
        input_size: (H, W).

    Returns:
        Float32 [B, K, 2] and the scores [B, K], both zeros for what could not
        be read.
    """
    smoothing = _SMOOTHING * max(input_size)
    input_xy, _ = heatmap_codec.decode_heatmaps(
        heatmaps, OUTPUT_STRIDE, smoothing
    )
    # Of the maps as they are: smoothing lowers every peak.
    scores = tf.reduce_max(heatmaps, axis=[1, 2])
    keypoints_xy = tf.map_fn(
        lambda values: keypoints_at(
            values[0], tf.maximum(values[1], 1), input_size
        ),
        (input_xy, image_sizes),
        fn_output_signature=tf.TensorSpec([None, 2], tf.float32),
    )
    was_read = tf.reduce_all(image_sizes > 0, axis=1)
    return (
        tf.where(was_read[:, tf.newaxis, tf.newaxis], keypoints_xy, 0.0),
        tf.where(was_read[:, tf.newaxis], scores, 0.0),
    )


def keypoints_at(
    keypoints_xy: tf.Tensor, image_size: tf.Tensor, input_size: Size
) -> tf.Tensor:
    """Takes keypoints from input pixels to pixels of the picture.

    Args:
        keypoints_xy: Float32 [..., K, 2], input pixels.
        image_size: Int32 (h, w) of the picture, at least 1.
        input_size: (H, W).

    Returns:
        Float32 [..., K, 2]; what lies in the gray around the picture is moved
        to its border.
    """
    scale = network_input.letterbox_scale(image_size, input_size)
    last_xy = tf.cast(image_size[::-1] - 1, tf.float32)
    last_input_xy = tf.constant([input_size[1] - 1, input_size[0] - 1.0])
    offsets_xy = (keypoints_xy - last_input_xy / 2) / scale
    xy = heatmap_codec.beside(last_xy / 2, offsets_xy)
    return tf.clip_by_value(xy, 0.0, last_xy)


def _read_in_bands(
    parsing_logits: tf.Tensor,
    image_size: tf.Tensor,
    input_size: Size,
    read: Callable[[tf.Tensor], tf.Tensor],
    dtype: tf.DType,
) -> tf.Tensor:
    """Makes one number of the class scores of every pixel of a picture."""
    logits = resampling.resize_aligned_corners(parsing_logits, *input_size)
    logits = resampling.with_middles(logits)
    scale = network_input.letterbox_scale(image_size, input_size)
    height, width = image_size[0], image_size[1]
    rows, columns = (
        resampling.places(
            _input_positions(image_size[axis], input_size[axis], scale),
            input_size[axis],
            has_middle=True,
        )
        for axis in (0, 1)
    )
    # Rows are read first, and are as wide as the input then.
    row_scores = tf.maximum(width, input_size[1]) * tf.shape(logits)[-1]
    band_rows = tf.clip_by_value(_BAND_SCORES // row_scores, 1, height)

    def band(start: tf.Tensor) -> tf.Tensor:
        numbers = tf.minimum(start + tf.range(band_rows), height - 1)
        return read(resampling.sample(logits, rows.at(numbers), columns))

    bands = tf.map_fn(
        band,
        tf.range(0, height, band_rows),
        fn_output_signature=tf.TensorSpec([None, None], dtype),
        parallel_iterations=1,
    )
    return tf.reshape(bands, [-1, width])[:height]


def _input_positions(
    side: tf.Tensor, input_side: int, scale: tf.Tensor
) -> tf.Tensor:
    """Where the pixels of the picture lie in the input, along one axis."""
    offsets = tf.cast(tf.range(side), tf.float32)
    offsets -= tf.cast(side - 1, tf.float32) / 2
    return offsets * scale + (input_side - 1) / 2
