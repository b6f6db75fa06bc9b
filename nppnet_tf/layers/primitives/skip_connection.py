"""The identity; a factorized reduction where it strides."""

import keras
import tensorflow as tf

from nppnet_tf.layers.convolution import FactorizedReduction
from nppnet_tf.layers.convolution import convolve
from nppnet_tf.layers.convolution import without_first
from nppnet_tf.layers.primitives import operation
from nppnet_tf.layers.primitives.operation import Entry
from nppnet_tf.layers.primitives.operation import Operation
from nppnet_tf.layers.primitives.operation import WideOperation


@keras.saving.register_keras_serializable(package="nppnet_tf")
class SkipConnection(Operation):
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


class WideSkipConnection(WideOperation):
    """1 times the state; one wider reduction where it strides."""

    @property
    def entry(self) -> Entry:
        return Entry.FACTOR if self.stride == 1 else Entry.FEATURES

    def build(self) -> None:
        if self.stride == 1:
            return
        half = self.width // 2
        self.reduction = self._weight(
            "reduction",
            (2, 1, 1, self.width, self.num_targets * half),
            self.width,
            half,
        )

    def factor(self, name, inputs):
        return 1.0

    def features(self, inputs, rectified):
        # Even and odd pixels, half the channels each.
        half = [self.num_targets, self.width // 2]
        kernels = tf.unstack(self.reduction.value)
        even = convolve(rectified, kernels[0], 2)
        odd = convolve(without_first(rectified), kernels[1], 2)
        both = [operation.split_last(pixels, half) for pixels in (even, odd)]
        return [[operation.merge_last(tf.concat(both, -1), 2)]]

    def give(self, name, target, layer):
        if self.stride == 1:
            return None
        part = self._part(target, self.width // 2)
        layer.reduction.even.kernel.assign(self.reduction[0][..., part])
        layer.reduction.odd.kernel.assign(self.reduction[1][..., part])
        return layer.reduction.normalization
