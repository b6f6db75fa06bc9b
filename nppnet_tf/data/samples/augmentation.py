"""Draws one transform (Sec. 4.2) and applies it to everything of a record."""

import dataclasses

import numpy as np
from PIL import Image

from nppnet_tf.config import InputConfig
from nppnet_tf.data.descriptors import DatasetDescriptor
from nppnet_tf.data.record import ABSENT
from nppnet_tf.data.record import Record
from nppnet_tf.data.samples import geometry
from nppnet_tf.pictures import picture_files


@dataclasses.dataclass(frozen=True)
class Transform:
    """One drawn transform; the default is the letterbox of validation.

    Attributes:
        scale: Relative to the fit of the picture into the input.
        rotation_degrees: About the center of the picture.
        shift: Shift of the center, (x, y) as shares of the input's width and
            height.
        is_mirrored: Whether left and right change places.
    """

    scale: float = 1.0
    rotation_degrees: float = 0.0
    shift: tuple[float, float] = (0.0, 0.0)
    is_mirrored: bool = False

    def matrix(
        self, source_size: tuple[int, int], target_size: tuple[int, int]
    ) -> np.ndarray:
        """Returns the affine matrix [3, 3] for a picture of this size."""
        height, width = target_size
        return geometry.affine_matrix(
            source_size,
            target_size,
            self.scale,
            self.rotation_degrees,
            (self.shift[0] * width, self.shift[1] * height),
            self.is_mirrored,
        )


@dataclasses.dataclass(frozen=True)
class Sample:
    """A record in the network's input.

    Attributes:
        image: Uint8 [H, W, 3].
        label_map: Uint8 [H, W], or None as in the record.
        keypoints_xy: Float32 [K, 2], input pixels, or None as in the record;
            a keypoint may lie outside of the input.
        visibility: Int32 [K], or None.
    """

    image: np.ndarray
    label_map: np.ndarray | None
    keypoints_xy: np.ndarray | None
    visibility: np.ndarray | None


def draw(config: InputConfig, generator: np.random.Generator) -> Transform:
    """Draws a transform: scale, rotation, shift in x and y, mirroring."""
    jitter = config.centre_jitter
    rotation = config.rotation_degrees
    return Transform(
        scale=generator.uniform(*config.scale_range),
        rotation_degrees=generator.uniform(-rotation, rotation),
        shift=(
            generator.uniform(-jitter, jitter),
            generator.uniform(-jitter, jitter),
        ),
        is_mirrored=bool(generator.random() < config.flip_probability),
    )


def apply(
    record: Record,
    transform: Transform,
    descriptor: DatasetDescriptor,
    image_size: tuple[int, int],
) -> Sample:
    """Moves picture, label map and keypoints by one and the same matrix.

    Args:
        record: Record whose picture is decoded here.
        transform: What to do.
        descriptor: Knows who is whose mirror partner.
        image_size: (height, width) of the network's input.

    Raises:
        UserError: The picture cannot be decoded, or the label map has another
            size.
    """
    picture = picture_files.decode_plain(record.image_bytes)
    source_size = (picture.height, picture.width)
    matrix = transform.matrix(source_size, image_size)
    image = geometry.warp_image(picture, matrix, image_size)
    label_map = record.label_map
    if label_map is not None:
        picture_files.require_same_size(label_map, source_size)
        label_map = geometry.warp_label_map(
            label_map, matrix, image_size, descriptor.ignore_label
        )
        if transform.is_mirrored:
            label_map = mirror_labels(label_map, descriptor)
    keypoints_xy, visibility = move_keypoints(
        record, matrix, transform.is_mirrored, descriptor
    )
    return Sample(image, label_map, keypoints_xy, visibility)


def mirror_labels(
    label_map: np.ndarray, descriptor: DatasetDescriptor
) -> np.ndarray:
    """Swaps the labels of left and right parts; moves no pixel."""
    table = np.arange(256, dtype=np.uint8)
    table[: descriptor.num_classes] = descriptor.mirrored_classes
    return np.asarray(Image.fromarray(label_map).point(table.tolist()))


def move_keypoints(
    record: Record,
    matrix: np.ndarray,
    is_mirrored: bool,
    descriptor: DatasetDescriptor,
) -> tuple[np.ndarray | None, np.ndarray | None]:
    """Maps a record's keypoints; mirrored, partners change their names.

    Args:
        record: May lack a pose.
        matrix: Float [3, 3], picture to input, mirroring within it.
        is_mirrored: Whether it mirrors.
        descriptor: Knows who is whose mirror partner.

    Returns:
        `keypoints_xy` and `visibility` of a `Sample`.
    """
    if record.keypoints_xy is None or record.visibility is None:
        return None, None
    points_xy = geometry.transform_points(matrix, record.keypoints_xy)
    visibility = record.visibility
    if is_mirrored:
        partners = list(descriptor.mirrored_keypoints)
        points_xy, visibility = points_xy[partners], visibility[partners]
    # The place of nobody is (0, 0) in every picture.
    points_xy = np.where(visibility[:, None] == ABSENT, 0.0, points_xy)
    return points_xy.astype(np.float32), visibility.astype(np.int32)
