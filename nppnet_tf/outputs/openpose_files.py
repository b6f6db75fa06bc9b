"""Poses alone, named and written as OpenPose's `--write_json` does."""

import pathlib
from collections.abc import Mapping
from collections.abc import Sequence

from nppnet_tf.evaluation import prediction_files
from nppnet_tf.inference.picture_answer import PictureAnswer
from nppnet_tf.outputs.output_folder import OutputFolder
from nppnet_tf.outputs.writer import Names
from nppnet_tf.outputs.writer import Picture
from nppnet_tf.outputs.writer import Settings

ENDING = "_keypoints.json"


class OpenposeFiles:
    """`<name>_keypoints.json` of every picture.

    Args:
        settings: What writers are told.
    """

    def __init__(self, settings: Settings) -> None:
        self._folder = OutputFolder(settings.output, "openpose", ENDING)
        self._layout = settings.openpose
        self._names: Names | None = None

    def plan(
        self, pictures: Sequence[pathlib.Path]
    ) -> Mapping[pathlib.Path, str]:
        """See `writer.Writer`."""
        return self._folder.plan(pictures)

    def begin(self, names: Names) -> None:
        """See `writer.Writer`."""
        self._names = names
        self._folder.begin()

    def write(self, picture: Picture, answer: PictureAnswer) -> None:
        """See `writer.Writer`."""
        document = prediction_files.openpose_document(
            answer.people,
            self._names.descriptor,
            self._layout,
            self._names.score_threshold,
        )
        path = self._folder.folder / f"{picture.start}{ENDING}"
        prediction_files.write_json(path, document)

    def finish(self) -> None:
        """See `writer.Writer`."""
