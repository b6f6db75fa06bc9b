"""What a network costs: trainable parameters and multiply-accumulates."""

import math
from typing import NamedTuple

import tensorflow as tf

from nppnet_tf.models.nppnet import NPPNet

_CONVOLUTIONS = ("Conv2D", "DepthwiseConv2dNative")


class Cost(NamedTuple):
    """Size of a network.

    Attributes:
        parameters: Trainable numbers.
        macs: Multiply-accumulates of all convolutions for one picture, as
            they are executed.
    """

    parameters: int
    macs: int

    def __str__(self) -> str:
        return (
            f"{self.parameters / 1e6:.2f} M parameters, "
            f"{self.macs / 1e9:.2f} GMAC"
        )


def cost(network: NPPNet, image_size: tuple[int, int]) -> Cost:
    """Counts a network's parameters and the work of its inference graph.

    Args:
        network: Any NPPNet.
        image_size: (height, width) of the input.
    """
    parameters = sum(
        math.prod(weight.shape) for weight in network.trainable_weights
    )
    spec = tf.TensorSpec([1, *image_size, 3], tf.float32)
    forward = tf.function(lambda image: network(image, training=False))
    graph = forward.get_concrete_function(spec).graph
    macs = sum(
        _convolution_macs(operation)
        for operation in graph.get_operations()
        if operation.type in _CONVOLUTIONS
    )
    return Cost(parameters, macs)


def _convolution_macs(operation: tf.Operation) -> int:
    """Every output pixel takes the kernel once, for every output channel."""
    batch, height, width, filters = operation.outputs[0].shape
    kernel = operation.inputs[1].shape
    taps = kernel[0] * kernel[1]
    channels = 1 if operation.type != "Conv2D" else kernel[2]
    return batch * height * width * filters * taps * channels
