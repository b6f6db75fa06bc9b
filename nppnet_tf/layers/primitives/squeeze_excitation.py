"""Scales each channel by what the whole picture says of it [16]."""

import keras
import tensorflow as tf

from nppnet_tf.layers.convolution import Convolution
from nppnet_tf.layers.normalization import BatchNormalization
from nppnet_tf.layers.primitives import operation
from nppnet_tf.layers.primitives.operation import Entry
from nppnet_tf.layers.primitives.operation import Operation
from nppnet_tf.layers.primitives.operation import WideOperation


@keras.saving.register_keras_serializable(package="nppnet_tf")
class SqueezeExcitation(Operation):
    """Squeezes to half the channels, excites each by a factor in (0, 1).

    Where it strides, average pooling and normalization follow. The release
    keeps an unused normalization at stride 1; this layer does not.
    """

    def __init__(self, channels: int, stride: int = 1, **kwargs) -> None:
        super().__init__(channels, stride, **kwargs)
        self.squeeze = Convolution(
            channels // 2, 1, use_bias=True, name="squeeze"
        )
        self.excite = Convolution(channels, 1, use_bias=True, name="excite")
        self.normalization = None
        if stride == 2:
            self.normalization = BatchNormalization(name="normalization")

    def build(self, input_shape) -> None:
        self.squeeze.build(input_shape)
        self.excite.build((*input_shape[:-1], self.channels // 2))
        if self.normalization is not None:
            self.normalization.build(input_shape)
        self.built = True

    def call(self, inputs, training=None):
        mean = tf.reduce_mean(inputs, [1, 2], keepdims=True)
        excitation = self.excite(tf.nn.relu(self.squeeze(mean)))
        outputs = inputs * tf.sigmoid(excitation)
        if self.normalization is None:
            return outputs
        return self.normalization(
            operation.average_pool(outputs), training=training
        )


class WideSqueezeExcitation(WideOperation):
    """One mean, one squeeze for all targets, an excitation of each."""

    @property
    def entry(self) -> Entry:
        return Entry.FACTOR if self.stride == 1 else Entry.FEATURES

    def build(self) -> None:
        count, width, half = self.num_targets, self.width, self.width // 2
        self.squeeze = self._weight(
            "squeeze", (width, count * half), width, half
        )
        self.squeeze_bias = self._bias("squeeze_bias", count * half)
        self.excite = self._weight("excite", (count, half, width), half, width)
        self.excite_bias = self._bias("excite_bias", count * width)

    def _bias(self, name: str, size: int):
        return self.fanout.add_weight(
            shape=(size,), initializer="zeros", name=name
        )

    def factor(self, name, inputs):
        """Returns [batch, 1, 1, targets, c], each in (0, 1)."""
        count, width = self.num_targets, self.width
        mean = tf.reduce_mean(inputs, [1, 2])
        squeezed = tf.nn.bias_add(
            tf.matmul(mean, self.squeeze.value), self.squeeze_bias.value
        )
        squeezed = tf.reshape(tf.nn.relu(squeezed), [-1, count, width // 2])
        excited = tf.einsum("nth,thc->ntc", squeezed, self.excite.value)
        excited = tf.nn.bias_add(
            tf.reshape(excited, [-1, count * width]), self.excite_bias.value
        )
        return tf.reshape(tf.sigmoid(excited), [-1, 1, 1, count, width])

    def features(self, inputs, rectified):
        # The mean of 2x2 pixels commutes with a factor per channel.
        pooled = tf.expand_dims(operation.average_pool(inputs), 3)
        excited = pooled * self.factor(self.names[0], inputs)
        return [[operation.merge_last(excited, 2)]]

    def give(self, name, target, layer):
        half = self._part(target, self.width // 2)
        layer.squeeze.kernel.assign(self.squeeze[:, half][None, None])
        layer.squeeze.bias.assign(self.squeeze_bias[half])
        layer.excite.kernel.assign(self.excite[target][None, None])
        layer.excite.bias.assign(self.excite_bias[self._part(target)])
        return layer.normalization
