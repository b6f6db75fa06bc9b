"""Predicts pictures one by one and hands the answers to a writer."""

import pathlib
from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
from typing import TYPE_CHECKING

from nppnet_tf import errors
from nppnet_tf.errors import UserError
from nppnet_tf.evaluation import prediction_files
from nppnet_tf.evaluation.prediction_files import CocoPicture
from nppnet_tf.files import file_names
from nppnet_tf.outputs.writer import Names
from nppnet_tf.outputs.writer import Picture
from nppnet_tf.outputs.writer import Writer
from nppnet_tf.pictures import picture_files
from nppnet_tf.pictures import picture_names
from nppnet_tf.pictures import picture_structure

if TYPE_CHECKING:
    from nppnet_tf.inference.people_model import PeopleModel

Say = Callable[[str], object]


class PictureRun:
    """A model, a writer, and what came of the pictures so far.

    Args:
        model: Answers.
        writer: Takes the answers.
        names: What the numbers of the answers mean.
        say: Takes a line for each picture that is left out, and for each that
            shows nobody.

    Attributes:
        failures: Pictures that were left out.
        poses: The people of the others, for `write_coco`.
    """

    def __init__(
        self,
        model: "PeopleModel",
        writer: Writer,
        names: Names,
        say: Say = lambda line: None,
    ) -> None:
        self.failures: list[pathlib.Path] = []
        self.poses: list[CocoPicture] = []
        self._model = model
        self._writer = writer
        self._names = names
        self._say = say

    @property
    def num_people(self) -> int:
        """People of all pictures."""
        return sum(len(picture.people) for picture in self.poses)

    def run(
        self,
        starts: Mapping[pathlib.Path, str],
        progress: Callable[[Iterable], Iterable] = iter,
    ) -> None:
        """Writes the files of pictures; those that cannot be read are left out.

        Args:
            starts: What the names of the files begin with, by picture.
            progress: Wraps the pictures and passes them on.
        """
        self._writer.begin(self._names)
        for path in progress(starts):
            try:
                self._write(path, starts[path])
            except UserError as error:
                self.failures.append(path)
                self._say(f"skipped: {error}")
        self._writer.finish()

    def require_some(
        self, others: Sequence[pathlib.Path], where: object
    ) -> None:
        """Raises UserError where no picture could be read.

        Args:
            others: Pictures of other kinds, which nobody tried.
            where: Where they lie, for the message.
        """
        if not self.poses:
            raise UserError(
                "no picture could be read",
                where,
                "JPEG or PNG pictures",
                f"{len(self.failures) + len(others)} that are not",
            )

    def summary(self, others: Sequence[pathlib.Path]) -> list[str]:
        """Returns lines that say what was done and what was not.

        Args:
            others: Pictures of other kinds, which nobody tried.
        """
        done = len(self.poses)
        failures = sorted([*self.failures, *others])
        line = f"{done} of {done + len(failures)} pictures predicted"
        if self._model.finds_people:
            line += f", {self.num_people} people"
        if not failures:
            return [line]
        names = ", ".join(errors.printable(path.name) for path in failures)
        return [line, f"not read: {names}"]

    def write_coco(self, path: pathlib.Path) -> None:
        """Writes the people of all pictures as annotations of COCO."""
        path.parent.mkdir(parents=True, exist_ok=True)
        document = prediction_files.coco_document(
            self.poses, self._names.descriptor, self._names.score_threshold
        )
        prediction_files.write_json(path, document)

    def _write(self, path: pathlib.Path, start: str) -> None:
        if not path.is_file():
            raise UserError("not a file", path, "a JPEG or PNG file", "none")
        data = picture_files.read_bytes(path)
        image = picture_files.decode(data, path)
        answer, outside = self._model.answer(path, data, image)
        for line in outside_lines(outside):
            self._say(f"{path.name}: {line}")
        if not answer.people:
            self._say(f"{path.name}: no person found")
        name = file_names.as_text(path.name)
        self._writer.write(
            Picture(name, start, _ending(path, data), data, image), answer
        )
        self.poses.append(CocoPicture(name, answer.size, answer.people))


def _ending(path: pathlib.Path, data: bytes) -> str:
    """Ending of a copy of a picture, by which readers know it for one."""
    if picture_names.is_picture_name(path):
        return path.suffix
    return ".jpg" if data.startswith(picture_structure.JPEG_START) else ".png"


def outside_lines(boxes: Iterable[Sequence[float]]) -> Iterator[str]:
    """Yields a line on every box that shows nothing of its picture."""
    for box in boxes:
        where = ", ".join(f"{side:g}" for side in box)
        left, top, right, bottom = box
        what = "lies outside of the picture"
        if right <= left or bottom <= top:
            what = "has no size"
        yield f"box {where} {what}"
