"""Flip and multi-scale averaging (Sec. 4.2), in the graph.

Every scale sees the network's input resized by that factor, and, where asked
for, its mirror image too. What the network answers is mirrored back, brought
to the size of the plain answer and averaged.

A network takes sides of multiples of 32. The paper's input, 384 x 384, has them
at all of its scales; others are rounded to them. Where that would be far from
the factor, at small inputs, gray is laid about the resized input instead.
"""

import functools
from collections.abc import Callable
from collections.abc import Mapping
from collections.abc import Sequence

import tensorflow as tf

from nppnet_tf import keys
from nppnet_tf import resampling
from nppnet_tf.config import OUTPUT_STRIDE
from nppnet_tf.config import SIDE_MULTIPLE
from nppnet_tf.data.descriptors import DatasetDescriptor
from nppnet_tf.errors import UserError
from nppnet_tf.pictures import pixels

Prediction = Mapping[str, tf.Tensor]
Size = tuple[int, int]

# By which share a side may miss its factor: rounding to multiples of 32 stays
# within it from 229 pixels on.
_MOST_ROUNDING = 0.07


class AveragedNetwork(tf.Module):
    """Averages a network over mirrored and resized inputs.

    Args:
        network: A function from float32 [B, H, W, 3] to the heatmaps and the
            parsing logits of one stage, as `form.answering` makes.
        descriptor: Whose mirror partners are swapped in mirrored answers.
        flip: Whether every input is seen mirrored too.
        scales: Factors on the sides of the input.

    Call arguments:
        image: Float32 [B, H, W, 3] with static H and W, normalized.

    Returns:
        Dict of float32 heatmaps [B, H/4, W/4, K] and parsing logits
        [B, H/4, W/4, classes], means over all inputs seen.

    Raises:
        UserError: If there is no scale or one is not positive.
    """

    def __init__(
        self,
        network: Callable[[tf.Tensor], Prediction],
        descriptor: DatasetDescriptor,
        flip: bool = False,
        scales: Sequence[float] = (1.0,),
    ) -> None:
        super().__init__()
        if not scales or min(scales) <= 0:
            raise UserError(
                "wrong scales", "`scales`", "positive factors", list(scales)
            )
        self.flip = flip
        self.scales = tuple(float(scale) for scale in scales)
        self._network = network
        self._mirrored_channels = {
            keys.HEATMAPS: tuple(descriptor.mirrored_keypoints),
            keys.PARSING_LOGITS: tuple(descriptor.mirrored_classes),
        }

    def __call__(self, image: tf.Tensor) -> dict[str, tf.Tensor]:
        """Returns the averaged prediction; see the class."""
        size = (image.shape[1], image.shape[2])
        answers = []
        for scale in self.scales:
            scaled_size, whole_size = _scaled_size(size, scale)
            scaled = image
            if scaled_size != size:
                scaled = resampling.resize_aligned_corners(image, *scaled_size)
                scaled = tf.ensure_shape(scaled, [None, *scaled_size, 3])
            if whole_size != scaled_size:
                scaled = _with_gray(scaled, whole_size)
            answer = self._flip_average(scaled)
            answers.append(_restore_size(answer, scaled_size, whole_size, size))
        return {
            name: functools.reduce(tf.add, [answer[name] for answer in answers])
            / len(answers)
            for name in self._mirrored_channels
        }

    def mirror(self, prediction: Prediction) -> dict[str, tf.Tensor]:
        """Returns the prediction for the mirrored picture.

        Maps are mirrored left to right and the channels of mirror partners
        change places, so that doing it twice changes nothing.
        """
        return {
            name: tf.gather(
                tf.reverse(prediction[name], axis=[2]), channels, axis=3
            )
            for name, channels in self._mirrored_channels.items()
        }

    def _flip_average(self, image: tf.Tensor) -> dict[str, tf.Tensor]:
        plain = self._network(image)
        if not self.flip:
            return {name: plain[name] for name in self._mirrored_channels}
        mirrored = self.mirror(self._network(tf.reverse(image, axis=[2])))
        return {
            name: (plain[name] + mirrored[name]) / 2
            for name in self._mirrored_channels
        }


def _scaled_size(size: Size, scale: float) -> tuple[Size, Size]:
    """Returns the size of the resized input, and that with gray about it.

    Args:
        size: (height, width) of the input, multiples of 32.
        scale: Factor on both.
    """
    if scale == 1.0:
        return size, size
    rounded = tuple(
        max(SIDE_MULTIPLE, round(side * scale / SIDE_MULTIPLE) * SIDE_MULTIPLE)
        for side in size
    )
    if all(
        abs(found / (side * scale) - 1) <= _MOST_ROUNDING
        for found, side in zip(rounded, size, strict=True)
    ):
        return rounded, rounded
    # Even, so that there is as much gray on either side.
    scaled = tuple(max(2, round(side * scale / 2) * 2) for side in size)
    return scaled, tuple(
        -(-side // SIDE_MULTIPLE) * SIDE_MULTIPLE for side in scaled
    )


def _with_gray(images: tf.Tensor, size: Size) -> tf.Tensor:
    """Lays gray about normalized pictures [B, h, w, 3], as a letterbox does."""
    gray = pixels.FILL * pixels.GAIN - pixels.OFFSET
    borders = [
        [(whole - side) // 2] * 2
        for whole, side in zip(size, images.shape[1:3], strict=True)
    ]
    return tf.pad(images - gray, [[0, 0], *borders, [0, 0]]) + gray


def _restore_size(
    answer: Prediction, scaled_size: Size, whole_size: Size, size: Size
) -> dict[str, tf.Tensor]:
    """Brings the answer for a resized input to the size of the plain one.

    Args:
        answer: Answer of the network.
        scaled_size: Size of the resized input.
        whole_size: Size of it with the gray about it.
        size: Size of the plain input.
    """
    if whole_size == scaled_size == size:
        return dict(answer)
    sides = list(zip(size, scaled_size, whole_size, strict=True))
    cells = [whole // OUTPUT_STRIDE for whole in whole_size]
    positions = {
        keys.PARSING_LOGITS: [_logit_positions(*each) for each in sides],
        keys.HEATMAPS: [_heatmap_positions(*each) for each in sides],
    }
    return {
        name: resampling.sample(
            answer[name],
            *(
                resampling.places(places, count)
                for places, count in zip(of_axes, cells, strict=True)
            ),
        )
        for name, of_axes in positions.items()
    }


def _logit_positions(side: int, scaled: int, whole: int) -> tf.Tensor:
    """Where the logits of a resized input show the same places.

    Logits meet their input at its corners, which may be gray.
    """
    cells, count = side // OUTPUT_STRIDE, whole // OUTPUT_STRIDE
    if whole == scaled:
        return resampling.aligned_corners(cells, count)
    inner = (count - 1) * ((scaled - 1) / (whole - 1))
    places = tf.range(cells, dtype=tf.float32) * (inner / (cells - 1))
    return places + ((count - 1) - inner) / 2


def _heatmap_positions(side: int, scaled: int, whole: int) -> tf.Tensor:
    """Where the heatmap of a resized input shows the same places.

    A heatmap pixel g stands at input pixel 4 g + 1.5, so heatmaps do not meet
    at their corners when their inputs do.
    """
    offset = (OUTPUT_STRIDE - 1) / 2
    cells = tf.range(side // OUTPUT_STRIDE, dtype=tf.float32)
    input_pixels = cells * OUTPUT_STRIDE + offset
    scaled_pixels = input_pixels * ((scaled - 1) / (side - 1))
    if whole != scaled:
        scaled_pixels += (whole - scaled) // 2
    return (scaled_pixels - offset) / OUTPUT_STRIDE
