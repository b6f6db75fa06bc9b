"""What every operation is: a layer, and a form of it for many edges at once.

All take [batch, height, width, channels] and keep the channels; with stride 2
they halve even sides. Where the rectification and the normalization stand is
silent in the paper and follows the release.
"""

import enum
import math
from collections.abc import Sequence
from typing import Any

import keras
import tensorflow as tf

from nppnet_tf.layers.convolution import strided_shape
from nppnet_tf.layers.normalization import BatchNormalization


@keras.saving.register_keras_serializable(package="nppnet_tf")
class Operation(keras.layers.Layer):
    """The layer of an operation: channels, stride, shape and config.

    Args:
        channels: Channels of input and output.
        stride: 1 or 2.

    Raises:
        ValueError: If the stride is another.
    """

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


class Entry(enum.Enum):
    """How an operation enters the mixture of Eq. 1.

    Attributes:
        FEATURES: Normalized with all others of this entry in one normalization
            without offset, whose gain is the operation's weight.
        FACTOR: The state itself, times a factor.
        TERM: Weighs and normalizes itself.
    """

    FEATURES = enum.auto()
    FACTOR = enum.auto()
    TERM = enum.auto()


class WideOperation:
    """One or more operations on every edge that leaves a state, at once.

    A supernet has hundreds of edges with every operation on each; edge by edge
    it would be ten times as many, smaller operations. For one target with
    weight 1 this is exactly the layer, whose normalization has gain 1 and
    offset 0: `give` says which weights are whose.

    Args:
        fanout: The `MixedFanout` that the weights belong to; of it are read
            `searched` (c, the channels that go through operations), `stride`
            and `targets`.
        names: Names of the operations, in the order of alpha.
    """

    def __init__(self, fanout: Any, names: Sequence[str]) -> None:
        self.fanout = fanout
        self.names = tuple(names)
        self.stride = fanout.stride
        self.width = fanout.searched
        self.num_targets = len(fanout.targets)

    @property
    def entry(self) -> Entry:
        """How it enters the mixture; the same for all its operations."""
        return Entry.FEATURES

    def build(self) -> None:
        """Makes the weights, by `add_weight` of the fan-out."""

    def features(self, inputs, rectified) -> list[list]:
        """Computes all its operations, of `Entry.FEATURES`.

        At once, so that a weight that holds the parts of several operations is
        taken apart once.

        Args:
            inputs: The searched channels of the state, [batch, h, w, c].
            rectified: The same after ReLU.

        Returns:
            For each of `names`, tensors that joined on the last axis are
            [batch, h / stride, w / stride, targets * c], not yet normalized.
        """
        raise self._lack("features")

    def factor(self, name: str, inputs):
        """Computes what to multiply the state by, of `Entry.FACTOR`.

        Returns:
            What broadcasts to [batch, h, w, targets, c].
        """
        raise self._lack("factor")

    def term(self, name: str, inputs, weight, training):
        """Computes one weighted operation, of `Entry.TERM`.

        Args:
            name: Name of the operation.
            inputs: The searched channels of the state, [batch, h, w, c].
            weight: Weight for every target, [targets, 1].
            training: Whether to normalize with the batch.

        Returns:
            Tensor [batch, h / stride, w / stride, targets, c].
        """
        raise self._lack("term")

    def give(
        self, name: str, target: int, layer: keras.layers.Layer
    ) -> BatchNormalization | None:
        """Gives a built layer the weights of one target.

        Args:
            name: Name of the operation.
            target: Number of the target.
            layer: Built layer of the operation, with c channels.

        Returns:
            The layer's normalization, of `Entry.FEATURES`: the fan-out holds
            its statistics.
        """
        raise self._lack("give")

    def _lack(self, method: str) -> TypeError:
        return TypeError(
            f"{type(self).__name__} of {self.entry} needs a method {method}"
        )

    def _weight(
        self, name: str, shape: Sequence[int], fan_in: int, fan_out: int
    ):
        """Makes a weight with Xavier's initialization of a single edge."""
        deviation = math.sqrt(2.0 / (fan_in + fan_out))
        return self.fanout.add_weight(
            shape=tuple(shape),
            initializer=keras.initializers.RandomNormal(stddev=deviation),
            name=name,
        )

    def _kernel(self, name: str, size: int):
        """Makes the kernel of a convolution, [size, size, c, targets * c]."""
        fan = size * size * self.width
        shape = (size, size, self.width, self.num_targets * self.width)
        return self._weight(name, shape, fan, fan)

    def _part(self, target: int, width: int | None = None) -> slice:
        """Channels of one target among those of all."""
        width = width or self.width
        return slice(target * width, (target + 1) * width)


def gain_of(weights, width: int):
    """Repeats weights [..., targets, 1] for every channel, [... x width]."""
    return tf.reshape(weights * tf.ones([width], weights.dtype), [-1])


def average_pool(inputs):
    """Halves sides by the mean of 2x2 pixels; odd sides are rounded up."""
    return tf.nn.avg_pool2d(inputs, 2, 2, "SAME")


def split_last(inputs, sizes: Sequence[int]):
    """Reshapes the last axis into several."""
    return tf.reshape(inputs, [*_leading(inputs, 1), *sizes])


def merge_last(inputs, count: int):
    """Reshapes the last `count` axes into one."""
    merged = math.prod(inputs.shape[-count:])
    return tf.reshape(inputs, [*_leading(inputs, count), merged])


def _leading(inputs, dropped: int) -> list:
    """Sizes of the axes before the last `dropped`, static but for the batch."""
    static = inputs.shape[:-dropped].as_list()
    if all(size is not None for size in static[1:]):
        return [-1, *static[1:]]
    dynamic = tf.shape(inputs)
    return [
        dynamic[axis] if size is None else size
        for axis, size in enumerate(static)
    ]
