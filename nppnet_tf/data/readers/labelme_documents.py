"""One document of LabelMe: a picture, and shapes that somebody drew over it.

A shape has the name of a part, of a joint or of something else, and the number
of a person as its group. Coordinates count from the corner of the top left
pixel, in a picture of `imageHeight` and `imageWidth`.
"""

import base64
import binascii
import dataclasses
import math
import os
import pathlib
import re
from collections.abc import Mapping
from typing import Any

import numpy as np

from nppnet_tf.data import raw
from nppnet_tf.data import regions
from nppnet_tf.errors import UserError
from nppnet_tf.files import file_names
from nppnet_tf.files import json_documents
from nppnet_tf.pictures import picture_files

POINT = "point"
RECTANGLE = "rectangle"
_MASK = "mask"
_POLYGON = "polygon"
_CIRCLE = "circle"

# How many points a shape of each kind has at least and at most.
_NUM_POINTS: Mapping[str, tuple[int, float]] = {
    _POLYGON: (3, math.inf),
    _MASK: (2, 2),
    # Opposite corners, or all four.
    RECTANGLE: (2, 4),
    _CIRCLE: (2, 2),
    POINT: (1, 1),
}
_REGIONS = (_POLYGON, _MASK, RECTANGLE, _CIRCLE)

# Corners of the polygon that stands for a circle.
_ROUND = 256

_WHOLE = re.compile(r"-?[0-9]{1,18}")

# A picture lies in it as text, a third longer than its bytes.
_MAX_BYTES = picture_files.MAX_BYTES * 2

Box = tuple[float, float, float, float]


@dataclasses.dataclass(frozen=True)
class Shape:
    """Something that is drawn over a picture.

    Attributes:
        label: What it is.
        kind: "polygon", "mask", "rectangle", "circle" or "point".
        points_xy: Float64 [N, 2].
        group: Number of the person, or None.
        is_occluded: Whether a flag of this name is set.
        mask: PNG of a mask in base64.
        where: Place in the document, for messages.
    """

    label: str
    kind: str
    points_xy: np.ndarray
    group: int | None
    is_occluded: bool
    mask: str | None
    where: str

    @property
    def is_region(self) -> bool:
        """Whether it covers pixels."""
        return self.kind in _REGIONS

    def box(self) -> Box:
        """Left, top, right, bottom of a region; the last two are exclusive."""
        points = self._outline() if self.kind == _CIRCLE else self.points_xy
        left, top = points.min(axis=0).tolist()
        right, bottom = points.max(axis=0).tolist()
        # The corners of a mask are pixels, both inside.
        more = self.kind == _MASK
        return left, top, right + more, bottom + more

    def pixels(self, size: tuple[int, int]) -> np.ndarray:
        """Returns which pixels of a picture of a size a region covers.

        Returns:
            Bool [height, width].

        Raises:
            UserError: The mask cannot be read or does not fit the corners.
        """
        if self.kind == _MASK:
            return self._pasted(size)
        return regions.filled(self._outline(), size)

    def _outline(self) -> np.ndarray:
        if self.kind == RECTANGLE and len(self.points_xy) == 2:
            (left, top), (right, bottom) = self.points_xy
            return np.array(
                [(left, top), (right, top), (right, bottom), (left, bottom)]
            )
        if self.kind == _CIRCLE:
            center, edge = self.points_xy
            radius = np.hypot(*(edge - center))
            turns = np.arange(_ROUND) * (2 * np.pi / _ROUND)
            around = np.stack([np.cos(turns), np.sin(turns)], axis=1)
            return center + radius * around
        return self.points_xy

    def _pasted(self, size: tuple[int, int]) -> np.ndarray:
        data = _decoded(self.mask or "", self.where)
        mask = picture_files.decode_label_map(data, self.where) > 0
        left, top, right, bottom = (int(side) for side in self.box())
        picture_files.require_same_size(
            mask, (bottom - top, right - left), f"{self.where}.mask"
        )
        height, width = size
        pixels = np.zeros(size, np.bool_)
        inner = mask[
            max(0, -top) : max(0, height - top),
            max(0, -left) : max(0, width - left),
        ]
        top, left = max(0, top), max(0, left)
        rows, columns = inner.shape
        pixels[top : top + rows, left : left + columns] = inner
        return pixels


@dataclasses.dataclass(frozen=True)
class Document:
    """What one document says.

    Attributes:
        path: The document.
        image_path: The picture, or None where none lies where it says.
        image_name: What it calls the picture.
        has_image: Whether the picture is in the document.
        stated_size: (height, width), or None where it does not say.
        shapes: What is drawn, in the order of drawing.
    """

    path: pathlib.Path
    image_path: pathlib.Path | None
    image_name: str
    has_image: bool
    stated_size: tuple[int, int] | None
    shapes: tuple[Shape, ...]


def read(path: pathlib.Path) -> Document | None:
    """Reads a document; None where the file is JSON of another kind.

    Raises:
        UserError: It cannot be read, or something in it is malformed.
    """
    document = json_documents.read(path, _MAX_BYTES)
    if not isinstance(document, dict) or "shapes" not in document:
        return None
    entries = json_documents.require(
        document["shapes"], "a list", path, "shapes"
    )
    name = document.get("imagePath")
    image_name = "" if name is None else _text(name, path, "imagePath")
    return Document(
        path,
        _image_path(path, image_name),
        image_name,
        bool(document.get("imageData")),
        _stated_size(document, path),
        tuple(
            _shape(entry, f"{path} shapes[{number}]")
            for number, entry in enumerate(entries)
        ),
    )


def read_image(document: Document, record_id: str) -> bytes:
    """Returns the bytes of the picture: of its file, or of the document.

    Raises:
        UserError: There is no picture, or it cannot be read.
    """
    if document.image_path is not None:
        return raw.read_bytes(document.image_path, record_id)
    if not document.has_image:
        raise UserError(
            "no picture of the document",
            document.path,
            document.image_name or "imagePath or imageData",
            "nothing",
        )
    content = json_documents.read(document.path, _MAX_BYTES)
    name = f"{document.path} imageData"
    return _decoded(_text(content["imageData"], document.path, name), name)


def _image_path(path: pathlib.Path, name: str) -> pathlib.Path | None:
    """The picture as the document names it, or of that name beside it."""
    if not name.strip() or "\0" in name:
        return None
    places = (name.replace("\\", "/"), file_names.last_part(name))
    for place in places:
        candidate = path.parent / place
        try:
            if os.path.isfile(candidate):
                return candidate
        except (OSError, ValueError):
            continue
    return None


def _stated_size(
    document: Mapping[str, Any], path: pathlib.Path
) -> tuple[int, int] | None:
    sides = []
    for name in ("imageHeight", "imageWidth"):
        side = document.get(name)
        if side is None:
            return None
        side = _whole(side, path, name)
        if side <= 0:
            raise UserError("not a size", f"{path} {name}", "above 0", side)
        sides.append(side)
    return sides[0], sides[1]


def _shape(entry: Any, where: str) -> Shape:
    json_documents.require(entry, "an object", where, "the entry")
    kind = entry.get("shape_type") or _POLYGON
    if kind not in _NUM_POINTS:
        raise UserError(
            "shape of another kind",
            where,
            ", ".join(_NUM_POINTS),
            json_documents.described(kind),
        )
    group = entry.get("group_id")
    if group is not None:
        group = _whole(group, where, "group_id")
    mask = entry.get("mask")
    if kind == _MASK:
        _text(mask, where, "mask")
    flags = entry.get("flags") or {}
    json_documents.require(flags, "an object", where, "flags")
    return Shape(
        _text(entry.get("label"), where, "label"),
        kind,
        _points(entry.get("points"), kind, where),
        group,
        flags.get("occluded") is True,
        mask if kind == _MASK else None,
        where,
    )


def _points(value: Any, kind: str, where: str) -> np.ndarray:
    least, most = _NUM_POINTS[kind]
    json_documents.require(value, "a list", where, "points")
    for point in value:
        json_documents.require(point, "a list", where, "points")
        for side in point:
            json_documents.require(side, "a number", where, "points")
    is_right = all(len(point) == 2 for point in value)
    if not is_right or not least <= len(value) <= most:
        raise UserError(
            "points do not fit the shape",
            where,
            f"{_counted(least, most)} of x, y for a {kind}",
            f"{len(value)}",
        )
    return np.array(value, np.float64)


def _counted(least: int, most: float) -> str:
    if least == most:
        return str(least)
    return f"{least} or more" if most == math.inf else f"{least} to {most}"


def _whole(value: Any, where: object, name: str) -> int:
    """An integer, which scripts write with a fraction or as a text."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    elif isinstance(value, str) and _WHOLE.fullmatch(value.strip()):
        value = int(value)
    return json_documents.require(value, "an integer", where, name)


def _text(value: Any, where: object, name: str) -> str:
    return json_documents.require(value, "a text", where, name)


def _decoded(text: str, where: object) -> bytes:
    try:
        # Some programs break its lines.
        return base64.b64decode("".join(text.split()), validate=True)
    except (binascii.Error, ValueError) as error:
        raise UserError("not base64", where, "base64", error) from error
