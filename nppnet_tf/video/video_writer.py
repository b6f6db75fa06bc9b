"""Frames out: a video with the times of another, and the sound of it."""

import contextlib
import fractions
import os
import pathlib
from typing import Any

import numpy as np

from nppnet_tf.errors import UserError
from nppnet_tf.video import video_file

# Sound that MP4 holds; of any other the video becomes one of Matroska.
_SOUND_OF_MP4 = frozenset(("aac", "mp3", "ac3", "eac3", "alac", "opus"))
MP4 = ".mp4"
MATROSKA = ".mkv"

_CODEC = "libx264"
# Good to look at; a step of 6 in crf is twice the size. Without looking ahead,
# and in one thread: of small frames x264 reads there what lies behind them, and
# the same frames would not be the same bytes.
_OPTIONS = {
    "crf": "20",
    "preset": "veryfast",
    "threads": "1",
    "x264-params": "rc-lookahead=0:mbtree=0:scenecut=0:b-adapt=0:weightp=0",
}
# The longest side that the codec has.
_MOST_SIDE = 16384
# Of a second: fine enough for the times of any video.
_CLOCK = fractions.Fraction(1, 90_000)


def ending_for(path: str | os.PathLike[str]) -> str:
    """Returns the ending of a video that can hold the sound of another."""
    with video_file.opened(path) as container:
        names = {s.codec_context.name for s in container.streams.audio}
    return MP4 if names <= _SOUND_OF_MP4 else MATROSKA


def require_size(size: tuple[int, int], where: object) -> None:
    """Refuses frames that cannot be written.

    Args:
        size: (height, width) of the frames.
        where: The video that they come from.

    Raises:
        UserError: The frames are too large.
    """
    if max(size) > _MOST_SIDE:
        raise UserError(
            "frames are too large to be written",
            where,
            f"sides of at most {_MOST_SIDE} pixels",
            "{} x {}".format(*size),
        )


class VideoWriter:
    """Encodes frames; a context, at whose end the sound is copied.

    Args:
        path: File to make; its kind is told by `ending`.
        ending: `MP4` or `MATROSKA`.
        size: (height, width) of the frames.
        rate: Frames of a second, about.
        source: Video whose sound is copied, as it is encoded there.
        pixel_shape: Width of a pixel by its height.
    """

    def __init__(
        self,
        path: pathlib.Path,
        ending: str,
        size: tuple[int, int],
        rate: Any,
        source: pathlib.Path,
        pixel_shape: fractions.Fraction = fractions.Fraction(1),
    ) -> None:
        self._library = video_file.require_av()
        self._source = source
        kind = "mp4" if ending == MP4 else "matroska"
        # By a stream: a name may hold what the library counts frames by.
        self._file = open(path, "w+b")  # noqa: SIM115
        self._container = self._library.open(self._file, "w", format=kind)
        self._stream = self._container.add_stream(
            _CODEC, rate=fractions.Fraction(rate).limit_denominator(1 << 16)
        )
        # The codec halves the colors' size: sides are even.
        self._size = tuple(side + side % 2 for side in size)
        self._stream.height, self._stream.width = self._size
        self._stream.pix_fmt = "yuv420p"
        self._stream.codec_context.time_base = _CLOCK
        self._stream.codec_context.sample_aspect_ratio = (
            pixel_shape.limit_denominator(1 << 12)
        )
        self._stream.options = _OPTIONS
        self._sound = []

    def __enter__(self) -> "VideoWriter":
        self._stack = contextlib.ExitStack()
        self._stack.enter_context(self._file)
        self._stack.enter_context(self._container)
        self._input = self._stack.enter_context(video_file.opened(self._source))
        for stream in self._input.streams.audio:
            copy = self._container.add_stream_from_template(stream)
            self._sound.append((stream, copy))
        return self

    def __exit__(self, kind: Any, error: Any, trace: Any) -> None:
        with self._stack:
            if kind is None:
                self._mux(self._stream.encode(None))
                self._copy_sound()

    def write(self, image: np.ndarray, seconds: float) -> None:
        """Takes the next frame.

        Args:
            image: Uint8 [H, W, 3], RGB.
            seconds: When it is shown, later than the one before.
        """
        height, width = image.shape[:2]
        edges = ((0, self._size[0] - height), (0, self._size[1] - width))
        if any(sum(edge) for edge in edges):
            image = np.pad(image, (*edges, (0, 0)), mode="edge")
        frame = self._library.VideoFrame.from_ndarray(image, format="rgb24")
        frame.pts = round(seconds / _CLOCK)
        frame.time_base = _CLOCK
        self._mux(self._stream.encode(frame))

    def _mux(self, packets: Any) -> None:
        for packet in packets:
            self._container.mux(packet)

    def _copy_sound(self) -> None:
        copies = dict(self._sound)
        if not copies:
            return
        origin = video_file.origin_of(self._input)
        try:
            for packet in self._input.demux(list(copies)):
                if packet.dts is not None:
                    # Frames begin at 0, so does their sound.
                    shift = round(origin / packet.time_base)
                    packet.pts, packet.dts = (
                        packet.pts - shift,
                        packet.dts - shift,
                    )
                    packet.stream = copies[packet.stream]
                    self._container.mux(packet)
        except self._library.error.InvalidDataError:
            # Of a damaged video the sound ends where it is damaged.
            return
