"""Where every record of a folder lies: its index, a line for each."""

import pathlib
import struct
from typing import NamedTuple

from nppnet_tf.data.records import manifest as manifests
from nppnet_tf.data.records.manifest import Manifest
from nppnet_tf.errors import UserError
from nppnet_tf.files import json_documents
from nppnet_tf.files import text_files

# A TFRecord frame: length, its checksum, the record, its checksum.
FRAME_HEADER = struct.Struct("<QI")


class IndexEntry(NamedTuple):
    """Where one record lies: a line of the index."""

    shard: int
    offset: int
    length: int
    crc32: int
    record_id: str


def read(directory: pathlib.Path, manifest: Manifest) -> list[IndexEntry]:
    """Reads the index of a folder.

    Args:
        directory: Folder of records.
        manifest: What its manifest says, and the bytes of its index.

    Raises:
        UserError: It is malformed, or of another number of records.
    """
    path = directory / manifests.INDEX
    lines = text_files.decode(manifest.index, path).splitlines()
    count = len(manifest.document["shards"])
    index = [
        _index_entry(line, count, f"{path} line {number}")
        for number, line in enumerate(lines, start=1)
    ]
    if len(index) != manifest.document["num_records"]:
        raise UserError(
            "index of another number of records",
            path,
            manifest.document["num_records"],
            len(index),
        )
    return index


def _index_entry(line: str, num_shards: int, where: str) -> IndexEntry:
    values = json_documents.parse(line, where)
    try:
        entry = IndexEntry(*values)
        *numbers, name = entry
        is_right = all(type(number) is int for number in numbers)
        is_right = is_right and isinstance(name, str) and min(numbers) >= 0
    except TypeError:
        is_right = False
    if not is_right or entry.shard >= num_shards or not entry.length:
        raise UserError(
            "index is malformed",
            where,
            f"[shard below {num_shards}, offset, length, crc32, id]",
            line,
        )
    return entry
