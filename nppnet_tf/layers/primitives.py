"""The eight operations of the search space as layers (Sec. 3.2).

All take [batch, height, width, channels] and keep the channels; with stride 2
they halve even sides. Where the rectification and the normalisation stand is
silent in the paper and follows the release.
"""

import keras
import tensorflow as tf

from nppnet_tf.layers import resize
from nppnet_tf.layers.convolution import Convolution
from nppnet_tf.layers.convolution import ConvolutionBlock
from nppnet_tf.layers.convolution import FactorizedReduction
from nppnet_tf.layers.convolution import strided_shape
from nppnet_tf.layers.normalization import BatchNormalization
from nppnet_tf.search_space import primitives as names


class _Primitive(keras.layers.Layer):
    """What all operations share: channels, stride, shape and config."""

    def __init__(self, channels: int, stride: int = 1, **kwargs) -> None:
        super().__init__(**kwargs)
        if stride not in (1, 2):
            raise ValueError(f"stride is 1 or 2. Received: {stride=}")
        self.channels = channels
        self.stride = stride

    def compute_output_shape(self, input_shape):
        return strided_shape(input_shape, self.stride, self.channels)

    def get_config(self) -> dict:
        return {
            **super().get_config(),
            "channels": self.channels,
            "stride": self.stride,
        }


@keras.saving.register_keras_serializable(package="nppnet_tf")
class DilatedConvolution(_Primitive):
    """Rectification, depthwise dilated 3x3, pointwise 1x1, normalisation.

    Args:
        channels: Of input and output.
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
        inputs, rate = thin_out(tf.nn.relu(inputs), self.stride, self.rate)
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


@keras.saving.register_keras_serializable(package="nppnet_tf")
class MaxPooling(_Primitive):
    """Max pooling 3x3 and normalisation; no rectification."""

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


@keras.saving.register_keras_serializable(package="nppnet_tf")
class SkipConnection(_Primitive):
    """The identity; a factorized reduction where it strides."""

    def __init__(self, channels: int, stride: int = 1, **kwargs) -> None:
        super().__init__(channels, stride, **kwargs)
        self.reduction = None
        if stride == 2:
            self.reduction = FactorizedReduction(channels, name="reduction")

    def build(self, input_shape) -> None:
        if self.reduction is not None:
            self.reduction.build(input_shape)
        self.built = True

    def call(self, inputs, training=None):
        if self.reduction is None:
            return inputs
        return self.reduction(inputs, training=training)


@keras.saving.register_keras_serializable(package="nppnet_tf")
class SqueezeExcitation(_Primitive):
    """Scales each channel by what the whole picture says of it [16].

    Where it strides, average pooling and normalisation follow. The release
    keeps an unused normalisation at stride 1; this layer does not.
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
        return self.normalization(average_pool(outputs), training=training)


@keras.saving.register_keras_serializable(package="nppnet_tf")
class PooledConvolution(_Primitive):
    """A 3x3 convolution at half the resolution [45].

    Average pooling, rectification, convolution with bias, normalisation, then
    bilinear upsampling to where it was.
    """

    def __init__(self, channels: int, stride: int = 1, **kwargs) -> None:
        super().__init__(channels, stride, **kwargs)
        self.block = ConvolutionBlock(
            channels, 3, stride, use_bias=True, name="block"
        )

    def build(self, input_shape) -> None:
        self.block.build(input_shape)
        self.built = True

    def call(self, inputs, training=None):
        outputs = self.block(average_pool(inputs), training=training)
        size = resize.scaled_size(inputs, 1 / self.stride)
        return resize.resize_bilinear(outputs, size)


def build_primitive(
    name: str, channels: int, stride: int = 1, layer_name: str | None = None
) -> keras.layers.Layer:
    """Returns the layer of one operation.

    Args:
        name: One of `search_space.primitives.NAMES`.
        channels: Of its input and output.
        stride: 1 or 2.
        layer_name: Of the layer; its operation's name where None.

    Raises:
        ValueError: If there is no such operation.
    """
    layer_name = layer_name or name
    if name == names.STD_CONV_3X3:
        return ConvolutionBlock(channels, 3, stride, name=layer_name)
    if name == names.STD_CONV_1X1:
        return ConvolutionBlock(channels, 1, stride, name=layer_name)
    if name == names.DIL_CONV_3X3_2:
        return DilatedConvolution(channels, stride, 2, name=layer_name)
    if name == names.DIL_CONV_3X3_4:
        return DilatedConvolution(channels, stride, 4, name=layer_name)
    classes = {
        names.MAX_POOL_3X3: MaxPooling,
        names.SKIP_CONNECT: SkipConnection,
        names.SE_CONNECT: SqueezeExcitation,
        names.POOLED_CONV: PooledConvolution,
    }
    if name not in classes:
        raise ValueError(
            f"name is one of {', '.join(names.NAMES)}. Received: name={name}"
        )
    return classes[name](channels, stride, name=layer_name)


def thin_out(inputs, stride: int, rate: int):
    """Turns a strided dilated convolution into one that wastes nothing.

    With stride 2 and an even rate every tap falls on an even pixel, so the
    convolution equals one of half the rate on every second pixel.

    Returns:
        The inputs and the rate to convolve with at stride 1.
    """
    if stride == 1:
        return inputs, rate
    return inputs[:, ::2, ::2], rate // 2


def max_pool(inputs, stride: int):
    """Pools 3x3 with one pixel of padding on every side."""
    if stride == 1:
        return tf.nn.max_pool2d(inputs, 3, 1, "SAME")
    # Sides are even, so a stride of 2 never reaches the far padding.
    paddings = [[0, 0], [1, 0], [1, 0], [0, 0]]
    padded = tf.pad(inputs, paddings, constant_values=inputs.dtype.min)
    return tf.nn.max_pool2d(padded, 3, 2, "VALID")


def average_pool(inputs):
    """Halves sides by the mean of 2x2 pixels; odd sides are rounded up."""
    return tf.nn.avg_pool2d(inputs, 2, 2, "SAME")
