"""Poses alone, named and written as OpenPose's `--write_json` does."""

from nppnet_tf.evaluation import prediction_files
from nppnet_tf.inference.picture_answer import PictureAnswer
from nppnet_tf.outputs.output_folder import FolderWriter
from nppnet_tf.outputs.writer import Picture
from nppnet_tf.outputs.writer import Settings

ENDING = "_keypoints.json"


class OpenposeFiles(FolderWriter):
    """`<name>_keypoints.json` of every picture.

    Args:
        settings: What writers are told.
    """

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings, "openpose", ENDING)
        self._layout = settings.openpose

    def write(self, picture: Picture, answer: PictureAnswer) -> None:
        """See `writer.Writer`."""
        document = prediction_files.openpose_document(
            answer.people,
            self._names.descriptor,
            self._layout,
            self._names.score_threshold,
        )
        path = self._folder / f"{picture.start}{ENDING}"
        prediction_files.write_json(path, document)
