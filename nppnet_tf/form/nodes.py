"""What a derived network computes, as nodes that hold their inputs and weights.

A node is a value [batch, height, width, channels]; the network is whatever its
outputs reach. Sizes are told by strides: a node of stride s has a pixel for s x
s pixels of the picture, rounded up. Weights are NumPy arrays in TensorFlow's
order, so that rules are arithmetic.
"""

import collections
import dataclasses
import math
from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any

import numpy as np

# Of what has one pixel, whatever the size of the picture.
WHOLE_PICTURE = math.inf


@dataclasses.dataclass(frozen=True, eq=False)
class Node:
    """One value; equal only to itself.

    Attributes:
        inputs: What it is computed from.
    """

    inputs: tuple["Node", ...]

    @property
    def channels(self) -> int:
        """Channels of the value."""
        return self.inputs[0].channels

    @property
    def stride(self) -> float:
        """Pixels of the picture per pixel, along each axis."""
        return self.inputs[0].stride

    @property
    def kernel_size(self) -> int:
        """Multiply-accumulates of one pixel."""
        return 0

    def macs(self, image_size: tuple[int, int]) -> int:
        """Returns the multiply-accumulates for one picture.

        Args:
            image_size: (height, width) of the picture.
        """
        return self.kernel_size * math.prod(
            size_at(side, self.stride) for side in image_size
        )


@dataclasses.dataclass(frozen=True, eq=False)
class Picture(Node):
    """The normalized picture [batch, height, width, 3]."""

    @property
    def channels(self) -> int:
        return 3

    @property
    def stride(self) -> float:
        return 1


@dataclasses.dataclass(frozen=True, eq=False)
class Convolution(Node):
    """A dense convolution with the same padding on every side.

    Attributes:
        kernel: Float32 [size, size, channels, filters], odd size.
        bias: Float32 [filters].
        step: 1 or 2.
        rate: Distance between the taps; 1 where the step is not.
    """

    kernel: np.ndarray
    bias: np.ndarray
    step: int = 1
    rate: int = 1

    @property
    def channels(self) -> int:
        return self.kernel.shape[-1]

    @property
    def stride(self) -> float:
        return self.inputs[0].stride * self.step

    @property
    def kernel_size(self) -> int:
        return self.kernel.size

    @property
    def is_pointwise(self) -> bool:
        """Whether it sees one pixel alone, of every pixel."""
        return self.kernel.shape[:2] == (1, 1) and self.step == 1


@dataclasses.dataclass(frozen=True, eq=False)
class Depthwise(Node):
    """A dilated convolution of every channel by itself.

    Attributes:
        kernel: Float32 [size, size, channels, 1], odd size.
        rate: Distance between the taps.
    """

    kernel: np.ndarray
    rate: int = 1

    @property
    def kernel_size(self) -> int:
        return self.kernel.size


@dataclasses.dataclass(frozen=True, eq=False)
class Scaling(Node):
    """A factor and a summand for every channel: a normalization, at rest.

    Attributes:
        scale: Float32 [channels].
        shift: Float32 [channels].
    """

    scale: np.ndarray
    shift: np.ndarray


@dataclasses.dataclass(frozen=True, eq=False)
class Rectification(Node):
    """ReLU."""


@dataclasses.dataclass(frozen=True, eq=False)
class Sigmoid(Node):
    """The logistic function."""


@dataclasses.dataclass(frozen=True, eq=False)
class Sum(Node):
    """The sum of its inputs, in their order."""


@dataclasses.dataclass(frozen=True, eq=False)
class Product(Node):
    """The product of two inputs; the second may have one pixel."""


@dataclasses.dataclass(frozen=True, eq=False)
class Concatenation(Node):
    """The channels of all inputs."""

    @property
    def channels(self) -> int:
        return sum(node.channels for node in self.inputs)


@dataclasses.dataclass(frozen=True, eq=False)
class Resizing(Node):
    """Bilinear with aligned corners, to the size of a stride.

    Attributes:
        target: That stride.
    """

    target: float

    @property
    def stride(self) -> float:
        return self.target

    @property
    def enlarges(self) -> bool:
        """Whether it makes more pixels than there are."""
        return self.target < self.inputs[0].stride


@dataclasses.dataclass(frozen=True, eq=False)
class Slice(Node):
    """Every so many-th row and column.

    Attributes:
        start: The first.
        step: How many on.
    """

    start: int
    step: int

    @property
    def stride(self) -> float:
        return self.inputs[0].stride * self.step


@dataclasses.dataclass(frozen=True, eq=False)
class MaxPooling(Node):
    """The largest of 3 x 3 pixels.

    Attributes:
        step: 1 or 2.
    """

    step: int = 1

    @property
    def stride(self) -> float:
        return self.inputs[0].stride * self.step


@dataclasses.dataclass(frozen=True, eq=False)
class AveragePooling(Node):
    """The mean of 2 x 2 pixels, at half the size."""

    @property
    def stride(self) -> float:
        return self.inputs[0].stride * 2


@dataclasses.dataclass(frozen=True, eq=False)
class GlobalMean(Node):
    """The mean of all pixels."""

    @property
    def stride(self) -> float:
        return WHOLE_PICTURE


@dataclasses.dataclass(frozen=True, eq=False)
class OwnLayer(Node):
    """A layer that nobody has described; computed as it is.

    Attributes:
        layer: Called with the input and `training=False`.
        channels_out: Channels of its output.
        step: Factor that the sides get smaller by.
    """

    layer: Any
    channels_out: int
    step: int

    @property
    def channels(self) -> int:
        return self.channels_out

    @property
    def stride(self) -> float:
        return self.inputs[0].stride * self.step


Outputs = Mapping[str, Node]

# Takes a node whose inputs are rewritten, and what tells of an input whether
# nothing else reads it.
Rewriting = Callable[[Node, Callable[[Node], bool]], Node]


def by_stage(predictions: Mapping[str, Sequence[Node]]) -> dict[str, Node]:
    """Returns every prediction of every stage, as "<key>_<stage>".

    Args:
        predictions: Nodes by key and stage, as `description.describe` returns.
    """
    return {
        f"{key}_{stage}": node
        for key, stages in predictions.items()
        for stage, node in enumerate(stages)
    }


def size_at(side: int, stride: float) -> int:
    """Pixels along a side of the picture at a stride."""
    return 1 if stride == WHOLE_PICTURE else -(-side // int(stride))


def in_order(outputs: Iterable[Node]) -> Iterator[Node]:
    """Yields every node that the outputs reach, inputs before readers."""
    seen: set[int] = set()
    # Not recursive: networks are deeper than Python's stack.
    pending = [(node, False) for node in reversed(list(outputs))]
    while pending:
        node, is_ready = pending.pop()
        if is_ready:
            yield node
        elif id(node) not in seen:
            seen.add(id(node))
            pending.append((node, True))
            pending.extend((x, False) for x in reversed(node.inputs))


def rewrite(outputs: Outputs, rewriting: Rewriting) -> dict[str, Node]:
    """Replaces every node by what a rule makes of it and its inputs.

    Args:
        outputs: The network.
        rewriting: Takes a node whose inputs are rewritten, and a function that
            tells of any of them whether nothing else reads it; returns the
            node where nothing becomes of it.

    Returns:
        The outputs of the rewritten network.
    """
    order = list(in_order(outputs.values()))
    readers = collections.Counter(id(node) for node in outputs.values())
    for node in order:
        readers.update(id(read) for read in node.inputs)
    become: dict[int, Node] = {}
    # Readers of a node that took the place of others; `become` keeps it alive.
    inherited: collections.Counter[int] = collections.Counter()

    def is_read_once(node: Node) -> bool:
        return inherited.get(id(node), 1) == 1

    for node in order:
        inputs = tuple(become[id(read)] for read in node.inputs)
        renewed = node
        if any(a is not b for a, b in zip(inputs, node.inputs, strict=True)):
            renewed = dataclasses.replace(node, inputs=inputs)
        renewed = rewriting(renewed, is_read_once)
        become[id(node)] = renewed
        inherited[id(renewed)] += readers[id(node)]
    return {name: become[id(node)] for name, node in outputs.items()}


def total_macs(outputs: Outputs, image_size: tuple[int, int]) -> int:
    """Multiply-accumulates of a network for one picture.

    Args:
        outputs: The network.
        image_size: (height, width) of the picture.
    """
    return sum(node.macs(image_size) for node in in_order(outputs.values()))
