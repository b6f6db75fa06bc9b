"""Files of LabelMe, in which people correct what a model found.

`<name>.json` beside a copy of the picture: a shape "mask" for each part of each
person, exact to the pixel, and a "point" for each joint that was found; the
number of the person is the group, and a rectangle "person" the box that was
cut out. LabelMe counts from the corner of the top left pixel, half a pixel
before its center. `descriptor.json` says what the names are: `build_records
--dataset=labelme` reads the folder.
"""

import base64
from collections.abc import Iterator
from collections.abc import Sequence
from typing import Any

import numpy as np

from nppnet_tf.data import visibility
from nppnet_tf.evaluation import prediction_files
from nppnet_tf.files import atomic
from nppnet_tf.inference.picture_answer import PersonAnswer
from nppnet_tf.inference.picture_answer import PictureAnswer
from nppnet_tf.outputs import output_folder
from nppnet_tf.outputs.output_folder import FolderWriter
from nppnet_tf.outputs.writer import Names
from nppnet_tf.outputs.writer import Picture
from nppnet_tf.outputs.writer import Settings
from nppnet_tf.pictures import picture_files

# The first version that has masks is 5.3.
_VERSION = "5.4.1"
_HALF = 0.5
_DESCRIPTOR = "descriptor.json"

# Label of the box of a person.
PERSON = "person"


class LabelmeFiles(FolderWriter):
    """A picture and its document, side by side.

    Args:
        settings: What writers are told.
    """

    def __init__(self, settings: Settings) -> None:
        super().__init__(
            settings,
            "labelme",
            ".json",
            taken=(output_folder.FILE, _DESCRIPTOR),
        )

    def begin(self, names: Names) -> None:
        """See `writer.Writer`."""
        super().begin(names)
        atomic.write_text(
            self._folder / _DESCRIPTOR, names.descriptor.to_json() + "\n"
        )

    def write(self, picture: Picture, answer: PictureAnswer) -> None:
        """See `writer.Writer`."""
        image_name = f"{picture.start}{picture.suffix}"
        height, width = answer.size
        shapes = []
        for number, person in enumerate(answer.people):
            shapes += self._box(person, number + 1)
            shapes += self._masks(answer.parts_of(number), number + 1)
            shapes += self._points(person, number + 1)
        document = {
            "version": _VERSION,
            "flags": {},
            "shapes": shapes,
            "imagePath": image_name,
            "imageData": None,
            "imageHeight": height,
            "imageWidth": width,
        }
        folder = self._folder
        with atomic.atomic_paths(
            [folder / image_name, folder / f"{picture.start}.json"]
        ) as (image, path):
            image.write_bytes(picture.data)
            prediction_files.write_json(path, document)

    def _box(
        self, person: PersonAnswer, group: int
    ) -> Iterator[dict[str, Any]]:
        # A rectangle of a class's name would be a part.
        if person.box is None or PERSON in self._names.descriptor.classes:
            return
        left, top, right, bottom = (round(float(s), 3) for s in person.box)
        yield _shape(PERSON, [[left, top], [right, bottom]], "rectangle", group)

    def _masks(
        self, label_map: np.ndarray, group: int
    ) -> Iterator[dict[str, Any]]:
        for class_id, name in enumerate(self._names.descriptor.classes):
            rows, columns = np.nonzero(label_map == class_id)
            if class_id == 0 or not rows.size:
                continue
            top, bottom = int(rows.min()), int(rows.max())
            left, right = int(columns.min()), int(columns.max())
            part = label_map[top : bottom + 1, left : right + 1] == class_id
            png = picture_files.encode_png(part.astype(np.uint8))
            corners = [[left, top], [right, bottom]]
            mask = base64.b64encode(png).decode("ascii")
            yield _shape(name, corners, "mask", group, mask=mask)

    def _points(
        self, person: PersonAnswer, group: int
    ) -> Iterator[dict[str, Any]]:
        visible = visibility.are_visible(
            person.keypoints_xy, person.scores, self._names.score_threshold
        )
        for name, (x, y), is_visible in zip(
            self._names.descriptor.keypoints,
            np.asarray(person.keypoints_xy, np.float64) + _HALF,
            visible,
            strict=True,
        ):
            if is_visible:
                place = [round(float(x), 3), round(float(y), 3)]
                yield _shape(name, [place], "point", group)


def _shape(
    label: str,
    points: Sequence[Sequence[float]],
    shape_type: str,
    group: int,
    **more: Any,
) -> dict[str, Any]:
    return {
        "label": label,
        "points": points,
        "group_id": group,
        "description": "",
        "shape_type": shape_type,
        "flags": {},
        **more,
    }
