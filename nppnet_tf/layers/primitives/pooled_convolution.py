"""A 3x3 convolution at half the resolution [45]."""

import keras
import tensorflow as tf

from nppnet_tf import resampling
from nppnet_tf.layers import resize
from nppnet_tf.layers.convolution import ConvolutionBlock
from nppnet_tf.layers.convolution import convolve
from nppnet_tf.layers.normalization import BatchNormalization
from nppnet_tf.layers.primitives import operation
from nppnet_tf.layers.primitives.operation import Entry
from nppnet_tf.layers.primitives.operation import Operation
from nppnet_tf.layers.primitives.operation import WideOperation


@keras.saving.register_keras_serializable(package="nppnet_tf")
class PooledConvolution(Operation):
    """A 3x3 convolution at half the resolution [45].

    Average pooling, rectification, convolution with bias, normalization, then
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
        outputs = self.block(operation.average_pool(inputs), training=training)
        size = resize.scaled_size(inputs, 1 / self.stride)
        return resampling.resize_bilinear(outputs, size)


class WidePooledConvolution(WideOperation):
    """One wider convolution, normalized by itself at half the resolution."""

    def __init__(self, fanout, names) -> None:
        super().__init__(fanout, names)
        self.normalization = BatchNormalization(
            affine=False, name="pooled_normalization"
        )
        # Keras finds the statistics by what the fan-out holds.
        fanout.pooled_normalization = self.normalization

    @property
    def entry(self) -> Entry:
        return Entry.TERM

    def build(self) -> None:
        self.kernel = self._kernel("pooled", 3)
        channels = self.num_targets * self.width
        self.normalization.build((None, None, None, channels))

    def term(self, name, inputs, weight, training):
        # Average pooling first: a mean of rectified values is another.
        outputs = tf.nn.relu(operation.average_pool(inputs))
        outputs = convolve(outputs, self.kernel.value, self.stride)
        outputs = self.normalization(
            outputs,
            gain=operation.gain_of(weight, self.width),
            training=training,
        )
        size = resize.scaled_size(inputs, 1 / self.stride)
        outputs = resampling.resize_bilinear(outputs, size)
        return operation.split_last(outputs, [self.num_targets, self.width])

    def give(self, name, target, layer):
        part = self._part(target)
        block = layer.block
        block.convolution.kernel.assign(self.kernel[..., part])
        for statistic in ("moving_mean", "moving_variance"):
            value = getattr(self.normalization, statistic)[part]
            getattr(block.normalization, statistic).assign(value)
