"""Walks a branch by itself, and says how large its pyramid has to be."""

import keras
import tensorflow as tf
from absl.testing import absltest

from nppnet_tf.search_space import topology


def pyramid_of(
    branch: keras.layers.Layer, images: tf.Tensor, training: bool | None = None
) -> list[tf.Tensor]:
    """Returns the features of every level, nothing exchanged in between.

    Args:
        branch: A built branch whose cells need no mixtures.
        images: Float tensor [batch, height, width, 3].
        training: Whether normalizations take the statistics of the batch.
    """
    states = branch.stem(images, training=training)
    features = []
    for level in range(topology.NUM_ENCODER_LEVELS):
        states = branch.encode(level, states, None, training)
        features.append(states[1])
    for level in range(topology.NUM_ENCODER_LEVELS, topology.NUM_LEVELS):
        skip = features[topology.NUM_LEVELS - 1 - level]
        features.append(
            branch.decode(level, features[-1], skip, None, training)
        )
    return features


def assert_equation_3(
    test: absltest.TestCase, branch: keras.layers.Layer, channels: int
) -> None:
    """Holds strides and widths of a branch against Eq. 3.

    Args:
        test: Whose claim it is.
        branch: A branch of C = `channels`, not built yet.
        channels: C.
    """
    branch.build((None, None, None, 3))

    pyramid = pyramid_of(branch, tf.ones([1, 64, 32, 3]))

    # Below the stem, which has stride 4.
    for stride, feature in zip([1, 2, 4, 8, 4, 2, 1], pyramid, strict=True):
        test.assertEqual(
            feature.shape, (1, 16 // stride, 8 // stride, channels * stride)
        )
