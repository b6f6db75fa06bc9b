"""The TensorFlow graph of a described network."""

import functools
from collections.abc import Mapping

import numpy as np
import tensorflow as tf

from nppnet_tf import resampling
from nppnet_tf.form import nodes
from nppnet_tf.form.nodes import Node
from nppnet_tf.form.nodes import Outputs
from nppnet_tf.layers.convolution import convolve
from nppnet_tf.layers.primitives.max_pooling import max_pool
from nppnet_tf.layers.primitives.operation import average_pool

# Bytes of kernels that a graph holds as constants.
_MOST_CONSTANTS = 16 << 20

# What works value by value, or channel by channel, whatever the layout.
_LAYOUT_FREE = (
    nodes.Rectification,
    nodes.Scaling,
    nodes.Sigmoid,
    nodes.Sum,
    nodes.Concatenation,
)


class Form(tf.Module):
    """A described network that answers.

    Kernels of more than some megabytes are variables: as constants, every pass
    over the graph copies them, and the first answer of a network of 70 million
    takes 37 s in place of 6. Those of small networks are constants, which
    spares a tenth of their time.

    Args:
        outputs: The network.
        most_constants: Bytes of kernels from which on they are variables; some
            megabytes where None.

    Call arguments:
        picture: Float32 [batch, height, width, 3], normalized; sides are
            multiples of 32.

    Returns:
        The outputs by their names.
    """

    def __init__(
        self, outputs: Outputs, most_constants: int | None = None
    ) -> None:
        super().__init__(name="form")
        self._outputs = dict(outputs)
        self._order = list(nodes.in_order(outputs.values()))
        kernels = {
            id(node): _kernel(node)
            for node in self._order
            if isinstance(node, (nodes.Convolution, nodes.Depthwise))
        }
        self._kernels: dict[int, np.ndarray | tf.Variable] = kernels
        most = _MOST_CONSTANTS if most_constants is None else most_constants
        if sum(kernel.nbytes for kernel in kernels.values()) > most:
            self._kernels = {
                key: tf.Variable(kernel, trainable=False)
                for key, kernel in kernels.items()
            }

    @property
    def network_variables(self) -> list[tf.Variable]:
        """Everything that a saved graph of this network holds."""
        kernels = [
            kernel
            for kernel in self._kernels.values()
            if isinstance(kernel, tf.Variable)
        ]
        own = [
            variable.value
            for node in self._order
            if isinstance(node, nodes.OwnLayer)
            for variable in node.layer.variables
        ]
        return [*kernels, *own]

    # AutoGraph would say of every `match` that it does not know it.
    @tf.autograph.experimental.do_not_convert
    def __call__(self, picture: tf.Tensor) -> dict[str, tf.Tensor]:
        execution = _Execution(picture, self._kernels)
        for node in self._order:
            execution.compute(node)
        return {
            name: execution.full(node) for name, node in self._outputs.items()
        }


def _kernel(node: nodes.Convolution | nodes.Depthwise) -> np.ndarray:
    if isinstance(node, nodes.Convolution) and node.is_pointwise:
        return node.kernel[0, 0]
    return node.kernel


class _Execution:
    """The values of one pass.

    A value is laid out as a picture, or flat, [pixels, channels]: pointwise
    convolutions are products of matrices. Those cost as much as convolutions
    where there is much to do, and a quarter where there is little: a
    convolution wakes all threads, 80 us in place of 20 on two cores.
    """

    def __init__(
        self,
        picture: tf.Tensor,
        kernels: Mapping[int, np.ndarray | tf.Variable],
    ) -> None:
        self._kernels = kernels
        self._full: dict[int, tf.Tensor] = {}
        self._flat: dict[int, tf.Tensor] = {}
        self._picture = picture
        self._shapes: dict[tuple, object] = {}

    def compute(self, node: Node) -> None:
        """Computes a node whose inputs are computed."""
        is_flat = isinstance(node, nodes.Convolution) and node.is_pointwise
        if isinstance(node, _LAYOUT_FREE):
            is_flat = all(id(read) in self._flat for read in node.inputs)
        take = self.flat if is_flat else self.full
        value = self._compute(node, [take(read) for read in node.inputs])
        (self._flat if is_flat else self._full)[id(node)] = value

    def full(self, node: Node) -> tf.Tensor:
        """Returns a value as [batch, height, width, channels]."""
        if id(node) not in self._full:
            shape = self._shape(node.stride, node.channels)
            self._full[id(node)] = tf.reshape(self._flat[id(node)], shape)
        return self._full[id(node)]

    def flat(self, node: Node) -> tf.Tensor:
        """Returns a value as [pixels, channels]."""
        if id(node) not in self._flat:
            shape = [-1, node.channels]
            self._flat[id(node)] = tf.reshape(self._full[id(node)], shape)
        return self._flat[id(node)]

    def _once(self, key: tuple, make):
        """Makes what many nodes need only when it is first asked for."""
        if key not in self._shapes:
            self._shapes[key] = make()
        return self._shapes[key]

    def _sides(self, stride: float):
        """Height and width of a stride, static where the picture's are."""
        static = self._picture.shape[1:3]
        if stride == nodes.WHOLE_PICTURE:
            return [1, 1]
        if static.is_fully_defined():
            return [nodes.size_at(side, stride) for side in static]
        step = int(stride)
        sides = self._once((), lambda: tf.shape(self._picture)[1:3])
        return self._once((stride,), lambda: (sides + (step - 1)) // step)

    def _shape(self, stride: float, channels: int):
        sides = self._sides(stride)
        if isinstance(sides, list):
            return [-1, *sides, channels]
        return self._once(
            (stride, channels), lambda: tf.concat([[-1], sides, [channels]], 0)
        )

    def _compute(self, node: Node, inputs: list[tf.Tensor]) -> tf.Tensor:
        match node:
            case nodes.Picture():
                return self._picture
            case nodes.Convolution():
                kernel = tf.convert_to_tensor(self._kernels[id(node)])
                return _convolution(node, inputs[0], kernel)
            case nodes.Depthwise():
                return self._depthwise(node, inputs[0])
            case nodes.Scaling():
                outputs = inputs[0] * node.scale
                return outputs + node.shift if node.shift.any() else outputs
            case nodes.Rectification():
                return _rectification(node, inputs[0])
            case nodes.Sum():
                return functools.reduce(tf.add, inputs)
            case nodes.Resizing():
                size = self._sides(node.target)
                return resampling.resize_bilinear(inputs[0], size)
            case nodes.Slice():
                part = slice(node.start, None, node.step)
                return inputs[0][:, part, part]
            case nodes.MaxPooling():
                return max_pool(inputs[0], node.step)
            case nodes.OwnLayer():
                return node.layer(inputs[0], training=False)
        return _PLAIN[type(node)](inputs)

    def _depthwise(self, node: nodes.Depthwise, inputs) -> tf.Tensor:
        kernel = tf.convert_to_tensor(self._kernels[id(node)])
        if node.rate == 1:
            return tf.nn.depthwise_conv2d(inputs, kernel, [1] * 4, "SAME")
        # As `depthwise_conv2d` does, but for the arithmetic of sizes, which
        # all convolutions of a size share.
        paddings, crops = self._once(
            (node.stride, "dilated", node.rate),
            lambda: self._dilation(node.stride, node.rate),
        )
        block = [node.rate, node.rate]
        spread = tf.space_to_batch_nd(inputs, block, paddings)
        outputs = tf.nn.depthwise_conv2d(spread, kernel, [1] * 4, "VALID")
        return tf.batch_to_space(outputs, block, crops)

    def _dilation(self, stride: float, rate: int):
        """Returns how a picture is laid out for a dilation, and laid back."""
        sides = self._sides(stride)
        if isinstance(sides, list):
            beyond = [-(side + 2 * rate) % rate for side in sides]
            paddings = [[rate, rate + more] for more in beyond]
            return paddings, [[0, more] for more in beyond]
        beyond = -(sides + 2 * rate) % rate
        none = tf.zeros_like(beyond)
        paddings = tf.stack([none + rate, beyond + rate], 1)
        return paddings, tf.stack([none, beyond], 1)


def _convolution(
    node: nodes.Convolution, inputs: tf.Tensor, kernel: tf.Tensor
) -> tf.Tensor:
    if node.is_pointwise:
        outputs = tf.matmul(inputs, kernel)
    else:
        outputs = convolve(inputs, kernel, node.step, node.rate)
    return tf.nn.bias_add(outputs, node.bias)


def _rectification(node: nodes.Rectification, inputs: tf.Tensor) -> tf.Tensor:
    if isinstance(node.inputs[0], nodes.Sum):
        # TensorFlow 2.20 fails to fuse convolution, bias, sum and ReLU where
        # the sum has another reader, and then gives up all fusions.
        return tf.maximum(inputs, 0.0)
    return tf.nn.relu(inputs)


_PLAIN = {
    nodes.Sigmoid: lambda inputs: tf.sigmoid(inputs[0]),
    nodes.Product: lambda inputs: inputs[0] * inputs[1],
    nodes.Concatenation: lambda inputs: tf.concat(inputs, -1),
    nodes.AveragePooling: lambda inputs: average_pool(inputs[0]),
    nodes.GlobalMean: lambda inputs: tf.reduce_mean(
        inputs[0], [1, 2], keepdims=True
    ),
}
