"""A genotype as a picture, and the difference of two.

A cell is drawn as a circuit. Every state (an input or a node) is a horizontal
rail. Column n holds the operations whose results node n sums: each hangs below
the rail of the state that it reads, and its result runs down to the node, whose
own rail begins there. Rails and columns meet in a grid, so no two operations
can ever cover each other.
"""

import dataclasses
import os
import pathlib
from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Sequence

from nppnet_tf import keys
from nppnet_tf.drawing import figures
from nppnet_tf.drawing import scene
from nppnet_tf.drawing.scene import Style
from nppnet_tf.errors import UserError
from nppnet_tf.files.atomic import atomic_path
from nppnet_tf.search_space import genotype as genotypes
from nppnet_tf.search_space import parts
from nppnet_tf.search_space import primitives
from nppnet_tf.search_space import topology

SUFFIXES = (".svg", ".png")

_KEPT = Style("#e6e6e6", "#4d4d4d")
_ONLY_FIRST = Style("#ffffff", "#c62828", is_dashed=True)
_ONLY_SECOND = Style("#e3f4e3", "#2e7d32")

_STATE_TEXTS = {
    genotypes.SEARCH: "still to be searched",
    genotypes.OMIT: "left out of this network",
    genotypes.BASELINE: "ResNet-50 encoder and FPN decoder, nothing searched",
    genotypes.UNET: "plain U-Net, nothing searched",
}

_FIELD_TEXTS = {
    parts.ENCODER_DECODER: "Encoder and decoder",
    parts.INTERACTION: "Interaction of the two pyramids",
    parts.FUSION: "Fusion of the four features",
}

_CELL_TEXTS = {
    parts.NORMAL: "normal cell (keeps the size)",
    parts.REDUCTION: "reduction cell (halves the size)",
    parts.DECODING: "decoding cell (doubles the size)",
    parts.FUSION: "fusion cell (several, one on the other)",
}

_CELL_INPUTS = {
    parts.NORMAL: ("c_{k-2}", "c_{k-1}"),
    parts.REDUCTION: ("c_{k-2}", "c_{k-1}"),
    parts.DECODING: ("deeper, x2", "encoder"),
}

_FUSION_INPUTS = {
    keys.POSE: ("auxiliary", "pose", "parsing"),
    keys.PARSING: ("boundary", "pose", "parsing"),
}

_HELP = (
    "Read every cell from left to right. A horizontal line is a state: an "
    "input of the cell, or a numbered node. An operation hangs below the "
    "state that it reads (black dot);",
    "its result runs down to the node below it, which sums what arrives. The "
    "output joins the nodes along the channels. The left column is the pose "
    "branch, the right one parsing.",
)

_BLACK = "#111111"
_GRAY = "#444444"
_FAINT = "#8a8a8a"
_PLAIN = Style("#f4f4f4", _FAINT)
_DECODER = Style("#fffbe8", _FAINT)
_STATE = Style("#f6f6f6", _FAINT, is_dashed=True)
_RAIL = Style("none", "#9a9a9a")
_RULE = Style("none", "#cccccc")
_GAP = Style("none", "#ffffff")

_MARGIN = 28.0
_COLUMN_GAP = 44.0
_INPUT_WIDTH = 84.0
_OP_WIDTH = 112.0
_OP_HEIGHT = 21.0
_OP_PITCH = _OP_HEIGHT + 5.0
_TAP = 14.0
_NODE_RADIUS = 11.0
_LANE = 6.0
_NODE_PITCH = _TAP + _OP_WIDTH + _TAP + _NODE_RADIUS + 10.0
_OUTPUT_WIDTH = 64.0
_CELL_WIDTH = _INPUT_WIDTH + topology.CELL_NODES * _NODE_PITCH + _OUTPUT_WIDTH
_PAGE_WIDTH = 2 * _MARGIN + 2 * _CELL_WIDTH + _COLUMN_GAP
_HEADING = 30.0
_LEVEL_WIDTH = 104.0
_FLOW_OP_WIDTH = 156.0


Styled = list[tuple[genotypes.Choice, Style]]


@dataclasses.dataclass(frozen=True)
class _Mark:
    """One operation to draw, and in which of the genotypes it is."""

    node: int
    source: int
    primitive: str
    style: Style


@dataclasses.dataclass(frozen=True)
class _Subject:
    """What is drawn: a genotype, twice, or two that differ.

    Attributes:
        genotypes: First and second.
        styles: How the operations of one node look, from its choices in the
            first and in the second.
        names: Names of the two genotypes; empty where there is one.
    """

    genotypes: tuple[genotypes.Genotype, genotypes.Genotype]
    styles: Callable[[genotypes.Node, genotypes.Node], Styled]
    names: tuple[str, str] = ("", "")

    def marks(self, part: parts.Part) -> list[_Mark]:
        """Returns the operations of one part, node by node."""
        nodes = (_nodes(genotype, part) for genotype in self.genotypes)
        return [
            _Mark(number, choice.predecessor, choice.primitive, style)
            for number, pair in enumerate(zip(*nodes, strict=True))
            for choice, style in self.styles(*pair)
        ]


def draw(genotype: genotypes.Genotype, title: str = "Genotype") -> scene.Scene:
    """Lays out one genotype, operations colored by primitive.

    Args:
        genotype: Genotype with genes or states in any part.
        title: Heading of the page.
    """
    return _page(_Subject((genotype, genotype), _by_primitive), title)


def draw_difference(
    first: genotypes.Genotype,
    second: genotypes.Genotype,
    first_name: str = "first",
    second_name: str = "second",
    title: str | None = None,
) -> scene.Scene:
    """Lays out two genotypes in one picture.

    Operations of both are gray, those only in the first are red and dashed,
    those only in the second green.

    Args:
        first: Shown red where the second differs.
        second: Shown green where the first differs.
        first_name: Name of the first in heading and legend.
        second_name: Name of the second in heading and legend.
        title: Heading of the page; names both where None.
    """
    counts = difference_counts(first, second)
    summary = (
        f"{counts[0]} operations in both, {counts[1]} only in {first_name}, "
        f"{counts[2]} only in {second_name}."
    )
    names = (first_name, second_name)
    title = title or f"Difference of {first_name} and {second_name}"
    return _page(
        _Subject((first, second), _by_difference, names), title, summary
    )


def difference_counts(
    first: genotypes.Genotype, second: genotypes.Genotype
) -> tuple[int, int, int]:
    """Counts operations in both, only in the first, only in the second."""
    subject = _Subject((first, second), _by_difference)
    styles = [
        mark.style for part in parts.PARTS for mark in subject.marks(part)
    ]
    return (
        styles.count(_KEPT),
        styles.count(_ONLY_FIRST),
        styles.count(_ONLY_SECOND),
    )


def save(
    drawing: scene.Scene, path: str | os.PathLike, scale: float = 1.5
) -> None:
    """Writes a drawing, whole or not at all.

    Args:
        drawing: From `draw` or `draw_difference`.
        path: Ends in .svg or .png.
        scale: Pixels of a PNG per pixel of the drawing.

    Raises:
        UserError: If the name ends in anything else.
    """
    path = check_suffix(path)
    with atomic_path(path) as partial:
        if path.suffix.lower() == ".svg":
            partial.write_text(drawing.to_svg(), encoding="utf-8")
        else:
            partial.write_bytes(drawing.to_png(scale))


def check_suffix(path: str | os.PathLike) -> pathlib.Path:
    """Returns the path, or raises UserError if it names no picture."""
    path = pathlib.Path(path)
    if path.suffix.lower() not in SUFFIXES:
        raise UserError(
            "unknown kind of picture",
            path,
            f"a name ending in {' or '.join(SUFFIXES)}",
            path.suffix or "no ending",
        )
    return path


def _nodes(
    genotype: genotypes.Genotype, part: parts.Part
) -> tuple[genotypes.Node, ...]:
    """Nodes of a part; without choices where it has no gene."""
    if isinstance(getattr(genotype, part.field), str):
        return ((),) * len(part.node_rows)
    return genotypes.nodes_of(genotype, part)


def _by_primitive(first: genotypes.Node, second: genotypes.Node) -> Styled:
    del second
    return [(choice, _style(choice.primitive)) for choice in first]


def _style(primitive: str) -> Style:
    known = primitives.known()[primitive]
    return Style(known.fill, known.outline)


def _by_difference(first: genotypes.Node, second: genotypes.Node) -> Styled:
    left, right, kept = [], list(second), []
    for choice in first:
        # A node may hold one choice twice: matched one by one.
        if choice in right:
            right.remove(choice)
            kept.append((choice, _KEPT))
        else:
            left.append((choice, _ONLY_FIRST))
    return [*kept, *left, *((choice, _ONLY_SECOND) for choice in right)]


def _page(subject: _Subject, title: str, summary: str = "") -> scene.Scene:
    page = scene.Scene(_PAGE_WIDTH, title)
    page.label((_MARGIN, _MARGIN + 10), title, 24, _BLACK)
    y = _MARGIN + 40
    for line in filter(None, (summary, *_HELP)):
        page.label((_MARGIN, y), line, 13, _GRAY)
        y += 19
    legend = _difference_legend if any(subject.names) else _primitive_legend
    y = legend(page, y + 12, subject.names)
    for field in genotypes.FIELDS:
        y = _draw_field(page, field.name, subject, y)
    page.end(y + _MARGIN)
    return page


def _primitive_legend(
    page: scene.Scene, y: float, names: tuple[str, str]
) -> float:
    del names
    per_row = 4
    pitch = (_PAGE_WIDTH - 2 * _MARGIN) / per_row
    known = primitives.known()
    for number, (name, primitive) in enumerate(known.items()):
        x = _MARGIN + (number % per_row) * pitch
        top = y + (number // per_row) * (_OP_HEIGHT + 8)
        page.box((x, top), _OP_WIDTH, _OP_HEIGHT, _style(name), name)
        place = (x + _OP_WIDTH + 10, top + _OP_HEIGHT / 2)
        page.label(place, primitive.meaning, 12, _GRAY)
    return y + -(-len(known) // per_row) * (_OP_HEIGHT + 8) + 6


def _difference_legend(
    page: scene.Scene, y: float, names: tuple[str, str]
) -> float:
    x = _MARGIN
    for words, style in (
        ("in both", _KEPT),
        (f"only in {names[0]}", _ONLY_FIRST),
        (f"only in {names[1]}", _ONLY_SECOND),
    ):
        width = figures.text_width(words, 12) + 24
        page.box((x, y), width, _OP_HEIGHT, style, words)
        x += width + 16
    return y + _OP_HEIGHT + 10


def _draw_field(
    page: scene.Scene, name: str, subject: _Subject, y: float
) -> float:
    """Draws what a genotype holds under one name; returns the y below."""
    y += 16
    ends = ((_MARGIN, y), (_PAGE_WIDTH - _MARGIN, y))
    page.line(ends, _RULE, 1.0)
    page.label((_MARGIN, y + 20), _FIELD_TEXTS[name], 18, _BLACK)
    y += 42
    values = [getattr(genotype, name) for genotype in subject.genotypes]
    states = [
        (state, f"{label}: {state}" if label else state)
        for state, label in zip(values, subject.names, strict=True)
        if isinstance(state, str)
    ]
    # Both the same state, or one genotype drawn alone.
    for state, named in dict.fromkeys(states):
        words = f"{named} - {_STATE_TEXTS[state]}"
        width = figures.text_width(words, 15) + 48
        page.box((_MARGIN, y), width, 46, _STATE, words, 15)
        y += 62
    if len(states) == len(values):
        return y
    if name == parts.INTERACTION:
        return _draw_interaction(page, subject, y)
    kinds = parts.CELL_KINDS if name == parts.ENCODER_DECODER else (name,)
    for kind in kinds:
        bottoms = [
            _draw_cell(page, parts.named(f"{branch}/{kind}"), subject, y)
            for branch in keys.BRANCHES
        ]
        y = max(bottoms) + 18
    return y


def _branch_x(branch: str) -> float:
    column = keys.BRANCHES.index(branch)
    return _MARGIN + column * (_CELL_WIDTH + _COLUMN_GAP)


@dataclasses.dataclass(frozen=True)
class _Grid:
    """Where rails and columns of one cell lie."""

    x: float
    rails: tuple[float, ...]
    bottom: float

    def column(self, node: int) -> float:
        """Left edge of the operations of a node."""
        return self.x + _INPUT_WIDTH + node * _NODE_PITCH + _TAP

    def tap(self, node: int) -> float:
        """Where the operations of a node take from rails."""
        return self.column(node) - _TAP + 4

    def center(self, node: int) -> float:
        """Middle of a node's circle and of the wire that runs into it."""
        return self.column(node) + _OP_WIDTH + _TAP

    @property
    def output(self) -> float:
        """Left edge of the output."""
        return self.x + _CELL_WIDTH - _OUTPUT_WIDTH + 8


def _draw_cell(
    page: scene.Scene, part: parts.Part, subject: _Subject, y: float
) -> float:
    """Draws one cell and returns the y below it."""
    is_fusion = part.kind == parts.FUSION
    inputs = (
        _FUSION_INPUTS[part.branch] if is_fusion else _CELL_INPUTS[part.kind]
    )
    marks = subject.marks(part)
    grid = _cell_grid(_branch_x(part.branch), y + _HEADING, len(inputs), marks)
    heading = f"{part.branch.capitalize()}: {_CELL_TEXTS[part.kind]}"
    page.label((grid.x, y + 8), heading, 14)
    _draw_rails(page, grid, inputs, marks)
    for node in range(topology.CELL_NODES):
        own = [mark for mark in marks if mark.node == node]
        # Upper operations run down further right, so that no two wires cross.
        own.sort(key=lambda mark: mark.source)
        _draw_wires(page, grid, own, grid.rails[len(inputs) + node])
    for node in range(topology.CELL_NODES):
        center = (grid.center(node), grid.rails[len(inputs) + node])
        page.circle(center, _NODE_RADIUS, "#ffffff", str(node))
    _draw_output(page, grid, len(inputs), is_fusion)
    return grid.bottom


def _cell_grid(
    x: float, y: float, num_inputs: int, marks: Sequence[_Mark]
) -> _Grid:
    rails = []
    y += 12
    for state in range(num_inputs + topology.CELL_NODES):
        rails.append(y)
        targets = [mark.node for mark in marks if mark.source == state]
        stacked = max(map(targets.count, targets), default=0)
        y += 22 + stacked * _OP_PITCH + (4 if stacked else 12)
    return _Grid(x, tuple(rails), y)


def _draw_wires(
    page: scene.Scene, grid: _Grid, marks: Sequence[_Mark], rail: float
) -> None:
    """Draws the operations of one node, the wires to and from them."""
    sources = [mark.source for mark in marks]
    for position, mark in enumerate(marks):
        x, tap = grid.column(mark.node), grid.tap(mark.node)
        above = grid.rails[mark.source]
        top = above + 11 + sources[:position].count(mark.source) * _OP_PITCH
        middle = top + _OP_HEIGHT / 2
        wire = ((tap, above), (tap, middle), (x, middle))
        page.line(wire, mark.style, 1.6)
        page.circle((tap, above), 2.6)
        offset = _LANE * ((len(marks) - 1) / 2 - position)
        turn = grid.center(mark.node) + offset
        end = (turn, rail - _reach(offset))
        # White below the color lifts the wire over the rails it crosses.
        page.line(((turn, middle), end), _GAP, 5.0)
        wire = ((x + _OP_WIDTH, middle), (turn, middle), end)
        page.line(wire, mark.style, 1.6, arrow=True)
        page.box((x, top), _OP_WIDTH, _OP_HEIGHT, mark.style, mark.primitive)


def _reach(offset: float) -> float:
    """How far above its middle a wire beside the middle meets a node."""
    return max(_NODE_RADIUS**2 - offset**2, 0.0) ** 0.5


def _draw_rails(
    page: scene.Scene,
    grid: _Grid,
    inputs: Sequence[str],
    marks: Sequence[_Mark],
) -> None:
    for state, name in enumerate(inputs):
        y = grid.rails[state]
        page.box((grid.x, y - 12), 74, 24, _PLAIN, name, 11)
        readers = [mark.node for mark in marks if mark.source == state]
        if readers:
            ends = ((grid.x + 74, y), (grid.tap(max(readers)), y))
            page.line(ends, _RAIL)
    for node in range(topology.CELL_NODES):
        y = grid.rails[len(inputs) + node]
        ends = ((grid.center(node), y), (grid.output, y))
        page.line(ends, _RAIL, arrow=True)


def _draw_output(
    page: scene.Scene, grid: _Grid, num_inputs: int, is_fusion: bool
) -> None:
    top, bottom = grid.rails[num_inputs] - 14, grid.rails[-1] + 14
    page.box((grid.output, top), 56, bottom - top, _PLAIN)
    for offset, words in ((-9, "output"), (9, "concat")):
        place = (grid.output + 28, (top + bottom) / 2 + offset)
        page.label(place, words, 12, anchor="middle")
    if is_fusion:
        place = (grid.x + _CELL_WIDTH, grid.bottom + 4)
        words = "second output: the three inputs, joined"
        page.label(place, words, 11, _FAINT, "end")


def _draw_interaction(page: scene.Scene, subject: _Subject, y: float) -> float:
    """Draws the interaction of both branches; returns the y below."""
    marks = {
        # In the order of their sources: fewer crossings.
        branch: sorted(
            subject.marks(parts.named(f"{branch}/{parts.INTERACTION}")),
            key=lambda mark: (mark.node, mark.source),
        )
        for branch in keys.BRANCHES
    }
    rows = _interaction_rows(marks.values(), y + _HEADING + 24)
    for branch, own in marks.items():
        _draw_flow(page, branch, own, rows, y)
    return rows[-1] + 10


def _interaction_rows(
    marks: Iterable[Sequence[_Mark]], y: float
) -> tuple[float, ...]:
    """Top of every level, the same in both columns, and the bottom."""
    targets = [[mark.node for mark in own] for own in marks]
    rows = [y]
    for level in range(topology.NUM_LEVELS):
        most = max(own.count(level) for own in targets)
        rows.append(rows[-1] + max(38.0, most * _OP_PITCH + 14))
    return tuple(rows)


def _draw_flow(
    page: scene.Scene,
    branch: str,
    marks: Sequence[_Mark],
    rows: tuple[float, ...],
    y: float,
) -> None:
    """Draws what every level of one branch takes from the other branch."""
    other = next(name for name in keys.BRANCHES if name != branch)
    source_x = _branch_x(branch)
    target_x = source_x + _CELL_WIDTH - _LEVEL_WIDTH
    op_x = target_x - 34 - _FLOW_OP_WIDTH
    heading = (
        f"i <- j: {branch} level i adds the sum of these operations on "
        f"{other} levels j"
    )
    page.label((source_x, y + 8), heading, 14)
    for x, name in ((source_x, other), (target_x, branch)):
        place = (x + _LEVEL_WIDTH / 2, y + 36)
        page.label(place, f"{name} branch", 13, anchor="middle")
        _draw_levels(page, x, rows)
    targets = [mark.node for mark in marks]
    sources = [mark.source for mark in marks]
    for position, mark in enumerate(marks):
        # Operations stand in front of the level that they feed, and leave
        # theirs in the order of their targets.
        port = _spread(rows, sources, position)
        middle = (rows[mark.node] + rows[mark.node + 1]) / 2
        stack = targets[:position].count(mark.node)
        slot = middle + (stack - (targets.count(mark.node) - 1) / 2) * _OP_PITCH
        start, end = (source_x + _LEVEL_WIDTH, port), (op_x, slot)
        page.curve(start, end, mark.style, 1.7)
        ends = ((op_x + _FLOW_OP_WIDTH, slot), (target_x, slot))
        page.line(ends, mark.style, 1.7, arrow=True)
        words = f"{mark.node} <- {mark.source}   {mark.primitive}"
        corner = (op_x, slot - _OP_HEIGHT / 2)
        page.box(corner, _FLOW_OP_WIDTH, _OP_HEIGHT, mark.style, words)


def _spread(
    rows: tuple[float, ...], sources: Sequence[int], position: int
) -> float:
    """Where a wire leaves its level, beside the others that do."""
    level = sources[position]
    share = (sources[:position].count(level) + 0.5) / sources.count(level)
    top, bottom = rows[level] + 8, rows[level + 1] - 8
    return top + share * (bottom - top)


def _draw_levels(page: scene.Scene, x: float, rows: tuple[float, ...]) -> None:
    for level in range(topology.NUM_LEVELS):
        top, bottom = rows[level] + 3, rows[level + 1] - 3
        is_encoder = level < topology.NUM_ENCODER_LEVELS
        style = _PLAIN if is_encoder else _DECODER
        page.box((x, top), _LEVEL_WIDTH, bottom - top, style)
        stride = topology.level_stride(level)
        name = "encoder" if is_encoder else "decoder"
        width = "C" if stride == 1 else f"{stride}C"
        for offset, words, size in (
            (-7, f"level {level}  {name}", 12),
            (8, f"1/{4 * stride} of input, {width}", 10),
        ):
            place = (x + _LEVEL_WIDTH / 2, (top + bottom) / 2 + offset)
            page.label(place, words, size, anchor="middle")
