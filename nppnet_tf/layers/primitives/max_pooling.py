"""Max pooling 3x3 and normalization; no rectification."""

import keras
import tensorflow as tf

from nppnet_tf.layers.normalization import BatchNormalization
from nppnet_tf.layers.primitives.operation import Operation
from nppnet_tf.layers.primitives.operation import WideOperation


@keras.saving.register_keras_serializable(package="nppnet_tf")
class MaxPooling(Operation):
    """Max pooling 3x3 and normalization."""

    def __init__(self, channels: int, stride: int = 1, **kwargs) -> None:
        super().__init__(channels, stride, **kwargs)
        self.normalization = BatchNormalization(name="normalization")

    def build(self, input_shape) -> None:
        self.normalization.build(input_shape)
        self.built = True

    def call(self, inputs, training=None):
        return self.normalization(
            max_pool(inputs, self.stride), training=training
        )


class WideMaxPooling(WideOperation):
    """Pools once for all targets.

    Departs from the release: normalized once; there it is normalized twice in
    a row, which is the same up to the epsilon.
    """

    def features(self, inputs, rectified):
        return [[max_pool(inputs, self.stride)] * self.num_targets]

    def give(self, name, target, layer):
        return layer.normalization


def max_pool(inputs, stride: int):
    """Pools 3x3 with one pixel of padding on every side."""
    if stride == 1:
        return tf.nn.max_pool2d(inputs, 3, 1, "SAME")
    # Sides are even, so a stride of 2 never reaches the far padding.
    paddings = [[0, 0], [1, 0], [1, 0], [0, 0]]
    padded = tf.pad(inputs, paddings, constant_values=inputs.dtype.min)
    return tf.nn.max_pool2d(padded, 3, 2, "VALID")
