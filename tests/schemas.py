"""Holds documents against docs/schemas."""

import functools
import json
import pathlib
from collections.abc import Iterator
from typing import Any

import jsonschema
import referencing

from tests import shared

_FOLDER = shared.REPOSITORY / "docs" / "schemas"

_METRICS = "metrics.jsonl"


@functools.cache
def schemas() -> dict[str, dict[str, Any]]:
    """Returns every schema by its name, "genotype"."""
    return {
        path.stem: json.loads(path.read_text())
        for path in sorted(_FOLDER.glob("*.json"))
    }


def faults(document: Any, name: str) -> list[str]:
    """Returns what a schema says against a document, with the places.

    Args:
        document: Document as JSON reads it.
        name: Name of the schema.
    """
    validator = jsonschema.Draft202012Validator(
        schemas()[name], registry=_registry()
    )
    return [
        f"{error.json_path}: {error.message[:200]}"
        for error in validator.iter_errors(document)
    ]


def documents(folder: pathlib.Path) -> Iterator[tuple[str, Any, str]]:
    """Yields path, document and schema of all in a folder that have one."""
    formats = {
        schema["properties"]["format"]["const"]: name
        for name, schema in schemas().items()
        if "format" in schema["properties"]
    }
    for path in sorted(folder.rglob("*.json")):
        document = json.loads(path.read_text())
        if isinstance(document, dict) and document.get("format") in formats:
            yield str(path), document, formats[document["format"]]
    for path in sorted(folder.rglob(_METRICS)):
        for line in path.read_text().splitlines():
            yield str(path), json.loads(line), "epoch"


@functools.cache
def _registry() -> referencing.Registry:
    """Where the schemas find each other."""
    return referencing.Registry().with_resources(
        (schema["$id"], referencing.Resource.from_contents(schema))
        for schema in schemas().values()
    )
