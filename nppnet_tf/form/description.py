"""Writes down what the layers of a derived network compute at rest.

One function for each layer, beside its `call` in meaning and order; a layer
that has none, such as a user's own operation, stays as it is. The layers come
in the order of `models.walk`, as in the network.
"""

import functools
from collections.abc import Mapping
from collections.abc import Sequence

import keras
import numpy as np

from nppnet_tf import keys
from nppnet_tf.errors import UserError
from nppnet_tf.form import nodes
from nppnet_tf.form.nodes import Node
from nppnet_tf.layers import interaction as interactions
from nppnet_tf.layers.cell import Cell
from nppnet_tf.layers.cell import CellGraph
from nppnet_tf.layers.convolution import Convolution
from nppnet_tf.layers.convolution import ConvolutionBlock
from nppnet_tf.layers.convolution import FactorizedReduction
from nppnet_tf.layers.fanout import SelectedFanout
from nppnet_tf.layers.fusion_cell import FusionCell
from nppnet_tf.layers.heads import HighLevelFeatures
from nppnet_tf.layers.heads import PredictionHead
from nppnet_tf.layers.heads import Stem
from nppnet_tf.layers.interaction import Interaction
from nppnet_tf.layers.normalization import EPSILON
from nppnet_tf.layers.normalization import BatchNormalization
from nppnet_tf.layers.primitives.dilated_convolution import DilatedConvolution
from nppnet_tf.layers.primitives.max_pooling import MaxPooling
from nppnet_tf.layers.primitives.pooled_convolution import PooledConvolution
from nppnet_tf.layers.primitives.skip_connection import SkipConnection
from nppnet_tf.layers.primitives.squeeze_excitation import SqueezeExcitation
from nppnet_tf.models import walk
from nppnet_tf.models.baseline import BaselineEncoderDecoder
from nppnet_tf.models.baseline import Bottleneck
from nppnet_tf.models.encoder_decoder import EncoderDecoder
from nppnet_tf.models.nppnet import NPPNet
from nppnet_tf.models.unet import UNetEncoderDecoder
from nppnet_tf.search_space import topology


def describe(network: NPPNet) -> dict[str, tuple[Node, ...]]:
    """Writes down a derived network with its present weights.

    Args:
        network: A derived network.

    Returns:
        For each key of its predictions a node per stage.

    Raises:
        UserError: If it is a supernet, whose operations are mixtures.
    """
    if network.is_supernet:
        raise UserError(
            "a supernet has no inference form",
            "`network`",
            "a derived network",
            network.name,
        )
    return write_down(network)


def write_down(network: NPPNet) -> dict[str, tuple[Node, ...]]:
    """Does the same, also of a supernet whose fan-outs `leaving` knows.

    Args:
        network: Any network.

    Returns:
        What `describe` returns.
    """
    pyramids = _pyramids(network)
    main, auxiliary = {}, {}
    for branch, features in zip(keys.BRANCHES, network.high_level, strict=True):
        main[branch], auxiliary[branch] = _high_level(
            features, pyramids[branch]
        )
    stages = [walk.predicted(network.heads_of(0), main, auxiliary, layer)]
    if network.num_stages > 1:
        main, auxiliary = walk.fused(
            network.fusion_rounds, main, auxiliary, _fused
        )
        stages.append(
            walk.predicted(network.heads_of(1), main, auxiliary, layer)
        )
    return {key: tuple(stage[key] for stage in stages) for key in stages[0]}


def _pyramids(network: NPPNet) -> dict[str, list[Node]]:
    branches = dict(zip(keys.BRANCHES, network.branches, strict=True))
    picture = nodes.Picture(())
    pending = interactions.PendingTerms()

    def encoded(name, level, states):
        return encode(branches[name], level, states)

    def decoded(name, level, low, skip):
        return decode(branches[name], level, low, skip)

    def exchanged(level, features):
        if network.interaction is None:
            return {}
        return _exchange(network.interaction, features, level, pending)

    stems = {
        name: _stem(branch.stem, picture) for name, branch in branches.items()
    }
    return walk.pyramids(stems, encoded, decoded, exchanged)


def layer(described: keras.layers.Layer, node: Node) -> Node:
    """Describes a layer of one input and one output.

    Args:
        described: The layer, built; `register` adds classes.
        node: What it is given.

    Returns:
        Its output; an `OwnLayer` where the class is not registered, or has a
        `call` of its own.
    """
    kinds = type(described).__mro__
    known = next(kind for kind in kinds if kind in _at_rest.registry)
    if known is not object and type(described).call is not known.call:
        known = object
    return _at_rest.registry[known](described, node)


@functools.singledispatch
def _at_rest(described: keras.layers.Layer, node: Node) -> Node:
    """What a layer computes that nobody has described."""
    shape = described.compute_output_shape((None, 64, 64, node.channels))
    return nodes.OwnLayer((node,), described, shape[-1], 64 // shape[1])


# Adds what a class of layers computes at rest: a function of layer and input.
register = _at_rest.register


@register
def _(described: Convolution, node: Node) -> Node:
    kernel = _array(described.kernel)
    bias = np.zeros(kernel.shape[-1], np.float32)
    if described.use_bias:
        bias = _array(described.bias)
    return nodes.Convolution((node,), kernel, bias, described.stride)


@register
def _(described: BatchNormalization, node: Node) -> Node:
    variance = _array(described.moving_variance).astype(np.float64)
    scale = 1.0 / np.sqrt(variance + EPSILON)
    shift = np.zeros_like(scale)
    if described.affine:
        scale *= _array(described.gain)
        shift += _array(described.offset)
    shift -= _array(described.moving_mean) * scale
    return nodes.Scaling(
        (node,), scale.astype(np.float32), shift.astype(np.float32)
    )


@register
def _(described: ConvolutionBlock, node: Node) -> Node:
    if described.rectify in ("before", "both"):
        node = nodes.Rectification((node,))
    node = layer(described.convolution, node)
    node = layer(described.normalization, node)
    if described.rectify in ("after", "both"):
        node = nodes.Rectification((node,))
    return node


@register
def _(described: FactorizedReduction, node: Node) -> Node:
    node = nodes.Rectification((node,))
    halves = (
        layer(described.even, node),
        layer(described.odd, nodes.Slice((node,), 1, 1)),
    )
    return layer(described.normalization, nodes.Concatenation(halves))


@register
def _(described: PredictionHead, node: Node) -> Node:
    return layer(described.prediction, layer(described.block, node))


@register
def _(described: DilatedConvolution, node: Node) -> Node:
    node, rate = nodes.Rectification((node,)), described.rate
    if described.stride == 2:
        node, rate = nodes.Slice((node,), 0, 2), rate // 2
    node = nodes.Depthwise((node,), _array(described.depthwise), rate)
    return layer(described.normalization, layer(described.pointwise, node))


@register
def _(described: PooledConvolution, node: Node) -> Node:
    stride = node.stride * described.stride
    node = layer(described.block, nodes.AveragePooling((node,)))
    return nodes.Resizing((node,), stride)


@register
def _(described: MaxPooling, node: Node) -> Node:
    node = nodes.MaxPooling((node,), described.stride)
    return layer(described.normalization, node)


@register
def _(described: SkipConnection, node: Node) -> Node:
    if described.reduction is None:
        return node
    return layer(described.reduction, node)


@register
def _(described: SqueezeExcitation, node: Node) -> Node:
    factor = layer(described.squeeze, nodes.GlobalMean((node,)))
    factor = layer(described.excite, nodes.Rectification((factor,)))
    node = nodes.Product((node, nodes.Sigmoid((factor,))))
    if described.normalization is None:
        return node
    return layer(described.normalization, nodes.AveragePooling((node,)))


@register
def _(described: Bottleneck, node: Node) -> Node:
    shortcut = node
    if described.shortcut is not None:
        shortcut = layer(described.shortcut, node)
    for block in described.blocks:
        node = layer(block, node)
    return nodes.Rectification((nodes.Sum((node, shortcut)),))


@functools.singledispatch
def encode(
    branch: keras.layers.Layer, level: int, states: tuple[Node, Node]
) -> tuple[Node, Node]:
    """Describes what a branch's encoder does on one level.

    Args:
        branch: An encoder-decoder.
        level: Number of the level, 0..3.
        states: The two states before.

    Returns:
        The last two states; the second is the level's feature.
    """
    raise TypeError(f"Not an encoder-decoder. Received: branch={branch}")


@encode.register
def _(branch: EncoderDecoder, level: int, states):
    for cell in branch.cells_of(level):
        states = (states[1], _cell(cell, states))
    return states


@encode.register
def _(branch: BaselineEncoderDecoder, level: int, states):
    feature = states[1]
    for bottleneck in branch.stage(level):
        feature = layer(bottleneck, feature)
    return states[1], layer(branch.necks[level], feature)


@encode.register
def _(branch: UNetEncoderDecoder, level: int, states):
    feature = states[1]
    for block in branch.blocks_of(level):
        feature = layer(block, feature)
    return states[1], feature


@functools.singledispatch
def decode(
    branch: keras.layers.Layer, level: int, low: Node, skip: Node
) -> Node:
    """Describes what a branch's decoder does on one level.

    Args:
        branch: An encoder-decoder.
        level: Number of the level, 4..6.
        low: The level before, at half the size.
        skip: The encoder's level of the same size.
    """
    raise TypeError(f"Not an encoder-decoder. Received: branch={branch}")


@decode.register
def _(branch: EncoderDecoder, level: int, low: Node, skip: Node) -> Node:
    cell = branch.decoder[level - topology.NUM_ENCODER_LEVELS]
    return _cell(cell, (low, skip))


@decode.register
def _(
    branch: BaselineEncoderDecoder, level: int, low: Node, skip: Node
) -> Node:
    number = level - topology.NUM_ENCODER_LEVELS
    top = nodes.Resizing((layer(branch.tops[number], low),), low.stride / 2)
    lateral = layer(branch.laterals[number], skip)
    return layer(branch.smooths[number], nodes.Sum((top, lateral)))


@decode.register
def _(branch: UNetEncoderDecoder, level: int, low: Node, skip: Node) -> Node:
    node = nodes.Concatenation((skip, _resized(low, low.stride / 2)))
    for block in branch.blocks_of(level):
        node = layer(block, node)
    return node


def _stem(described: Stem, picture: Node) -> tuple[Node, Node]:
    quarter = layer(described.quarter, layer(described.half, picture))
    return quarter, layer(described.last, quarter)


def _high_level(
    described: HighLevelFeatures, pyramid: Sequence[Node]
) -> tuple[Node, Node]:
    finest = min(pyramid[level].stride for level in described.levels)
    features = nodes.Concatenation(
        tuple(_resized(pyramid[level], finest) for level in described.levels)
    )
    return layer(described.main, features), layer(described.auxiliary, features)


def _cell(described: Cell, inputs: Sequence[Node]) -> Node:
    _, made = _states_and_nodes(described, inputs)
    return nodes.Concatenation(tuple(made))


def _fused(
    _: str, described: FusionCell, inputs: Sequence[Node]
) -> tuple[Node, Node]:
    states, made = _states_and_nodes(described, inputs)
    return nodes.Concatenation(tuple(states)), nodes.Concatenation(tuple(made))


def _states_and_nodes(
    described: Cell | FusionCell, inputs: Sequence[Node]
) -> tuple[list[Node], list[Node]]:
    states = [
        layer(preprocess, node)
        for preprocess, node in zip(described.preprocess, inputs, strict=True)
    ]
    return states, _cell_graph(described.graph, states)


def _cell_graph(described: CellGraph, inputs: Sequence[Node]) -> list[Node]:
    states = list(inputs)
    terms: list[list[Node]] = [[] for _ in range(topology.CELL_NODES)]
    for state, fanout in enumerate(described.fanouts):
        if state >= described.num_inputs:
            states.append(_sum(terms[state - described.num_inputs]))
        if fanout is not None:
            outputs = leaving(fanout, states[state])
            for target, output in zip(fanout.targets, outputs, strict=True):
                terms[target.node].append(output)
    return states[described.num_inputs :]


@functools.singledispatch
def leaving(fanout: keras.layers.Layer, state: Node) -> list[Node]:
    """Describes all edges that leave a state.

    Args:
        fanout: The layer that holds them.
        state: The state.

    Returns:
        A node for each target.
    """
    raise TypeError(f"Not a described fan-out. Received: fanout={fanout}")


@leaving.register
def _(described: SelectedFanout, state: Node) -> list[Node]:
    outputs = []
    for operation, target, projection in zip(
        described.operations,
        described.targets,
        described.projections,
        strict=True,
    ):
        node = layer(operation, state)
        stride = node.stride / target.scale
        # In the published order: resized, then projected.
        node = _resized(node, stride)
        if projection is not None:
            node = layer(projection, node)
        outputs.append(node)
    return outputs


def _exchange(
    described: Interaction,
    features: Mapping[str, Node],
    level: int,
    pending: interactions.PendingTerms,
) -> dict[str, Node]:
    updated = {}
    for branch in keys.BRANCHES:
        source = features[interactions.OTHER_BRANCH[branch]]
        _send(described.own, branch, level, source, pending)
        terms = pending.take(branch, level)
        updated[branch] = _sum([features[branch], *terms])
    for branch in keys.BRANCHES:
        source = updated[interactions.OTHER_BRANCH[branch]]
        _send(described.later, branch, level, source, pending)
    return updated


def _send(fanouts, branch, level, source, pending) -> None:
    position = keys.BRANCHES.index(branch) * topology.NUM_LEVELS + level
    fanout = fanouts[position]
    if fanout is None:
        return
    outputs = leaving(fanout, source)
    for target, output in zip(fanout.targets, outputs, strict=True):
        pending.add(branch, target.node, output)


def _resized(node: Node, stride: float) -> Node:
    return node if node.stride == stride else nodes.Resizing((node,), stride)


def _sum(terms: Sequence[Node]) -> Node:
    return terms[0] if len(terms) == 1 else nodes.Sum(tuple(terms))


def _array(variable: keras.Variable) -> np.ndarray:
    return keras.ops.convert_to_numpy(variable).astype(np.float32)
