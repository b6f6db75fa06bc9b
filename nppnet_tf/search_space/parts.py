"""The parts of a genotype: ten, five in either branch.

Alpha and beta, pruning, health and checkpoints go part by part; here stands
what a part is called, which edges it has and where a genotype keeps its gene.
"""

from typing import NamedTuple

from nppnet_tf import keys
from nppnet_tf.search_space import topology

NORMAL = "normal"
REDUCTION = "reduction"
DECODING = "decoding"
INTERACTION = "interaction"
FUSION = "fusion"

# The kinds of cell in an encoder-decoder (Sec. 3.3).
CELL_KINDS = (NORMAL, REDUCTION, DECODING)

ENCODER_DECODER = "encoder_decoder"


class Part(NamedTuple):
    """One part of one branch.

    Attributes:
        branch: Name of the branch, one of `keys.BRANCHES`.
        kind: "normal", "reduction", "decoding", "interaction" or "fusion".
        field: Field of the genotype that holds its gene.
        edges: Edges in the order of alpha's rows.
        groups: Rows of alpha of every fan-out, in the order in which the layer
            has its fan-outs.
        num_inputs: States before the first node of a cell; 0 of an
            interaction.
    """

    branch: str
    kind: str
    field: str
    edges: tuple[topology.Edge, ...]
    groups: tuple[tuple[int, ...], ...]
    num_inputs: int

    @property
    def name(self) -> str:
        """Of checkpoints and records, "pose/normal"."""
        return f"{self.branch}/{self.kind}"

    @property
    def node_rows(self) -> list[list[int]]:
        """Rows of alpha of the edges into each node."""
        return topology.rows_by_node(self.edges)


def _cell(branch: str, kind: str, field: str, num_inputs: int) -> Part:
    edges = topology.cell_edges(num_inputs)
    groups = topology.cell_groups(num_inputs)
    return Part(branch, kind, field, edges, groups, num_inputs)


def _of_branch(branch: str) -> tuple[Part, ...]:
    return (
        *(
            _cell(branch, kind, ENCODER_DECODER, topology.CELL_INPUTS)
            for kind in CELL_KINDS
        ),
        Part(
            branch,
            INTERACTION,
            INTERACTION,
            topology.interaction_edges(),
            topology.interaction_groups(),
            0,
        ),
        _cell(branch, FUSION, FUSION, topology.FUSION_INPUTS),
    )


PARTS = tuple(part for branch in keys.BRANCHES for part in _of_branch(branch))

_BY_NAME = {part.name: part for part in PARTS}


def named(name: str) -> Part:
    """Returns a part by its name, "pose/fusion".

    Raises:
        ValueError: If there is none.
    """
    if name not in _BY_NAME:
        raise ValueError(
            f"name is one of {', '.join(_BY_NAME)}. Received: {name=}"
        )
    return _BY_NAME[name]
