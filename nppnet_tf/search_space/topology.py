"""Who sees whom: the edges of cells and pyramids, their strides and widths."""

from collections.abc import Sequence
from typing import NamedTuple

from nppnet_tf.config import LEAST_CELLS
from nppnet_tf.config import LEAST_CHANNELS
from nppnet_tf.config import LEAST_WIDTH
from nppnet_tf.config import MOST_CELLS
from nppnet_tf.config import MOST_CHANNELS
from nppnet_tf.config import MOST_FUSION_CELLS
from nppnet_tf.config import MOST_HEAD_CHANNELS
from nppnet_tf.config import MOST_WIDTH
from nppnet_tf.config import NetworkConfig
from nppnet_tf.errors import UserError

CELL_INPUTS = 2
FUSION_INPUTS = 3
CELL_NODES = 4

# Levels 0..3 come from the encoder, 4..6 from the decoder (Eq. 3).
NUM_LEVELS = 7
NUM_ENCODER_LEVELS = 4

# A cell concatenates its nodes to the width of its level.
CHANNEL_MULTIPLE = CELL_NODES

# Ids of classes are bytes, of which 255 is no class.
_MOST_CLASSES = 255
_MOST_KEYPOINTS = 1000

# Of C^2 L: 32 GB of weights.
_MOST_WEIGHTS = 1 << 25


class Edge(NamedTuple):
    """A directed link of a search graph: `predecessor` feeds `node`."""

    node: int
    predecessor: int


def cell_edges(num_inputs: int) -> tuple[Edge, ...]:
    """Every edge of a cell, node by node: the order of alpha and beta.

    Node n sees the inputs and the nodes before it: 14 edges of a cell with two
    inputs, 18 of a fusion cell with three.
    """
    return tuple(
        Edge(node, predecessor)
        for node in range(CELL_NODES)
        for predecessor in range(num_inputs + node)
    )


def interaction_edges() -> tuple[Edge, ...]:
    """Every edge into one branch's levels, level by level: 28 (Eq. 4, 5).

    Level i sees the levels j <= i of the other branch.
    """
    return tuple(
        Edge(level, other)
        for level in range(NUM_LEVELS)
        for other in range(level + 1)
    )


def rows_of(edges: Sequence[Edge], predecessor: int) -> tuple[int, ...]:
    """Rows of alpha of the edges that leave one state."""
    return tuple(
        row for row, edge in enumerate(edges) if edge.predecessor == predecessor
    )


def rows_by_node(edges: Sequence[Edge]) -> list[list[int]]:
    """Rows of alpha of the edges into each node, by the number of the node."""
    rows: dict[int, list[int]] = {}
    for row, edge in enumerate(edges):
        rows.setdefault(edge.node, []).append(row)
    return [rows[node] for node in sorted(rows)]


def cell_groups(num_inputs: int) -> tuple[tuple[int, ...], ...]:
    """Rows of alpha by the state that the edges leave, but for the last."""
    edges = cell_edges(num_inputs)
    states = range(num_inputs + CELL_NODES - 1)
    return tuple(rows_of(edges, state) for state in states)


def interaction_groups() -> tuple[tuple[int, ...], ...]:
    """Rows of alpha by fan-out of one branch: seven own, then six later.

    A level's own edge leaves the feature as it was before the exchange, those
    to later levels leave it as it was after.
    """
    edges = interaction_edges()
    # Of a level the edge to itself comes first.
    rows = [rows_of(edges, level) for level in range(NUM_LEVELS)]
    own = [leaving[:1] for leaving in rows]
    later = [leaving[1:] for leaving in rows[:-1]]
    return (*own, *later)


def level_stride(level: int) -> int:
    """Stride of a pyramid level relative to a quarter of the input (Eq. 3)."""
    if not 0 <= level < NUM_LEVELS:
        raise ValueError(f"No such pyramid level. Received: level={level}")
    if level < NUM_ENCODER_LEVELS:
        return 2**level
    return 2 ** (NUM_LEVELS - 1 - level)


def level_channels(level: int, channels: int) -> int:
    """Width of a pyramid level: C times its stride (Eq. 3)."""
    return channels * level_stride(level)


def node_channels(level: int, channels: int) -> int:
    """Width of a node of a cell whose output is a pyramid level."""
    return level_channels(level, channels) // CELL_NODES


def reduction_cells(cells: int) -> tuple[int, ...]:
    """Indices of the encoder's reduction cells: every quarter but the first.

    Where L is no multiple of 4, quarters begin at the whole cell before, as in
    the release.
    """
    return tuple(cells * quarter // 4 for quarter in (1, 2, 3))


def encoder_level(cell: int, cells: int) -> int:
    """Level, 0..3, that an encoder cell is of; its last cell ends it (Fig. 4).

    Args:
        cell: Index of the cell.
        cells: L, the cells of the encoder.
    """
    return sum(cell >= reduction for reduction in reduction_cells(cells))


def check_sizes(
    config: NetworkConfig,
    channel_multiple: int = CHANNEL_MULTIPLE,
    place: str = "`{}`",
) -> None:
    """Raises UserError where no network has such a size.

    Args:
        config: The size.
        channel_multiple: What C is a multiple of: `Genotype.channel_multiple`,
            or what every derived network asks for.
        place: What the message calls a field.
    """
    least = -(-LEAST_CHANNELS // channel_multiple) * channel_multiple
    for name, smallest, largest, multiple in (
        ("channels", least, MOST_CHANNELS, channel_multiple),
        ("cells", LEAST_CELLS, MOST_CELLS, 1),
        ("num_classes", 1, _MOST_CLASSES, 1),
        ("num_keypoints", 1, _MOST_KEYPOINTS, 1),
        ("num_fusion_cells", 1, MOST_FUSION_CELLS, 1),
        ("head_channels", 2, MOST_HEAD_CHANNELS, 2),
    ):
        value = getattr(config, name)
        is_right = type(value) is int and smallest <= value <= largest
        if not is_right or value % multiple:
            expected = f"{smallest} to {largest}"
            if multiple > 1:
                expected = f"a multiple of {multiple}, {expected}"
            raise UserError(
                "no network has this size", place.format(name), expected, value
            )
    _check_width(config.baseline_width, place.format("baseline_width"))
    if config.channels**2 * config.cells > _MOST_WEIGHTS:
        raise UserError(
            "no memory holds a network of this size",
            f"{place.format('channels')}, {place.format('cells')}",
            f"channels^2 x cells of at most {_MOST_WEIGHTS}",
            f"{config.channels}, {config.cells}",
        )


def _check_width(width: object, where: str) -> None:
    is_number = isinstance(width, int | float) and not isinstance(width, bool)
    if not is_number or not LEAST_WIDTH <= width <= MOST_WIDTH:
        raise UserError(
            "no network has this size",
            where,
            f"{LEAST_WIDTH} to {MOST_WIDTH}",
            width,
        )
