"""Files that predictions are written to and read from.

Label maps as palette PNG, poses as JSON, as OpenPose JSON (what try-on tools
read) and as rows of LIP's CSV.
"""

import csv
import io
import json
import math
import os
from collections.abc import Iterable
from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any
from typing import NamedTuple

import numpy as np
from PIL import Image

from nppnet_tf.data import openpose
from nppnet_tf.data import regions
from nppnet_tf.data import visibility
from nppnet_tf.data.descriptors import DatasetDescriptor
from nppnet_tf.data.readers import poses
from nppnet_tf.errors import UserError
from nppnet_tf.files import atomic
from nppnet_tf.files import file_names
from nppnet_tf.files import text_files
from nppnet_tf.inference.picture_answer import PersonAnswer
from nppnet_tf.inference.picture_answer import PictureAnswer
from nppnet_tf.pictures import picture_files
from nppnet_tf.pictures import picture_names

# COCO's number of the category of people, and its v of a joint that is seen.
COCO_PERSON = 1
_COCO_VISIBLE = 2

# The background, which is nobody's part.
WHOLE_PERSON = 0

# LIP's ground truth has x, y and visibility, its submissions x and y.
_TRUTH_VALUES = 3
_SUBMISSION_VALUES = 2

# No picture is as large; squares of far more overflow.
_MOST_PIXELS = 1e9


class CocoPicture(NamedTuple):
    """One picture of `coco_document`.

    Attributes:
        image_name: File name of the picture.
        image_size: (height, width) of the picture.
        people: Poses in its pixels.
        regions: Runs of each person's pixels, as COCO's text, by class; all of
            the person's under `WHOLE_PERSON`. Empty where nobody asked.
    """

    image_name: str
    image_size: tuple[int, int]
    people: Sequence[PersonAnswer]
    regions: Sequence[Mapping[int, str]] = ()


def write_label_map(
    path: str | os.PathLike[str],
    label_map: np.ndarray,
    descriptor: DatasetDescriptor,
) -> None:
    """Writes a palette PNG: indices are classes, colors the descriptor's.

    Args:
        path: Path of the PNG file.
        label_map: Uint8 [H, W].
        descriptor: Whose palette.
    """
    with atomic.atomic_path(path) as temporary:
        temporary.write_bytes(label_map_png(label_map, descriptor))


def label_map_png(
    label_map: np.ndarray, descriptor: DatasetDescriptor
) -> bytes:
    """Returns what `write_label_map` writes; arguments are its own."""
    picture = Image.fromarray(np.asarray(label_map, np.uint8))
    picture.putpalette(np.asarray(descriptor.palette, np.uint8).tobytes())
    stream = io.BytesIO()
    picture.save(stream, format="PNG")
    return stream.getvalue()


def read_label_map(
    path: str | os.PathLike[str], descriptor: DatasetDescriptor
) -> np.ndarray:
    """Reads the classes of a gray (L) or palette (P) PNG.

    Args:
        path: Path of the PNG file.
        descriptor: Whose classes they are.

    Returns:
        Uint8 [H, W].

    Raises:
        UserError: If it is no picture, one without indices, or one whose colors
            are those of other classes than its indices.
    """
    return picture_files.decode_label_map(
        picture_files.read_bytes(path), path, descriptor.palette
    )


def write_picture(path: str | os.PathLike[str], image: np.ndarray) -> None:
    """Writes uint8 [H, W, 3] as PNG, whole or not at all."""
    with atomic.atomic_path(path) as temporary:
        Image.fromarray(image).save(temporary, format="PNG")


def prediction_document(
    label_map: np.ndarray,
    keypoints_xy: np.ndarray,
    scores: np.ndarray,
    image_name: str,
    descriptor: DatasetDescriptor,
    score_threshold: float = visibility.SCORE_THRESHOLD,
) -> dict[str, Any]:
    """Returns parts and pose with their names, as plain values for JSON.

    A joint that was not found (see `visibility`) has "visible": false beside
    the place that the network answered; a number that is not finite is null.

    Args:
        label_map: Uint8 [H, W], classes.
        keypoints_xy: Float [K, 2], pixels of the upright picture; (0, 0) is
            the center of its top left pixel.
        scores: Float [K], height of the heatmap's peak, 0 to about 1.
        image_name: File name of the picture.
        descriptor: Names of classes, keypoints and skeleton.
        score_threshold: Least score of a joint that was found.
    """
    return {
        "format": "nppnet_tf.prediction",
        **_picture_values(image_name, label_map.shape, descriptor),
        "keypoints": _joint_values(
            keypoints_xy, scores, descriptor, score_threshold
        ),
        "score_threshold": score_threshold,
        "skeleton": [list(pair) for pair in descriptor.skeleton],
        "parts": _part_values(label_map, label_map.size, descriptor),
    }


def people_document(
    answer: PictureAnswer,
    image_name: str,
    descriptor: DatasetDescriptor,
    score_threshold: float = visibility.SCORE_THRESHOLD,
) -> dict[str, Any]:
    """Returns parts and poses of several people, as plain values for JSON.

    Args:
        answer: What a model says of the picture.
        image_name: File name of the picture.
        descriptor: Names of classes, keypoints and skeleton.
        score_threshold: Least score of a joint that was found.
    """
    size = answer.label_map.size
    people = []
    for number, person in enumerate(answer.people):
        parts = answer.label_map[answer.pixels_of(number)]
        values = {
            "id": number + 1,
            "box": person.box and [round(side, 3) for side in person.box],
            "score": _rounded(person.score, 5),
            "keypoints": _joint_values(
                person.keypoints_xy, person.scores, descriptor, score_threshold
            ),
            "parts": _part_values(parts, size, descriptor),
        }
        if person.quality is not None:
            values["quality"] = dict(person.quality)
        people.append(values)
    return {
        "format": "nppnet_tf.people",
        **_picture_values(image_name, answer.size, descriptor),
        "people": people,
        "score_threshold": score_threshold,
        "skeleton": [list(pair) for pair in descriptor.skeleton],
        "parts": _part_values(answer.label_map, size, descriptor),
    }


def _picture_values(
    image_name: str, size: tuple[int, int], descriptor: DatasetDescriptor
) -> dict[str, Any]:
    return {
        "image": image_name,
        "height": size[0],
        "width": size[1],
        "coordinates": "pixels, x right, y down, (0, 0) is the center of the "
        "top left pixel of the upright picture",
        "dataset": descriptor.name,
    }


def _joint_values(
    keypoints_xy: np.ndarray,
    scores: np.ndarray,
    descriptor: DatasetDescriptor,
    score_threshold: float,
) -> list[dict[str, Any]]:
    visible = visibility.are_visible(keypoints_xy, scores, score_threshold)
    return [
        {
            "name": name,
            "x": _rounded(x, 3),
            "y": _rounded(y, 3),
            "score": _rounded(score, 5),
            "visible": bool(is_visible),
        }
        for name, (x, y), score, is_visible in zip(
            descriptor.keypoints, keypoints_xy, scores, visible, strict=True
        )
    ]


def _part_values(
    labels: np.ndarray, num_pixels: int, descriptor: DatasetDescriptor
) -> list[dict[str, Any]]:
    """The classes among labels, with their shares of a picture."""
    if not labels.size:
        return []
    counts = picture_files.label_counts(labels)
    return [
        {
            "id": class_id,
            "name": name,
            "share": round(int(counts[class_id]) / num_pixels, 6),
        }
        for class_id, name in enumerate(descriptor.classes)
        if counts[class_id]
    ]


def openpose_document(
    people: Iterable[PersonAnswer],
    descriptor: DatasetDescriptor,
    layout: str = openpose.BODY_25,
    score_threshold: float = visibility.SCORE_THRESHOLD,
) -> dict[str, Any]:
    """Returns poses in the layout of OpenPose's JSON files.

    Keypoints are taken by their names. OpenPose's neck and middle of the hips
    are the middles of the shoulders and of the hips, where both ends were
    found. What was not found (see `visibility`), and what the descriptor does
    not name, as LIP neither face nor feet, are zeros: OpenPose's own word for
    "not found".

    Args:
        people: Those of a picture.
        descriptor: Names of the keypoints.
        layout: `openpose.BODY_25` or `openpose.COCO_18`.
        score_threshold: Least score of a joint that was found.
    """
    return {
        "version": 1.3,
        "people": [
            _openpose_person(person, descriptor, layout, score_threshold)
            for person in people
        ],
    }


def _openpose_person(
    person: PersonAnswer,
    descriptor: DatasetDescriptor,
    layout: str,
    score_threshold: float,
) -> dict[str, Any]:
    xy, scores = person.keypoints_xy, person.scores
    visible = visibility.are_visible(xy, scores, score_threshold)
    found = {
        name: (float(x), float(y), float(score))
        for name, (x, y), score, is_visible in zip(
            descriptor.keypoints, xy, scores, visible, strict=True
        )
        if is_visible
    }
    for name, (start, end) in openpose.MIDDLES.items():
        if start in found and end in found:
            found[name] = _middle(found[start], found[end])
    values = []
    for name in openpose.LAYOUTS[layout]:
        triple = found.get(name, (0.0, 0.0, 0.0))
        values += [round(value, 4) for value in triple]
    return {
        "person_id": [-1],
        "pose_keypoints_2d": values,
        "face_keypoints_2d": [],
        "hand_left_keypoints_2d": [],
        "hand_right_keypoints_2d": [],
        "pose_keypoints_3d": [],
        "face_keypoints_3d": [],
        "hand_left_keypoints_3d": [],
        "hand_right_keypoints_3d": [],
    }


def coco_document(
    answers: Iterable[CocoPicture],
    descriptor: DatasetDescriptor,
    score_threshold: float = visibility.SCORE_THRESHOLD,
) -> dict[str, Any]:
    """Returns the people of pictures as annotations of COCO.

    A joint that was not found (see `visibility`) is 0, 0 with v = 0, the
    others have v = 2. The box is the detector's; of a person whom nobody cut
    out, that of the joints that were found. The score is the mean of these
    joints' times that of the detection.

    Args:
        answers: One for each picture; ids count them, and the people, from 1.
        descriptor: Names of keypoints and skeleton.
        score_threshold: Least score of a joint that was found.
    """
    pictures, annotations = [], []
    for picture_id, answer in enumerate(answers, 1):
        pictures.append(_coco_image(picture_id, answer))
        for number, person in enumerate(answer.people):
            values = _coco_annotation(person, score_threshold)
            if answer.regions:
                text = answer.regions[number][WHOLE_PERSON]
                # The box stays that of the detector, or of the joints.
                region = _coco_region(text, answer.image_size)
                values = {**region, **values, "area": region.get("area", 0)}
            annotations.append(
                {
                    "id": len(annotations) + 1,
                    "image_id": picture_id,
                    **values,
                }
            )
    places = {name: i for i, name in enumerate(descriptor.keypoints, 1)}
    category = {
        "id": COCO_PERSON,
        "name": "person",
        "keypoints": list(descriptor.keypoints),
        "skeleton": [[places[a], places[b]] for a, b in descriptor.skeleton],
    }
    return {
        "images": pictures,
        "annotations": annotations,
        "categories": [category],
    }


def coco_regions(answer: PictureAnswer) -> tuple[dict[int, str], ...]:
    """Returns `CocoPicture.regions` of an answer."""
    found = []
    for number in range(len(answer.people)):
        label_map = answer.parts_of(number)
        masks = {WHOLE_PERSON: label_map > 0}
        for class_id in np.unique(label_map[label_map > 0]).tolist():
            masks[class_id] = label_map == class_id
        found.append(
            {
                class_id: regions.text_of(regions.runs_of(mask))
                for class_id, mask in masks.items()
            }
        )
    return tuple(found)


def coco_parts_document(
    answers: Iterable[CocoPicture], descriptor: DatasetDescriptor
) -> dict[str, Any]:
    """Returns the parts of pictures as annotations of COCO.

    A category is a class, an annotation a part of a person; `person_id` is the
    id of the person in `coco_document` of the same pictures.

    Args:
        answers: One for each picture, with regions; ids count as there.
        descriptor: Names of the classes.
    """
    pictures, annotations = [], []
    num_people = 0
    for picture_id, answer in enumerate(answers, 1):
        pictures.append(_coco_image(picture_id, answer))
        for parts in answer.regions:
            num_people += 1
            annotations += [
                {
                    "id": len(annotations) + number,
                    "image_id": picture_id,
                    "category_id": class_id,
                    "person_id": num_people,
                    "iscrowd": 0,
                    **_coco_region(parts[class_id], answer.image_size),
                }
                for number, class_id in enumerate(
                    sorted(parts.keys() - {WHOLE_PERSON}), 1
                )
            ]
    return {
        "images": pictures,
        "annotations": annotations,
        "categories": [
            {"id": class_id, "name": name, "supercategory": "part"}
            for class_id, name in enumerate(descriptor.classes)
            if class_id != WHOLE_PERSON
        ],
    }


def _coco_image(picture_id: int, answer: CocoPicture) -> dict[str, Any]:
    height, width = answer.image_size
    return {
        "id": picture_id,
        "file_name": answer.image_name,
        "width": width,
        "height": height,
    }


def _coco_region(text: str, size: tuple[int, int]) -> dict[str, Any]:
    """What an annotation says of its pixels; nothing where it has none."""
    mask = regions.mask_of(regions.runs_of_text(text), size)
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    values: dict[str, Any] = {
        "segmentation": {"size": list(size), "counts": text}
    }
    if rows.size:
        top, bottom = int(rows[0]), int(rows[-1])
        left, right = int(columns[0]), int(columns[-1])
        values["area"] = int(mask.sum())
        values["bbox"] = [left, top, right - left + 1, bottom - top + 1]
    return values


def _coco_annotation(
    person: PersonAnswer, score_threshold: float
) -> dict[str, Any]:
    keypoints_xy = np.asarray(person.keypoints_xy, np.float64)
    visible = visibility.are_visible(
        keypoints_xy, person.scores, score_threshold
    )
    triples = np.zeros((len(visible), 3))
    triples[visible, :2] = keypoints_xy[visible].round(3)
    found = triples[visible, :2]
    box = [0.0, 0.0, 0.0, 0.0]
    if person.box is not None:
        left, top, right, bottom = person.box
        box = [left, top, right - left, bottom - top]
    elif len(found):
        box = [*found.min(0).tolist(), *np.ptp(found, axis=0).tolist()]
    scores = np.asarray(person.scores, np.float64)[visible]
    score = scores.mean() * person.score if len(scores) else 0.0
    return {
        "category_id": COCO_PERSON,
        "keypoints": [
            value
            for (x, y, _), is_visible in zip(triples, visible, strict=True)
            for value in (float(x), float(y), _COCO_VISIBLE * int(is_visible))
        ],
        "num_keypoints": int(visible.sum()),
        "bbox": box,
        "area": box[2] * box[3],
        "iscrowd": 0,
        "score": _rounded(score, 5),
    }


def write_json(path: str | os.PathLike[str], document: Mapping) -> None:
    """Writes a JSON file, whole or not at all."""
    text = json.dumps(document, indent=1, allow_nan=False)
    atomic.write_text(path, text + "\n")


def write_pose_rows(
    path: str | os.PathLike[str], people: Mapping[str, np.ndarray]
) -> None:
    """Writes poses as LIP takes them: `<id>.jpg`, then x and y of every joint.

    Args:
        path: Path of the CSV file.
        people: Id to float [K, 2] in the descriptor's order; NaN where absent.
    """
    text = io.StringIO()
    # Names may hold commas; the writer quotes them.
    writer = csv.writer(text, lineterminator="\n")
    for name, keypoints_xy in people.items():
        cells = [
            "nan" if math.isnan(value) else str(round(value))
            for value in np.asarray(keypoints_xy, float).ravel()
        ]
        writer.writerow([f"{name}.jpg", *cells])
    atomic.write_text(path, text.getvalue())


def read_pose_rows(
    path: str | os.PathLike[str], descriptor: DatasetDescriptor
) -> dict[str, np.ndarray]:
    """Reads a CSV of poses, ground truth or submission.

    Args:
        path: File without a header. A row is a name, with or without the
            ending of a picture and the folders before it, and for every
            keypoint x, y and visibility, or x and y alone. `nan` says that a
            keypoint is absent; beside a visibility, so does (0, 0).
        descriptor: Number and order of the keypoints.

    Returns:
        Name without ending to float64 [K, 2], NaN where absent, in the order
        of the file.

    Raises:
        UserError: If a row does not fit, a name comes twice, or there is none.
    """
    found: dict[str, np.ndarray] = {}
    for number, row in enumerate(_read_rows(path), 1):
        if not row:
            continue
        place = f"{path}, line {number}"
        stem = picture_names.stem_of(file_names.last_part(row[0].strip()))
        if stem in ("", ".", ".."):
            raise UserError(
                "row without a name", place, "the name of a picture", row[0]
            )
        if stem in found:
            raise UserError("name comes twice", place, "one row each", stem)
        found[stem] = _parse_pose(row[1:], descriptor.num_keypoints, place)
    if not found:
        raise UserError("no poses", path, "a row for every picture", "none")
    return found


def _read_rows(path: str | os.PathLike[str]) -> list[list[str]]:
    text = text_files.read(path)
    try:
        return list(csv.reader(io.StringIO(text)))
    except csv.Error as error:
        raise UserError(
            "poses cannot be read", path, "a CSV file", error
        ) from error


def _parse_pose(cells: list[str], num_keypoints: int, place: str) -> np.ndarray:
    sizes = (num_keypoints * _TRUTH_VALUES, num_keypoints * _SUBMISSION_VALUES)
    if len(cells) not in sizes:
        raise UserError(
            "wrong number of columns",
            place,
            " or ".join(str(size + 1) for size in sizes),
            len(cells) + 1,
        )
    try:
        values = np.array([float(cell) for cell in cells])
    except ValueError as error:
        raise UserError(
            "not a number", place, "numbers or nan", error
        ) from error
    far = np.abs(values) > _MOST_PIXELS
    if far.any():
        raise UserError(
            "not a coordinate",
            place,
            f"numbers up to {_MOST_PIXELS:g}, or nan",
            values[far][0],
        )
    joints = values.reshape(num_keypoints, -1)
    keypoints_xy = joints[:, :2]
    if joints.shape[1] == _TRUTH_VALUES:
        # As those who make records read it.
        keypoints_xy[poses.are_nowhere(keypoints_xy)] = np.nan
    return keypoints_xy


def _rounded(value: float, digits: int) -> float | None:
    """JSON has no word for NaN and infinity but null."""
    value = float(value)
    return round(value, digits) if math.isfinite(value) else None


def _middle(
    start: tuple[float, ...], end: tuple[float, ...]
) -> tuple[float, float, float]:
    """The middle is known as well as the less certain of the two."""
    return (
        (start[0] + end[0]) / 2,
        (start[1] + end[1]) / 2,
        min(start[2], end[2]),
    )
