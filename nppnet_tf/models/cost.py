"""What a network costs: trainable parameters and multiply-accumulates."""

import math
import re
from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Sequence
from concurrent import futures
from typing import NamedTuple

import keras
import tensorflow as tf

from nppnet_tf.config import NetworkConfig
from nppnet_tf.layers.fanout import SelectedFanout
from nppnet_tf.layers.fanout import Target
from nppnet_tf.models.nppnet import NPPNet
from nppnet_tf.search_space import topology
from nppnet_tf.search_space.genotype import Genotype

STEMS = "stems"
ENCODER_CELLS = "encoder cells"
DECODING_CELLS = "decoding cells"
ENCODER_INTERACTION = "encoder interaction"
DECODER_INTERACTION = "decoder interaction"
HIGH_LEVEL = "high-level features"
FUSION_CELLS = "fusion cells"
HEADS = "heads"

_CONVOLUTION = "Conv2D"
_DEPTHWISE = "DepthwiseConv2dNative"
_PRODUCT = "MatMul"

# Inputs that hold a kernel and the map of outputs, by the kind of operation;
# None: the operation's own output.
_PLACES = {
    "": (1, None),
    "BackpropInput": (1, 2),
    "BackpropFilter": (None, 2),
}
_KINDS = {
    kind + suffix: (*places, kind == _DEPTHWISE)
    for kind in (_CONVOLUTION, _DEPTHWISE)
    for suffix, places in _PLACES.items()
}

# Paths of kernels, by the part that holds them; the first match counts. Edges
# of the interaction are told apart by where they lead.
_PARTS = {
    r"\w+_branch/stem/": STEMS,
    r"\w+_branch/(decoding|top|lateral|smooth)_": DECODING_CELLS,
    r"\w+_branch/": ENCODER_CELLS,
    r"\w+_high_level/": HIGH_LEVEL,
    r"(pose|parsing)_cell_": FUSION_CELLS,
    r"\w+_head_": HEADS,
}
_EDGE = re.compile(r"interaction/(\w+)/(?:(\d+)_\w+|projection_(\d+))/")


class Cost(NamedTuple):
    """Size of a network.

    Attributes:
        parameters: Trainable numbers.
        macs: Multiply-accumulates of all convolutions for one picture, as
            they are executed: a dilated one pads its input to a multiple of
            the dilation, which shows where a side is none (at 384 x 384 all
            are).
        published_macs: The same in the order of the release, which projects
            an edge of the interaction behind its upsampling, on more pixels;
            the figure to compare with published ones. Of a supernet the same
            as `macs`.
    """

    parameters: int
    macs: int
    published_macs: int

    def __str__(self) -> str:
        return (
            f"{self.parameters / 1e6:.2f} M parameters, "
            f"{self.macs / 1e9:.2f} GMAC"
        )


class _Convolution(NamedTuple):
    """One convolution of the inference graph and where its kernel lives."""

    path: str
    macs: int


def cost(network: NPPNet, image_size: tuple[int, int]) -> Cost:
    """Counts a network's parameters and the work of its inference graph.

    Args:
        network: Any NPPNet.
        image_size: (height, width) of the input.
    """
    parameters = sum(
        math.prod(weight.shape) for weight in network.trainable_weights
    )
    convolutions = list(_convolutions(network, image_size))
    return Cost(
        parameters,
        sum(convolution.macs for convolution in convolutions),
        sum(_published_macs(network, found) for found in convolutions),
    )


def macs(
    genotype: Genotype, config: NetworkConfig, image_size: tuple[int, int]
) -> int:
    """Counts the work of a network that is given no weights.

    The same number as `cost` finds, in half the time.

    Args:
        genotype: A derived genotype.
        config: Size of the network.
        image_size: (height, width) of the input.
    """
    # Keras keeps variables without a value, until the thread ends.
    with futures.ThreadPoolExecutor(1) as thread:
        counting = thread.submit(_macs, genotype, config, image_size)
        return counting.result()


def _macs(genotype, config, image_size) -> int:
    with keras.StatelessScope(initialize_variables=False):
        network = NPPNet(genotype, config)

    def forward(inputs, training):
        values = [
            (
                variable,
                tf.raw_ops.Placeholder(
                    dtype=variable.dtype, shape=variable.shape
                ),
            )
            for variable in network.variables
        ]
        with keras.StatelessScope(values, initialize_variables=False):
            return network(inputs, training=training)

    return _macs_of_graph(forward, [1, *image_size, 3])


def published_macs_by_part(
    network: NPPNet, image_size: tuple[int, int]
) -> dict[str, int]:
    """Splits `Cost.published_macs` over the parts of a derived network.

    Args:
        network: A derived network.
        image_size: (height, width) of the input.

    Returns:
        Multiply-accumulates by part, in the order of the network.

    Raises:
        ValueError: If the network is a supernet, whose kernels are mixtures.
    """
    if network.is_supernet:
        raise ValueError(
            f"A derived network is needed. Received: network={network.name}"
        )
    macs = dict.fromkeys(
        (STEMS, ENCODER_CELLS, ENCODER_INTERACTION, DECODING_CELLS)
        + (DECODER_INTERACTION, HIGH_LEVEL, HEADS, FUSION_CELLS),
        0,
    )
    for convolution in _convolutions(network, image_size):
        part = _part(network, convolution.path)
        macs[part] += _published_macs(network, convolution)
    return macs


def macs_of(layer: keras.layers.Layer, shape: Sequence[int]) -> int:
    """Counts the work of the convolutions of one built layer.

    Args:
        layer: A layer of one tensor.
        shape: Shape of the tensor, [1, height, width, channels].
    """
    return _macs_of_graph(layer, shape)


def macs_of_operation(operation: tf.Operation) -> int:
    """Counts the work of one operation of a graph.

    Every output pixel of a convolution takes the kernel once, for every output
    channel, and so it is in both gradients.

    Args:
        operation: Any, of shapes that are known.

    Returns:
        Multiply-accumulates of convolutions, their gradients and products of
        matrices; 0 of everything else.
    """
    if operation.type == _PRODUCT:
        first, outputs = operation.inputs[0].shape, operation.outputs[0].shape
        summed = 0 if operation.get_attr("transpose_a") else 1
        return first[summed] * outputs.num_elements()
    if operation.type not in _KINDS:
        return 0
    kernel_at, map_at, is_depthwise = _KINDS[operation.type]

    def shape(place: int | None) -> tf.TensorShape:
        own = operation.outputs[0]
        return (own if place is None else operation.inputs[place]).shape

    # Of a group where there are groups, as kernels are laid out.
    *window, inputs, _ = shape(kernel_at).as_list()
    per_output = window[0] * window[1] * (1 if is_depthwise else inputs)
    return shape(map_at).num_elements() * per_output


def _macs_of_graph(layer: Callable, shape: Sequence[int]) -> int:
    graph = _forward_graph(layer, shape)
    return sum(macs_of_operation(operation) for operation, _ in _kernels(graph))


def _convolutions(
    network: NPPNet, image_size: tuple[int, int]
) -> Iterator[_Convolution]:
    graph = _forward_graph(network, [1, *image_size, 3])
    paths = {
        id(variable.value.handle): variable.path
        for variable in network.variables
    }
    inside = {
        id(inner): paths.get(id(outer)) for outer, inner in graph.captures
    }
    for operation, kernel in _kernels(graph):
        source = kernel.op.inputs[0] if kernel.op.inputs else None
        yield _Convolution(
            # A supernet's kernels are computed from several variables.
            inside.get(id(source)) or "",
            macs_of_operation(operation),
        )


def _kernels(graph) -> Iterator[tuple[tf.Operation, tf.Tensor]]:
    """Convolutions of a graph, each with its kernel."""
    for operation in graph.get_operations():
        if operation.type in (_CONVOLUTION, _DEPTHWISE):
            yield operation, operation.inputs[1]
        elif operation.type == _PRODUCT:
            # Where a convolution is one product, see `layers.convolution`.
            matrix = operation.inputs[1].op
            if matrix.type == "Reshape" and matrix.inputs[0].shape.rank == 4:
                yield operation, matrix.inputs[0]


def _forward_graph(layer: Callable, shape: Sequence[int]):
    spec = tf.TensorSpec(shape, tf.float32)
    forward = tf.function(
        lambda inputs: layer(inputs, training=False), autograph=False
    )
    return forward.get_concrete_function(spec).graph


def _published_macs(network: NPPNet, convolution: _Convolution) -> int:
    target = _target(network, convolution.path)
    if target is None or "/projection_" not in convolution.path:
        return convolution.macs
    return convolution.macs * max(1, int(target.scale)) ** 2


def _part(network: NPPNet, path: str) -> str:
    target = _target(network, path)
    if target is not None:
        is_encoder = target.node < topology.NUM_ENCODER_LEVELS
        return ENCODER_INTERACTION if is_encoder else DECODER_INTERACTION
    return next(
        part for pattern, part in _PARTS.items() if re.match(pattern, path)
    )


def _target(network: NPPNet, path: str) -> Target | None:
    """Where the edge of the interaction leads that a kernel belongs to."""
    match = _EDGE.match(path)
    if match is None:
        return None
    fanouts = (*network.interaction.own, *network.interaction.later)
    (fanout,) = [f for f in fanouts if f is not None and f.name == match[1]]
    if not isinstance(fanout, SelectedFanout):
        return None
    return fanout.targets[int(match[2] or match[3])]
