"""Documents in which one part is of another kind than it should be."""

import copy
from collections.abc import Iterator
from typing import Any

# Of each kind that JSON has, and what the parser takes beyond it.
VALUES = (
    None,
    True,
    0,
    -20,
    99,
    1e400,
    float("nan"),
    10**400,
    "",
    "x",
    "../x",
    [],
    [[1]],
    {},
    {"x": 1},
)


def documents(document: Any) -> Iterator[tuple[str, Any]]:
    """Yields a document with each part left out and each part replaced.

    Args:
        document: Document of what JSON has; in a list the first part stands for
            all.

    Yields:
        What was done, and the document.
    """
    for place in _places(document):
        for value in VALUES:
            changed = copy.deepcopy(document)
            if place:
                _parent(changed, place)[place[-1]] = value
            else:
                changed = value
            yield f"{place} is {str(value)[:40]}", changed
        if place:
            changed = copy.deepcopy(document)
            del _parent(changed, place)[place[-1]]
            yield f"{place} is left out", changed


def _places(part: Any, place: tuple = ()) -> Iterator[tuple]:
    yield place
    if isinstance(part, dict):
        for key, value in part.items():
            yield from _places(value, (*place, key))
    elif isinstance(part, list) and part:
        yield from _places(part[0], (*place, 0))


def _parent(document: Any, place: tuple) -> Any:
    for key in place[:-1]:
        document = document[key]
    return document
