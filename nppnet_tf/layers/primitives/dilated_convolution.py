"""Rectification, a dilated depthwise and a pointwise convolution."""

import functools

import keras
import tensorflow as tf

from nppnet_tf.layers.convolution import Convolution
from nppnet_tf.layers.convolution import convolve
from nppnet_tf.layers.normalization import BatchNormalization
from nppnet_tf.layers.primitives.operation import Operation
from nppnet_tf.layers.primitives.operation import WideOperation
from nppnet_tf.search_space import primitives

RATES = {primitives.DIL_CONV_3X3_2: 2, primitives.DIL_CONV_3X3_4: 4}


@keras.saving.register_keras_serializable(package="nppnet_tf")
class DilatedConvolution(Operation):
    """Rectification, depthwise dilated 3x3, pointwise 1x1, normalization.

    Args:
        channels: Channels of input and output.
        stride: 1 or 2.
        rate: Dilation, even.
    """

    def __init__(
        self, channels: int, stride: int = 1, rate: int = 2, **kwargs
    ) -> None:
        super().__init__(channels, stride, **kwargs)
        if rate % 2:
            raise ValueError(f"rate must be even. Received: {rate=}")
        self.rate = rate
        self.pointwise = Convolution(channels, 1, name="pointwise")
        self.normalization = BatchNormalization(name="normalization")

    def build(self, input_shape) -> None:
        self.depthwise = self.add_weight(
            shape=(3, 3, self.channels, 1),
            initializer="glorot_normal",
            name="depthwise",
        )
        self.pointwise.build(input_shape)
        self.normalization.build(input_shape)
        self.built = True

    def call(self, inputs, training=None):
        inputs, rate = subsample_for_dilation(
            tf.nn.relu(inputs), self.stride, self.rate
        )
        outputs = tf.nn.depthwise_conv2d(
            inputs,
            self.depthwise.value,
            [1, 1, 1, 1],
            "SAME",
            dilations=[rate, rate],
        )
        return self.normalization(self.pointwise(outputs), training=training)

    def get_config(self) -> dict:
        return {**super().get_config(), "rate": self.rate}


class WideDilatedConvolution(WideOperation):
    """Dense convolutions with the kernels that both factors make.

    Exact, and for many targets faster than factor after factor.
    """

    def build(self) -> None:
        count, width = self.num_targets, self.width
        self.depthwise = self._weight(
            "depthwise_factors",
            (len(self.names), 3, 3, width, count, 1),
            9 * width,
            9,
        )
        self.pointwise = self._weight(
            "pointwise_factors",
            (len(self.names), 1, 1, width, count, width),
            width,
            width,
        )

    def features(self, inputs, rectified):
        kernels = tf.reshape(
            self.depthwise.value * self.pointwise.value,
            [len(self.names), 3, 3, self.width, -1],
        )
        return [
            [self._convolve(rectified, kernel, RATES[name])]
            for name, kernel in zip(
                self.names, tf.unstack(kernels), strict=True
            )
        ]

    def _convolve(self, rectified, kernel, rate: int):
        inputs, rate = subsample_for_dilation(rectified, self.stride, rate)
        return convolve(inputs, kernel, dilation=rate)

    def give(self, name, target, layer):
        number = self.names.index(name)
        layer.depthwise.assign(self.depthwise[number, :, :, :, target])
        layer.pointwise.kernel.assign(self.pointwise[number, :, :, :, target])
        return layer.normalization


def make_layer(
    rate: int, channels: int, stride: int, name: str
) -> DilatedConvolution:
    """Returns the layer of one rate."""
    return DilatedConvolution(channels, stride, rate, name=name)


def subsample_for_dilation(inputs, stride: int, rate: int):
    """Turns a strided dilated convolution into one that wastes nothing.

    With stride 2 and an even rate every tap falls on an even pixel, so the
    convolution equals one of half the rate on every second pixel.

    Returns:
        The inputs and the rate to convolve with at stride 1.
    """
    if stride == 1:
        return inputs, rate
    return inputs[:, ::2, ::2], rate // 2


make_rate_2 = functools.partial(make_layer, 2)
make_rate_4 = functools.partial(make_layer, 4)
