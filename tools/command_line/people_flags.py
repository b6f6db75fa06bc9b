"""Flags that say where the people of pictures are."""

import pathlib
from typing import TYPE_CHECKING
from typing import Any

from nppnet_tf.errors import UserError

from . import paths
from .tool_flags import ToolFlags

if TYPE_CHECKING:
    from nppnet_tf.inference.people_model import Find

_SAVED_MODEL = "saved_model.pb"


def require_detector(path: str, flag: str) -> None:
    """Refuses a folder without a SavedModel, whatever else it holds."""
    folder = paths.require_folder(path, flag)
    places = (folder, folder / "saved_model")
    if not any((place / _SAVED_MODEL).is_file() for place in places):
        raise UserError(
            "no SavedModel",
            f"{flag}={path}",
            "saved_model.pb, or a folder saved_model with it",
            "neither",
        )


class PeopleFlags:
    """`--detector`, `--boxes`, `--min_score` and `--padding`.

    Args:
        tool: Flags of the tool.
    """

    def __init__(self, tool: ToolFlags) -> None:
        self._tool = tool
        self._detector = tool.define_path(
            "detector",
            None,
            "SavedModel that finds people, as of detect_people; each is cut "
            "out and predicted alone.",
            require_detector,
        )
        self._boxes = tool.define_path(
            "boxes",
            None,
            "Where the people are: the folder or a file of detect_people or "
            "of an earlier predict, or boxes of COCO in JSON; of a video, of "
            "pictures <video>_<number>.",
            paths.require_file_or_folder,
        )
        self._min_score = tool.define_number(
            "min_score",
            0.5,
            "Least score of a person of --detector or --boxes.",
            0,
            1,
        )
        self._padding = tool.define_number(
            "padding",
            0.1,
            "Share of the sides of a box by which a person is cut out larger.",
            0,
            1,
        )

    def facts(self) -> dict[str, Any]:
        """Returns what answers about videos depend on, plain values."""
        from nppnet_tf.data.people import box_files
        from nppnet_tf.data.people import person_detector

        detector = self._detector.value
        return {
            "detector": detector
            and person_detector.sha256(pathlib.Path(detector)),
            "boxes": self.boxes and box_files.digest(self.boxes),
            "min_score": self._min_score.value,
            "padding": self.padding,
        }

    @property
    def padding(self) -> float:
        """Share of the sides of a box."""
        return self._padding.value

    @property
    def boxes(self) -> str | None:
        """The value of `--boxes`."""
        return self._boxes.value

    @property
    def inputs(self) -> list[str]:
        """Files and folders that are read, for what must not replace them."""
        return [path for path in (self._detector.value, self.boxes) if path]

    @property
    def are_given(self) -> bool:
        """Whether people are looked for.

        Raises:
            UserError: If it is said in two ways where they are, or in none and
                something else of them.
        """
        if self._detector.value and self.boxes:
            raise UserError(
                "people are found in two ways",
                "--detector, --boxes",
                "one of them",
                "both",
            )
        if not self.inputs:
            self._tool.refuse_idle(
                "--detector or --boxes", "min_score", "padding"
            )
        return bool(self.inputs)

    def find(self) -> "Find | None":
        """Returns what finds people; loads the detector or the boxes."""
        if not self.are_given:
            return None

        from nppnet_tf.data.people.box_files import BoxFiles
        from nppnet_tf.data.people.person_detector import PersonDetector
        from nppnet_tf.inference import people_model

        if self.boxes:
            files = BoxFiles(self.boxes, self._min_score.value)
            return people_model.listed(files)
        return people_model.detecting(
            PersonDetector.from_directory(self._detector.value),
            self._min_score.value,
        )
