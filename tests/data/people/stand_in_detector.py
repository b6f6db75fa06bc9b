"""A detector that speaks as the Model Garden's and finds colored frames.

In every picture it "finds", in this order: a person where there is pure red,
certain as the picture's blue channel says (its maximum / 255); another class
in the whole picture; a person where there is pure green, of score 0.4; and, not
meant, beyond `num_detections`, a person of score 1.
"""

import atexit
import functools
import os
import pathlib
import shutil
import tempfile
from collections.abc import Callable

import numpy as np
import tensorflow as tf

NETWORK_SIDE = 96.0
OFFSET = (3.0, 5.0)
GREEN_SCORE = 0.4
NUM_MEANT = 3

# Of the red person, of the other class, of the green person, of nobody.
BOX_MASKS = np.random.default_rng(7).uniform(0.2, 1, (4, 6, 5))

RED, GREEN, BLUE = range(3)


class StandInDetector(tf.Module):
    """See above.

    Args:
        kind: "image_tensor", "image_bytes" or "tf_example".
        batch_size: Pictures of a call, None for any.
        boxes: "network" (with `image_info`), "picture" or "normalized".
        masks: "box", "picture" or None.
        without: Outputs to leave out.
    """

    def __init__(
        self,
        kind: str = "image_tensor",
        batch_size: int | None = None,
        boxes: str = "network",
        masks: str | None = "box",
        without: tuple[str, ...] = (),
    ) -> None:
        super().__init__()
        self._kind = kind
        self._boxes = boxes
        self._masks = masks
        self._without = without
        if kind == "image_tensor":
            spec = tf.TensorSpec((batch_size, None, None, 3), tf.uint8)
        else:
            spec = tf.TensorSpec((batch_size,), tf.string)
        self.signature = tf.function(self._serve).get_concrete_function(spec)

    def save(self, folder: str | os.PathLike[str]) -> pathlib.Path:
        """Writes the SavedModel where `export_saved_model` does."""
        path = pathlib.Path(folder) / "saved_model"
        tf.saved_model.save(
            self,
            os.fspath(path),
            {"serving_default": self.signature},
            tf.saved_model.SaveOptions(experimental_custom_gradients=False),
        )
        return pathlib.Path(folder)

    def _serve(self, inputs: tf.Tensor) -> dict[str, tf.Tensor]:
        images = inputs
        if self._kind != "image_tensor":
            images = tf.map_fn(
                self._decode, inputs, fn_output_signature=tf.uint8
            )
        # The size of all; no graph needs to look at every picture for it.
        size = tf.cast(tf.shape(images)[1:3], tf.float32)
        scale = tf.tile(NETWORK_SIDE / tf.reduce_max(size)[None], [2])
        outputs = tf.map_fn(
            lambda image: self._detect(_same(image), size, scale),
            images,
            fn_output_signature=self._specs(),
        )
        for name in self._without:
            del outputs[name]
        return outputs

    def _specs(self) -> dict[str, tf.TensorSpec]:
        specs = {
            "detection_boxes": tf.TensorSpec((4, 4)),
            "detection_classes": tf.TensorSpec((4,), tf.int32),
            "detection_scores": tf.TensorSpec((4,)),
            "num_detections": tf.TensorSpec((), tf.int32),
        }
        if self._boxes == "network":
            specs["image_info"] = tf.TensorSpec((4, 2))
        if self._masks == "box":
            specs["detection_masks"] = tf.TensorSpec(BOX_MASKS.shape)
        elif self._masks == "picture":
            specs["detection_masks"] = tf.TensorSpec((4, None, None))
        return specs

    def _decode(self, encoded: tf.Tensor) -> tf.Tensor:
        if self._kind == "tf_example":
            feature = tf.io.FixedLenFeature((), tf.string)
            parsed = tf.io.parse_single_example(
                encoded, {"image/encoded": feature}
            )
            encoded = parsed["image/encoded"]
        image = tf.io.decode_image(encoded, channels=3, expand_animations=False)
        image.set_shape((None, None, 3))
        return image

    def _detect(
        self, image: tf.Tensor, size: tf.Tensor, scale: tf.Tensor
    ) -> dict[str, tf.Tensor]:
        whole = tf.concat([[0.0, 0.0], size], 0)
        boxes = tf.stack(
            [_box_of(image, RED), whole, _box_of(image, GREEN), whole]
        )
        if self._boxes == "network":
            boxes = boxes * tf.tile(scale, [2]) - tf.tile(OFFSET, [2])
        elif self._boxes == "normalized":
            boxes /= tf.tile(size, [2])
        blue = tf.cast(tf.reduce_max(image[..., BLUE]), tf.float32) / 255
        outputs = {
            "detection_boxes": boxes,
            "detection_classes": tf.constant([1, 18, 1, 1]),
            "detection_scores": tf.stack([blue, 0.9, GREEN_SCORE, 1.0]),
            "num_detections": tf.constant(NUM_MEANT),
        }
        if self._boxes == "network":
            outputs["image_info"] = tf.stack([size, size, scale, OFFSET])
        if self._masks == "box":
            outputs["detection_masks"] = tf.constant(BOX_MASKS, tf.float32)
        elif self._masks == "picture":
            outputs["detection_masks"] = tf.cast(
                [_is_full(image, color) for color in (0, 1, 1, 0)], tf.float32
            )
        return outputs


@functools.cache
def exported(**options: object) -> pathlib.Path:
    """Returns the folder of a SavedModel, exported once for all tests."""
    folder = tempfile.mkdtemp()
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return StandInDetector(**options).save(folder)


def picture(
    size: tuple[int, int],
    red: tuple[int, int, int, int],
    green: tuple[int, int, int, int] | None = None,
    score: float = 0.8,
) -> np.ndarray:
    """Draws what the detector will find, uint8 [height, width, 3].

    Args:
        size: (height, width).
        red: Box of a person, left, top, right, bottom.
        green: Box of another person, or None.
        score: Score of the red person.
    """
    image = np.random.default_rng(1).integers(1, 50, (*size, 3), np.uint8)
    image[..., BLUE] = np.minimum(image[..., BLUE], round(score * 255))
    for box, color in ((green, GREEN), (red, RED)):
        if box is not None:
            left, top, right, bottom = box
            image[top:bottom, left:right] = 0
            image[top:bottom, left:right, color] = 255
    # In a corner: it must not look like red or green.
    image[-1, -1] = (0, 0, round(score * 255))
    return image


@tf.custom_gradient
def _same(image: tf.Tensor) -> tuple[tf.Tensor, Callable[..., tf.Tensor]]:
    """Has a gradient that is not exported, as operations of Mask R-CNN have."""
    return tf.identity(image), tf.identity


def _is_full(image: tf.Tensor, color: int) -> tf.Tensor:
    return image[..., color] == 255


def _box_of(image: tf.Tensor, color: int) -> tf.Tensor:
    """Top, left, bottom, right of a color; an empty box where it is not."""
    places = tf.cast(tf.where(_is_full(image, color)), tf.float32)
    places = tf.concat([places, tf.fill([1, 2], -1.0)], 0)
    first = tf.where(places < 0, tf.float32.max, places)
    start, last = tf.reduce_min(first, 0), tf.reduce_max(places, 0)
    start = tf.minimum(start, last + 1)
    return tf.concat([start, last + 1], 0)
