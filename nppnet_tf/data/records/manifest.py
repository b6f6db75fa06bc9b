"""Manifest of a folder of records: what it holds, by name and by digest.

Read and compared without TensorFlow, so that a tool can refuse a folder before
it begins.
"""

import dataclasses
import hashlib
import os
import pathlib
from collections.abc import Mapping
from typing import Any

from nppnet_tf import keys
from nppnet_tf.data.descriptors import DatasetDescriptor
from nppnet_tf.errors import UserError
from nppnet_tf.files import json_documents
from nppnet_tf.files import text_files

FORMAT = "nppnet_tf.records"
FORMAT_VERSION = 1

MANIFEST = "manifest.json"
INDEX = "index.jsonl"

# Entries that count the records annotated for a task.
ANNOTATED = {keys.PARSING: "num_label_maps", keys.POSE: "num_poses"}

# A line of 100 bytes for every record.
_MAX_INDEX_BYTES = 1 << 30


@dataclasses.dataclass(frozen=True)
class Manifest:
    """What a sound folder says about itself.

    Attributes:
        document: Content of the manifest, its entries of the right kinds.
        descriptor: What the records annotate.
        index: Content of the index, of which the manifest has the digest.
    """

    document: Mapping[str, Any]
    descriptor: DatasetDescriptor
    index: bytes


def read(directory: str | os.PathLike[str]) -> Manifest:
    """Reads the manifest of a folder that `record_writer.write_records` made.

    The shards have to be there; they are not read.

    Raises:
        UserError: Not such a folder, of another version, changed or damaged,
            or with files missing.
    """
    directory = pathlib.Path(directory)
    document = _read_document(directory)
    descriptor = DatasetDescriptor.from_values(
        document["descriptor"], directory / MANIFEST
    )
    for entry in document["shards"]:
        _require_file(directory / entry["name"])
    return Manifest(document, descriptor, _read_index(directory, document))


def _read_document(directory: pathlib.Path) -> dict[str, Any]:
    path = directory / MANIFEST
    if not path.is_file():
        raise UserError(
            "not a folder of records",
            directory,
            f"a folder with {MANIFEST}, as build_records makes",
            "no such file" if directory.is_dir() else "no such folder",
        )
    document = json_documents.opened(
        json_documents.read(path),
        path,
        FORMAT,
        FORMAT_VERSION,
        version_name="format_version",
        noun="manifest",
    )
    _check_kinds(document, path)
    return document


def _check_kinds(manifest: Mapping[str, Any], path: pathlib.Path) -> None:
    """Raises UserError where a part that is used is of another kind."""
    require = json_documents.require
    require(manifest.get("descriptor"), "an object", path, "descriptor")
    index = require(manifest.get("index"), "an object", path, "index")
    require(index.get("sha256"), "a text", path, "index.sha256")
    for name in (
        "num_records",
        "num_skipped",
        "num_notes",
        *ANNOTATED.values(),
    ):
        if require(manifest.get(name), "an integer", path, name) < 0:
            raise UserError(f"{name} is negative", path)
    shards = require(manifest.get("shards"), "a list", path, "shards")
    for number, entry in enumerate(shards):
        place = f"shards[{number}]"
        require(entry, "an object", path, place)
        require(entry.get("sha256"), "a text", path, f"{place}.sha256")
        name = require(entry.get("name"), "a text", path, f"{place}.name")
        is_plain = pathlib.PurePath(name).name == name and name != ".."
        if not is_plain or not name or "\0" in name:
            raise UserError(
                "shard lies elsewhere", path, "a file of this folder", name
            )
    for name in ("split", "dataset", "people"):
        if manifest.get(name) is not None:
            require(manifest[name], "a text", path, name)


def _read_index(directory: pathlib.Path, document: Mapping[str, Any]) -> bytes:
    path = directory / INDEX
    _require_file(path)
    content = text_files.read_bytes(path, _MAX_INDEX_BYTES)
    if hashlib.sha256(content).hexdigest() != document["index"]["sha256"]:
        raise UserError(
            "index differs from its manifest",
            path,
            f"the sha256 of {MANIFEST}",
            "another",
        )
    return content


def _require_file(path: pathlib.Path) -> None:
    if not path.is_file():
        raise UserError("file is missing", path, "a file of the manifest")
