"""The files of a predicted picture: what they are called, and writing them.

`plan` names the files of all pictures before a network is loaded, and refuses
to replace what is no earlier prediction; `PictureWriter` predicts a picture and
writes its four files together or not at all. Needs no TensorFlow itself.
"""

import os
import pathlib
from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Mapping
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from nppnet_tf.drawing import rendering
from nppnet_tf.errors import UserError
from nppnet_tf.evaluation import prediction_files
from nppnet_tf.evaluation.prediction_files import CocoPrediction
from nppnet_tf.files import atomic
from nppnet_tf.files import file_names
from nppnet_tf.files import json_documents
from nppnet_tf.files import output_names
from nppnet_tf.pictures import picture_files

if TYPE_CHECKING:
    from nppnet_tf.inference.predictor import Prediction
    from nppnet_tf.inference.predictor import Predictor

# The last one appears first; it says whose the others are.
ENDINGS = (".png", "_openpose.json", "_overlay.png", ".json")
_DOCUMENT = ENDINGS[-1]

# A document has some kilobytes.
_MAX_DOCUMENT_BYTES = 1 << 20


class PictureWriter:
    """Predicts pictures and writes the files of each.

    Args:
        predictor: A loaded model.
        output: Folder of the files.
        opacity: Opacity of the parts in the overlay, 0..1.
        openpose: Layout of the OpenPose file, of
            `prediction_files.OPENPOSE_LAYOUTS`.
        score_threshold: Least score of a joint that was found; the model's
            where None.
    """

    def __init__(
        self,
        predictor: "Predictor",
        output: pathlib.Path,
        opacity: float = 0.5,
        openpose: str = prediction_files.BODY_25,
        score_threshold: float | None = None,
    ) -> None:
        self._predictor = predictor
        self._descriptor = predictor.descriptor
        self._output = output
        self._opacity = opacity
        self._openpose = openpose
        self._threshold = score_threshold
        if score_threshold is None:
            self._threshold = predictor.description.score_threshold

    def write_all(
        self,
        starts: Mapping[pathlib.Path, str],
        progress: Callable[[Iterable], Iterable] = iter,
        say: Callable[[str], object] = lambda line: None,
    ) -> tuple[list[CocoPrediction], list[pathlib.Path]]:
        """Writes the files of pictures; those that cannot be read are left out.

        Args:
            starts: What the names of the files begin with, by picture.
            progress: Wraps the pictures and passes them on.
            say: Takes a line for each picture that is left out.

        Returns:
            The poses, for `write_coco`, and the pictures that were left out.
        """
        poses, failures = [], []
        for path in progress(starts):
            try:
                poses.append(self.write(path, starts[path]))
            except UserError as error:
                failures.append(path)
                say(f"skipped: {error}")
        return poses, failures

    def write(self, path: pathlib.Path, start: str) -> CocoPrediction:
        """Writes the files of one picture.

        Args:
            path: The picture.
            start: What the names of its files begin with; see `plan`.

        Returns:
            Its pose, for `write_coco`.

        Raises:
            UserError: If the picture cannot be read.
        """
        if not path.is_file():
            raise UserError("not a file", path, "a JPEG or PNG file", "none")
        image = picture_files.decode(picture_files.read_bytes(path), path)
        prediction = self._predictor.predict([image])[0]
        pose = (prediction.keypoints_xy, prediction.scores)
        overlay = rendering.overlay(
            image,
            prediction.label_map,
            *pose,
            self._descriptor,
            self._opacity,
            self._threshold,
        )
        name = file_names.as_text(path.name)
        self._write_files(start, name, prediction, overlay)
        return CocoPrediction(name, prediction.label_map.shape, *pose)

    def write_coco(
        self, path: pathlib.Path, poses: Sequence[CocoPrediction]
    ) -> None:
        """Writes the poses of all pictures as annotations of COCO."""
        path.parent.mkdir(parents=True, exist_ok=True)
        document = prediction_files.coco_document(
            poses, self._descriptor, self._threshold
        )
        prediction_files.write_json(path, document)

    def _write_files(
        self,
        start: str,
        name: str,
        prediction: "Prediction",
        overlay: np.ndarray,
    ) -> None:
        """Writes the four files of a picture, together or not at all."""
        label_map = prediction.label_map
        pose = (prediction.keypoints_xy, prediction.scores)
        document = prediction_files.prediction_document(
            label_map, *pose, name, self._descriptor, self._threshold
        )
        openpose = prediction_files.openpose_document(
            *pose, self._descriptor, self._openpose, self._threshold
        )
        with atomic.atomic_paths(
            [self._output / f"{start}{ending}" for ending in ENDINGS]
        ) as files:
            prediction_files.write_label_map(
                files[0], label_map, self._descriptor
            )
            prediction_files.write_json(files[1], openpose)
            prediction_files.write_picture(files[2], overlay)
            prediction_files.write_json(files[3], document)


def plan(
    pictures: Iterable[pathlib.Path], output: pathlib.Path
) -> dict[str, str]:
    """Returns what the files of every picture begin with, by its name.

    Args:
        pictures: Paths of pictures of different names.
        output: Folder of the files.

    Raises:
        UserError: If the folder is one of the pictures', where a label map
            could replace a picture, or if a file would be replaced that is no
            earlier prediction of the same picture.
    """
    pictures = list(pictures)
    _refuse_input_folder(output, pictures)
    starts = output_names.plan([path.name for path in pictures], ENDINGS)
    for name, start in starts.items():
        _refuse_foreign_files(output, start, name)
    return starts


def refuse_planned(
    coco: pathlib.Path, output: pathlib.Path, starts: Iterable[str]
) -> None:
    """Refuses a file of COCO that is one of those planned for the pictures.

    Args:
        coco: The file, which need not be there.
        output: Folder of the planned files.
        starts: What their names begin with.

    Raises:
        UserError: If both would have one name.
    """
    planned = {
        file_names.meeting_key(f"{start}{ending}")
        for start in starts
        for ending in ENDINGS
    }
    is_inside = coco.resolve().parent == output.resolve()
    if is_inside and file_names.meeting_key(coco.name) in planned:
        raise UserError(
            "two outputs of one name",
            f"`coco`={coco}",
            "another name than those of the predictions",
            coco.name,
        )


def is_coco(path: pathlib.Path) -> bool:
    """Whether a file holds annotations of COCO."""
    try:
        document = json_documents.read(path)
    except UserError:
        return False
    return isinstance(document, dict) and "annotations" in document


def _refuse_input_folder(
    output: pathlib.Path, pictures: Sequence[pathlib.Path]
) -> None:
    """A label map <stem>.png would replace the picture of that name."""
    folder = output.resolve()
    for path in pictures:
        if folder in (path.parent.resolve(), path.resolve().parent):
            raise UserError(
                "output would be written among the pictures",
                f"`output`={output}",
                "another folder",
                f"the folder of {path}",
            )


def _refuse_foreign_files(output: pathlib.Path, start: str, name: str) -> None:
    """Refuses to replace what is no earlier prediction of the picture."""
    there = [
        output / f"{start}{ending}"
        for ending in ENDINGS
        if os.path.lexists(output / f"{start}{ending}")
    ]
    if not there:
        return
    try:
        document = json_documents.read(
            output / f"{start}{_DOCUMENT}", _MAX_DOCUMENT_BYTES
        )
        found = document["image"]
    except (UserError, TypeError, KeyError, IndexError):
        found = "another file"
    if found != file_names.as_text(name):
        raise UserError(
            "output would replace what is there",
            there[0],
            f"nothing, or an earlier prediction of {name}",
            found,
        )
