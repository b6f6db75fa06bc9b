"""Numbers people through the frames of a video, by the overlap of boxes."""

import dataclasses
from collections.abc import Sequence

import numpy as np

from nppnet_tf.data.people import boxes as box_geometry

# Pairs of boxes of a smaller overlap are different people.
_LEAST_OVERLAP = 0.2

# Somebody who was not seen for longer is a new person.
_PATIENCE_SECONDS = 1.0


@dataclasses.dataclass
class _Track:
    """Somebody who was seen."""

    number: int
    box: np.ndarray
    seconds: float


class Tracker:
    """Gives the people of every frame their numbers, counted from 1."""

    def __init__(self) -> None:
        self._tracks: list[_Track] = []
        self._count = 0

    def number(
        self, boxes: Sequence[Sequence[float]], seconds: float
    ) -> list[int]:
        """Returns the number of each person of the next frame.

        Args:
            boxes: Left, top, right, bottom of each.
            seconds: Time of the frame.
        """
        self._tracks = [
            track
            for track in self._tracks
            if seconds - track.seconds <= _PATIENCE_SECONDS
        ]
        found = np.array(boxes, np.float64).reshape(-1, 4)
        known = np.array([t.box for t in self._tracks]).reshape(-1, 4)
        pairs = dict(box_geometry.assign(found, known, 1 - _LEAST_OVERLAP))
        numbers = []
        for index, box in enumerate(found):
            if index in pairs:
                track = self._tracks[pairs[index]]
                track.box, track.seconds = box, seconds
            else:
                self._count += 1
                track = _Track(self._count, box, seconds)
                self._tracks.append(track)
            numbers.append(track.number)
        return numbers
