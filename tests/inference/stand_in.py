"""A network of three layers that is called as NPPNet is; pictures for it."""

from collections.abc import Iterator

import keras
import numpy as np
import tensorflow as tf

from nppnet_tf import keys
from nppnet_tf.config import NetworkConfig
from nppnet_tf.data.descriptors import LIP
from nppnet_tf.data.descriptors import DatasetDescriptor

IMAGE_SIZE = (64, 96)


class StandIn(keras.Model):
    """Two stages at a quarter of the input's size, from random weights."""

    def __init__(self, descriptor: DatasetDescriptor = LIP) -> None:
        super().__init__(name="stand_in")
        self.config = NetworkConfig(
            channels=8,
            cells=4,
            num_classes=descriptor.num_classes,
            num_keypoints=descriptor.num_keypoints,
        )
        self.genotype = None
        initializer = keras.initializers.RandomNormal(stddev=0.2, seed=3)

        def convolution(filters: int, kernel_size: int, strides: int):
            return keras.layers.Conv2D(
                filters,
                kernel_size,
                strides,
                padding="same",
                kernel_initializer=initializer,
            )

        self.stem = convolution(8, 5, 4)
        self.normalization = keras.layers.BatchNormalization()
        self.head = convolution(
            descriptor.num_classes + descriptor.num_keypoints, 3, 1
        )
        self.stem.build((None, None, None, 3))
        self.normalization.build((None, None, None, 8))
        self.head.build((None, None, None, 8))
        self.built = True

    def call(self, inputs, training=None):
        features = self.normalization(self.stem(inputs), training=training)
        outputs = self.head(tf.nn.relu(features))
        logits = outputs[..., : self.config.num_classes]
        heatmaps = tf.sigmoid(outputs[..., self.config.num_classes :])
        boundary = logits[..., :2]
        return {
            keys.HEATMAPS: (-heatmaps, heatmaps),
            keys.AUXILIARY_HEATMAPS: (heatmaps, heatmaps),
            keys.PARSING_LOGITS: (-logits, logits),
            keys.BOUNDARY_LOGITS: (boundary, boundary),
        }


def picture(height: int, width: int, seed: int = 0) -> np.ndarray:
    """Smooth random colors, uint8 [height, width, 3]."""
    rng = np.random.default_rng(seed)
    coarse = rng.uniform(0, 255, (5, 5, 3)).astype(np.float32)
    smooth = tf.image.resize(coarse, (height, width), "bicubic").numpy()
    return smooth.clip(0, 255).astype(np.uint8)


def sizes(
    random: np.random.Generator, count: int, largest: int
) -> Iterator[tuple[int, int]]:
    """Small and large (height, width), odd and even."""
    for _ in range(count):
        limit = random.choice([9, 70, largest])
        yield tuple(random.integers(1, limit, 2).tolist())


def mirrored_xy(keypoints_xy, size, axis):
    """Places in the mirror image of a picture of (height, width)."""
    result = np.array(keypoints_xy)
    place = 1 - axis
    result[..., place] = size[axis] - 1 - result[..., place]
    return result
