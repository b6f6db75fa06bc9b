"""Rectification, a dense convolution, normalization: 3x3 or 1x1."""

import functools

from nppnet_tf.layers.convolution import ConvolutionBlock
from nppnet_tf.layers.convolution import convolve
from nppnet_tf.layers.primitives.operation import WideOperation


def make_layer(
    size: int, channels: int, stride: int, name: str
) -> ConvolutionBlock:
    """Returns the layer; what every network has for a convolution."""
    return ConvolutionBlock(channels, size, stride, name=name)


class WideConvolution(WideOperation):
    """One convolution, wider by as many targets.

    Args:
        size: Size of the kernel.
        weight: Name of the kernel in the fan-out.
    """

    def __init__(self, size: int, weight: str, fanout, names) -> None:
        super().__init__(fanout, names)
        self.size = size
        self.weight = weight

    def build(self) -> None:
        self.kernel = self._kernel(self.weight, self.size)

    def features(self, inputs, rectified):
        return [[convolve(rectified, self.kernel.value, self.stride)]]

    def give(self, name, target, layer):
        kernel = self.kernel[..., self._part(target)]
        layer.convolution.kernel.assign(kernel)
        return layer.normalization


make_3x3 = functools.partial(make_layer, 3)
make_1x1 = functools.partial(make_layer, 1)
Wide3x3 = functools.partial(WideConvolution, 3, "standard")
Wide1x1 = functools.partial(WideConvolution, 1, "pointwise")
