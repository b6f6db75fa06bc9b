"""What a model says of one picture, of one person or of several."""

import dataclasses
from collections.abc import Mapping
from typing import Any

import numpy as np

# A picture of more has them for a crowd; 255 is the ignore label of a map.
MOST_PEOPLE = 254


@dataclasses.dataclass(frozen=True)
class PersonAnswer:
    """The pose of one person. K keypoints.

    Attributes:
        keypoints_xy: Float [K, 2], pixels of the picture.
        scores: Float [K], height of the heatmap's peak.
        box: Left, top, right, bottom in pixels: where a detector saw the
            person. None of a picture of one, whom nobody cut out.
        score: Score of the detection, 0..1.
        quality: What is known of the answer without truth, see `quality`;
            None where nobody asked.
    """

    keypoints_xy: np.ndarray
    scores: np.ndarray
    box: tuple[float, float, float, float] | None = None
    score: float = 1.0
    quality: Mapping[str, Any] | None = None


@dataclasses.dataclass(frozen=True)
class PictureAnswer:
    """Parts and people of one picture of H x W pixels.

    Attributes:
        label_map: Uint8 [H, W], a class for every pixel.
        people: Those of the picture.
        instance_map: Uint8 [H, W], 0 where nobody is and i where the i-th of
            `people` is, counted from 1. None of a picture of one, whom nobody
            cut out.
    """

    label_map: np.ndarray
    people: tuple[PersonAnswer, ...]
    instance_map: np.ndarray | None = None

    @property
    def size(self) -> tuple[int, int]:
        """(height, width) of the picture."""
        return self.label_map.shape

    def pixels_of(self, number: int) -> np.ndarray:
        """Returns bool [H, W]: where the person of an index in `people` is."""
        if self.instance_map is None:
            return np.ones(self.size, bool)
        return self.instance_map == number + 1

    def parts_of(self, number: int) -> np.ndarray:
        """Returns the label map of one person, background elsewhere."""
        return np.where(self.pixels_of(number), self.label_map, np.uint8(0))
