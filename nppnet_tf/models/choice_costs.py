"""What every choice of a genotype costs: a network's work without building it.

Work is additive: an operation on an edge takes what it takes, whatever stands
on the others. So one table for each part says what any genotype of a search
space costs, in microseconds instead of the seconds that `cost.macs` needs for
a network. Both agree to the last operation.
"""

import dataclasses
from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from nppnet_tf.config import NetworkConfig
from nppnet_tf.layers.primitives import table
from nppnet_tf.models import cost
from nppnet_tf.search_space import genotype as genotypes
from nppnet_tf.search_space import parts
from nppnet_tf.search_space import topology
from nppnet_tf.search_space.primitives import SKIP_CONNECT
from nppnet_tf.search_space.space import PAPER
from nppnet_tf.search_space.space import SearchSpace


class Projection(NamedTuple):
    """The 1x1 convolution behind an edge of the interaction.

    Attributes:
        channels: Channels that it takes.
        filters: Channels that it gives.
        size: (height, width) at which it is computed.
    """

    channels: int
    filters: int
    size: tuple[int, int]

    @property
    def macs(self) -> int:
        """Multiply-accumulates."""
        return self.size[0] * self.size[1] * self.channels * self.filters


class Place(NamedTuple):
    """One occurrence of an edge in the network.

    Attributes:
        row: Row of alpha.
        channels: Channels of the state that it leaves.
        stride: Stride of its operation.
        size: (height, width) of the state.
        projection: What lies behind the operation, or None.
    """

    row: int
    channels: int
    stride: int
    size: tuple[int, int]
    projection: Projection | None = None


@dataclasses.dataclass(frozen=True)
class ChoiceCosts:
    """What every choice costs: multiply-accumulates, or milliseconds.

    Attributes:
        fixed: What is not searched: stems, heads, preprocessing, known genes.
        tables: For each searched part [edges, primitives]: what an operation
            on an edge adds, over all cells that share it. int64 where
            operations are counted, float64 where they are timed.
        primitives: Names of the operations, in the order of alpha.
    """

    fixed: int | float
    tables: Mapping[str, np.ndarray]
    primitives: tuple[str, ...]

    def of(self, genotype: genotypes.Genotype) -> int | float:
        """Returns what a derived genotype costs.

        Where operations are counted, that is what `cost.macs` finds.
        """
        return self.fixed + sum(
            self._of_part(parts.named(name), genotype) for name in self.tables
        )

    def gmac(self, genotype: genotypes.Genotype) -> float:
        """Returns the same in giga multiply-accumulates."""
        return self.of(genotype) / 1e9

    def _of_part(
        self, part: parts.Part, genotype: genotypes.Genotype
    ) -> int | float:
        costs = self.tables[part.name]
        nodes = genotypes.places_of(genotype, part, self.primitives)
        return sum(costs[place].item() for places in nodes for place in places)


def measure(
    start: genotypes.Genotype,
    config: NetworkConfig,
    image_size: tuple[int, int],
    space: SearchSpace = PAPER,
) -> ChoiceCosts:
    """Counts what every choice costs; takes seconds, once.

    Args:
        start: Genotype with "search" in the parts that are chosen.
        config: Size of the derived networks.
        image_size: (height, width) of their input, multiples of 32.
        space: Operations to choose from.
    """
    counter = _OperationCounter(space.primitives)
    tables = {
        part.name: counter.table_of(part, config, image_size)
        for part in genotypes.searched_parts(start)
    }
    costs = ChoiceCosts(0, tables, space.primitives)
    some = cheap_genotype(start, space)
    # What is left of a whole network without its choices.
    whole = cost.macs(some, config, image_size)
    return dataclasses.replace(costs, fixed=whole - costs.of(some))


class _OperationCounter:
    """Counts each operation once for each form in which it occurs."""

    def __init__(self, primitives: Sequence[str]) -> None:
        self._primitives = primitives
        self._known: dict[tuple, int] = {}

    def table_of(
        self,
        part: parts.Part,
        config: NetworkConfig,
        image_size: tuple[int, int],
    ) -> np.ndarray:
        """Returns the table of one part."""
        costs = np.zeros([len(part.edges), len(self._primitives)], np.int64)
        for place in places(part, config, image_size):
            behind = place.projection.macs if place.projection else 0
            costs[place.row] += [
                self._macs(name, *place[1:4]) + behind
                for name in self._primitives
            ]
        return costs

    def _macs(
        self, name: str, channels: int, stride: int, size: tuple[int, int]
    ) -> int:
        key = (name, channels, stride, size)
        if key not in self._known:
            layer = table.make_layer(name, channels, stride)
            shape = [1, *size, channels]
            layer.build(shape)
            self._known[key] = cost.macs_of(layer, shape)
        return self._known[key]


def cheap_genotype(
    start: genotypes.Genotype, space: SearchSpace
) -> genotypes.Genotype:
    """Returns a genotype of little work, quickly built.

    Args:
        start: Genotype with "search" in the parts to fill.
        space: Operations to choose from.
    """
    names = space.primitives
    name = SKIP_CONNECT if SKIP_CONNECT in names else names[0]
    return genotypes.filled(
        start,
        {
            part: ((genotypes.Choice(name, 0),),) * len(part.node_rows)
            for part in genotypes.searched_parts(start)
        },
    )


def places(
    part: parts.Part, config: NetworkConfig, image_size: tuple[int, int]
) -> Iterator[Place]:
    """Yields every edge of a part, in every cell that has it.

    Args:
        part: The part.
        config: Size of the network.
        image_size: (height, width) of its input.
    """

    def size(level: int) -> tuple[int, int]:
        stride = 4 * topology.level_stride(level)
        return image_size[0] // stride, image_size[1] // stride

    if part.kind == parts.INTERACTION:
        for row, edge in enumerate(part.edges):
            yield _between(row, edge, config, size)
        return
    for level, input_levels, strides in _cells(part.kind, config):
        channels = topology.node_channels(level, config.channels)
        if part.kind == parts.FUSION:
            channels = config.channels
        for row, edge in enumerate(part.edges):
            is_input = edge.predecessor < part.num_inputs
            number = edge.predecessor
            yield Place(
                row,
                channels,
                strides[number] if is_input else 1,
                size(input_levels[number] if is_input else level),
            )


def _between(row: int, edge: topology.Edge, config, size) -> Place:
    """An edge of the interaction, with its projection (`fanout._finish`)."""
    level, source = edge
    channels = topology.level_channels(source, config.channels)
    if level == source:
        return Place(row, channels, 1, size(source))
    width = topology.level_channels(level, config.channels)
    # Projected where there are fewer pixels.
    fewer = min(size(source), size(level))
    projection = Projection(channels, width, fewer)
    return Place(row, channels, 1, size(source), projection)


def _cells(
    kind: str, config: NetworkConfig
) -> Iterator[tuple[int, tuple[int, ...], tuple[int, ...]]]:
    """Every cell of a kind: its level, those of its inputs, their strides."""
    if kind == parts.FUSION:
        for _ in range(config.num_fusion_cells):
            yield (
                0,
                (0,) * topology.FUSION_INPUTS,
                (1,) * topology.FUSION_INPUTS,
            )
    elif kind == parts.DECODING:
        for level in range(topology.NUM_ENCODER_LEVELS, topology.NUM_LEVELS):
            yield level, (level - 1, level), (1, 1)
    else:
        reductions = topology.reduction_cells(config.cells)
        for index in range(config.cells):
            level = topology.encoder_level(index, config.cells)
            if index in reductions and kind == parts.REDUCTION:
                yield level, (level - 1, level - 1), (2, 2)
            if index not in reductions and kind == parts.NORMAL:
                yield level, (level, level), (1, 1)
