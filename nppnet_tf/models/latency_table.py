"""Tables of latencies: what single operations take on some machine.

`tools.benchmark --what=latency_table` measures one on the machine that is
meant; a search with `target_ms` adds up what it keeps (`ChoiceCosts`).
"""

import dataclasses
import hashlib
import os
from collections.abc import Iterator
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from nppnet_tf.config import NetworkConfig
from nppnet_tf.errors import UserError
from nppnet_tf.files import json_documents
from nppnet_tf.files import text_files
from nppnet_tf.models import choice_costs
from nppnet_tf.models.choice_costs import ChoiceCosts
from nppnet_tf.search_space import genotype as genotypes
from nppnet_tf.search_space.space import PAPER
from nppnet_tf.search_space.space import SearchSpace

FORMAT = "nppnet_tf.latency_table"
FORMAT_VERSION = 1

# Of an entry that is no primitive: the projection behind an edge.
PROJECTION = "projection"


class Operation(NamedTuple):
    """One operation at one width and one size.

    Attributes:
        name: Name of the primitive, or `PROJECTION`.
        channels: Channels that it takes.
        filters: Channels that it gives.
        stride: Stride of it.
        height: Height of its input.
        width: Width of its input.
    """

    name: str
    channels: int
    filters: int
    stride: int
    height: int
    width: int

    def __str__(self) -> str:
        return (
            f"{self.name}, {self.channels} to {self.filters} channels, stride "
            f"{self.stride}, {self.height} x {self.width}"
        )


@dataclasses.dataclass(frozen=True)
class LatencyTable:
    """What operations take, in milliseconds for one picture.

    Attributes:
        operations: Milliseconds by operation.
        rest: Milliseconds of what is not chosen.
        digest: What tells this table from others, in the record of a run.
        path: File that it was read from.
    """

    operations: Mapping[Operation, float]
    rest: float
    digest: str = ""
    path: str = ""

    def costs(
        self,
        start: genotypes.Genotype,
        config: NetworkConfig,
        image_size: tuple[int, int],
        space: SearchSpace = PAPER,
    ) -> ChoiceCosts:
        """Adds up what every choice takes, over all cells that share it.

        Args:
            start: Genotype with "search" in the parts that are chosen.
            config: Size of the derived network.
            image_size: (height, width) of its input.
            space: Operations to choose from.

        Raises:
            UserError: If an operation of that network is not in the table.
        """
        tables = {}
        for part in genotypes.searched_parts(start):
            table = np.zeros([len(part.edges), len(space.primitives)])
            for place in choice_costs.places(part, config, image_size):
                table[place.row] += [
                    sum(map(self._milliseconds, _of_place(name, place)))
                    for name in space.primitives
                ]
            tables[part.name] = table
        return ChoiceCosts(self.rest, tables, space.primitives)

    def _milliseconds(self, operation: Operation) -> float:
        if operation not in self.operations:
            raise UserError(
                "operation without a latency",
                self.path or "latency table",
                "the table of a network of this size and these operations",
                f"no {operation}",
            )
        return self.operations[operation]


def operations_of(
    start: genotypes.Genotype,
    config: NetworkConfig,
    image_size: tuple[int, int],
    space: SearchSpace = PAPER,
) -> list[Operation]:
    """Returns every operation that a table of such a network holds.

    Args:
        start: Genotype with "search" in the parts that are chosen.
        config: Size of the derived network.
        image_size: (height, width) of its input.
        space: Operations to choose from.
    """
    found = {
        operation
        for part in genotypes.searched_parts(start)
        for place in choice_costs.places(part, config, image_size)
        for name in space.primitives
        for operation in _of_place(name, place)
    }
    return sorted(found)


def to_plain(
    operations: Mapping[Operation, float], rest: float, **facts: object
) -> dict[str, object]:
    """Returns a table as a JSON document holds it.

    Args:
        operations: Milliseconds by operation.
        rest: Milliseconds of what is not chosen.
        **facts: How it was measured.
    """
    return {
        "format": FORMAT,
        "version": FORMAT_VERSION,
        **facts,
        "rest_ms": rest,
        "operations": [
            {**operation._asdict(), "ms": milliseconds}
            for operation, milliseconds in operations.items()
        ],
    }


def read(path: str | os.PathLike[str]) -> LatencyTable:
    """Reads a table.

    Raises:
        UserError: If the file cannot be read or is no such table.
    """
    text = text_files.read(path)
    plain = json_documents.opened(
        json_documents.parse(text, path),
        path,
        FORMAT,
        FORMAT_VERSION,
        noun="latency table",
    )
    entries = json_documents.require(
        plain.get("operations"), "a list", path, "operations"
    )
    rest = json_documents.require(
        plain.get("rest_ms"), "a number", path, "rest_ms"
    )
    operations = {}
    for number, entry in enumerate(entries):
        place = f"operations[{number}]"
        json_documents.require(entry, "an object", path, place)
        values = [
            json_documents.require(
                entry.get(name), kind, path, f"{place}.{name}"
            )
            for name, kind in _KINDS.items()
        ]
        if not 0 <= values[-1] < float("inf"):
            raise UserError(
                "no latency", f"{path}, {place}", "0 ms or more", values[-1]
            )
        operations[Operation(*values[:-1])] = float(values[-1])
    digest = hashlib.sha256(text.encode()).hexdigest()[:12]
    return LatencyTable(operations, float(rest), digest, os.fspath(path))


_KINDS = {
    "name": "a text",
    **dict.fromkeys(Operation._fields[1:], "an integer"),
    "ms": "a number",
}


def _of_place(name: str, place: choice_costs.Place) -> Iterator[Operation]:
    """What one choice at one place is made of."""
    channels = place.channels
    yield Operation(name, channels, channels, place.stride, *place.size)
    behind = place.projection
    if behind is not None:
        yield Operation(
            PROJECTION, behind.channels, behind.filters, 1, *behind.size
        )
