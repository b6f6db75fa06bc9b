"""Where each variable of the `released` preset stands in a state dict.

The authors' keys follow their module tree. `entries` walks one layer and
yields, for each of its variables, the key of the tensor that belongs to it and
the axes that turn PyTorch's layout into ours.

The authors' network predicts the joints of LIP in an order of its own. Nothing
in the network reads a heatmap, so the order is one of the channels of the last
convolution of every pose head and of nothing else: `keypoint_order` has those
channels put into the order of a descriptor, and back.
"""

import functools
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
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
from nppnet_tf.layers.primitives.dilated_convolution import DilatedConvolution
from nppnet_tf.layers.primitives.max_pooling import MaxPooling
from nppnet_tf.layers.primitives.pooled_convolution import PooledConvolution
from nppnet_tf.layers.primitives.skip_connection import SkipConnection
from nppnet_tf.layers.primitives.squeeze_excitation import SqueezeExcitation
from nppnet_tf.models.nppnet import NPPNet
from nppnet_tf.search_space import topology

# PyTorch's [out, in, height, width] to ours, and a depthwise kernel's.
KERNEL_AXES = (2, 3, 1, 0)
DEPTHWISE_AXES = (2, 3, 0, 1)

# Joints of LIP in the order of the authors' heatmaps.
RELEASED_KEYPOINTS = (
    "head_top",
    "upper_neck",
    "right_shoulder",
    "right_elbow",
    "right_wrist",
    "left_shoulder",
    "left_elbow",
    "left_wrist",
    "right_hip",
    "right_knee",
    "right_ankle",
    "left_hip",
    "left_knee",
    "left_ankle",
    "thorax",
    "pelvis",
)

# The state dict lists modules as they were made, and in a module what is
# trained before what is counted.
_MODULE_ORDER = (
    *(f"stem{number}" for number in range(6)),
    *("cells1", "cells2", "_ops1", "_ops2", "up_ops1", "up_ops2"),
    *("upsamples1", "upsamples2"),
    *("pose_layer", "pose_auxlayer", "par_layer", "edge_layer"),
    *("pose_net", "par_net"),
    *("pose_head", "pose_auxnet", "par_head", "edge_head"),
    *("preprocess0", "preprocess1", "preprocess2", "_ops"),
    *("conv1", "conv2", "net", "bn"),
    *("weight", "bias", "running_mean", "running_var", "num_batches_tracked"),
)

# What a normalization that nothing has trained holds.
_FRESH_NORMALIZATION = {
    "weight": 1,
    "bias": 0,
    "running_mean": 0,
    "running_var": 1,
}
BATCH_COUNT = "num_batches_tracked"


class Entry(NamedTuple):
    """One variable and its tensor.

    Attributes:
        variable: Variable of our network.
        key: Key of the authors' tensor.
        axes: Their axes in our order.
        order: For each of our filters the number of theirs; None where both
            count alike.
    """

    variable: keras.Variable
    key: str
    axes: tuple[int, ...] = (0,)
    order: tuple[int, ...] | None = None

    @property
    def their_shape(self) -> tuple[int, ...]:
        """Shape of their tensor."""
        shape = tuple(self.variable.shape)
        return tuple(shape[axis] for axis in np.argsort(self.axes))

    def to_ours(self, array: np.ndarray) -> np.ndarray:
        """Returns their array in our layout."""
        if self.order is not None:
            array = array[list(self.order)]
        return np.transpose(array, self.axes)

    def to_theirs(self, array: np.ndarray) -> np.ndarray:
        """Returns our array in their layout."""
        array = np.transpose(array, np.argsort(self.axes))
        if self.order is not None:
            array = array[np.argsort(self.order)]
        return array


def keypoint_order(keypoints: Sequence[str]) -> tuple[int, ...] | None:
    """Returns where the authors' network has each of a data set's joints.

    Args:
        keypoints: Names, in the order that the predictions shall have.

    Returns:
        For each of them the number of the authors' heatmap; None where they
        are not the joints of LIP, which alone the authors reorder.
    """
    if set(keypoints) != set(RELEASED_KEYPOINTS):
        return None
    return tuple(RELEASED_KEYPOINTS.index(name) for name in keypoints)


def network_entries(
    network: NPPNet, order: tuple[int, ...] | None = None
) -> Iterator[Entry]:
    """Yields the entries of a derived network of the `released` preset.

    Args:
        network: Network of the preset, with any genotype.
        order: Order of its joints, see `keypoint_order`; None where the
            heatmaps are in the file's order.
    """
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
        yield from _ordered(
            entries(head, f"{heads[kind]}.{stage}"),
            head.prediction,
            order if heads[kind].startswith("pose") else None,
        )
    for index, cell in enumerate(network.fusion):
        number, position = divmod(index, len(keys.BRANCHES))
        yield from entries(cell, f"{('pose', 'par')[position]}_net.{number}")


def unused_normalizations(
    entry_list: Iterable[Entry],
) -> dict[str, tuple[int, ...]]:
    """Returns what the release keeps beside excitations and never uses.

    Args:
        entry_list: Entries of a whole network.

    Returns:
        Shapes by key, without the counts of batches.
    """
    sizes = {entry.key: entry.their_shape for entry in entry_list}
    # Alone of all convolutions named so an excitation's has a bias.
    ends = [key for key in sizes if key.endswith(".conv2.bias")]
    prefixes = {key.removesuffix("conv2.bias"): sizes[key] for key in ends}
    return {
        f"{prefix}bn.{name}": shape
        for prefix, shape in prefixes.items()
        if f"{prefix}bn.weight" not in sizes
        for name in _FRESH_NORMALIZATION
    }


def batch_counts(names: Iterable[str]) -> set[str]:
    """Returns the keys of the counts that normalizations keep of batches."""
    return {
        name.replace("running_var", BATCH_COUNT)
        for name in names
        if name.endswith(".running_var")
    }


def to_state_dict(entry_list: Iterable[Entry]) -> dict[str, np.ndarray]:
    """Returns a network's weights as the release's strict loader wants them.

    Args:
        entry_list: Entries of a whole network.

    Returns:
        Tensors by key, in the release's order: those of the entries, unused
        normalizations as they are made, and counts of batches, which are zero.
    """
    entry_list = list(entry_list)
    found = {
        entry.key: entry.to_theirs(
            keras.ops.convert_to_numpy(entry.variable.value)
        )
        for entry in entry_list
    }
    for key, shape in unused_normalizations(entry_list).items():
        value = _FRESH_NORMALIZATION[key.rpartition(".")[2]]
        found[key] = np.full(shape, value, np.float32)
    for key in batch_counts(list(found)):
        found[key] = np.zeros((), np.int64)
    return {key: found[key] for key in sorted(found, key=_position)}


def _position(key: str) -> tuple[int, ...]:
    return tuple(
        int(word) if word.isdecimal() else _MODULE_ORDER.index(word)
        for word in key.split(".")
    )


def _ordered(
    entry_list: Iterable[Entry],
    last: Convolution,
    order: tuple[int, ...] | None,
) -> Iterator[Entry]:
    """Gives the variables of one layer an order of their filters."""
    variables = {id(variable) for variable in last.variables}
    for entry in entry_list:
        if id(entry.variable) in variables:
            entry = entry._replace(order=order)
        yield entry


@functools.singledispatch
def entries(layer: keras.layers.Layer, prefix: str) -> Iterator[Entry]:
    """Yields the entries of one layer.

    Args:
        layer: Layer of a derived network.
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
    """A convolution at `position` of a sequence and its normalization."""
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
        for level, node in enumerate(getattr(layer.gene, branch)):
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
