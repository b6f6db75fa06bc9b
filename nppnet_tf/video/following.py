"""Answers about frames, made one story: numbers, smooth joints, voted labels.

Only the frames within the reach of the vote are held.
"""

import collections
import dataclasses
from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from nppnet_tf.inference.picture_answer import PersonAnswer
from nppnet_tf.inference.picture_answer import PictureAnswer
from nppnet_tf.video import label_vote
from nppnet_tf.video import one_euro
from nppnet_tf.video.one_euro import OneEuroFilter
from nppnet_tf.video.tracking import Tracker
from nppnet_tf.video.video_file import Frame

# Filters of people who were not seen lately are forgotten.
_MOST_FILTERS = 1024
_CLASSES = 256

AreFound = Callable[[PersonAnswer], np.ndarray]


@dataclasses.dataclass(frozen=True)
class Smoothing:
    """What is smoothed over time.

    Attributes:
        joints: Whether joints are.
        vote: Frames on either side that vote on a frame's labels; 0 leaves
            them as they are.
    """

    joints: bool = True
    vote: int = 0

    @property
    def reach(self) -> int:
        """Frames on either side that are looked at."""
        return max(self.vote, int(self.joints))


class Followed(NamedTuple):
    """A frame's answer as part of the video.

    Attributes:
        answer: Smoothed.
        numbers: The number of each person, the same in all frames.
    """

    answer: PictureAnswer
    numbers: list[int]


def follow(
    frames: Iterable[tuple[Frame, PictureAnswer]],
    smoothing: Smoothing,
    are_found: AreFound,
) -> Iterator[tuple[Frame, Followed]]:
    """Yields every frame with its answer, smoothed.

    Args:
        frames: Frames and answers in the order of time.
        smoothing: What is smoothed.
        are_found: Returns bool [K], which joints of a person were found.
    """
    tracker = Tracker()
    smoother = _Smoother(smoothing, are_found)
    window: collections.deque[_Seen] = collections.deque(
        maxlen=2 * smoothing.reach + 1
    )
    waiting = 0
    for frame, answer in frames:
        boxes = [_box_of(person, answer) for person in answer.people]
        numbers = tracker.number(boxes, frame.seconds)
        window.append(_Seen(frame, answer, numbers))
        waiting += 1
        if waiting > smoothing.reach:
            yield smoother.smooth(list(window), len(window) - waiting)
            waiting -= 1
    while waiting:
        yield smoother.smooth(list(window), len(window) - waiting)
        waiting -= 1


class _Seen(NamedTuple):
    """A frame, and the numbers of its people."""

    frame: Frame
    answer: PictureAnswer
    numbers: list[int]

    def person(self, number: int) -> PersonAnswer | None:
        """Somebody by the number, if they are in the frame."""
        if number not in self.numbers:
            return None
        return self.answer.people[self.numbers.index(number)]


class _Smoother:
    """Smooths one frame after the other; see `follow`."""

    def __init__(self, smoothing: Smoothing, are_found: AreFound) -> None:
        self._smoothing = smoothing
        self._are_found = are_found
        self._filters: collections.OrderedDict[int, OneEuroFilter] = (
            collections.OrderedDict()
        )

    def smooth(
        self, window: list[_Seen], center: int
    ) -> tuple[Frame, Followed]:
        seen = window[center]
        answer = seen.answer
        if self._smoothing.joints:
            people = tuple(
                self._smooth_joints(window, center, number)
                for number in seen.numbers
            )
            answer = dataclasses.replace(answer, people=people)
        if self._smoothing.vote:
            answer = self._vote(window, center, answer)
        return seen.frame, Followed(answer, seen.numbers)

    def _smooth_joints(
        self, window: list[_Seen], center: int, number: int
    ) -> PersonAnswer:
        person = window[center].person(number)
        found = self._are_found(person)
        around = [
            other.person(number)
            for other in window[max(0, center - 1) : center + 2]
        ]
        points = person.keypoints_xy
        if len(around) == 3 and None not in around:
            calm = one_euro.without_spikes([p.keypoints_xy for p in around])
            known = np.all([self._are_found(p) for p in around], axis=0)
            points = np.where(known[:, np.newaxis], calm, points)
        smoothed = self._filter(number, len(found)).smooth(
            points,
            found,
            window[center].frame.seconds,
            _height(person, found),
        )
        return dataclasses.replace(person, keypoints_xy=smoothed)

    def _filter(self, number: int, num_keypoints: int) -> OneEuroFilter:
        if number not in self._filters:
            self._filters[number] = OneEuroFilter(num_keypoints)
        self._filters.move_to_end(number)
        if len(self._filters) > _MOST_FILTERS:
            self._filters.popitem(last=False)
        return self._filters[number]

    def _vote(
        self, window: list[_Seen], center: int, answer: PictureAnswer
    ) -> PictureAnswer:
        reach = self._smoothing.vote
        first = max(0, center - reach)
        voters = window[first : center + reach + 1]
        place = {
            number: index + 1
            for index, number in enumerate(window[center].numbers)
        }
        codes = [_codes(voter, place) for voter in voters]
        chosen = label_vote.vote(codes, center - first)
        instances = answer.instance_map
        if instances is not None:
            instances = (chosen // _CLASSES).astype(np.uint8)
        return dataclasses.replace(
            answer,
            label_map=(chosen % _CLASSES).astype(np.uint8),
            instance_map=instances,
        )


def _codes(seen: _Seen, place: dict[int, int]) -> np.ndarray:
    """Class and person of every pixel; background where others are."""
    labels = seen.answer.label_map.astype(np.uint16)
    if seen.answer.instance_map is None:
        return labels
    table = np.zeros(_CLASSES, np.uint16)
    for index, number in enumerate(seen.numbers):
        table[index + 1] = place.get(number, 0)
    people = table[seen.answer.instance_map]
    return np.where(people > 0, labels + people * np.uint16(_CLASSES), 0)


def _box_of(
    person: PersonAnswer, answer: PictureAnswer
) -> tuple[float, float, float, float]:
    """Where a person is; the whole frame where nobody cut anybody out."""
    height, width = answer.size
    return person.box or (0.0, 0.0, float(width), float(height))


def _height(person: PersonAnswer, found: np.ndarray) -> float:
    if person.box is not None:
        return person.box[3] - person.box[1]
    if not found.any():
        return 1.0
    return float(np.ptp(person.keypoints_xy[found][:, 1]))
