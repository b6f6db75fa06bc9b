"""Videos as people have them: frames in, upright, with their times."""

import contextlib
import dataclasses
import fractions
import os
import pathlib
from collections.abc import Iterator
from collections.abc import Sequence
from typing import TYPE_CHECKING
from typing import Any

import numpy as np

from nppnet_tf.errors import UserError
from nppnet_tf.pictures import picture_structure

if TYPE_CHECKING:
    import av

# Where a video does not say how many frames a second has.
_USUAL_RATE = 25

_MATRIX = "DISPLAYMATRIX"

# From so many seconds, and so many frames, on a gap is no haste of a camera.
_GAP_SECONDS = 0.5
_GAP_FRAMES = 5


@dataclasses.dataclass(frozen=True)
class Frame:
    """One frame of a video.

    Attributes:
        number: Counted from 0.
        seconds: When it is shown, from the start of the video.
        image: Uint8 [H, W, 3], RGB, upright; all of one size.
    """

    number: int
    seconds: float
    image: np.ndarray


class VideoFile:
    """A video whose first frame could be read.

    Args:
        path: The file.

    Attributes:
        size: (height, width) of the frames, upright.
        num_frames: About how many there are, or None where nobody says.
        rate: Frames of a second, a fraction.
        pixel_shape: Width of a pixel by its height, upright, a fraction.
        damage: What ended the frames before their end, None while nothing did.
        num_damaged: Frames that the decoder calls damaged.

    Raises:
        UserError: If PyAV is not installed, or the file is missing or no
            video.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = pathlib.Path(path)
        self.size: tuple[int, int] | None = None
        self.pixel_shape = fractions.Fraction(1)
        self._begin()
        with self._opened() as container:
            stream = container.streams.video[0]
            self.rate = stream.average_rate or _USUAL_RATE
            self.num_frames = stream.frames or _count(stream, container)
            self._seconds = _length(stream, container)
            first = next(self._decoded(container), None)
        if first is None:
            raise UserError("no frames", self.path, "a video", self.damage)
        self.size = first.shape[:2]

    def _begin(self) -> None:
        """Forgets what was seen of the frames."""
        self.damage: str | None = None
        self.num_damaged = 0
        self._count, self._end, self._gap = 0, 0.0, (0.0, 0.0)

    def frames(self) -> Iterator[Frame]:
        """Yields the frames; one that is damaged is the end, see `damage`."""
        self._begin()
        with self._opened() as container:
            last = -1.0
            for number, (image, seconds) in enumerate(self._timed(container)):
                # Times of some videos stand still, or are not there.
                if seconds is None or seconds <= last:
                    seconds = last + float(1 / self.rate) if number else 0.0
                if number and seconds - last > self._gap[1] - self._gap[0]:
                    self._gap = (last, seconds)
                last = seconds
                self._count = number + 1
                self._end = last + float(1 / self.rate)
                yield Frame(number, round(seconds, 6), image)

    def notes(self) -> list[str]:
        """Returns lines on what was lost of the frames that were gone through.

        Of a file that was cut off or holds a hole most readers know nothing.
        """
        found = []
        least = max(_GAP_SECONDS, _GAP_FRAMES / float(self.rate))
        end = f"ends after {self._count} frames"
        if self.damage:
            found.append(f"{end}: {self.damage}")
        elif self._seconds and self._seconds - self._end > least:
            found.append(
                f"{end}, at {self._end:.2f} s, while its file tells of "
                f"{self._seconds:.2f} s"
            )
        if self._gap[1] - self._gap[0] > least:
            found.append(
                "no frame between {:.2f} s and {:.2f} s".format(*self._gap)
            )
        if self.num_damaged:
            found.append(f"damaged frames: {self.num_damaged}")
        return found

    @contextlib.contextmanager
    def _opened(self) -> "Iterator[av.container.InputContainer]":
        with opened(self.path) as container:
            if not container.streams.video:
                raise UserError(
                    "no pictures in the file", self.path, "a video", "none"
                )
            yield container

    def _decoded(self, container: Any) -> Iterator[np.ndarray]:
        for image, _ in self._timed(container):
            yield image

    def _timed(
        self, container: Any
    ) -> Iterator[tuple[np.ndarray, float | None]]:
        stream = container.streams.video[0]
        origin = origin_of(container)
        frames = container.decode(stream)
        while True:
            try:
                frame = next(frames, None)
            except (require_av().error.FFmpegError, OSError) as error:
                self.damage = str(_what(error))
                return
            if frame is None:
                return
            if frame.height * frame.width > picture_structure.MAX_PIXELS:
                raise UserError(
                    "frames are too large",
                    self.path,
                    f"at most {picture_structure.MAX_PIXELS} pixels",
                    f"{frame.height} x {frame.width}",
                )
            self.num_damaged += bool(frame.is_corrupt)
            matrix = _matrix(frame)
            image = upright(frame.to_ndarray(format="rgb24"), matrix)
            if self.size is None:
                self.pixel_shape = _pixel_shape(stream, matrix)
            if self.size not in (None, image.shape[:2]):
                self.damage = "frames of another size: {} x {}".format(
                    *image.shape[:2]
                )
                return
            known = frame.time is not None
            yield image, max(0.0, frame.time - float(origin)) if known else None


def require_av() -> Any:
    """Returns the library; UserError where it is not installed."""
    try:
        import av
    except ImportError:
        raise UserError(
            "PyAV is not installed",
            expected="pip install 'nppnet_tf[video]'",
            found="no module av",
        ) from None
    av.logging.set_level(av.logging.PANIC)
    return av


@contextlib.contextmanager
def opened(
    path: str | os.PathLike[str],
) -> "Iterator[av.container.InputContainer]":
    """Opens a video for reading.

    By a stream: the library would take some names for addresses. A file that
    names others, a playlist, leads nowhere.

    Args:
        path: The file.

    Raises:
        UserError: If it is missing or no video.
    """
    library = require_av()
    path = pathlib.Path(path)
    if not path.is_file():
        raise UserError("not a file", path, "a video", "none")
    with open(path, "rb") as stream:
        try:
            container = library.open(
                stream, options={"protocol_whitelist": "pipe"}
            )
        except (library.error.FFmpegError, OSError, ValueError) as error:
            raise UserError(
                "video cannot be read", path, "a video", _what(error)
            ) from error
        with container:
            yield container


def origin_of(container: Any) -> fractions.Fraction:
    """Returns when a video begins, in seconds of its own clock."""
    return fractions.Fraction(container.start_time or 0, 1_000_000)


def _own_length(stream: Any) -> float | None:
    """Returns how many seconds a file says that one of its streams takes."""
    if stream.duration is None or stream.time_base is None:
        return None
    return float(stream.duration * stream.time_base)


def _length(stream: Any, container: Any) -> float | None:
    """Returns how many seconds a file says that its pictures take."""
    seconds = _own_length(stream)
    if seconds is not None:
        return seconds
    if container.duration is None or container.streams.audio:
        # Sound may go on for longer.
        return None
    return container.duration / 1e6 - float(origin_of(container))


def _count(stream: Any, container: Any) -> int | None:
    """About how many frames there are, of the length of the video."""
    seconds = _own_length(stream)
    if seconds is None:
        if container.duration is None:
            return None
        seconds = container.duration / 1e6
    return max(1, round(seconds * float(stream.average_rate or _USUAL_RATE)))


def upright(image: np.ndarray, matrix: Sequence[int]) -> np.ndarray:
    """Returns a frame as players show it.

    Args:
        image: Uint8 [H, W, 3], as it is stored.
        matrix: a, b, c, d of the display matrix: a pixel at (x, y) is shown at
            (a x + c y, b x + d y), with y downwards. The nearest quarter turn
            is taken, and where it mirrors, so is the frame.
    """
    a, b, c, d = matrix
    if _is_turned(matrix):
        image, a, d = image.transpose(1, 0, 2), c, b
    image = image[:: -1 if d < 0 else 1, :: -1 if a < 0 else 1]
    return np.ascontiguousarray(image)


def _is_turned(matrix: Sequence[int]) -> bool:
    a, b, c, d = map(abs, matrix)
    return b + c > a + d


def _matrix(frame: Any) -> tuple[int, ...]:
    """Returns the part of a frame's display matrix that turns."""
    for entry in frame.side_data:
        if entry.type.name == _MATRIX:
            whole = np.frombuffer(bytes(entry)[:36], np.int32)
            return tuple(int(whole[place]) for place in (0, 1, 3, 4))
    return (1, 0, 0, 1)


def _pixel_shape(stream: Any, matrix: Sequence[int]) -> fractions.Fraction:
    shape = fractions.Fraction(stream.sample_aspect_ratio or 1)
    return 1 / shape if _is_turned(matrix) else shape


def _what(error: Exception) -> object:
    """What is wrong: the library adds a number, and a name of its own."""
    return getattr(error, "strerror", None) or error
