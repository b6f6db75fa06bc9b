"""What a search did, epoch by epoch: shares as heat, kept operations as tiles.

Both figures have a panel for each searched part, the pose branch left and
parsing right, and epochs from left to right.
"""

import itertools
from collections.abc import Mapping
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from nppnet_tf import keys
from nppnet_tf.drawing import figures
from nppnet_tf.search_space import genotype as genotypes
from nppnet_tf.search_space import parts
from nppnet_tf.search_space import primitives

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# In pixels.
_WIDTH = 1080
_ROW = 15
_HEAD = 46
_FOOT = 60

# More columns than this cannot be read: epochs are left out between.
MOST_COLUMNS = 40

_CHANGED = "#c62828"

# A little more than 1, by rounding.
_MOST_SHARE = 1.01


def shares(
    epochs: Sequence[int], values: Mapping[str, Mapping[str, Sequence[float]]]
) -> str:
    """Draws how much of a node's sum each operation has, over the epochs.

    Args:
        epochs: Numbers of the epochs, as a reader counts them.
        values: For each part and each operation its share in every epoch,
            0..1; nan, and what is outside, where it is not known.

    Returns:
        An SVG element.
    """
    found = {
        part: np.array(list(of_part.values()), np.float64)
        for part, of_part in values.items()
    }
    for each in found.values():
        # No shares: of a run whose weights were ruined.
        each[~((each >= 0) & (each <= _MOST_SHARE))] = np.nan
    most = max(np.nanmax(each, initial=0.0) for each in found.values())
    rows = {part: len(each) for part, each in found.items()}
    with figures.style():
        figure, axes_of = _panels(rows)
        for part, axes in axes_of.items():
            image = axes.pcolormesh(
                found[part],
                cmap="viridis",
                vmin=0,
                vmax=max(most, 1e-9),
                # Or the page shines through between them.
                edgecolors="face",
            )
            _label(axes, part, epochs, list(values[part]))
        bar = figure.colorbar(
            image, ax=list(axes_of.values()), shrink=0.6, aspect=40, pad=0.02
        )
        bar.outline.set_visible(False)
    return figures.to_svg(figure, "Share of every operation over the epochs")


def kept(
    epochs: Sequence[int],
    derived: Sequence[genotypes.Genotype],
    searched: Sequence[str],
) -> str:
    """Draws the genotype of every epoch, what changed framed in red.

    Args:
        epochs: Numbers of the epochs, as a reader counts them.
        derived: What pruning kept in each of them.
        searched: Names of the parts to draw.

    Returns:
        An SVG element. A column is an epoch, a row one of the operations that
        a node keeps, with the state that it reads; of many epochs some are
        left out, and changes are those since the column before.
    """
    shown = _shown(len(epochs))
    numbers = [epochs[index] for index in shown]
    nodes = {
        part: [
            genotypes.nodes_of(derived[index], parts.named(part))
            for index in shown
        ]
        for part in searched
    }
    rows = {part: _rows(columns) for part, columns in nodes.items()}
    with figures.style():
        figure, axes_of = _panels({p: len(each) for p, each in rows.items()})
        for part, axes in axes_of.items():
            for column, found in enumerate(nodes[part]):
                before = nodes[part][max(column - 1, 0)]
                _draw_column(axes, column, found, before, rows[part])
            is_cell = parts.named(part).kind != parts.INTERACTION
            noun = "node" if is_cell else "level"
            names = [
                f"{noun} {node}" if place == 0 else ""
                for node, place in rows[part]
            ]
            _label(axes, part, numbers, names)
        _draw_legend(figure)
    return figures.to_svg(figure, "Kept operations over the epochs")


def changes(
    before: genotypes.Genotype,
    after: genotypes.Genotype,
    searched: Sequence[str],
) -> int:
    """Counts the operations that a genotype keeps and an earlier one did not.

    Args:
        before: The earlier genotype.
        after: The later one.
        searched: Names of the parts to compare.
    """
    total = 0
    for part in map(parts.named, searched):
        for ours, theirs in zip(
            genotypes.nodes_of(after, part),
            genotypes.nodes_of(before, part),
            strict=True,
        ):
            total += sum(choice not in theirs for choice in ours)
    return total


def _shown(count: int) -> list[int]:
    """Indices of the epochs that are drawn, first and last among them."""
    if count <= MOST_COLUMNS:
        return list(range(count))
    return sorted(
        set(np.linspace(0, count - 1, MOST_COLUMNS).round().astype(int))
    )


def _panels(rows: Mapping[str, int]) -> "tuple[Figure, dict[str, Axes]]":
    """Makes axes for every part; a kind of part is a row of panels."""
    kinds = list(dict.fromkeys(parts.named(part).kind for part in rows))
    heights = [
        max(
            count for part, count in rows.items() if parts.named(part).kind == k
        )
        for k in kinds
    ]
    total = sum(heights) * _ROW + len(kinds) * _HEAD + _FOOT
    figure = figures.new(_WIDTH, total)
    figure.set_layout_engine("constrained")
    grid = figure.add_gridspec(
        len(kinds), len(keys.BRANCHES), height_ratios=heights
    )
    found = {}
    for part in rows:
        known = parts.named(part)
        place = kinds.index(known.kind), keys.BRANCHES.index(known.branch)
        found[part] = figure.add_subplot(grid[place])
    return figure, found


def _label(
    axes: "Axes", part: str, epochs: Sequence[int], names: Sequence[str]
) -> None:
    axes.set_title(part, loc="left", fontsize=11)
    axes.grid(visible=False)
    axes.set_xlim(0, len(epochs))
    axes.set_ylim(len(names), 0)
    axes.set_yticks(np.arange(len(names)) + 0.5, names, fontsize=9)
    step = max(1, -(-len(epochs) // 8))
    columns = np.arange(0, len(epochs), step)
    axes.set_xticks(columns + 0.5, [epochs[column] for column in columns])
    axes.spines[:].set_visible(False)
    axes.tick_params(length=0)


def _rows(columns: Sequence[Sequence[genotypes.Node]]) -> list[tuple[int, int]]:
    """Node and place in it of every row: as many as it ever keeps."""
    return [
        (node, place)
        for node, found in enumerate(zip(*columns, strict=True))
        for place in range(max(map(len, found)))
    ]


def _draw_column(
    axes: "Axes",
    column: int,
    nodes: Sequence[genotypes.Node],
    before: Sequence[genotypes.Node],
    rows: Sequence[tuple[int, int]],
) -> None:
    from matplotlib.patches import Rectangle

    known = primitives.known()
    for row, (node, place) in enumerate(rows):
        # In one order, so that a choice that stays keeps its row.
        found = sorted(nodes[node], key=lambda choice: choice[::-1])
        if place >= len(found):
            continue
        choice = found[place]
        is_new = choice not in before[node]
        axes.add_patch(
            Rectangle(
                (column + 0.06, row + 0.08),
                *(0.88, 0.84),
                facecolor=known[choice.primitive].fill,
                edgecolor=_CHANGED if is_new else "none",
                linewidth=1.4,
            )
        )
        axes.text(
            *(column + 0.5, row + 0.55, choice.predecessor),
            ha="center",
            va="center",
            fontsize=8,
            color=known[choice.primitive].outline,
        )


def _draw_legend(figure: "Figure") -> None:
    from matplotlib.patches import Patch

    handles = [
        Patch(facecolor=each.fill, edgecolor=each.outline, label=each.name)
        for each in primitives.known().values()
    ]
    changed = Patch(facecolor="none", edgecolor=_CHANGED, label="changed")
    figure.legend(
        handles=list(itertools.chain(handles, [changed])),
        loc="outside lower left",
        ncols=5,
    )
