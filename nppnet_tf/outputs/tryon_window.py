"""A person fitted into the size that a format asks for."""

import numpy as np
from PIL import Image

# Around a picture of other proportions, as behind the people of shops.
_WHITE = 255


class Window:
    """Lays pictures of one size into the middle of another.

    Args:
        size: (height, width) of what is laid.
        target: (height, width) of the result.
    """

    def __init__(self, size: tuple[int, int], target: tuple[int, int]) -> None:
        self._target = target
        self._scale = min(target[0] / size[0], target[1] / size[1])
        self._size = tuple(
            min(limit, max(1, round(side * self._scale)))
            for side, limit in zip(size, target, strict=True)
        )
        self._factors = np.array(
            [self._size[1] / size[1], self._size[0] / size[0]]
        )
        self._corner = tuple(
            (limit - side) // 2
            for side, limit in zip(self._size, target, strict=True)
        )

    def picture(self, image: np.ndarray) -> np.ndarray:
        """Returns uint8 [height, width, 3], white around the picture."""
        result = np.full((*self._target, 3), _WHITE, np.uint8)
        result[self._place] = self._resized(image, Image.Resampling.LANCZOS)
        return result

    def label_map(self, label_map: np.ndarray) -> np.ndarray:
        """Returns uint8 [height, width], background around the labels."""
        result = np.zeros(self._target, np.uint8)
        result[self._place] = self._resized(label_map, Image.Resampling.NEAREST)
        return result

    def points(self, points_xy: np.ndarray) -> np.ndarray:
        """Returns points [K, 2]; (0, 0) is a center of a pixel in both."""
        top, left = self._corner
        return (np.asarray(points_xy) + 0.5) * self._factors - 0.5 + (left, top)

    @property
    def _place(self) -> tuple[slice, slice]:
        (top, left), (height, width) = self._corner, self._size
        return np.s_[top : top + height, left : left + width]

    def _resized(
        self, array: np.ndarray, method: Image.Resampling
    ) -> np.ndarray:
        image = Image.fromarray(np.ascontiguousarray(array))
        return np.asarray(image.resize(self._size[::-1], method))
