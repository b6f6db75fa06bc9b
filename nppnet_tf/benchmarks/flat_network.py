"""A described network as a list, which processes hand to each other.

Nodes hold what they are computed from, deeper than pickling reaches. Needs no
TensorFlow.
"""

import dataclasses
from collections.abc import Mapping
from collections.abc import Sequence

import numpy as np

from nppnet_tf.form import nodes
from nppnet_tf.form.nodes import Node


@dataclasses.dataclass(frozen=True)
class Step:
    """One value of a network.

    Attributes:
        node: What is computed, without its inputs.
        reads: Numbers of the values that it is computed from.
        frees: Numbers of those that nothing reads later.
    """

    node: Node
    reads: tuple[int, ...]
    frees: tuple[int, ...]


@dataclasses.dataclass(frozen=True)
class Architecture:
    """Alpha and beta of one searched part.

    Attributes:
        alpha: Float32 [edges, operations].
        beta: Float32 [edges].
        node_rows: Rows of the edges into each node.
    """

    alpha: np.ndarray
    beta: np.ndarray
    node_rows: Sequence[Sequence[int]]


@dataclasses.dataclass(frozen=True)
class FlatNetwork:
    """Values in the order of their making, the n-th with number n.

    Attributes:
        steps: How each is made.
        outputs: Numbers of the outputs by their names.
        image_size: (height, width) of the input, in pixels.
        architecture: Alpha and beta by the names of the searched parts.
    """

    steps: tuple[Step, ...]
    outputs: Mapping[str, int]
    image_size: tuple[int, int]
    architecture: Mapping[str, Architecture] = dataclasses.field(
        default_factory=dict
    )


@dataclasses.dataclass(frozen=True, eq=False)
class MixedEdge(Node):
    """An edge of a supernet: every operation by itself (Eq. 1 and 2).

    Attributes:
        operations: What the first channels of the state go through, in the
            order of alpha.
        searched: How many channels those are.
        step: Stride of the operations.
        target: Stride of the node that the edge leads to.
        resizes: Whether that is another than the operations leave.
        projection: Convolution to the width of that node, or None.
        part: Name of the part whose alpha and beta weigh it.
        row: Row of both that is the edge's.
    """

    operations: tuple[FlatNetwork, ...]
    searched: int
    step: int
    target: float
    resizes: bool
    projection: nodes.Convolution | None
    part: str
    row: int

    @property
    def channels(self) -> int:
        return (self.projection or self.inputs[0]).channels

    @property
    def stride(self) -> float:
        return self.target


def flatten(
    outputs: nodes.Outputs,
    image_size: tuple[int, int],
    architecture: Mapping[str, Architecture] | None = None,
) -> FlatNetwork:
    """Lists a described network.

    Args:
        outputs: The network.
        image_size: (height, width) of its input.
        architecture: Alpha and beta, of a supernet.
    """
    order = list(nodes.in_order(outputs.values()))
    numbers = {id(node): number for number, node in enumerate(order)}
    reads = [tuple(numbers[id(x)] for x in node.inputs) for node in order]
    last_reader = {
        read: number for number, inputs in enumerate(reads) for read in inputs
    }
    named = {name: numbers[id(node)] for name, node in outputs.items()}
    steps = tuple(
        Step(
            dataclasses.replace(node, inputs=()),
            inputs,
            tuple(
                read
                for read in dict.fromkeys(inputs)
                if last_reader[read] == number and read not in named.values()
            ),
        )
        for number, (node, inputs) in enumerate(zip(order, reads, strict=True))
    )
    return FlatNetwork(steps, named, image_size, architecture or {})
