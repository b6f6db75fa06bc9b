"""The files that `predict` writes where nobody asks for another format."""

import pathlib
from collections.abc import Mapping
from collections.abc import Sequence

import numpy as np

from nppnet_tf.drawing import rendering
from nppnet_tf.evaluation import picture_outputs
from nppnet_tf.evaluation import prediction_files
from nppnet_tf.files import atomic
from nppnet_tf.inference.picture_answer import PictureAnswer
from nppnet_tf.outputs import people_map
from nppnet_tf.outputs.writer import Names
from nppnet_tf.outputs.writer import Picture
from nppnet_tf.outputs.writer import Settings


class OwnFiles:
    """Label map, document, pose of OpenPose and overlay of every picture.

    Args:
        settings: What writers are told.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._names: Names | None = None

    def plan(
        self, pictures: Sequence[pathlib.Path]
    ) -> Mapping[pathlib.Path, str]:
        """See `writer.Writer`."""
        endings = picture_outputs.ENDINGS
        if self._settings.has_people:
            endings = picture_outputs.ENDINGS_OF_PEOPLE
        starts = picture_outputs.plan(pictures, self._settings.output, endings)
        return {path: starts[path.name] for path in pictures}

    def begin(self, names: Names) -> None:
        """See `writer.Writer`."""
        self._names = names

    def write(self, picture: Picture, answer: PictureAnswer) -> None:
        """See `writer.Writer`."""
        names, settings = self._names, self._settings
        overlay = draw(picture.image, answer, names, settings.opacity)
        openpose = prediction_files.openpose_document(
            answer.people,
            names.descriptor,
            settings.openpose,
            names.score_threshold,
        )
        document = self._document(picture, answer)
        start = settings.output / picture.start
        endings = picture_outputs.ENDINGS
        if answer.instance_map is not None:
            endings = picture_outputs.ENDINGS_OF_PEOPLE
        with atomic.atomic_paths(
            [start.with_name(f"{picture.start}{ending}") for ending in endings]
        ) as files:
            *instances, label_map, openpose_path, overlay_path, path = files
            for instance_path in instances:
                people_map.write(instance_path, answer.instance_map)
            prediction_files.write_label_map(
                label_map, answer.label_map, names.descriptor
            )
            prediction_files.write_json(openpose_path, openpose)
            prediction_files.write_picture(overlay_path, overlay)
            prediction_files.write_json(path, document)

    def finish(self) -> None:
        """See `writer.Writer`."""

    def _document(self, picture: Picture, answer: PictureAnswer) -> dict:
        names = self._names
        if answer.instance_map is not None:
            return prediction_files.people_document(
                answer, picture.name, names.descriptor, names.score_threshold
            )
        (person,) = answer.people
        document = prediction_files.prediction_document(
            answer.label_map,
            person.keypoints_xy,
            person.scores,
            picture.name,
            names.descriptor,
            names.score_threshold,
        )
        if person.quality is not None:
            document["quality"] = dict(person.quality)
        return document


def draw(
    image: np.ndarray,
    answer: PictureAnswer,
    names: Names,
    opacity: float,
) -> np.ndarray:
    """Returns parts and poses drawn over a picture, uint8 [H, W, 3]."""
    drawn = rendering.overlay(
        image, answer.label_map, None, None, names.descriptor, opacity
    )
    for person in answer.people:
        drawn = rendering.draw_skeleton(
            drawn,
            person.keypoints_xy,
            person.scores,
            names.descriptor,
            names.score_threshold,
        )
    return drawn
