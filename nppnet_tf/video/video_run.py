"""One video, from its frames to what is written of it.

First the network looks at every frame and its answers lie in a journal: that is
what takes time, and a run that was killed goes on there. Then the frames are
gone through again with the answers: people are numbered, joints smoothed,
labels voted on, and all is drawn. Nothing but files grows with the length of
the video.

    <start>.jsonl         a line for each frame, see `frame_document`
    <start>_overlay.mp4   parts and poses over the video, with its sound; .mkv
                          where MP4 does not hold the sound
"""

import dataclasses
import hashlib
import json
import os
import pathlib
import time
from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Mapping
from typing import Any
from typing import Protocol

from nppnet_tf.data import visibility
from nppnet_tf.errors import UserError
from nppnet_tf.evaluation import picture_outputs
from nppnet_tf.evaluation import prediction_files
from nppnet_tf.files import atomic
from nppnet_tf.files import file_names
from nppnet_tf.files import json_documents
from nppnet_tf.files import output_names
from nppnet_tf.inference.people_model import PeopleModel
from nppnet_tf.outputs import own_files
from nppnet_tf.outputs import picture_run
from nppnet_tf.outputs.writer import Names
from nppnet_tf.video import following
from nppnet_tf.video import journal as journals
from nppnet_tf.video import video_writer
from nppnet_tf.video.following import Smoothing
from nppnet_tf.video.journal import Journal
from nppnet_tf.video.video_file import Frame
from nppnet_tf.video.video_file import VideoFile

LINES = ".jsonl"
_OVERLAY = "_overlay"
_JOURNAL = ".frames"
_ENDINGS = (
    LINES,
    f"{_OVERLAY}{video_writer.MP4}",
    f"{_OVERLAY}{video_writer.MATROSKA}",
    _JOURNAL,
)

# A video is known by its ends and its size: it may have gigabytes.
_KNOWN_BYTES = 1 << 20


class Progress(Protocol):
    """Counts frames; see the command line's."""

    def __enter__(self) -> "Progress":
        """Begins."""

    def __exit__(self, *error: object) -> None:
        """Ends."""

    def advance(self, count: int, note: Callable[[], str]) -> None:
        """Counts frames that are done."""


@dataclasses.dataclass(frozen=True)
class VideoSettings:
    """How videos are written.

    Attributes:
        output: Folder of the files.
        opacity: Opacity of the parts over the video, 0..1.
        smoothing: What is smoothed over time.
        asked: What the network's answers depend on besides its weights, plain
            values: a run with others begins anew.
    """

    output: pathlib.Path
    opacity: float
    smoothing: Smoothing
    asked: Mapping[str, Any]


class VideoRun:
    """Predicts videos.

    Args:
        model: Answers.
        names: What the numbers of the answers mean.
        settings: How videos are written.
        progress: Takes the number of frames, None where nobody knows it, and
            the phase; returns what counts.
        say: Takes lines on what is noticed.
    """

    def __init__(
        self,
        model: PeopleModel,
        names: Names,
        settings: VideoSettings,
        progress: Callable[[int | None, str], Progress],
        say: Callable[[str], object] = lambda line: None,
    ) -> None:
        self._model = model
        self._names = names
        self._settings = settings
        self._progress = progress
        self._say = say

    def run(self, path: pathlib.Path, start: str) -> int:
        """Writes the files of one video, and returns how many frames it has.

        Args:
            path: The video.
            start: What the names of its files begin with; see `plan`.

        Raises:
            UserError: If it cannot be read or shows no frame.
        """
        video = VideoFile(path)
        # Known before all frames are looked at.
        video_writer.require_size(video.size, path)
        ending = video_writer.ending_for(path)
        folder = self._settings.output / f"{start}{_JOURNAL}"
        with journals.held(folder):
            journal = Journal(
                folder, {"video": _digest(path), **self._settings.asked}
            )
            self._predict(video, journal)
            self._write(video, journal, start, ending)
            journal.remove()
        return journal.count

    def _predict(self, video: VideoFile, journal: Journal) -> None:
        done = journal.count
        if done:
            self._say(f"{video.path.name}: {done} frames were there already")
        begun, label = time.monotonic(), f"predicting {video.path.name}"
        with self._progress(video.num_frames, label) as progress:
            for frame in video.frames():
                if frame.number >= done:
                    answer, outside = self._model.answer(
                        video.path, b"", frame.image, frame.number
                    )
                    for line in picture_run.outside_lines(outside):
                        name = f"{video.path.name}, frame {frame.number}"
                        self._say(f"{name}: {line}")
                    journal.add(answer)
                progress.advance(1, _Pace(begun, frame.number + 1 - done))
            journal.flush()
        for line in video.notes():
            self._say(f"{video.path.name}: {line}")

    def _write(
        self, video: VideoFile, journal: Journal, start: str, ending: str
    ) -> None:
        output = self._settings.output
        begun, label = time.monotonic(), f"writing {video.path.name}"
        with (
            atomic.atomic_paths(
                [
                    output / f"{start}{_OVERLAY}{ending}",
                    output / f"{start}{LINES}",
                ]
            ) as (overlay, lines),
            open(lines, "w", encoding="utf-8") as text,
            video_writer.VideoWriter(
                overlay,
                ending,
                video.size,
                video.rate,
                video.path,
                video.pixel_shape,
            ) as writer,
            self._progress(journal.count, label) as progress,
        ):
            for frame, followed in self._followed(video, journal):
                document = frame_document(
                    file_names.as_text(video.path.name),
                    frame,
                    followed,
                    self._names,
                )
                text.write(json.dumps(document, allow_nan=False) + "\n")
                writer.write(
                    own_files.draw(
                        frame.image,
                        followed.answer,
                        self._names,
                        self._settings.opacity,
                    ),
                    frame.seconds,
                )
                progress.advance(1, _Pace(begun, frame.number + 1))

    def _followed(
        self, video: VideoFile, journal: Journal
    ) -> Iterator[tuple[Frame, following.Followed]]:
        names = self._names
        pairs = zip(video.frames(), journal.answers(), strict=False)
        return following.follow(
            pairs,
            self._settings.smoothing,
            lambda person: visibility.are_visible(
                person.keypoints_xy, person.scores, names.score_threshold
            ),
        )


@dataclasses.dataclass(frozen=True)
class _Pace:
    """Says how many frames a second has had, where a line is due."""

    begun: float
    count: int

    def __call__(self) -> str:
        gone = max(time.monotonic() - self.begun, 1e-6)
        return f"{max(self.count, 0) / gone:.1f} frames/s"


def plan(
    videos: Iterable[pathlib.Path], output: pathlib.Path
) -> dict[pathlib.Path, str]:
    """Returns what the files of every video begin with.

    Args:
        videos: Paths of different names.
        output: Folder of the files.

    Raises:
        UserError: If the folder is one of the videos', or a file would be
            replaced that is no earlier output of the same video.
    """
    videos = list(videos)
    picture_outputs.refuse_input_folder(output, videos)
    starts = output_names.plan([path.name for path in videos], _ENDINGS)
    for name, start in starts.items():
        _refuse_foreign_files(output, start, name)
    return {path: starts[path.name] for path in videos}


def frame_document(
    video: str, frame: Frame, followed: following.Followed, names: Names
) -> dict[str, Any]:
    """Returns what is known of one frame, as plain values for JSON.

    Args:
        video: Name of the video.
        frame: The frame.
        followed: The people of it, with their numbers.
        names: What the numbers of the answer mean.
    """
    answer = followed.answer
    document = prediction_files.people_document(
        answer, video, names.descriptor, names.score_threshold
    )
    people = [
        {**person, "id": number}
        for person, number in zip(
            document["people"], followed.numbers, strict=True
        )
    ]
    return {
        "format": "nppnet_tf.frame",
        "video": video,
        "frame": frame.number,
        "seconds": frame.seconds,
        "height": document["height"],
        "width": document["width"],
        "people": people,
        "parts": document["parts"],
    }


def _refuse_foreign_files(output: pathlib.Path, start: str, name: str) -> None:
    there = [
        output / f"{start}{ending}"
        for ending in _ENDINGS[:-1]
        if os.path.lexists(output / f"{start}{ending}")
    ]
    if not there:
        return
    found: object = "another file"
    try:
        with open(output / f"{start}{LINES}", encoding="utf-8") as lines:
            document = json_documents.parse(lines.readline(1 << 20), LINES)
        found = document["video"]
    except (UserError, OSError, *json_documents.FORM_ERRORS):
        pass
    if found != file_names.as_text(name):
        raise UserError(
            "output would replace what is there",
            there[0],
            f"nothing, or an earlier output of {name}",
            found,
        )


def _digest(path: pathlib.Path) -> str:
    """Of the first and the last bytes of a video, and how many it has."""
    size = path.stat().st_size
    digest = hashlib.sha256(str(size).encode())
    with open(path, "rb") as stream:
        digest.update(stream.read(_KNOWN_BYTES))
        stream.seek(max(0, size - _KNOWN_BYTES))
        digest.update(stream.read(_KNOWN_BYTES))
    return digest.hexdigest()
