"""Moves a record into the input by the steps of the authors' loader.

Ours takes one warp for all (`augmentation.apply`). The release takes four
steps, each with a rounding of its own: it scales by cubics, turns by cubics on
a larger canvas, cuts at whole pixels, mirrors. Here they are again, for whoever
wants to train on the very samples of the authors: to one gray level, where
OpenCV is installed (`pip install nppnet_tf[released]`).
"""

import math
from typing import Any
from typing import NamedTuple

import numpy as np

from nppnet_tf.data.descriptors import DatasetDescriptor
from nppnet_tf.data.record import Record
from nppnet_tf.data.samples import augmentation
from nppnet_tf.data.samples import geometry
from nppnet_tf.data.samples.augmentation import Sample
from nppnet_tf.data.samples.augmentation import Transform
from nppnet_tf.errors import UserError
from nppnet_tf.pictures import picture_files
from nppnet_tf.pictures import pixels


class _Layers(NamedTuple):
    """Picture and label map at one step, and the way there from the record."""

    image: np.ndarray
    label_map: np.ndarray | None
    matrix: np.ndarray

    @property
    def size(self) -> tuple[int, int]:
        return self.image.shape[:2]


def apply(
    record: Record,
    transform: Transform,
    descriptor: DatasetDescriptor,
    image_size: tuple[int, int],
) -> Sample:
    """Moves picture, label map and keypoints as the release does.

    Takes the place of `augmentation.apply`. What differs: cubic resampling
    twice; a shift of whole pixels, cut toward zero; the last row and the last
    column of the turned picture are never copied.

    Args:
        record: Record whose picture is decoded here.
        transform: What to do.
        descriptor: Knows who is whose mirror partner.
        image_size: (height, width) of the network's input.

    Raises:
        UserError: OpenCV is not installed, the picture cannot be decoded, or
            the label map has another size.
    """
    cv2 = require_opencv()
    image = np.asarray(picture_files.decode_plain(record.image_bytes))
    if record.label_map is not None:
        picture_files.require_same_size(record.label_map, image.shape[:2])
    layers = _Layers(image, record.label_map, np.eye(3))
    # The center of the person is that of the picture, in the corner
    # coordinates of the release.
    center = np.array([image.shape[1] / 2, image.shape[0] / 2])
    factor = transform.scale * geometry.fit_scale(layers.size, image_size)
    layers = _scale(cv2, layers, factor)
    if transform.rotation_degrees:
        layers = _turn(
            cv2, layers, transform.rotation_degrees, descriptor.ignore_label
        )
    center = geometry.transform_points(layers.matrix, center)
    jitter = [
        int(-share * size)
        for share, size in zip(transform.shift, image_size[::-1], strict=True)
    ]
    layers = _crop(layers, center + jitter, image_size, descriptor.ignore_label)
    if transform.is_mirrored:
        layers = _mirror(layers, descriptor)
    return Sample(
        layers.image,
        layers.label_map,
        *augmentation.move_keypoints(
            record, layers.matrix, transform.is_mirrored, descriptor
        ),
    )


def require_opencv() -> Any:
    """Returns the module of OpenCV; UserError where it is not installed."""
    try:
        import cv2
    except ImportError as error:
        raise UserError(
            "the authors' sampling needs OpenCV",
            "`sampling`=released",
            "pip install nppnet_tf[released]",
            error,
        ) from error
    return cv2


def _scale(cv2: Any, layers: _Layers, factor: float) -> _Layers:
    # A side that rounds to nothing is refused: of a strip one pixel stays.
    size = None
    if min(layers.size) * factor <= 0.5:
        size = [max(1, round(side * factor)) for side in layers.size[::-1]]

    def resize(array: np.ndarray, interpolation: int) -> np.ndarray:
        return cv2.resize(
            array, size, fx=factor, fy=factor, interpolation=interpolation
        )

    return _Layers(
        resize(layers.image, cv2.INTER_CUBIC),
        layers.label_map
        if layers.label_map is None
        else resize(layers.label_map, cv2.INTER_NEAREST),
        np.diag([factor, factor, 1.0]) @ layers.matrix,
    )


def _turn(
    cv2: Any, layers: _Layers, degrees: float, ignore_label: int
) -> _Layers:
    """Turns about the center, onto a canvas that holds the whole picture."""
    height, width = layers.size
    angle = math.radians(degrees)
    sine, cosine = abs(math.sin(angle)), abs(math.cos(angle))
    canvas = sine * height + cosine * width, cosine * height + sine * width
    matrix = cv2.getRotationMatrix2D((width / 2, height / 2), degrees, 1.0)
    matrix[:, 2] += (canvas[0] - width) / 2, (canvas[1] - height) / 2

    def warp(array: np.ndarray, interpolation: int, fill: int) -> np.ndarray:
        return cv2.warpAffine(
            array,
            matrix,
            (int(canvas[0]), int(canvas[1])),
            flags=interpolation,
            borderMode=cv2.BORDER_CONSTANT,
            borderValue=(fill,) * 3,
        )

    return _Layers(
        warp(layers.image, cv2.INTER_CUBIC, pixels.FILL),
        layers.label_map
        if layers.label_map is None
        else warp(layers.label_map, cv2.INTER_NEAREST, ignore_label),
        np.vstack([matrix, [0.0, 0.0, 1.0]]) @ layers.matrix,
    )


def _crop(
    layers: _Layers,
    center: np.ndarray,
    image_size: tuple[int, int],
    ignore_label: int,
) -> _Layers:
    """Cuts the input's size around a point and fills what is missing."""
    half = np.array(image_size[::-1]) / 2
    last = np.array(layers.size[::-1]) - 1
    start, end = (center - half).astype(int), (center + half).astype(int)
    x, y = np.clip(start, 0, last)
    right, lower = np.clip(end, 0, last)
    to_x, to_y = (x, y) - start
    matrix = np.eye(3)
    matrix[:2, 2] = to_x - x, to_y - y

    def paste(array: np.ndarray, fill: int) -> np.ndarray:
        canvas = np.full((*image_size, *array.shape[2:]), fill, np.uint8)
        canvas[to_y : to_y + lower - y, to_x : to_x + right - x] = array[
            y:lower, x:right
        ]
        return canvas

    return _Layers(
        paste(layers.image, pixels.FILL),
        layers.label_map
        if layers.label_map is None
        else paste(layers.label_map, ignore_label),
        matrix @ layers.matrix,
    )


def _mirror(layers: _Layers, descriptor: DatasetDescriptor) -> _Layers:
    matrix = np.diag([-1.0, 1.0, 1.0])
    matrix[0, 2] = layers.size[1] - 1
    return _Layers(
        np.ascontiguousarray(layers.image[:, ::-1]),
        layers.label_map
        if layers.label_map is None
        else augmentation.mirror_labels(
            np.ascontiguousarray(layers.label_map[:, ::-1]), descriptor
        ),
        matrix @ layers.matrix,
    )
