"""Which operations a network is made of, part by part, as checked data."""

import dataclasses
import json
import math
import os
from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any
from typing import NamedTuple

from nppnet_tf import keys
from nppnet_tf.config import NetworkConfig
from nppnet_tf.errors import UserError
from nppnet_tf.files import atomic
from nppnet_tf.files import json_documents
from nppnet_tf.files import text_files
from nppnet_tf.search_space import parts
from nppnet_tf.search_space import primitives
from nppnet_tf.search_space import topology
from nppnet_tf.search_space.space import PAPER
from nppnet_tf.search_space.space import SearchSpace

SEARCH = "search"
OMIT = "omit"
BASELINE = "baseline"
UNET = "unet"

# Encoder-decoders that nobody searched.
BASELINES = (BASELINE, UNET)

FORMAT = "nppnet_tf.genotype"
FORMAT_VERSION = 1

# Of a file; a genotype has some kilobytes.
_MAX_BYTES = 1 << 20


class Choice(NamedTuple):
    """One kept operation: a primitive applied to one earlier state.

    In a cell the predecessor counts its input nodes first, then its nodes. In
    the interaction it is a pyramid level of the other branch.
    """

    primitive: str
    predecessor: int


Node = tuple[Choice, ...]


@dataclasses.dataclass(frozen=True)
class CellGene:
    """The choices of every intermediate node of a cell.

    Attributes:
        nodes: One tuple of choices per node, summed by the node.
    """

    nodes: tuple[Node, ...]

    @classmethod
    def of(cls, gene: object) -> "CellGene | None":
        """Returns a gene, None, or what `to_lists` made of one, as a gene."""
        if gene is None or isinstance(gene, cls):
            return gene
        return cls(_from_lists(gene))

    def to_lists(self) -> list:
        """Returns plain lists for a Keras config."""
        return _to_lists(self.nodes)


@dataclasses.dataclass(frozen=True)
class BranchGene:
    """The three kinds of cells in one branch's encoder-decoder (Sec. 3.3)."""

    normal: CellGene
    reduction: CellGene
    decoding: CellGene

    @classmethod
    def of(cls, gene: object) -> "BranchGene | None":
        """Returns a gene, None, or what `to_lists` made of one, as a gene."""
        if gene is None or isinstance(gene, cls):
            return gene
        return cls(**{kind: CellGene.of(cell) for kind, cell in gene.items()})

    def to_lists(self) -> dict[str, list]:
        """Returns plain lists by kind of cell for a Keras config."""
        return {
            field.name: getattr(self, field.name).to_lists()
            for field in dataclasses.fields(self)
        }


@dataclasses.dataclass(frozen=True)
class EncoderDecoderGene:
    """Both branches' encoder-decoders; nothing is shared between them."""

    pose: BranchGene
    parsing: BranchGene


@dataclasses.dataclass(frozen=True)
class InteractionGene:
    """The choices of every pyramid level (Eq. 4 and 5).

    Attributes:
        pose: Seven nodes; what each level of the pose branch takes from the
            parsing branch.
        parsing: The same the other way round.
    """

    pose: tuple[Node, ...]
    parsing: tuple[Node, ...]

    @classmethod
    def of(cls, gene: object) -> "InteractionGene | None":
        """Returns a gene, None, or what `to_lists` made of one, as a gene."""
        if gene is None or isinstance(gene, cls):
            return gene
        return cls(
            **{branch: _from_lists(nodes) for branch, nodes in gene.items()}
        )

    def to_lists(self) -> dict[str, list]:
        """Returns plain lists by branch for a Keras config."""
        return {
            field.name: _to_lists(getattr(self, field.name))
            for field in dataclasses.fields(self)
        }


@dataclasses.dataclass(frozen=True)
class FusionGene:
    """The pose cell and the parsing cell (Sec. 3.5)."""

    pose: CellGene
    parsing: CellGene


@dataclasses.dataclass(frozen=True)
class Genotype:
    """What fills each of the three searchable parts.

    Attributes:
        encoder_decoder: A gene, `SEARCH`, `BASELINE` (ResNet-50 and FPN) or
            `UNET` (a plain U-Net).
        interaction: A gene, `SEARCH` or `OMIT`.
        fusion: A gene, `SEARCH` or `OMIT`.

    Raises:
        UserError: If a part, a primitive or a predecessor does not exist.
    """

    encoder_decoder: EncoderDecoderGene | str
    interaction: InteractionGene | str = OMIT
    fusion: FusionGene | str = OMIT

    def __post_init__(self) -> None:
        for field in FIELDS:
            _check_field(field, getattr(self, field.name))

    @property
    def is_searched(self) -> bool:
        """Whether any part is still to be searched."""
        return SEARCH in (self.encoder_decoder, self.interaction, self.fusion)

    def channel_multiple(self, channel_proportion: int) -> int:
        """Returns what C has to be a multiple of.

        Args:
            channel_proportion: k of Eq. 1. A searched state is divided by k,
                and half of that squeezes an excitation; a cell's states have a
                quarter of their level's width.
        """
        if self.encoder_decoder == SEARCH:
            return topology.CHANNEL_MULTIPLE * 2 * channel_proportion
        if self.is_searched:
            return math.lcm(topology.CHANNEL_MULTIPLE, 2 * channel_proportion)
        return topology.CHANNEL_MULTIPLE

    def check_size(
        self, config: NetworkConfig, space: SearchSpace = PAPER
    ) -> None:
        """Raises UserError where no network of this genotype has a size.

        Args:
            config: Size of the network.
            space: What the searched parts choose from.
        """
        multiple = self.channel_multiple(space.channel_proportion)
        topology.check_sizes(config, multiple)

    def require_derived(self, where: str = "`genotype`") -> None:
        """Raises UserError where a part is still searched.

        Args:
            where: What the message calls the genotype.
        """
        if self.is_searched:
            raise UserError(
                "a part of the genotype is still searched",
                where,
                "a derived genotype",
                SEARCH,
            )

    def to_json(self) -> str:
        """Returns the genotype as a JSON document, one node per line."""
        parts = ",\n".join(
            f"  {json.dumps(field.name)}: {_dump(getattr(self, field.name), 2)}"
            for field in FIELDS
        )
        return (
            f'{{\n  "format": "{FORMAT}",\n  "version": {FORMAT_VERSION},\n'
            f"{parts}\n}}\n"
        )

    def to_values(self) -> dict[str, Any]:
        """Returns the same as plain values, a part of another document."""
        return json.loads(self.to_json())

    @classmethod
    def from_json(cls, text: str, where: object = "genotype") -> "Genotype":
        """Reads and checks what `to_json` wrote.

        Args:
            text: A JSON document.
            where: Named in the message of an error.

        Raises:
            UserError: If the document is not a valid genotype.
        """
        return cls.from_values(json_documents.parse(text, where), where)

    @classmethod
    def from_values(
        cls, values: object, where: object = "genotype"
    ) -> "Genotype":
        """Reads and checks the content of such a document, as JSON has it.

        Args:
            values: Plain values.
            where: Named in the message of an error.

        Raises:
            UserError: If they are no valid genotype.
        """
        return _parse(values, where)


class _Field(NamedTuple):
    """A field of a genotype: its gene, and the words it may hold instead."""

    name: str
    gene: type
    states: tuple[str, ...]


FIELDS = (
    _Field("encoder_decoder", EncoderDecoderGene, (SEARCH, *BASELINES)),
    _Field("interaction", InteractionGene, (SEARCH, OMIT)),
    _Field("fusion", FusionGene, (SEARCH, OMIT)),
)


def searched_parts(genotype: Genotype) -> tuple[parts.Part, ...]:
    """Returns the parts that are still to be searched, branch by branch."""
    return tuple(
        part for part in parts.PARTS if getattr(genotype, part.field) == SEARCH
    )


def nodes_of(genotype: Genotype, part: parts.Part) -> tuple[Node, ...]:
    """Returns the choices of every node of a part that has a gene."""
    return _nodes(getattr(genotype, part.field), part)


def places_of(
    genotype: Genotype, part: parts.Part, primitives: Sequence[str]
) -> list[list[tuple[int, int]]]:
    """Returns where in alpha the choices of every node of a part stand.

    Args:
        genotype: Genotype with a gene of the part.
        part: The part.
        primitives: Names in the order of alpha.

    Returns:
        For each node (row, column) of its choices, in their order.
    """
    rows = {edge: row for row, edge in enumerate(part.edges)}
    columns = {name: column for column, name in enumerate(primitives)}
    return [
        [
            (rows[node, choice.predecessor], columns[choice.primitive])
            for choice in choices
        ]
        for node, choices in enumerate(nodes_of(genotype, part))
    ]


def filled(
    genotype: Genotype, nodes: Mapping[parts.Part, tuple[Node, ...]]
) -> Genotype:
    """Returns a genotype with genes where it was searched.

    Args:
        genotype: Genotype with `SEARCH` in the fields to fill.
        nodes: Choices of every node of every searched part.
    """
    found = {part.name: choices for part, choices in nodes.items()}

    def nodes_at(branch: str, kind: str) -> tuple[Node, ...]:
        return found[f"{branch}/{kind}"]

    def cell(branch: str, kind: str) -> CellGene:
        return CellGene(nodes_at(branch, kind))

    makers = {
        parts.ENCODER_DECODER: lambda branch: BranchGene(
            *(cell(branch, kind) for kind in parts.CELL_KINDS)
        ),
        parts.INTERACTION: lambda branch: nodes_at(branch, parts.INTERACTION),
        parts.FUSION: lambda branch: cell(branch, parts.FUSION),
    }
    genes = {
        field.name: field.gene(*map(makers[field.name], keys.BRANCHES))
        for field in FIELDS
        if getattr(genotype, field.name) == SEARCH
    }
    return dataclasses.replace(genotype, **genes)


def load(path: str | os.PathLike) -> Genotype:
    """Reads a genotype file.

    Raises:
        UserError: If the file cannot be read or is not a valid genotype.
    """
    return Genotype.from_json(text_files.read(path, _MAX_BYTES), path)


def save(genotype: Genotype, path: str | os.PathLike) -> None:
    """Writes a genotype file, whole and on the disk, or not at all."""
    atomic.write_text(path, genotype.to_json(), durable=True)


def _check_field(field: _Field, value: object) -> None:
    if isinstance(value, str):
        if value not in field.states:
            raise UserError(
                "unknown state of a genotype part",
                field.name,
                f"a gene or one of {', '.join(field.states)}",
                repr(value),
            )
        return
    if not isinstance(value, field.gene):
        raise UserError(
            "wrong gene in a genotype",
            field.name,
            field.gene.__name__,
            type(value).__name__,
        )
    for part in parts.PARTS:
        if part.field == field.name:
            _check_nodes(part, _nodes(value, part))


def _from_lists(nodes: Sequence[Sequence[Sequence]]) -> tuple[Node, ...]:
    return tuple(tuple(Choice(*choice) for choice in node) for node in nodes)


def _to_lists(nodes: Sequence[Node]) -> list:
    return [[list(choice) for choice in node] for node in nodes]


def _path(part: parts.Part) -> tuple[str, ...]:
    """Where a genotype keeps a part: field, branch and, of cells, kind."""
    path = (part.field, part.branch)
    return (*path, part.kind) if part.kind in parts.CELL_KINDS else path


def _nodes(gene: object, part: parts.Part) -> tuple[Node, ...]:
    """Choices of a part, of the gene of its field."""
    for name in _path(part)[1:]:
        gene = getattr(gene, name)
    return gene.nodes if isinstance(gene, CellGene) else gene


def _check_nodes(part: parts.Part, nodes: tuple[Node, ...]) -> None:
    """Checks the choices of every node of a part."""
    where = ".".join(_path(part))
    limits = [len(rows) for rows in part.node_rows]
    if len(nodes) != len(limits):
        raise UserError(
            "wrong number of nodes in a gene", where, len(limits), len(nodes)
        )
    # The interaction may leave a level as it is; a cell's node may not be
    # empty, since nothing would give it a size.
    known = tuple(primitives.known())
    may_be_empty = part.kind == parts.INTERACTION
    for number, (node, limit) in enumerate(zip(nodes, limits, strict=True)):
        place = f"{where}, node {number}"
        if not node and not may_be_empty:
            raise UserError("node without a choice", place, "one or more", 0)
        for choice in node:
            if choice.primitive not in known:
                raise UserError(
                    "unknown primitive",
                    place,
                    f"one of {', '.join(known)}",
                    repr(choice.primitive),
                )
            is_index = type(choice.predecessor) is int
            if not is_index or not 0 <= choice.predecessor < limit:
                raise UserError(
                    "predecessor out of range",
                    place,
                    f"0 to {limit - 1}",
                    repr(choice.predecessor),
                )


def _dump(value: object, indent: int) -> str:
    """One node a line: short enough to read, long enough to compare."""
    if isinstance(value, str):
        return json.dumps(value)
    pad = " " * (indent + 2)
    if isinstance(value, CellGene):
        value = value.nodes
    if isinstance(value, tuple):
        lines = ",\n".join(
            pad + json.dumps([list(choice) for choice in node])
            for node in value
        )
        return f"[\n{lines}\n{' ' * indent}]"
    lines = ",\n".join(
        f"{pad}{json.dumps(field.name)}: "
        f"{_dump(getattr(value, field.name), indent + 2)}"
        for field in dataclasses.fields(value)
    )
    return f"{{\n{lines}\n{' ' * indent}}}"


def _parse(data: object, where: object) -> Genotype:
    names = {"format", "version"} | {field.name for field in FIELDS}
    found = _mapping(data, names, where, "")
    json_documents.opened(found, where, FORMAT, FORMAT_VERSION, noun="genotype")
    fields = {f.name: _parse_field(f, found[f.name], where) for f in FIELDS}
    try:
        return Genotype(**fields)
    except UserError as error:
        # A genotype knows its parts, not its file.
        raise error.at(f"{where}, {error.where}") from error


def _parse_field(field: _Field, data: object, where: object) -> object:
    if isinstance(data, str):
        return data
    branches = _mapping(data, set(keys.BRANCHES), where, field.name)
    return field.gene(
        **{
            branch: _parse_branch(field, branches[branch], where, branch)
            for branch in keys.BRANCHES
        }
    )


def _parse_branch(
    field: _Field, data: object, where: object, branch: str
) -> object:
    place = f"{field.name}.{branch}"
    if field.gene is InteractionGene:
        return _parse_nodes(data, where, place)
    if field.gene is FusionGene:
        return CellGene(_parse_nodes(data, where, place))
    cells = _mapping(data, set(parts.CELL_KINDS), where, place)
    return BranchGene(
        **{
            kind: CellGene(_parse_nodes(cells[kind], where, f"{place}.{kind}"))
            for kind in parts.CELL_KINDS
        }
    )


def _parse_nodes(data: object, where: object, place: str) -> tuple[Node, ...]:
    try:
        return tuple(
            tuple(Choice(*_pair(choice)) for choice in node) for node in data
        )
    except (TypeError, ValueError) as error:
        raise UserError(
            "malformed nodes",
            f"{where}, {place}",
            "a list of nodes, each a list of [primitive, predecessor]",
            error,
        ) from error


def _pair(choice: object) -> tuple[str, int]:
    primitive, predecessor = choice
    return primitive, predecessor


def _mapping(
    data: object, names: set[str], where: object, place: str
) -> Mapping[str, object]:
    if not isinstance(data, dict) or set(data) != names:
        found = sorted(data) if isinstance(data, dict) else type(data).__name__
        raise UserError(
            "malformed genotype",
            f"{where}, {place}" if place else where,
            f"an object with {', '.join(sorted(names))}",
            found,
        )
    return data
