"""What a network said of the frames of a video, on the disk while it goes on.

A folder with a file for every few frames, each whole or absent, and one that
says what they are of. A run that was killed goes on behind the last file; a run
of another video or network begins anew.
"""

import contextlib
import json
import pathlib
import shutil
from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any

import numpy as np

from nppnet_tf.errors import UserError
from nppnet_tf.files import array_archives
from nppnet_tf.files import atomic
from nppnet_tf.files import folder_lock
from nppnet_tf.files import json_documents
from nppnet_tf.inference.picture_answer import PersonAnswer
from nppnet_tf.inference.picture_answer import PictureAnswer

# Frames of a file: little is lost, and little is held.
FRAMES = 16

_FACTS = "frames.json"
_FORMAT = "nppnet_tf.frames"

# Arrays of a file.
_NAMES = (
    "label_maps",
    "instance_maps",
    "counts",
    "keypoints_xy",
    "scores",
    "boxes",
    "person_scores",
)

_NO_BOX = (np.nan,) * 4


class Journal:
    """Answers about frames, in the order of time.

    Args:
        folder: Folder of the files; made, or gone on with.
        facts: What the answers depend on, plain values.

    Attributes:
        count: Frames that are there.
    """

    def __init__(self, folder: pathlib.Path, facts: Mapping[str, Any]) -> None:
        self._folder = folder
        self._waiting: list[PictureAnswer] = []
        document = {"format": _FORMAT, **facts}
        if _read_facts(folder) != document:
            self._clear()
            folder.mkdir(parents=True, exist_ok=True)
            text = json.dumps(document, indent=1) + "\n"
            atomic.write_text(folder / _FACTS, text)
        atomic.sweep(folder)
        self._num_files = 0
        while self._path(self._num_files).exists():
            self._num_files += 1
        self.count = self._num_files * FRAMES
        if self._num_files:
            # The last one has fewer, where the end was reached before.
            last = _read(self._path(self._num_files - 1))
            self.count += last["counts"].size - FRAMES

    def add(self, answer: PictureAnswer) -> None:
        """Takes the answer about the next frame."""
        self._waiting.append(answer)
        self.count += 1
        if len(self._waiting) == FRAMES:
            self.flush()

    def flush(self) -> None:
        """Writes what is not written yet: at the end of the video."""
        if not self._waiting:
            return
        arrays = _packed(self._waiting)
        path = self._path(self._num_files)
        with (
            atomic.atomic_path(path) as temporary,
            open(temporary, "wb") as stream,
        ):
            np.savez_compressed(stream, **arrays)
        self._num_files += 1
        self._waiting = []

    def answers(self) -> Iterator[PictureAnswer]:
        """Yields all answers that were written, a file at a time."""
        for number in range(self._num_files):
            yield from _unpacked(_read(self._path(number)))

    def remove(self) -> None:
        """Removes the folder; it is the journal's own."""
        if self._folder.is_dir():
            shutil.rmtree(self._folder)

    def _clear(self) -> None:
        """Removes all but what says whose the folder is."""
        if self._folder.is_dir():
            for path in self._folder.iterdir():
                if path.name != folder_lock.LOCK_NAME:
                    path.unlink()

    def _path(self, number: int) -> pathlib.Path:
        return self._folder / f"{number:06d}.npz"


@contextlib.contextmanager
def held(folder: pathlib.Path) -> Iterator[None]:
    """Keeps other processes out of the folder of a journal.

    Args:
        folder: Where it is; made where it is missing.

    Raises:
        UserError: Another process goes on with it, or it is nobody's journal.
    """
    # Nothing is put into a folder of others.
    _read_facts(folder)
    folder.mkdir(parents=True, exist_ok=True)
    with folder_lock.hold(folder, folder, "video is being predicted"):
        yield


def _read_facts(folder: pathlib.Path) -> Any:
    """What a folder is of; UserError where it is nobody's journal."""
    if not folder.exists() or _is_new(folder):
        return None
    try:
        document = json_documents.read(folder / _FACTS)
    except UserError:
        document = None
    if not isinstance(document, dict) or document.get("format") != _FORMAT:
        raise UserError(
            "output would replace what is there",
            folder,
            "nothing, or what an earlier run left",
            "something else",
        )
    return document


def _is_new(folder: pathlib.Path) -> bool:
    """Whether a folder was made for a journal that has not begun."""
    if not folder.is_dir():
        return False
    return [path.name for path in folder.iterdir()] == [folder_lock.LOCK_NAME]


def _read(path: pathlib.Path) -> dict[str, np.ndarray]:
    """Reads the answers of some frames.

    Raises:
        UserError: The file is damaged, or holds something else.
    """
    arrays = array_archives.read(path, _NAMES, what="answers about frames")
    if set(arrays) != set(_NAMES):
        raise UserError(
            "answers about frames are not whole",
            path,
            ", ".join(_NAMES),
            ", ".join(arrays),
        )
    return arrays


def _packed(answers: Sequence[PictureAnswer]) -> dict[str, np.ndarray]:
    people = [person for answer in answers for person in answer.people]
    num_keypoints = len(people[0].scores) if people else 0
    instances = [answer.instance_map for answer in answers]
    return {
        "label_maps": np.stack([answer.label_map for answer in answers]),
        "instance_maps": np.stack(instances)
        if instances[0] is not None
        else np.zeros(0, np.uint8),
        "counts": np.array([len(answer.people) for answer in answers]),
        "keypoints_xy": np.array(
            [person.keypoints_xy for person in people], np.float64
        ).reshape(len(people), num_keypoints, 2),
        "scores": np.array(
            [person.scores for person in people], np.float32
        ).reshape(len(people), num_keypoints),
        "boxes": np.array(
            [_NO_BOX if p.box is None else p.box for p in people], np.float64
        ).reshape(-1, 4),
        "person_scores": np.array([p.score for p in people], np.float64),
    }


def _unpacked(arrays: Mapping[str, np.ndarray]) -> Iterator[PictureAnswer]:
    start = 0
    instances = arrays["instance_maps"]
    for number, count in enumerate(arrays["counts"].tolist()):
        people = []
        for index in range(start, start + count):
            box = tuple(arrays["boxes"][index].tolist())
            people.append(
                PersonAnswer(
                    arrays["keypoints_xy"][index],
                    arrays["scores"][index],
                    None if np.isnan(box).any() else box,
                    float(arrays["person_scores"][index]),
                )
            )
        start += count
        yield PictureAnswer(
            arrays["label_maps"][number],
            tuple(people),
            instances[number] if instances.size else None,
        )
