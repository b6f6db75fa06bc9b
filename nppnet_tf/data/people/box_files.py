"""Boxes of people in many pictures, from files as people have them.

    a folder      `<picture>.npz` or `.npy` of each, as `detect_people` writes;
                  or what `predict` writes, `<picture>.json` and
                  `<video>.jsonl`, or `keypoints.json`
    .npz, .npy    one of these files, for the picture of its name
    .json, .jsonl likewise, see `predicted_people`
    .json         COCO: a list of results, `{"image_id": ..., "bbox": [left,
                  top, width, height], "score": ...}`, or a document with
                  `images` and `annotations`. Where there is no `bbox`, the
                  box is that of `segmentation`

Results name a picture by `file_name`, or by their id alone: that is the picture
whose name without its ending is the id, a number with or without leading zeros.
People are the
category `person`, the only one, or number 1 where no categories are listed.
Boxes of crowds are nobody's. A frame of a video is the picture
`<video>_<number>`, counted from 0, with or without leading zeros; one without
boxes shows nobody.
"""

import hashlib
import json
import math
import os
import pathlib
import re
from collections.abc import Iterable
from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any

import numpy as np

from nppnet_tf import errors
from nppnet_tf.data import coco_entries
from nppnet_tf.data import drawn_labels
from nppnet_tf.data import frames
from nppnet_tf.data.people import detections
from nppnet_tf.data.people import predicted_people
from nppnet_tf.data.people.detections import Detections
from nppnet_tf.data.people.predicted_people import Predicted
from nppnet_tf.errors import UserError
from nppnet_tf.files import file_digests
from nppnet_tf.files import file_names
from nppnet_tf.files import file_table
from nppnet_tf.files import json_documents
from nppnet_tf.files.file_table import FileTable
from nppnet_tf.pictures import picture_names

# COCO's category of people: its number, which results alone have, and name.
_PERSON = "1"
_PEOPLE = "person"
# Of categories that are told.
_NAMED = 5
# No picture is larger.
_LARGEST = 1 << 40
# Letters of an entry that messages quote.
_SHOWN = 80

_DOCUMENT = ".json"
_LINES = ".jsonl"
# In the folder of `predict --format=coco`.
_OF_ALL = "keypoints.json"

_FRAME = re.compile(r"(.+)_([0-9]{1,9})", re.DOTALL)

Size = tuple[int, int]


class BoxFiles:
    """Finds the boxes of a picture by the picture's name.

    Args:
        path: File or folder, see above.
        min_score: Less certain people are left out.

    Raises:
        UserError: If it is missing or of another form.
    """

    def __init__(
        self, path: str | os.PathLike[str], min_score: float = 0.0
    ) -> None:
        self._path = pathlib.Path(path)
        self._min_score = min_score
        self._found: dict[str, Detections] | None = None
        self._sizes: dict[str, Size] = {}
        self._meeting: frozenset[str] = frozenset()
        # Of the file that was looked at last.
        self._inner: dict[pathlib.Path, BoxFiles] = {}
        # Of each video, what its frames are called here, by number.
        self._frames: dict[str, dict[int, str]] | None = None
        ending = self._path.suffix.lower()
        if self._path.is_dir():
            return
        if ending in detections.SUFFIXES:
            self._found = {self._path.stem: detections.read(self._path)}
        elif ending == _LINES:
            self._take(predicted_people.read_lines(self._path))
        elif ending == _DOCUMENT:
            self._read_document()
        else:
            raise UserError(
                "no file of boxes",
                self._path,
                f"a folder of detect_people, {', '.join(detections.SUFFIXES)}, "
                "JSON of COCO or what predict writes",
                self._path.name,
            )

    def _read_document(self) -> None:
        path = self._path
        document = json_documents.read(
            path, json_documents.MAX_ANNOTATION_BYTES
        )
        is_object = isinstance(document, dict)
        if is_object and document.get("format") == predicted_people.PICTURE:
            self._take([predicted_people.of_document(document, path)])
        else:
            self._found, self._sizes, self._meeting = _read_coco(document, path)

    def _take(self, predicted: Iterable[Predicted]) -> None:
        self._found = {}
        for name, size, people in predicted:
            self._found[_key(name)] = people
            self._sizes[_key(name)] = size

    def _within(self, name: str) -> "BoxFiles | None":
        """Returns the boxes of a file of the folder, where there is one."""
        path = self._path / name
        if self._found is not None or not path.is_file():
            return None
        if path not in self._inner:
            self._inner = {path: BoxFiles(path, self._min_score)}
        return self._inner[path]

    def find(self, picture: pathlib.Path, data: bytes) -> Detections:
        """Returns the people of a picture, in pixels of it turned upright.

        Args:
            picture: Path of the picture.
            data: Bytes of the picture.

        Raises:
            UserError: If there are no boxes of that name, or they are of two
                pictures or of one of another size.
        """
        key = _key(picture.stem)
        if key in self._meeting:
            raise UserError(
                "boxes of two pictures of one name",
                self._path,
                "names that differ in more than their folder",
                picture.stem,
            )
        if self._found is None:
            file = detections.find(self._path, picture.stem)
            inner = self._within(f"{picture.stem}{_DOCUMENT}")
            inner = inner or self._within(_OF_ALL)
            if file is None and inner is not None:
                return inner.find(picture, data)
            found = None if file is None else detections.read(file)
        else:
            found = self._found.get(picture.stem, self._found.get(key))
        if found is None:
            raise UserError(
                "no boxes of the picture", self._path, picture.stem, "none"
            )
        frame = frames.of(data, picture)
        boxes, stated = found.boxes, self._sizes.get(key)
        if frame.is_stored(stated):
            boxes = frame.boxes(boxes)
        elif stated not in (None, frame.upright_size):
            raise _other_size("picture", self._path, frame.upright_size, stated)
        return self._kept(boxes, found.scores)

    def find_in_frame(
        self, video: pathlib.Path, number: int, size: Size
    ) -> Detections:
        """Returns the people of a frame, in pixels of it turned upright.

        Args:
            video: Path of the video.
            number: Number of the frame, counted from 0.
            size: (height, width) of the frame, upright.

        Raises:
            UserError: If there are no boxes of the video at all, or these are
                of a frame of another size.
        """
        if (inner := self._within(f"{video.stem}{_LINES}")) is not None:
            return inner.find_in_frame(video, number, size)
        if self._frames is None:
            self._frames = self._frames_by_video()
        names = self._frames.get(file_names.composed(video.stem))
        if names is None:
            raise UserError(
                "no boxes of the video",
                self._path,
                f"frames {video.stem}_000000, ...",
                "none",
            )
        if number not in names:
            return self._kept(np.zeros((0, 4)), np.zeros(0))
        name = names[number]
        if self._found is None:
            found = detections.read(self._path / name)
        else:
            found = self._found[name]
        stated = self._sizes.get(_key(name), size)
        if stated != size:
            where = f"{self._path}, {name}"
            raise _other_size("frame", where, size, stated)
        return self._kept(found.boxes, found.scores)

    def _kept(self, boxes: np.ndarray, scores: np.ndarray) -> Detections:
        keep = scores >= self._min_score
        return Detections(boxes[keep], scores[keep], None)

    def _frames_by_video(self) -> dict[str, dict[int, str]]:
        if self._found is None:
            table = FileTable(self._path, detections.SUFFIXES)
            names = {name: path.name for name, path in table.items()}
        else:
            names = {name: name for name in self._found}
        found: dict[str, dict[int, str]] = {}
        for name, value in names.items():
            if match := _FRAME.fullmatch(file_names.composed(name)):
                numbers = found.setdefault(match[1], {})
                numbers[int(match[2])] = value
        return found


def digest(path: str | os.PathLike[str]) -> str:
    """Tells boxes from others, as hexadecimal digits.

    Of a file its content counts, of a folder the names, sizes and times of its
    files, which may hold gigabytes of masks.
    """
    if not os.path.isdir(path):
        return file_digests.sha256(path)
    found = hashlib.sha256()
    for file in file_table.files_in(path):
        facts = file.stat()
        name = file_names.as_text(file.name)
        line = f"{name} {facts.st_size} {facts.st_mtime_ns}\n"
        found.update(line.encode())
    return found.hexdigest()


def _other_size(
    kind: str, where: object, expected: Size, stated: Size
) -> UserError:
    return UserError(
        f"boxes of a {kind} of another size",
        where,
        "{} x {}".format(*expected),
        "{} x {}".format(*stated),
    )


def _key(name: str) -> str:
    """What a number with and without leading zeros share."""
    name = file_names.composed(name)
    return str(int(name)) if name.isdecimal() and name.isascii() else name


def _read_coco(
    document: Any, path: pathlib.Path
) -> tuple[dict[str, Detections], dict[str, Size], frozenset[str]]:
    names: dict[str, str] = {}
    sizes: dict[str, Size] = {}
    owners: dict[str, str] = {}
    meeting: set[str] = set()
    entries = document
    found: dict[str, list[tuple[list[float], float]]] = {}
    if isinstance(document, dict):
        entries = document.get("annotations")
        for number, image in enumerate(_objects(document, "images", path)):
            where = f"{path} images[{number}]"
            name = _text(image.get("file_name"), where, "file_name")
            key = _key(_stem(name))
            identity = coco_entries.identity(image.get("id"), where, "id")
            if names.setdefault(identity, key) != key:
                raise UserError(
                    "two pictures of one id", where, names[identity], name
                )
            if owners.setdefault(key, identity) != identity:
                meeting.add(key)
            found[key] = []
            if (stated := coco_entries.stated_size(image)) is not None:
                sizes[key] = stated
    person = _person(document, path)
    entries = _objects({"annotations": entries}, "annotations", path)
    others = set()
    for number, entry in enumerate(entries):
        where = f"{path} entry {number}"
        identity = coco_entries.identity(
            entry.get("image_id"), where, "image_id"
        )
        name = entry.get("file_name", identity)
        named = _key(_stem(_text(name, where, "file_name")))
        key = names.get(identity, named)
        people = found.setdefault(key, [])
        category = coco_entries.identity(
            entry.get("category_id", person), where, "category_id"
        )
        if category != person:
            others.add(category)
        elif not coco_entries.is_crowd(entry, where):
            people.append(_box(entry, where))
    if others and not any(found.values()):
        raise UserError(
            "no boxes of people",
            path,
            f"category_id {person}",
            ", ".join(sorted(others)[:_NAMED]),
        )
    return _detections(found, path), sizes, frozenset(meeting)


def _detections(
    found: Mapping[str, Sequence[tuple[list[float], float]]],
    path: pathlib.Path,
) -> dict[str, Detections]:
    """Boxes and scores as arrays; UserError where they are no pixels."""
    every = [box for people in found.values() for box, _ in people]
    detections.refuse_shares(np.array(every).reshape(-1, 4), path)
    return {
        name: Detections(
            np.array([box for box, _ in people], np.float64).reshape(-1, 4),
            np.array([score for _, score in people], np.float64),
            None,
        )
        for name, people in found.items()
    }


def _person(document: Any, path: pathlib.Path) -> str:
    """Returns the id of the category of people."""
    if not isinstance(document, dict) or not document.get("categories"):
        return _PERSON
    entries = [
        (entry, f"{path} categories[{number}]")
        for number, entry in enumerate(_objects(document, "categories", path))
    ]
    names = {
        key: _text(entry.get("name"), where, "name").strip().lower()
        for key, (entry, where) in zip(
            coco_entries.different_ids(entries), entries, strict=True
        )
    }
    found = [key for key, name in names.items() if name == _PEOPLE]
    if len(found) != 1 and len(names) > 1:
        raise UserError(
            "no single category of people",
            path,
            _PEOPLE,
            ", ".join(list(names.values())[:_NAMED]),
        )
    return found[0] if found else next(iter(names))


def _stem(name: str) -> str:
    return picture_names.stem_of(file_names.last_part(name))


def _objects(
    document: Mapping[str, Any], name: str, path: pathlib.Path
) -> Sequence[Mapping[str, Any]]:
    entries = json_documents.require(document.get(name), "a list", path, name)
    for number, entry in enumerate(entries):
        json_documents.require(
            entry, "an object", f"{path} {name}[{number}]", "the entry"
        )
    return entries


def _text(value: Any, where: str, key: str) -> str:
    return json_documents.require(value, "a text", where, key)


def _box(entry: Mapping[str, Any], where: str) -> tuple[list[float], float]:
    box = entry.get("bbox")
    if box is None and entry.get("segmentation") is not None:
        box = _box_of_region(entry["segmentation"], where)
    values = [*_list(box), entry.get("score", 1.0)]
    if len(values) != 5 or not all(map(_is_number, values)):
        raise UserError(
            "no box",
            where,
            "bbox of left, top, width, height, and a score",
            errors.shorten(json.dumps(values), _SHOWN),
        )
    left, top, width, height, score = map(float, values)
    return [left, top, left + width, top + height], score


def _box_of_region(region: Any, where: str) -> list[float]:
    """Returns left, top, width, height; UserError of a malformed region."""
    try:
        (left, top), (right, bottom) = drawn_labels.ends(region)
    except UserError as error:
        raise error.at(where) from None
    return [left, top, right - left, bottom - top]


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _is_number(value: Any) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    # Not of integers that no float holds.
    return abs(value) <= _LARGEST and math.isfinite(value)
