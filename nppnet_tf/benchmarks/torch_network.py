"""A network in PyTorch, one eager operation after the other.

Whoever trains or searches the published network in PyTorch computes this, in
this order. Needs the package `torch`, of the extra `torch`, and no TensorFlow.
"""

import functools
from collections.abc import Callable
from collections.abc import Mapping
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from nppnet_tf.benchmarks.flat_network import Architecture
from nppnet_tf.benchmarks.flat_network import FlatNetwork
from nppnet_tf.benchmarks.flat_network import MixedEdge
from nppnet_tf.form import nodes

# As `layers.normalization` has it; PyTorch's default.
_EPSILON = 1e-5


class _Weights(NamedTuple):
    """Scalars that weigh one part.

    Attributes:
        operations: Weight of each operation, edge by edge.
        edges: Weight of each edge in its node.
    """

    operations: Sequence[Sequence[torch.Tensor]]
    edges: Sequence[torch.Tensor]


class Network(nn.Module):
    """A network in training mode, with weights of its own.

    A convolution whose described bias is all zeros has none. Of normalizations
    it takes gain and offset from what they are at rest with fresh statistics,
    mean 0 and variance 1.

    Args:
        flat: The network.
        affine: Whether normalizations have gain and offset.
    """

    def __init__(self, flat: FlatNetwork, affine: bool = True) -> None:
        super().__init__()
        self._steps = [(step.reads, step.frees) for step in flat.steps]
        self._outputs = flat.outputs
        self._operations = [
            _operation(step.node, flat.image_size, affine)
            for step in flat.steps
        ]
        self.learned = nn.ModuleList(
            each for each in self._operations if isinstance(each, nn.Module)
        )
        self.architecture = nn.ModuleDict(
            {
                name: _Mixture(architecture)
                for name, architecture in flat.architecture.items()
            }
        )

    def forward(self, picture: torch.Tensor) -> dict[str, torch.Tensor]:
        """Returns the outputs by their names, [batch, channels, h, w].

        Args:
            picture: Normalized pictures [batch, 3, height, width].
        """
        weights = {name: part() for name, part in self.architecture.items()}
        values: dict[int, torch.Tensor] = {}
        for number, (reads, frees) in enumerate(self._steps):
            operation = self._operations[number]
            inputs = [values[read] for read in reads] or [picture]
            if isinstance(operation, _MixedEdge):
                inputs.append(weights)
            values[number] = operation(*inputs)
            for read in frees:
                del values[read]
        return {name: values[n] for name, n in self._outputs.items()}


class _Mixture(nn.Module):
    """Alpha and beta of a part."""

    def __init__(self, architecture: Architecture) -> None:
        super().__init__()
        self.alpha = nn.Parameter(torch.tensor(architecture.alpha))
        self.beta = nn.Parameter(torch.tensor(architecture.beta))
        self._node_rows = architecture.node_rows

    def forward(self) -> _Weights:
        operations = [x.unbind() for x in torch.softmax(self.alpha, 1).unbind()]
        edges = {
            row: weight
            for rows in self._node_rows
            for row, weight in zip(
                rows, torch.softmax(self.beta[rows], 0).unbind(), strict=True
            )
        }
        return _Weights(operations, [edges[row] for row in sorted(edges)])


class _MixedEdge(nn.Module):
    """An edge of a supernet; the other channels bypass its operations."""

    def __init__(self, edge: MixedEdge, size: tuple[int, ...]) -> None:
        super().__init__()
        self._part, self._row = edge.part, edge.row
        self._searched, self._step = edge.searched, edge.step
        self._size = size if edge.resizes else None
        self.operations = nn.ModuleList(
            Network(flat, affine=False) for flat in edge.operations
        )
        self.projection = edge.projection and _operation(edge.projection, size)

    def forward(
        self, state: torch.Tensor, weights: Mapping[str, _Weights]
    ) -> torch.Tensor:
        others = state.shape[1] - self._searched
        searched, bypass = state.split([self._searched, others], 1)
        terms = []
        for weight, operation in zip(
            weights[self._part].operations[self._row],
            self.operations,
            strict=True,
        ):
            (found,) = operation(searched).values()
            # The authors resize every operation.
            terms.append(weight * self._resize(found))
        mixed = functools.reduce(torch.add, terms)
        if others:
            mixed = _shuffle(mixed, self._bypass(bypass))
        if self.projection is not None:
            mixed = self.projection(mixed)
        return weights[self._part].edges[self._row] * mixed

    def _resize(self, values: torch.Tensor) -> torch.Tensor:
        return values if self._size is None else resize(values, self._size)

    def _bypass(self, values: torch.Tensor) -> torch.Tensor:
        if self._step == 2:
            values = functional.max_pool2d(values, 2)
        if self._size is None:
            return values
        return functional.interpolate(values, self._size, mode="nearest")


def _shuffle(mixed: torch.Tensor, bypass: torch.Tensor) -> torch.Tensor:
    """Concatenates, and shuffles channels in groups of the searched ones."""
    batch, searched, height, width = mixed.shape
    groups = 1 + bypass.shape[1] // searched
    joined = torch.cat([mixed, bypass], 1)
    joined = joined.view(batch, groups, searched, height, width)
    return joined.transpose(1, 2).reshape(batch, -1, height, width)


def resize(values: torch.Tensor, size: tuple[int, ...]) -> torch.Tensor:
    """Resizes bilinearly with aligned corners.

    Args:
        values: Float tensor [batch, channels, h, w].
        size: (height, width) of the result.
    """
    return functional.interpolate(
        values, size, mode="bilinear", align_corners=True
    )


def _operation(
    node: nodes.Node, image_size: tuple[int, ...], affine: bool = True
) -> Callable[..., torch.Tensor]:
    match node:
        case nodes.Convolution():
            kernel = node.kernel.transpose(3, 2, 0, 1)
            return _convolution(kernel, node.bias, node.step, node.rate)
        case nodes.Depthwise():
            kernel = node.kernel.transpose(2, 3, 0, 1)
            return _convolution(kernel, None, 1, node.rate, len(kernel))
        case nodes.Scaling():
            return _normalization(node, affine)
        case nodes.Resizing():
            size = tuple(nodes.size_at(x, node.target) for x in image_size)
            return functools.partial(resize, size=size)
        case MixedEdge():
            size = tuple(nodes.size_at(x, node.target) for x in image_size)
            return _MixedEdge(node, size)
        case nodes.Slice():
            pixels = slice(node.start, None, node.step)
            return lambda values: values[:, :, pixels, pixels]
        case nodes.MaxPooling():
            return functools.partial(
                functional.max_pool2d,
                kernel_size=3,
                stride=node.step,
                padding=1,
            )
    return _PLAIN[type(node)]


def _convolution(
    kernel: np.ndarray,
    bias: np.ndarray | None,
    step: int,
    rate: int,
    groups: int = 1,
) -> nn.Module:
    """Returns a convolution of a kernel [filters, channels, size, size]."""
    filters, channels, size, _ = kernel.shape
    made = nn.Conv2d(
        channels * groups,
        filters,
        size,
        step,
        padding=rate * (size // 2),
        dilation=rate,
        groups=groups,
        bias=bias is not None and bool(bias.any()),
    )
    _give(made.weight, kernel)
    if made.bias is not None:
        _give(made.bias, bias)
    return made


def _normalization(node: nodes.Scaling, affine: bool) -> nn.Module:
    made = nn.BatchNorm2d(len(node.scale), _EPSILON, affine=affine)
    if affine:
        _give(made.weight, node.scale * np.sqrt(1 + _EPSILON))
        _give(made.bias, node.shift)
    return made


def _give(parameter: nn.Parameter, value: np.ndarray) -> None:
    with torch.no_grad():
        parameter.copy_(torch.from_numpy(value.astype(np.float32)))


_PLAIN: dict[type, Callable[..., torch.Tensor]] = {
    nodes.Picture: lambda picture: picture,
    nodes.Rectification: functional.relu,
    nodes.Sigmoid: torch.sigmoid,
    nodes.Sum: lambda *terms: functools.reduce(torch.add, terms),
    nodes.Product: torch.mul,
    nodes.Concatenation: lambda *parts: torch.cat(parts, 1),
    nodes.AveragePooling: lambda values: functional.avg_pool2d(
        values, 2, ceil_mode=True
    ),
    nodes.GlobalMean: lambda values: values.mean((2, 3), keepdim=True),
}
