"""One record to one sample: a transform of everything, and all targets."""

import functools

import numpy as np

from nppnet_tf import keys
from nppnet_tf.config import InputConfig
from nppnet_tf.data.descriptors import DatasetDescriptor
from nppnet_tf.data.record import Record
from nppnet_tf.data.samples import augmentation
from nppnet_tf.data.samples import boundary
from nppnet_tf.data.samples import heatmap_encoder
from nppnet_tf.data.samples import released_sampling
from nppnet_tf.data.samples.augmentation import Sample
from nppnet_tf.data.samples.augmentation import Transform
from nppnet_tf.pictures import pixels

# How picture, label map and keypoints of a record are read, by the name that
# `InputConfig.sampling` has for it.
SAMPLINGS = {
    "one_warp": augmentation.apply,
    "released": released_sampling.apply,
}


def augmented_sample(
    record: Record,
    transform: Transform,
    descriptor: DatasetDescriptor,
    config: InputConfig,
) -> dict[str, np.ndarray]:
    """Makes one sample with all targets.

    Args:
        record: What to show.
        transform: Applied to picture, label map and keypoints.
        descriptor: Descriptor of the record.
        config: Sizes of input and targets.

    Returns:
        The entries of a batch for one sample, without the batch axis; image,
        label map and boundary map still as uint8, the image not normalized.

    Raises:
        UserError: The picture cannot be decoded, or the label map has another
            size.
    """
    warped = warp(record, transform, descriptor, config)
    return {
        **empty_sample(descriptor, config),
        keys.IMAGE: warped.image,
        **parsing_targets(warped, descriptor, config),
        **pose_targets(warped, config),
    }


def warp(
    record: Record,
    transform: Transform,
    descriptor: DatasetDescriptor,
    config: InputConfig,
) -> Sample:
    """Reads a record through a transform; arguments as `augmented_sample`."""
    apply = SAMPLINGS[config.sampling]
    return apply(record, transform, descriptor, config.image_size)


def parsing_targets(
    warped: Sample, descriptor: DatasetDescriptor, config: InputConfig
) -> dict[str, np.ndarray]:
    """Makes the targets of parsing.

    Args:
        warped: What `warp` made.
        descriptor: Descriptor of the record; its ignore label becomes
            `keys.IGNORE_LABEL`.
        config: Width of the boundary.

    Returns:
        Label map and boundary map, uint8 [H, W], and that they are there; an
        empty dict where the record has no label map.
    """
    if warped.label_map is None:
        return {}
    label_map = warped.label_map
    if descriptor.ignore_label != keys.IGNORE_LABEL:
        ignored = label_map == descriptor.ignore_label
        label_map = np.where(ignored, np.uint8(keys.IGNORE_LABEL), label_map)
    return {
        keys.HAS_LABEL_MAP: np.float32(1),
        keys.LABEL_MAP: label_map,
        keys.BOUNDARY_MAP: boundary.boundary_map(
            label_map, config.boundary_width
        ),
    }


def pose_targets(warped: Sample, config: InputConfig) -> dict[str, np.ndarray]:
    """Makes the targets of the pose.

    Args:
        warped: What `warp` made.
        config: Stride and width of the heatmaps.

    Returns:
        Keypoints, visibility, heatmaps of both widths [h, w, K], and that they
        are there; an empty dict where the record has no pose.
    """
    if warped.keypoints_xy is None:
        return {}
    encode = functools.partial(
        heatmap_encoder.encode,
        warped.keypoints_xy,
        warped.visibility,
        config.image_size,
        config.heatmap_stride,
    )
    return {
        keys.HAS_KEYPOINTS: np.float32(1),
        keys.KEYPOINTS_XY: warped.keypoints_xy,
        keys.VISIBILITY: warped.visibility,
        keys.HEATMAPS: encode(config.sigma),
        keys.AUXILIARY_HEATMAPS: encode(2 * config.sigma),
    }


@functools.lru_cache(maxsize=8)
def empty_sample(
    descriptor: DatasetDescriptor, config: InputConfig
) -> dict[str, np.ndarray]:
    """Makes a sample without anything: what a batch is filled up with.

    Args:
        descriptor: Gives the number of keypoints.
        config: Sizes of input and targets.

    Returns:
        As `augmented_sample`; not to be written into.
    """
    ignored = np.full(config.image_size, keys.IGNORE_LABEL, np.uint8)
    height, width = config.image_size
    stride = config.heatmap_stride
    num_keypoints = descriptor.num_keypoints
    heatmaps = np.zeros(
        (height // stride, width // stride, num_keypoints), np.float32
    )
    return {
        keys.IMAGE: np.full((height, width, 3), pixels.FILL, np.uint8),
        keys.LABEL_MAP: ignored,
        keys.BOUNDARY_MAP: ignored,
        keys.HEATMAPS: heatmaps,
        keys.AUXILIARY_HEATMAPS: heatmaps,
        keys.KEYPOINTS_XY: np.zeros((num_keypoints, 2), np.float32),
        keys.VISIBILITY: np.zeros(num_keypoints, np.int32),
        keys.HAS_LABEL_MAP: np.float32(0),
        keys.HAS_KEYPOINTS: np.float32(0),
    }
