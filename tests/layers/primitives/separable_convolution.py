"""A user's own operation: DARTS' separable convolution, half of it.

Rectification, depthwise 3x3, pointwise 1x1, normalization. All that an
operation takes stands here; nothing of the package is edited.
"""

import keras
import tensorflow as tf

from nppnet_tf.layers.normalization import BatchNormalization
from nppnet_tf.layers.primitives import table
from nppnet_tf.layers.primitives.operation import Operation
from nppnet_tf.layers.primitives.operation import WideOperation
from nppnet_tf.search_space.primitives import Primitive

NAME = "sep_conv_3x3"


@keras.saving.register_keras_serializable(package="users_own")
class SeparableConvolution(Operation):
    """The layer of a derived network."""

    def build(self, input_shape) -> None:
        channels = self.channels
        self.depthwise = self.add_weight(
            shape=(3, 3, channels, 1), name="depthwise"
        )
        self.pointwise = self.add_weight(
            shape=(1, 1, channels, channels), name="pointwise"
        )
        self.normalization = BatchNormalization(name="normalization")
        self.normalization.build(input_shape)
        self.built = True

    def call(self, inputs, training=None):
        outputs = separable(
            tf.nn.relu(inputs), self.depthwise, self.pointwise, self.stride
        )
        return self.normalization(outputs, training=training)


class WideSeparableConvolution(WideOperation):
    """The same for every target of a supernet's fan-out."""

    def build(self) -> None:
        count, width = self.num_targets, self.width
        self.depthwise = self._weight(
            "separable_depthwise", (count, 3, 3, width, 1), 9, 9
        )
        self.pointwise = self._weight(
            "separable_pointwise", (count, 1, 1, width, width), width, width
        )

    def features(self, inputs, rectified):
        outputs = [
            separable(
                rectified,
                self.depthwise[target],
                self.pointwise[target],
                self.stride,
            )
            for target in range(self.num_targets)
        ]
        return [outputs]

    def give(self, name, target, layer):
        layer.depthwise.assign(self.depthwise[target])
        layer.pointwise.assign(self.pointwise[target])
        return layer.normalization


def separable(inputs, depthwise, pointwise, stride):
    """Depthwise, then pointwise convolution."""
    outputs = tf.nn.depthwise_conv2d(
        inputs, tf.convert_to_tensor(depthwise), [1, stride, stride, 1], "SAME"
    )
    return tf.nn.conv2d(outputs, tf.convert_to_tensor(pointwise), 1, "SAME")


def register() -> None:
    """Adds it; the one call that a user makes."""
    table.register(
        Primitive(NAME, "#ffffff", "#000000", "separable 3x3"),
        SeparableConvolution,
        WideSeparableConvolution,
    )
