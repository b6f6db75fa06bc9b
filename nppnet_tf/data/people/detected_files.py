"""Runs a detector on many pictures, and goes on where it was stopped.

Writes `<id>.npz` for every picture, also for one without people, into a folder
that `detection_folder` looks after. Whole files that are there are kept.
"""

import pathlib
from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Mapping

import numpy as np

from nppnet_tf.data import raw
from nppnet_tf.data.damage import BadRecordError
from nppnet_tf.data.people import detection_folder
from nppnet_tf.data.people import detections
from nppnet_tf.data.people import person_detector
from nppnet_tf.data.people.person_detector import PersonDetector
from nppnet_tf.errors import UserError
from nppnet_tf.files import atomic
from nppnet_tf.files import file_names
from nppnet_tf.pictures import picture_files


class DetectedFiles:
    """Detects the people of pictures, and counts.

    Args:
        detector: What finds people.
        output: Folder of the files.
        min_score: Score below which people are left out, 0..1.
        person_class: What the detector calls a person.
        advance: Called after every picture.
        say: Takes a line for each picture that is left out.

    Attributes:
        failures: Pictures that were left out.
        num_kept: Whole files that were there already.
        num_people: People found in the others.
    """

    def __init__(
        self,
        detector: PersonDetector,
        output: pathlib.Path,
        min_score: float,
        person_class: int,
        advance: Callable[[], object] = lambda: None,
        say: Callable[[str], object] = lambda line: None,
    ) -> None:
        self.failures: list[BadRecordError] = []
        self.num_kept = 0
        self.num_people = 0
        self._detector = detector
        self._output = output
        self._min_score = min_score
        self._person_class = person_class
        self._advance = advance
        self._say = say

    def detect(
        self, pictures: Mapping[str, pathlib.Path], batch_size: int
    ) -> None:
        """Writes what is not there yet, and the list of what was left out.

        Args:
            pictures: Paths of pictures by id.
            batch_size: Pictures that the detector is given at once.
        """
        remaining = self._remaining(pictures)
        for batch in person_detector.same_sized(remaining, batch_size):
            self._detect_batch(batch, pictures)
        self._write_skipped()

    def require_some(self, total: int, where: object) -> None:
        """Raises UserError where every picture was left out.

        Args:
            total: Pictures that were given to `detect`.
            where: Where they lie, for the message.
        """
        if len(self.failures) == total:
            skipped = self._output / detection_folder.SKIPPED
            raise UserError(
                "no picture could be read or detected",
                where,
                "JPEG or PNG pictures",
                f"{total} failures; see {skipped}",
            )

    def summary(self, total: int) -> str:
        """Returns what was done in one line.

        Args:
            total: Pictures that were given to `detect`.
        """
        count = total - len(self.failures)
        text = (
            f"{self._output}: {count} of {total} pictures, "
            f"{self.num_kept} of them done before; "
            f"{self.num_people} people in the {count - self.num_kept} others"
        )
        if self.failures:
            skipped = detection_folder.SKIPPED
            text += f"; {len(self.failures)} skipped: {skipped}"
        return text

    def _remaining(
        self, pictures: Mapping[str, pathlib.Path]
    ) -> Iterator[tuple[str, np.ndarray]]:
        """Yields id and pixels of the pictures that are still to be done."""
        for name, path in pictures.items():
            try:
                data = raw.read_bytes(path, name)
                if self._is_done(name, data):
                    self.num_kept += 1
                    self._advance()
                    continue
                picture = picture_files.decode(data)
            except UserError as error:
                self._fail(name, error, path)
                continue
            yield name, picture

    def _detect_batch(
        self,
        batch: list[tuple[str, np.ndarray]],
        pictures: Mapping[str, pathlib.Path],
    ) -> None:
        """Writes the files of pictures of one size."""
        try:
            found = self._detector.detect(
                [picture for _, picture in batch],
                self._min_score,
                self._person_class,
            )
        except UserError as error:
            for name, _ in batch:
                self._fail(name, error, pictures[name])
            return
        for (name, _), people in zip(batch, found, strict=True):
            detections.write(
                detection_folder.file_of(self._output, name), people
            )
            self.num_people += len(people.boxes)
            self._advance()

    def _is_done(self, name: str, data: bytes) -> bool:
        path = detection_folder.file_of(self._output, name)
        if not path.exists():
            return False
        size = picture_files.picture_size(data)
        try:
            found = detections.read(path)
        except UserError:
            return False
        if found.masks is None:
            return not self._detector.has_masks
        return self._detector.has_masks and found.masks.shape[1:] == size

    def _fail(self, name: str, error: UserError, path: pathlib.Path) -> None:
        if not isinstance(error, BadRecordError):
            error = BadRecordError(name, error, path)
        self.failures.append(error)
        self._say(f"skipped: {error}")
        self._advance()

    def _write_skipped(self) -> None:
        path = self._output / detection_folder.SKIPPED
        if self.failures:
            text = "".join(f"{bad.line}\n" for bad in self.failures)
            atomic.write_text(path, file_names.as_text(text))
        else:
            path.unlink(missing_ok=True)
