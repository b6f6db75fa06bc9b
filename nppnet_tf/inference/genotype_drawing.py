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
from collections.abc import Sequence

from nppnet_tf import keys
from nppnet_tf.atomic import atomic_path
from nppnet_tf.errors import UserError
from nppnet_tf.inference import scene
from nppnet_tf.search_space import genotype as genes
from nppnet_tf.search_space import parts
from nppnet_tf.search_space import primitives
from nppnet_tf.search_space import topology

SUFFIXES = (".svg", ".png")

_KEPT = ("#e6e6e6", "#4d4d4d")
_ONLY_FIRST = ("#ffffff", "#c62828")
_ONLY_SECOND = ("#e3f4e3", "#2e7d32")

_STATE_TEXTS = {
    genes.SEARCH: "still to be searched",
    genes.OMIT: "left out of this network",
    genes.BASELINE: "ResNet-50 encoder and FPN decoder, nothing searched",
}

_PART_TEXTS = {
    "encoder_decoder": "Encoder and decoder",
    "interaction": "Interaction of the two pyramids",
    "fusion": "Fusion of the four features",
}

_CELL_TEXTS = {
    "normal": "normal cell (keeps the size)",
    "reduction": "reduction cell (halves the size)",
    "decoding": "decoding cell (doubles the size)",
    "fusion": "fusion cell (several, one on the other)",
}

_CELL_INPUTS = {
    "normal": ("c_{k-2}", "c_{k-1}"),
    "reduction": ("c_{k-2}", "c_{k-1}"),
    "decoding": ("deeper, x2", "encoder"),
}

_FUSION_INPUTS = {
    keys.POSE: ("auxiliary", "pose", "parsing"),
    keys.PARSING: ("boundary", "pose", "parsing"),
}

_INK = "#333333"
_FAINT = "#8a8a8a"
_RAIL = "#9a9a9a"

_MARGIN = 28.0
_COLUMN_GAP = 44.0
_INPUT_WIDTH = 84.0
_OP_WIDTH = 112.0
_OP_HEIGHT = 21.0
_OP_GAP = 5.0
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


@dataclasses.dataclass(frozen=True)
class _Mark:
    """One operation to draw, and in which of the genotypes it is."""

    choice: genes.Choice
    node: int
    style: tuple[str, str]
    dashed: bool = False


Marker = Callable[[genes.Node, genes.Node, int], list[_Mark]]


@dataclasses.dataclass(frozen=True)
class _Origin:
    """Upper left corner of what is drawn next."""

    x: float
    y: float


def draw(genotype: genes.Genotype, title: str = "Genotype") -> scene.Scene:
    """Lays out one genotype, operations coloured by primitive.

    Args:
        genotype: With genes or states in any part.
        title: Heading of the page.
    """
    return _page(genotype, genotype, title, _mark_primitives, "")


def draw_difference(
    first: genes.Genotype,
    second: genes.Genotype,
    first_name: str = "first",
    second_name: str = "second",
    title: str | None = None,
) -> scene.Scene:
    """Lays out two genotypes in one picture.

    Operations of both are grey, those only in the first are red and dashed,
    those only in the second green.

    Args:
        first: Shown red where the second differs.
        second: Shown green where the first differs.
        first_name: For heading and legend.
        second_name: For heading and legend.
        title: Heading of the page; names both where None.
    """
    counts = difference_counts(first, second)
    summary = (
        f"{counts[0]} operations in both, {counts[1]} only in {first_name}, "
        f"{counts[2]} only in {second_name}"
    )
    names = (first_name, second_name)
    title = title or f"Difference of {first_name} and {second_name}"
    return _page(first, second, title, _mark_difference, summary, names)


def difference_counts(
    first: genes.Genotype, second: genes.Genotype
) -> tuple[int, int, int]:
    """Counts operations in both, only in the first, only in the second."""
    marks = [
        mark
        for part in genes.FIELDS
        for cell in _all_cells(part.name, first, second)
        for mark in _marks(*cell, _mark_difference)
    ]
    styles = [mark.style for mark in marks]
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
            drawing.to_image(scale).save(partial, format="PNG")


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


def _page(
    first: genes.Genotype,
    second: genes.Genotype,
    title: str,
    marker: Marker,
    summary: str,
    names: tuple[str, str] = ("", ""),
) -> scene.Scene:
    shapes: list[scene.Shape] = []
    y = _draw_head(shapes, title, summary, names)
    for part in genes.FIELDS:
        y = _draw_part(shapes, part.name, y, (first, second), marker, names)
    return scene.Scene(_PAGE_WIDTH, y + _MARGIN, title, tuple(shapes))


def _draw_head(
    shapes: list[scene.Shape],
    title: str,
    summary: str,
    names: tuple[str, str],
) -> float:
    y = _MARGIN + 10
    shapes.append(scene.Label(_MARGIN, y, title, 24, "#111111"))
    help_lines = [
        "Read every cell from left to right. A horizontal line is a state: "
        "an input of the cell, or a numbered node. An operation hangs below "
        "the state that it reads (black dot);",
        "its result runs down to the node below it, which sums what arrives. "
        "The output joins the nodes along the channels. The left column is "
        "the pose branch, the right one parsing.",
    ]
    if summary:
        help_lines.insert(0, summary + ".")
    y += 30
    for line in help_lines:
        shapes.append(scene.Label(_MARGIN, y, line, 13, "#444444"))
        y += 19
    y += 12
    if any(names):
        return _draw_difference_legend(shapes, y, names)
    return _draw_primitive_legend(shapes, y)


def _draw_primitive_legend(shapes: list[scene.Shape], y: float) -> float:
    per_row = 4
    pitch = (_PAGE_WIDTH - 2 * _MARGIN) / per_row
    known = primitives.known()
    for number, (name, fill, outline, meaning) in enumerate(known.values()):
        x = _MARGIN + (number % per_row) * pitch
        top = y + (number // per_row) * (_OP_HEIGHT + 8)
        shapes += _op_box(x, top, _OP_WIDTH, name, (fill, outline), False)
        shapes.append(
            scene.Label(
                x + _OP_WIDTH + 10, top + _OP_HEIGHT / 2, meaning, 12, "#444444"
            )
        )
    rows = -(-len(known) // per_row)
    return y + rows * (_OP_HEIGHT + 8) + 6


def _draw_difference_legend(
    shapes: list[scene.Shape], y: float, names: tuple[str, str]
) -> float:
    entries = (
        ("in both", _KEPT, False),
        (f"only in {names[0]}", _ONLY_FIRST, True),
        (f"only in {names[1]}", _ONLY_SECOND, False),
    )
    x = _MARGIN
    for text, style, dashed in entries:
        width = scene.text_width(text, 12) + 24
        shapes += _op_box(x, y, width, text, style, dashed)
        x += width + 16
    return y + _OP_HEIGHT + 10


def _draw_part(
    shapes: list[scene.Shape],
    name: str,
    y: float,
    genotypes: tuple[genes.Genotype, genes.Genotype],
    marker: Marker,
    names: tuple[str, str],
) -> float:
    values = tuple(getattr(genotype, name) for genotype in genotypes)
    y = _draw_heading(shapes, _PART_TEXTS[name], y)
    states = [
        _state_text(value, label)
        for value, label in zip(values, names, strict=True)
        if isinstance(value, str)
    ]
    # Both the same state, or one genotype drawn alone.
    for text in dict.fromkeys(states):
        y = _draw_state(shapes, text, y)
    if len(states) == len(values):
        return y
    if name == parts.INTERACTION:
        return _draw_interaction(shapes, y, genotypes, marker)
    return _draw_cells(shapes, name, y, genotypes, marker)


def _state_text(state: str, label: str) -> str:
    owner = f"{label}: " if label else ""
    return f"{owner}{state} - {_STATE_TEXTS[state]}"


def _draw_heading(shapes: list[scene.Shape], text: str, y: float) -> float:
    y += 16
    shapes.append(
        scene.Line(((_MARGIN, y), (_PAGE_WIDTH - _MARGIN, y)), "#cccccc", 1.0)
    )
    shapes.append(scene.Label(_MARGIN, y + 20, text, 18, "#111111"))
    return y + 42


def _draw_state(shapes: list[scene.Shape], text: str, y: float) -> float:
    width = scene.text_width(text, 15) + 48
    shapes.append(
        scene.Box(_MARGIN, y, width, 46, "#f6f6f6", _FAINT, dashed=True)
    )
    shapes.append(
        scene.Label(_MARGIN + width / 2, y + 23, text, 15, _INK, "middle")
    )
    return y + 62


def _branch_x(branch: str) -> float:
    column = keys.BRANCHES.index(branch)
    return _MARGIN + column * (_CELL_WIDTH + _COLUMN_GAP)


def _draw_cells(
    shapes: list[scene.Shape],
    part: str,
    y: float,
    genotypes: tuple[genes.Genotype, genes.Genotype],
    marker: Marker,
) -> float:
    is_fusion = part == parts.FUSION
    kinds = (parts.FUSION,) if is_fusion else tuple(_CELL_INPUTS)
    for kind in kinds:
        bottom = y
        for branch in keys.BRANCHES:
            inputs = _FUSION_INPUTS[branch] if is_fusion else _CELL_INPUTS[kind]
            cell = parts.named(f"{branch}/{kind}")
            nodes = [_nodes(genotype, cell) for genotype in genotypes]
            origin = _Origin(_branch_x(branch), y)
            shapes.append(
                scene.Label(
                    origin.x,
                    origin.y + 8,
                    f"{branch.capitalize()}: {_CELL_TEXTS[kind]}",
                    14,
                    _INK,
                )
            )
            marks = _marks(*nodes, marker)
            below = _Origin(origin.x, origin.y + _HEADING)
            bottom = max(
                bottom, _draw_cell(shapes, below, inputs, marks, is_fusion)
            )
        y = bottom + 18
    return y


def _nodes(
    genotype: genes.Genotype, part: parts.Part
) -> tuple[genes.Node, ...]:
    """Nodes of a part; without choices where it has no gene."""
    if isinstance(getattr(genotype, part.field), str):
        return ((),) * len({edge.node for edge in part.edges})
    return genes.nodes_of(genotype, part)


def _all_cells(
    field: str, first: genes.Genotype, second: genes.Genotype
) -> list[tuple[tuple[genes.Node, ...], tuple[genes.Node, ...]]]:
    """Every part of a field, as nodes in the first and in the second."""
    return [
        (_nodes(first, part), _nodes(second, part))
        for part in parts.PARTS
        if part.field == field
    ]


def _colors(name: str) -> tuple[str, str]:
    """Fill and outline of a primitive."""
    primitive = primitives.known()[name]
    return primitive.fill, primitive.outline


def _marks(
    first: Sequence[genes.Node], second: Sequence[genes.Node], marker: Marker
) -> list[_Mark]:
    return [
        mark
        for number, (left, right) in enumerate(zip(first, second, strict=True))
        for mark in marker(left, right, number)
    ]


def _mark_primitives(
    first: genes.Node, second: genes.Node, node: int
) -> list[_Mark]:
    del second
    return [_Mark(choice, node, _colors(choice.primitive)) for choice in first]


def _mark_difference(
    first: genes.Node, second: genes.Node, node: int
) -> list[_Mark]:
    left, right = list(first), list(second)
    kept = []
    for choice in first:
        # A node may hold one choice twice: matched one by one.
        if choice in right:
            left.remove(choice)
            right.remove(choice)
            kept.append(_Mark(choice, node, _KEPT))
    return (
        kept
        + [_Mark(choice, node, _ONLY_FIRST, True) for choice in left]
        + [_Mark(choice, node, _ONLY_SECOND) for choice in right]
    )


def _op_box(
    x: float,
    y: float,
    width: float,
    text: str,
    style: tuple[str, str],
    dashed: bool,
) -> list[scene.Shape]:
    fill, stroke = style
    return [
        scene.Box(x, y, width, _OP_HEIGHT, fill, stroke, dashed=dashed),
        scene.Label(
            x + width / 2, y + _OP_HEIGHT / 2, text, 12, "#1a1a1a", "middle"
        ),
    ]


@dataclasses.dataclass(frozen=True)
class _Grid:
    """Where rails and columns of one cell lie."""

    origin: _Origin
    rails: tuple[float, ...]
    bottom: float

    def column(self, node: int) -> float:
        """Left edge of the operations of a node."""
        return self.origin.x + _INPUT_WIDTH + node * _NODE_PITCH + _TAP

    def centre(self, node: int) -> float:
        """Middle of a node's circle and of the wire that runs into it."""
        return self.column(node) + _OP_WIDTH + _TAP

    @property
    def output(self) -> float:
        """Left edge of the output."""
        return self.origin.x + _CELL_WIDTH - _OUTPUT_WIDTH + 8


def _draw_cell(
    shapes: list[scene.Shape],
    origin: _Origin,
    inputs: Sequence[str],
    marks: Sequence[_Mark],
    is_fusion: bool,
) -> float:
    """Draws one cell and returns the y below it."""
    num_states = len(inputs) + topology.CELL_NODES
    grid = _cell_grid(origin, num_states, marks)
    wires: list[scene.Shape] = []
    boxes: list[scene.Shape] = []
    for node in range(topology.CELL_NODES):
        own = [mark for mark in marks if mark.node == node]
        _place_node(grid, len(inputs) + node, node, own, wires, boxes)
    _draw_rails(shapes, grid, inputs, marks)
    shapes += wires + boxes
    _draw_output(shapes, grid, len(inputs), is_fusion)
    return grid.bottom


def _cell_grid(
    origin: _Origin, num_states: int, marks: Sequence[_Mark]
) -> _Grid:
    rails = []
    y = origin.y + 12
    for state in range(num_states):
        rails.append(y)
        stacked = max(
            (
                sum(
                    mark.choice.predecessor == state and mark.node == node
                    for mark in marks
                )
                for node in range(topology.CELL_NODES)
            ),
            default=0,
        )
        y += 22 + stacked * (_OP_HEIGHT + _OP_GAP) + (4 if stacked else 12)
    return _Grid(origin, tuple(rails), y)


def _place_node(
    grid: _Grid,
    state: int,
    node: int,
    marks: Sequence[_Mark],
    wires: list[scene.Shape],
    boxes: list[scene.Shape],
) -> None:
    """Adds one node: its operations, the wires to and from them, its circle."""
    x, centre, rail = grid.column(node), grid.centre(node), grid.rails[state]
    used: dict[int, int] = {}
    # Upper operations run down further right, so that no two wires cross.
    ordered = sorted(marks, key=lambda mark: mark.choice.predecessor)
    for position, mark in enumerate(ordered):
        source = mark.choice.predecessor
        stack = used.get(source, 0)
        used[source] = stack + 1
        top = grid.rails[source] + 11 + stack * (_OP_HEIGHT + _OP_GAP)
        middle = top + _OP_HEIGHT / 2
        offset = _LANE * ((len(ordered) - 1) / 2 - position)
        colour = mark.style[1]
        tap = x - _TAP + 4
        wires.append(
            scene.Line(
                ((tap, grid.rails[source]), (tap, middle), (x, middle)),
                colour,
                1.6,
                mark.dashed,
            )
        )
        wires.append(scene.Circle(tap, grid.rails[source], 2.6, _INK, _INK))
        # White below the colour lifts the wire over the rails it crosses.
        path = (
            (x + _OP_WIDTH, middle),
            (centre + offset, middle),
            (centre + offset, rail - _reach(offset)),
        )
        wires.append(scene.Line(path[1:], "#ffffff", 5.0))
        wires.append(scene.Line(path, colour, 1.6, mark.dashed, arrow=True))
        boxes += _op_box(
            x, top, _OP_WIDTH, mark.choice.primitive, mark.style, mark.dashed
        )
    boxes.append(scene.Circle(centre, rail, _NODE_RADIUS, "#ffffff", _INK))
    boxes.append(scene.Label(centre, rail, str(node), 12, _INK, "middle"))


def _reach(offset: float) -> float:
    """How far above its middle a wire beside the middle meets a node."""
    return max(_NODE_RADIUS**2 - offset**2, 0.0) ** 0.5


def _draw_rails(
    shapes: list[scene.Shape],
    grid: _Grid,
    inputs: Sequence[str],
    marks: Sequence[_Mark],
) -> None:
    for state, name in enumerate(inputs):
        y = grid.rails[state]
        readers = [m.node for m in marks if m.choice.predecessor == state]
        shapes.append(
            scene.Box(grid.origin.x, y - 12, 74, 24, "#f4f4f4", _FAINT)
        )
        shapes.append(
            scene.Label(grid.origin.x + 37, y, name, 12, _INK, "middle")
        )
        if readers:
            end = grid.column(max(readers)) - _TAP + 4
            start = grid.origin.x + 74
            shapes.append(scene.Line(((start, y), (end, y)), _RAIL, 2.0))
    for node in range(topology.CELL_NODES):
        y = grid.rails[len(inputs) + node]
        shapes.append(
            scene.Line(
                ((grid.centre(node), y), (grid.output, y)),
                _RAIL,
                2.0,
                arrow=True,
            )
        )


def _draw_output(
    shapes: list[scene.Shape], grid: _Grid, num_inputs: int, is_fusion: bool
) -> None:
    top = grid.rails[num_inputs] - 14
    bottom = grid.rails[-1] + 14
    shapes.append(
        scene.Box(grid.output, top, 56, bottom - top, "#f4f4f4", _FAINT)
    )
    middle = (top + bottom) / 2
    x = grid.output + 28
    for offset, text in ((-9, "output"), (9, "concat")):
        shapes.append(scene.Label(x, middle + offset, text, 12, _INK, "middle"))
    if is_fusion:
        shapes.append(
            scene.Label(
                grid.origin.x + _CELL_WIDTH,
                grid.bottom + 4,
                "second output: the three inputs, joined",
                11,
                _FAINT,
                "end",
            )
        )


def _draw_interaction(
    shapes: list[scene.Shape],
    y: float,
    genotypes: tuple[genes.Genotype, genes.Genotype],
    marker: Marker,
) -> float:
    marks = {}
    for branch in keys.BRANCHES:
        part = parts.named(f"{branch}/{parts.INTERACTION}")
        nodes = [_nodes(genotype, part) for genotype in genotypes]
        marks[branch] = _marks(*nodes, marker)
    for own in marks.values():
        # Operations stand in the order of their sources: fewer crossings.
        own.sort(key=lambda mark: (mark.node, mark.choice.predecessor))
    rows = _interaction_rows(marks, y + _HEADING + 24)
    for branch in keys.BRANCHES:
        _draw_flow(shapes, _Origin(_branch_x(branch), y), branch, marks, rows)
    return rows[-1] + 10


def _interaction_rows(
    marks: dict[str, list[_Mark]], y: float
) -> tuple[float, ...]:
    """Top of every level, the same in both columns, and the bottom."""
    rows = [y]
    for level in range(topology.NUM_LEVELS):
        most = max(
            sum(mark.node == level for mark in marks[branch])
            for branch in keys.BRANCHES
        )
        y += max(38.0, most * (_OP_HEIGHT + _OP_GAP) + 14)
        rows.append(y)
    return tuple(rows)


def _draw_flow(
    shapes: list[scene.Shape],
    origin: _Origin,
    branch: str,
    marks: dict[str, list[_Mark]],
    rows: tuple[float, ...],
) -> None:
    """Draws what every level of one branch takes from the other branch."""
    other = next(name for name in keys.BRANCHES if name != branch)
    target_x = origin.x + _CELL_WIDTH - _LEVEL_WIDTH
    op_x = target_x - 34 - _FLOW_OP_WIDTH
    shapes.append(
        scene.Label(
            origin.x,
            origin.y + 8,
            f"i <- j: {branch} level i adds the sum of these operations on "
            f"{other} levels j",
            14,
            _INK,
        )
    )
    for x, name in ((origin.x, other), (target_x, branch)):
        centre = x + _LEVEL_WIDTH / 2
        text = f"{name} branch"
        shapes.append(
            scene.Label(centre, origin.y + 36, text, 13, _INK, "middle")
        )
    ports = _ports(marks[branch], rows)
    slots = _slots(marks[branch], rows)
    for mark, port, slot in zip(marks[branch], ports, slots, strict=True):
        start = (origin.x + _LEVEL_WIDTH, port)
        shapes.append(
            scene.Curve(start, (op_x, slot), mark.style[1], 1.7, mark.dashed)
        )
        shapes.append(
            scene.Line(
                ((op_x + _FLOW_OP_WIDTH, slot), (target_x, slot)),
                mark.style[1],
                1.7,
                mark.dashed,
                arrow=True,
            )
        )
    for mark, slot in zip(marks[branch], slots, strict=True):
        text = f"{mark.node} <- {mark.choice.predecessor}   "
        shapes += _op_box(
            op_x,
            slot - _OP_HEIGHT / 2,
            _FLOW_OP_WIDTH,
            text + mark.choice.primitive,
            mark.style,
            mark.dashed,
        )
    for x in (origin.x, target_x):
        _draw_levels(shapes, x, rows)


def _slots(marks: Sequence[_Mark], rows: tuple[float, ...]) -> list[float]:
    """Middle of every operation, stacked in front of the level it feeds."""
    slots = []
    for position, mark in enumerate(marks):
        stack = [i for i, m in enumerate(marks) if m.node == mark.node]
        middle = (rows[mark.node] + rows[mark.node + 1]) / 2
        offset = stack.index(position) - (len(stack) - 1) / 2
        slots.append(middle + offset * (_OP_HEIGHT + _OP_GAP))
    return slots


def _ports(marks: Sequence[_Mark], rows: tuple[float, ...]) -> list[float]:
    """Where every wire leaves its source level, in the order of its targets."""
    ports = []
    for position, mark in enumerate(marks):
        level = mark.choice.predecessor
        readers = [
            i for i, m in enumerate(marks) if m.choice.predecessor == level
        ]
        top, bottom = rows[level] + 8, rows[level + 1] - 8
        share = (readers.index(position) + 0.5) / len(readers)
        ports.append(top + share * (bottom - top))
    return ports


def _draw_levels(
    shapes: list[scene.Shape], x: float, rows: tuple[float, ...]
) -> None:
    for level in range(topology.NUM_LEVELS):
        top, bottom = rows[level] + 3, rows[level + 1] - 3
        in_encoder = level < topology.NUM_ENCODER_LEVELS
        shapes.append(
            scene.Box(
                x,
                top,
                _LEVEL_WIDTH,
                bottom - top,
                "#f4f4f4" if in_encoder else "#fffbe8",
                _FAINT,
            )
        )
        stride = topology.level_stride(level)
        name = "encoder" if in_encoder else "decoder"
        width = "C" if stride == 1 else f"{stride}C"
        middle = (top + bottom) / 2
        centre = x + _LEVEL_WIDTH / 2
        for offset, text, size in (
            (-7, f"level {level}  {name}", 12),
            (8, f"1/{4 * stride} of input, {width}", 10),
        ):
            shapes.append(
                scene.Label(centre, middle + offset, text, size, _INK, "middle")
            )
