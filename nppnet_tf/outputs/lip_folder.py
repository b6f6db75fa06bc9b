"""A folder in LIP's own layout, the split `val`; `build_records` reads it.

LIP knows one person in a picture: of a picture of several each is cut out.
Joints are whole pixels there; one that was not found is nan.
"""

import csv
import io
import pathlib

import numpy as np
from PIL import Image

from nppnet_tf.data import visibility
from nppnet_tf.data.descriptors import LIP
from nppnet_tf.errors import UserError
from nppnet_tf.files import atomic
from nppnet_tf.inference.picture_answer import PictureAnswer
from nppnet_tf.outputs import single_people
from nppnet_tf.outputs.output_folder import FolderWriter
from nppnet_tf.outputs.single_people import SinglePerson
from nppnet_tf.outputs.writer import Names
from nppnet_tf.outputs.writer import Picture
from nppnet_tf.outputs.writer import Settings
from nppnet_tf.pictures import picture_files
from nppnet_tf.pictures import picture_structure

_IMAGES = "TrainVal_images"
_LABELS = "TrainVal_parsing_annotations"
_POSES = "TrainVal_pose_annotations"
_SPLIT = "val"

# Of EXIF.
_UPRIGHT = 1

_VISIBLE = "0"
_ABSENT = "nan"


class LipFolder(FolderWriter):
    """Pictures, label maps and rows of joints.

    Args:
        settings: What writers are told.
    """

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings, "lip", "__254.jpeg")
        self._rows: list[list[str]] = []

    def begin(self, names: Names) -> None:
        """See `writer.Writer`; UserError for other joints or classes."""
        require_lip(names, "lip")
        super().begin(names)

    def write(self, picture: Picture, answer: PictureAnswer) -> None:
        """See `writer.Writer`."""
        for person in single_people.each(picture, answer):
            self._write_person(person, picture)

    def finish(self) -> None:
        """See `writer.Writer`."""
        folder = self._folder
        text = io.StringIO()
        csv.writer(text, lineterminator="\n").writerows(self._rows)
        ids = "".join(
            f"{pathlib.PurePath(row[0]).stem}\n" for row in self._rows
        )
        atomic.write_text(
            folder / _POSES / f"lip_{_SPLIT}_set.csv", text.getvalue()
        )
        atomic.write_text(folder / _IMAGES / f"{_SPLIT}_id.txt", ids)

    def _write_person(self, person: SinglePerson, picture: Picture) -> None:
        folder = self._folder
        data, suffix = _encoded(person, picture)
        image_name = f"{person.name}{suffix}"
        labels = folder / _LABELS / f"{_SPLIT}_segmentations"
        with atomic.atomic_paths(
            [
                labels / f"{person.name}.png",
                folder / _IMAGES / f"{_SPLIT}_images" / image_name,
            ]
        ) as (label_map, image):
            with atomic.naming(label_map):
                Image.fromarray(person.label_map).save(label_map, "PNG")
            image.write_bytes(data)
        self._rows.append([image_name, *self._cells(person)])

    def _cells(self, person: SinglePerson) -> list[str]:
        xy = person.answer.keypoints_xy
        visible = visibility.are_visible(
            xy, person.answer.scores, self._names.score_threshold
        )
        cells = []
        for (x, y), is_visible in zip(xy, visible, strict=True):
            if is_visible:
                cells += [str(round(float(x))), str(round(float(y))), _VISIBLE]
            else:
                cells += [_ABSENT] * 3
        return cells


def require_lip(names: Names, layout: str) -> None:
    """Refuses models of other joints or classes.

    Args:
        names: What the model's numbers mean.
        layout: Name of the format.

    Raises:
        UserError: If the model does not speak of LIP's joints and classes.
    """
    own, lip = names.descriptor, LIP
    if (own.keypoints, own.classes) != (lip.keypoints, lip.classes):
        raise UserError(
            "format is of other joints and parts than the model's",
            f"`format`={layout}",
            f"a model of {lip.num_keypoints} joints and {lip.num_classes} "
            "classes of LIP",
            f"one of {own.num_keypoints} and {own.num_classes}, {own.name}",
        )


def _encoded(person: SinglePerson, picture: Picture) -> tuple[bytes, str]:
    """The bytes of a person's picture, and what they are."""
    if person.is_whole and _is_upright(picture):
        return picture.data, picture.suffix
    # Readers of LIP turn nothing.
    return picture_files.encode_png(np.ascontiguousarray(person.image)), ".png"


def _is_upright(picture: Picture) -> bool:
    return picture_structure.read(picture.data).orientation == _UPRIGHT
