"""A network as its authors compute it, written down for another library.

Of a derived network that is what `form.description` writes. A supernet is
computed there edge by edge, every operation by itself; here every fan-out gives
its weights to such operations.
"""

import dataclasses
from collections.abc import Iterable
from collections.abc import Mapping
from typing import Any

import numpy as np

from nppnet_tf import keys
from nppnet_tf.benchmarks import flat_network
from nppnet_tf.benchmarks.flat_network import Architecture
from nppnet_tf.benchmarks.flat_network import FlatNetwork
from nppnet_tf.benchmarks.flat_network import MixedEdge
from nppnet_tf.form import description
from nppnet_tf.form import nodes
from nppnet_tf.layers.fanout import MixedFanout
from nppnet_tf.layers.fanout import Target
from nppnet_tf.layers.primitives import table
from nppnet_tf.models.nppnet import NPPNet
from nppnet_tf.search_space import parts
from nppnet_tf.search_space import topology


def write_down(network: NPPNet, image_size: tuple[int, int]) -> FlatNetwork:
    """Lists what a network computes in training, with its present weights.

    Args:
        network: The network, with fresh statistics of normalizations. Its
            biases are given small values, as one that is zero counts as none.
        image_size: (height, width) of its input.

    Returns:
        The network, its outputs named "<key>_<stage>".
    """
    random = np.random.default_rng(0)
    for weight in network.trainable_weights:
        if weight.name.endswith("bias"):
            weight.assign(random.normal(scale=1e-3, size=weight.shape))
    rows = _rows(network)

    def complete(node: nodes.Node, _: Any) -> nodes.Node:
        if not isinstance(node, _Leaving):
            return node
        part, group = rows[id(node.fanout)]
        return _edge(node, image_size, part, group[node.number])

    outputs = nodes.by_stage(description.write_down(network))
    if network.is_supernet:
        outputs = nodes.rewrite(outputs, complete)
    return flat_network.flatten(outputs, image_size, _architecture(network))


def _architecture(network: NPPNet) -> dict[str, Architecture]:
    return {
        part.name: Architecture(
            np.array(network.architecture[part.name].alpha),
            np.array(network.architecture[part.name].beta),
            part.node_rows,
        )
        for part in network.searched_parts
    }


def _rows(network: NPPNet) -> Mapping[int, tuple[str, Iterable[int]]]:
    """Part and rows of the edges of every searched fan-out, by its `id`."""
    return {
        id(fanout): (part.name, group)
        for part in network.searched_parts
        for fanouts in _fanouts(network, part)
        # Nothing leaves the last state of a cell.
        for fanout, group in zip(fanouts, part.groups, strict=False)
    }


def _fanouts(network: NPPNet, part: parts.Part) -> Iterable[list[Any]]:
    """Yields the fan-outs of a part, once for each place that has them."""
    branch = keys.BRANCHES.index(part.branch)
    if part.kind == parts.INTERACTION:
        first = branch * topology.NUM_LEVELS
        own = slice(first, first + topology.NUM_LEVELS)
        yield network.interaction.own[own] + network.interaction.later[own]
    elif part.kind == parts.FUSION:
        for cells in network.fusion_rounds:
            yield cells[part.branch].graph.fanouts
    else:
        found = network.branches[branch]
        for cell in (*found.encoder, *found.decoder):
            if cell.kind == part.kind:
                yield cell.graph.fanouts


@dataclasses.dataclass(frozen=True, eq=False)
class _Leaving(nodes.Node):
    """An edge that does not know yet what weighs it.

    Attributes:
        fanout: The layer that holds it.
        number: Number of its target.
    """

    fanout: MixedFanout
    number: int

    @property
    def target(self) -> Target:
        return self.fanout.targets[self.number]

    @property
    def channels(self) -> int:
        return self.target.filters or self.inputs[0].channels

    @property
    def stride(self) -> float:
        return self.inputs[0].stride * self.fanout.stride / self.target.scale


@description.leaving.register
def _(described: MixedFanout, state: nodes.Node) -> list[nodes.Node]:
    numbers = range(len(described.targets))
    return [_Leaving((state,), described, number) for number in numbers]


def _edge(
    leaving: _Leaving, image_size: tuple[int, int], part: str, row: int
) -> MixedEdge:
    fanout, number = leaving.fanout, leaving.number
    (state,) = leaving.inputs
    size = tuple(nodes.size_at(side, state.stride) for side in image_size)
    given = nodes.Picture(())
    operations = []
    for name in fanout.space.primitives:
        layer = table.make_layer(name, fanout.searched, fanout.stride)
        layer.build((None, None, None, fanout.searched))
        fanout.give(name, number, layer)
        outputs = {name: description.layer(layer, given)}
        operations.append(flat_network.flatten(outputs, size))
    projection = fanout.projections[number]
    if projection is not None:
        projection = description.layer(projection, given)
    return MixedEdge(
        (state,),
        tuple(operations),
        fanout.searched,
        fanout.stride,
        leaving.stride,
        leaving.target.scale != 1,
        projection,
        part,
        row,
    )
