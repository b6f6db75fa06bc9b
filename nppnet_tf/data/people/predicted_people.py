"""Boxes of people in what `predict` wrote: of pictures, of frames of videos.

.json     `nppnet_tf.people`: the people of a picture
.jsonl    `nppnet_tf.frame` in each line: those of a frame
"""

import pathlib
from collections.abc import Iterator
from typing import Any
from typing import NamedTuple

import numpy as np

from nppnet_tf.data.people.detections import Detections
from nppnet_tf.errors import UserError
from nppnet_tf.files import file_names
from nppnet_tf.files import json_documents
from nppnet_tf.files import text_files
from nppnet_tf.pictures import picture_names

PICTURE = "nppnet_tf.people"
_FRAME = "nppnet_tf.frame"

_SIDES = 4
_FORM = {
    "height": "an integer",
    "width": "an integer",
    "people": [{"box": ["a number"], "score": "a number"}],
}


class Predicted(NamedTuple):
    """The people of one picture.

    Attributes:
        name: Name of the picture without its ending; of a frame
            `<video>_<number>`.
        size: (height, width) of the picture, upright.
        people: Boxes and scores.
    """

    name: str
    size: tuple[int, int]
    people: Detections


def of_document(document: Any, where: object) -> Predicted:
    """Returns the people of a picture.

    Args:
        document: Content of `<picture>.json`, of the format `PICTURE`.
        where: The file, for messages.

    Raises:
        UserError: It is of another form, or a person has no box.
    """
    people = _people(document, where, image="a text")
    name = picture_names.stem_of(file_names.last_part(document["image"]))
    return Predicted(name, _size(document), people)


def read_lines(path: pathlib.Path) -> Iterator[Predicted]:
    """Yields the people of every frame of `<video>.jsonl`.

    Raises:
        UserError: A line cannot be read, as of `of_document`.
    """
    text = text_files.read(path, json_documents.MAX_ANNOTATION_BYTES)
    for number, line in enumerate(text.removesuffix("\n").split("\n"), 1):
        where = f"{path}, line {number}"
        document = json_documents.opened(
            json_documents.parse(line, where), where, _FRAME, None, noun="line"
        )
        people = _people(document, where, video="a text", frame="an integer")
        name = pathlib.PurePath(file_names.last_part(document["video"])).stem
        name = f"{name}_{document['frame']}"
        yield Predicted(name, _size(document), people)


def _people(document: Any, where: object, **form: str) -> Detections:
    json_documents.require_form(document, form | _FORM, where, "the document")
    people = document["people"]
    for number, person in enumerate(people):
        if len(person["box"]) != _SIDES:
            raise UserError(
                "no box",
                f"{where}, people[{number}].box",
                "left, top, right, bottom",
                json_documents.described(person["box"]),
            )
    return Detections(
        np.array([p["box"] for p in people], np.float64).reshape(-1, _SIDES),
        np.array([p["score"] for p in people], np.float64),
        None,
    )


def _size(document: dict[str, Any]) -> tuple[int, int]:
    return document["height"], document["width"]
