"""JSON of COCO that holds parts: a category for each, a region for each piece.

    {"images": ..., "categories": ..., "annotations": ...}

as annotation programs export masks, and as `predict --format=coco` writes
`parts.json`. A category is the class of its name; later regions lie over
earlier ones, and crowds count nowhere.
"""

import collections
import os
import pathlib
from collections.abc import Collection
from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any
from typing import NamedTuple

from nppnet_tf.data import coco_entries
from nppnet_tf.data import source
from nppnet_tf.data.descriptors import DatasetDescriptor
from nppnet_tf.data.drawn_labels import DrawnLabels
from nppnet_tf.data.readers import pose_documents
from nppnet_tf.errors import UserError
from nppnet_tf.files import file_names
from nppnet_tf.files import json_documents


class PartFile(NamedTuple):
    """What a document of parts holds.

    Attributes:
        labels: Label maps by the name of the picture without extension.
        notes: One line for each thing that was left out.
    """

    labels: Mapping[str, DrawnLabels]
    notes: tuple[str, ...]


def read(
    path: str | os.PathLike[str], descriptor: DatasetDescriptor
) -> PartFile:
    """Reads a document; what is wrong with a region is its picture's fault.

    Args:
        path: The file.
        descriptor: Names of the classes.

    Raises:
        UserError: The file cannot be read, has another form, an id twice, or
            no category that is a class.
    """
    path = pathlib.Path(path)
    document = json_documents.require(
        json_documents.read(path, json_documents.MAX_ANNOTATION_BYTES),
        "an object",
        path,
        "the document",
    )
    classes, others = _classes(document, descriptor, path)
    shapes: dict[str, list[tuple[int, Any]]] = collections.defaultdict(list)
    left_out: collections.Counter[str] = collections.Counter()
    for entry, where in pose_documents.objects_of(
        document, "annotations", path
    ):
        key = coco_entries.identity(entry.get("image_id"), where, "image_id")
        category = coco_entries.identity(
            entry.get("category_id"), where, "category_id"
        )
        if category not in classes:
            left_out[others.get(category, category)] += 1
            continue
        number = classes[category]
        if coco_entries.is_crowd(entry, where):
            number = descriptor.ignore_label
        shapes[key].append((number, entry.get("segmentation")))
    labels, known = _labels(document, shapes, path)
    strays = [key for key in shapes if key not in known]
    return PartFile(
        file_names.NameTable(labels), tuple(_notes(path, left_out, strays))
    )


def _labels(
    document: Mapping[str, Any],
    shapes: Mapping[str, Sequence[tuple[int, Any]]],
    path: pathlib.Path,
) -> tuple[dict[str, DrawnLabels], Collection[str]]:
    """Label maps by name, and the ids of the pictures."""
    labels: dict[str, DrawnLabels] = {}
    known: dict[str, tuple[str, tuple[int, int] | None]] = {}
    for entry, where in pose_documents.objects_of(document, "images", path):
        name = pose_documents.picture_name(
            entry.get("file_name"), where, "file_name"
        )
        key = coco_entries.identity(entry.get("id"), where, "id")
        size = coco_entries.stated_size(entry)
        if key in known:
            # Joined files repeat the same entry.
            if known[key] == (name, size):
                continue
            raise UserError(
                "two pictures of one id",
                where,
                "different ids",
                f"{key}: {known[key][0]} and {name}",
            )
        known[key] = (name, size)
        fault = None
        if size is None:
            fault = f"{where} states no height and width"
        elif name in labels:
            fault = "two pictures of one name in the file"
        labels[name] = DrawnLabels(
            path, size or (1, 1), tuple(shapes.get(key, ())), fault
        )
    return labels, known


def _notes(
    path: pathlib.Path, left_out: Mapping[str, int], strays: Sequence[str]
) -> Iterator[str]:
    if left_out:
        counts = [f"{count} of {name}" for name, count in left_out.items()]
        yield f"{path}: no parts, left out: {source.listed(counts)}"
    if strays:
        yield (
            f"{path}: parts of unknown pictures, left out: of image_id "
            f"{source.listed(strays)}"
        )


def _classes(
    document: Mapping[str, Any],
    descriptor: DatasetDescriptor,
    path: pathlib.Path,
) -> tuple[dict[str, int], dict[str, str]]:
    """Classes by the ids of their categories, and names of the others."""
    numbers = {
        pose_documents.joint_name(name): number
        for number, name in enumerate(descriptor.classes)
    }
    classes, others = {}, {}
    categories = pose_documents.objects_of(document, "categories", path)
    ids = coco_entries.different_ids(categories)
    for key, (entry, where) in zip(ids, categories, strict=True):
        name = json_documents.require(
            entry.get("name"), "a text", where, "name"
        )
        number = numbers.get(pose_documents.joint_name(name))
        if number is None:
            others[key] = name
        else:
            classes[key] = number
    if not classes:
        raise UserError(
            f"no category is a part of {descriptor.name}",
            path,
            source.listed(descriptor.classes),
            source.listed(list(others.values())) or "no categories",
        )
    return classes, others
