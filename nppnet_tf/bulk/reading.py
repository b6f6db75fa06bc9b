"""What a job wrote, read again: the predictions of a shard, one by one."""

import base64
import binascii
import os
import pathlib
from collections.abc import Iterator
from typing import Any
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from nppnet_tf.errors import UnreadableError
from nppnet_tf.errors import UserError
from nppnet_tf.files import json_documents
from nppnet_tf.files import text_files
from nppnet_tf.pictures import picture_files

_LINE = {
    "source": "a text",
    "prediction": "an object",
    "label_map_png": "a text",
}
_FEATURES = {name: tf.io.FixedLenFeature([], tf.string) for name in _LINE}
# Of all predictions of a shard.
_MAX_BYTES = 2 << 30


class Predicted(NamedTuple):
    """A picture of a job.

    Attributes:
        source: Path of the picture, as text; of files its name alone.
        document: JSON of `predict`, parsed.
        label_map: Uint8 [H, W].
    """

    source: str
    document: dict[str, Any]
    label_map: np.ndarray


def read(path: str | os.PathLike[str]) -> Iterator[Predicted]:
    """Yields what a shard holds, in its order.

    Args:
        path: `predictions-<shard>.tfrecord`, `.jsonl`, or the folder of files.

    Raises:
        UserError: It is missing, of another form, or damaged.
    """
    path = pathlib.Path(path)
    if path.is_dir():
        yield from _of_files(path)
    elif path.suffix == ".jsonl":
        yield from _of_lines(path)
    elif path.suffix == ".tfrecord":
        yield from _of_records(path)
    else:
        raise UserError(
            "no shard of predictions",
            path,
            "a .tfrecord, a .jsonl or a folder of bulk_predict",
            path.suffix or "no extension",
        )


def _of_files(folder: pathlib.Path) -> Iterator[Predicted]:
    for path in sorted(folder.glob("*.json")):
        document = json_documents.require(
            json_documents.read(path), "an object", path, "the document"
        )
        source = json_documents.require(
            document.get("image"), "a text", path, "image"
        )
        png = path.with_suffix(".png")
        yield _predicted(source, document, picture_files.read_bytes(png), png)


def _of_lines(path: pathlib.Path) -> Iterator[Predicted]:
    text = text_files.read(path, _MAX_BYTES)
    lines = text.removesuffix("\n").split("\n") if text else []
    for number, line in enumerate(lines, 1):
        where = f"{path}, line {number}"
        values = json_documents.require_form(
            json_documents.parse(line, where), _LINE, where, "the line"
        )
        try:
            png = base64.b64decode(values["label_map_png"], validate=True)
        except binascii.Error as error:
            raise UserError("not base64", where, "a PNG", error) from error
        yield _predicted(values["source"], values["prediction"], png, where)


def _of_records(path: pathlib.Path) -> Iterator[Predicted]:
    records = tf.data.TFRecordDataset(os.fspath(path)).as_numpy_iterator()
    number = 0
    while True:
        where = f"{path}, record {number}"
        try:
            serialized = next(records, None)
            if serialized is None:
                return
            values = tf.io.parse_single_example(serialized, _FEATURES)
        except tf.errors.OpError as error:
            raise UnreadableError(
                "cannot be read", where, "a shard of bulk_predict", error
            ) from error
        text = values["prediction"].numpy().decode("utf-8", "replace")
        document = json_documents.parse(text, where)
        json_documents.require(document, "an object", where, "prediction")
        source = os.fsdecode(values["source"].numpy())
        png = values["label_map_png"].numpy()
        yield _predicted(source, document, png, where)
        number += 1


def _predicted(
    source: str, document: dict[str, Any], png: bytes, where: object
) -> Predicted:
    return Predicted(
        source, document, picture_files.decode_label_map(png, where)
    )
