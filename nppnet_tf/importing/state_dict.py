"""Where each variable of the `released` preset stands in a state dict.

The authors' keys follow their module tree. Every function here walks one layer
and yields, for each of its variables, the key of the tensor that belongs to it
and the axes that turn PyTorch's layout into ours.
"""

import functools
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Mapping
from typing import NamedTuple

import keras
import numpy as np

from nppnet_tf import keys
from nppnet_tf.layers.cell import Cell
from nppnet_tf.layers.cell import CellGraph
from nppnet_tf.layers.convolution import Convolution
from nppnet_tf.layers.convolution import ConvolutionBlock
from nppnet_tf.layers.convolution import FactorizedReduction
from nppnet_tf.layers.fusion_cell import FusionCell
from nppnet_tf.layers.heads import PredictionHead
from nppnet_tf.layers.heads import Stem
from nppnet_tf.layers.interaction import Interaction
from nppnet_tf.layers.normalization import BatchNormalization
from nppnet_tf.layers.primitives import DilatedConvolution
from nppnet_tf.layers.primitives import MaxPooling
from nppnet_tf.layers.primitives import PooledConvolution
from nppnet_tf.layers.primitives import SkipConnection
from nppnet_tf.layers.primitives import SqueezeExcitation
from nppnet_tf.models.nppnet import NPPNet
from nppnet_tf.search_space import topology

# PyTorch's [out, in, height, width] to ours, and a depthwise kernel's.
KERNEL_AXES = (2, 3, 1, 0)
DEPTHWISE_AXES = (2, 3, 0, 1)


class Entry(NamedTuple):
    """One variable and its tensor.

    Attributes:
        variable: Of ours.
        key: Of theirs.
        axes: Their axes in our order.
    """

    variable: keras.Variable
    key: str
    axes: tuple[int, ...] = (0,)

    def to_ours(self, array: np.ndarray) -> np.ndarray:
        """Returns their array in our layout."""
        return np.transpose(array, self.axes)

    def to_theirs(self, array: np.ndarray) -> np.ndarray:
        """Returns our array in their layout."""
        return np.transpose(array, np.argsort(self.axes))


def network_entries(network: NPPNet) -> Iterator[Entry]:
    """Yields the entries of a derived network of the `released` preset."""
    for position, branch in enumerate(network.branches):
        number = position + 1
        yield from _stem(branch.stem, 3 * position)
        for index, cell in enumerate(branch.encoder):
            yield from entries(cell, f"cells{number}.{index}")
        for index, cell in enumerate(branch.decoder):
            yield from entries(cell, f"upsamples{number}.{index}")
    if network.interaction is not None:
        yield from _interaction(network.interaction)
    names = (("pose_layer", "pose_auxlayer"), ("par_layer", "edge_layer"))
    for features, (main, auxiliary) in zip(
        network.high_level, names, strict=True
    ):
        yield from _block(features.main, main, 1)
        yield from _block(features.auxiliary, auxiliary, 1)
    heads = ("pose_head", "pose_auxnet", "par_head", "edge_head")
    for index, head in enumerate(network.heads):
        stage, kind = divmod(index, len(heads))
        yield from entries(head, f"{heads[kind]}.{stage}")
    for index, cell in enumerate(network.fusion):
        number, position = divmod(index, len(keys.BRANCHES))
        yield from entries(cell, f"{('pose', 'par')[position]}_net.{number}")


@functools.singledispatch
def entries(layer: keras.layers.Layer, prefix: str) -> Iterator[Entry]:
    """Yields the entries of one layer.

    Args:
        layer: Of a derived network.
        prefix: Key of the module that the layer corresponds to.
    """
    raise ValueError(f"No keys are known. Received: layer={layer}")


@entries.register
def _convolution(layer: Convolution, prefix: str) -> Iterator[Entry]:
    yield Entry(layer.kernel, f"{prefix}.weight", KERNEL_AXES)
    if layer.use_bias:
        yield Entry(layer.bias, f"{prefix}.bias")


@entries.register
def _normalization(layer: BatchNormalization, prefix: str) -> Iterator[Entry]:
    if layer.affine:
        yield Entry(layer.gain, f"{prefix}.weight")
        yield Entry(layer.offset, f"{prefix}.bias")
    yield Entry(layer.moving_mean, f"{prefix}.running_mean")
    yield Entry(layer.moving_variance, f"{prefix}.running_var")


def _block(
    layer: ConvolutionBlock, prefix: str, position: int
) -> Iterator[Entry]:
    """A convolution at `position` of a sequence and its normalisation."""
    yield from entries(layer.convolution, f"{prefix}.{position}")
    yield from entries(layer.normalization, f"{prefix}.{position + 1}")


@entries.register
def _relu_convolution(layer: ConvolutionBlock, prefix: str) -> Iterator[Entry]:
    return _block(layer, f"{prefix}.net", 1)


@entries.register
def _dilated(layer: DilatedConvolution, prefix: str) -> Iterator[Entry]:
    yield Entry(layer.depthwise, f"{prefix}.net.1.weight", DEPTHWISE_AXES)
    yield from entries(layer.pointwise, f"{prefix}.net.2")
    yield from entries(layer.normalization, f"{prefix}.net.3")


@entries.register
def _max_pooling(layer: MaxPooling, prefix: str) -> Iterator[Entry]:
    return entries(layer.normalization, f"{prefix}.bn")


@entries.register
def _reduction(layer: FactorizedReduction, prefix: str) -> Iterator[Entry]:
    yield from entries(layer.even, f"{prefix}.conv1")
    yield from entries(layer.odd, f"{prefix}.conv2")
    yield from entries(layer.normalization, f"{prefix}.bn")


@entries.register
def _skip(layer: SkipConnection, prefix: str) -> Iterator[Entry]:
    if layer.reduction is not None:
        yield from entries(layer.reduction, prefix)


@entries.register
def _excitation(layer: SqueezeExcitation, prefix: str) -> Iterator[Entry]:
    yield from entries(layer.squeeze, f"{prefix}.conv1")
    yield from entries(layer.excite, f"{prefix}.conv2")
    if layer.normalization is not None:
        yield from entries(layer.normalization, f"{prefix}.bn")


@entries.register
def _pooled(layer: PooledConvolution, prefix: str) -> Iterator[Entry]:
    return _block(layer.block, f"{prefix}.net", 2)


@entries.register
def _cell(layer: Cell, prefix: str) -> Iterator[Entry]:
    yield from _preprocess(layer.preprocess, prefix)
    yield from entries(layer.graph, prefix)


@entries.register
def _fusion_cell(layer: FusionCell, prefix: str) -> Iterator[Entry]:
    yield from _preprocess(layer.preprocess, prefix)
    yield from entries(layer.graph, prefix)


def _preprocess(
    layers: Iterable[keras.layers.Layer], prefix: str
) -> Iterator[Entry]:
    for number, layer in enumerate(layers):
        yield from entries(layer, f"{prefix}.preprocess{number}")


@entries.register
def _graph(layer: CellGraph, prefix: str) -> Iterator[Entry]:
    """Theirs numbers operations node by node; ours groups them by state."""
    operations = _operations_by_state(layer)
    number = 0
    for node in layer.gene.nodes:
        for choice in node:
            operation = next(operations[choice.predecessor])
            name = f"{prefix}._ops.{number}"
            is_input = choice.predecessor < layer.num_inputs
            if is_input and layer.input_scales[choice.predecessor] > 1:
                # Theirs is a sequence of the operation and an upsampling.
                name += ".0"
            yield from entries(operation, name)
            number += 1


def _operations_by_state(layer: CellGraph) -> dict[int, Iterator]:
    return {
        state: iter(fanout.operations)
        for state, fanout in enumerate(layer.fanouts)
        if fanout is not None
    }


@entries.register
def _head(layer: PredictionHead, prefix: str) -> Iterator[Entry]:
    yield from _block(layer.block, prefix, 1)
    yield from entries(layer.prediction, f"{prefix}.4")


def _stem(stem: Stem, first: int) -> Iterator[Entry]:
    blocks = (stem.half, stem.quarter, stem.last)
    for number, block in enumerate(blocks, first):
        yield from _block(block, f"stem{number}", 0)


def _interaction(layer: Interaction) -> Iterator[Entry]:
    """Encoder levels are `_ops`, decoder levels `up_ops`, 1 pose, 2 parsing."""
    for position, branch in enumerate(keys.BRANCHES):
        numbers = {"_ops": 0, "up_ops": 0}
        cursors = {}
        for level, node in enumerate(layer.genes[branch]):
            is_encoder = level < topology.NUM_ENCODER_LEVELS
            group = "_ops" if is_encoder else "up_ops"
            for choice in node:
                prefix = f"{group}{position + 1}.{numbers[group]}"
                numbers[group] += 1
                yield from _interaction_edge(
                    layer, position, level, choice.predecessor, cursors, prefix
                )


def _interaction_edge(
    layer: Interaction,
    position: int,
    level: int,
    source: int,
    cursors: dict,
    prefix: str,
) -> Iterator[Entry]:
    index = position * topology.NUM_LEVELS + source
    is_own = level == source
    fanout = (layer.own if is_own else layer.later)[index]
    # A fan-out holds its operations in the order in which levels list them.
    number = cursors.get((source, is_own), 0)
    cursors[source, is_own] = number + 1
    operation = fanout.operations[number]
    if is_own:
        yield from entries(operation, prefix)
        return
    yield from entries(operation, f"{prefix}.0")
    yield from entries(fanout.projections[number], f"{prefix}.1.1")


def assign(
    entry_list: Iterable[Entry], arrays: Mapping[str, np.ndarray]
) -> None:
    """Gives every variable its tensor.

    Args:
        entry_list: What `entries` or `network_entries` yielded.
        arrays: Tensors by key.

    Raises:
        ValueError: If a tensor is missing or has another shape.
    """
    for entry in entry_list:
        if entry.key not in arrays:
            raise ValueError(f"No tensor for a layer. Received: {entry.key=}")
        array = entry.to_ours(np.asarray(arrays[entry.key]))
        if array.shape != tuple(entry.variable.shape):
            raise ValueError(
                f"{entry.key} must have our shape {entry.variable.shape}. "
                f"Received: shape={array.shape}"
            )
        entry.variable.assign(array)
