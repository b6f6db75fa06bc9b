"""Videos of a drawn person who walks, with a tone, for tests."""

import fractions
import functools
import pathlib

import av
import numpy as np

from nppnet_tf.drawn_people.person import DrawnPerson
from tests.video.walking import Walk

RATE = 25
_SOUND_RATE = 8000

# Of a track of MP4: no turn, and a quarter clockwise.
_PLAIN = bytes.fromhex("00010000" + "0" * 24 + "00010000" + "0" * 24)
_TURNED = bytes.fromhex(
    "00000000" + "00010000" + "00000000" + "ffff0000" + "0" * 32
)


@functools.cache
def walk(count: int, size: tuple[int, int]) -> list[DrawnPerson]:
    """Returns the frames of a walk.

    Args:
        count: Number of frames.
        size: (height, width) of them.
    """
    person = Walk(5, 2, size)
    return [person.at(number / RATE) for number in range(count)]


def write(
    path: pathlib.Path,
    count: int,
    size: tuple[int, int] = (64, 48),
    sound: bool = False,
) -> pathlib.Path:
    """Writes a video of a walk and returns its path.

    Args:
        path: File to make; its ending says what kind.
        count: Number of frames.
        size: (height, width) of them.
        sound: Whether there is a tone, too.
    """
    with av.open(str(path), "w") as container:
        video = container.add_stream("libx264", rate=RATE)
        video.height, video.width = size
        video.pix_fmt = "yuv420p"
        video.options = {"crf": "18"}
        audio = container.add_stream("aac", rate=_SOUND_RATE) if sound else None
        for drawn in walk(count, size):
            frame = av.VideoFrame.from_ndarray(drawn.image, format="rgb24")
            container.mux(video.encode(frame))
        container.mux(video.encode(None))
        if audio is not None:
            _write_tone(container, audio, count / RATE)
    return path


def turn(path: pathlib.Path) -> None:
    """Has an MP4 say that it is shown a quarter clockwise."""
    data = path.read_bytes()
    # The matrix of the movie comes first, that of the track second.
    place = data.index(_PLAIN, data.index(b"tkhd"))
    path.write_bytes(data[:place] + _TURNED + data[place + len(_TURNED) :])


def write_images(path: pathlib.Path, images: list[np.ndarray]) -> pathlib.Path:
    """Writes a video that loses nothing of the images; returns its path."""
    with av.open(str(path), "w") as container:
        video = container.add_stream("ffv1", rate=RATE)
        video.height, video.width = images[0].shape[:2]
        video.pix_fmt = "bgr0"
        for image in images:
            frame = av.VideoFrame.from_ndarray(image, format="rgb24")
            container.mux(video.encode(frame))
        container.mux(video.encode(None))
    return path


def _write_tone(container, audio, seconds):
    times = np.arange(round(seconds * _SOUND_RATE)) / _SOUND_RATE
    samples = np.sin(2 * np.pi * 440 * times).astype(np.float32)
    frame = av.AudioFrame.from_ndarray(
        samples[np.newaxis], format="fltp", layout="mono"
    )
    frame.sample_rate = _SOUND_RATE
    frame.pts = 0
    frame.time_base = fractions.Fraction(1, _SOUND_RATE)
    container.mux(audio.encode(frame))
    container.mux(audio.encode(None))
