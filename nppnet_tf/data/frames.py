"""Joints, boxes and label maps of pictures that EXIF turns.

Pictures are read upright, as they are shown. Some programs ignore EXIF and
show the pixels as they are stored: what people click there belongs to the
stored picture. The size that an annotation states, or that a label map has,
tells which of the two it is of, where the orientation turns by a right angle;
a turn by 180 degrees, a square and a mirrored picture cannot be told from
sizes, and neither can joints without one: these count as upright, and are
noted. A size that is neither is noted where it cannot matter, and
otherwise damage.
"""

import dataclasses

import numpy as np

from nppnet_tf.data import inspection
from nppnet_tf.data.record import ABSENT
from nppnet_tf.errors import UserError
from nppnet_tf.pictures import picture_structure

_UPRIGHT = 1
_TRANSPOSED = (5, 6, 7, 8)
_MIRRORED = (2, 3, 6, 7)
_UPSIDE_DOWN = (3, 4, 7, 8)


@dataclasses.dataclass(frozen=True)
class Frame:
    """How a picture is stored and shown.

    Attributes:
        stored_size: (height, width) of the pixels in the file.
        orientation: Orientation by EXIF, 1 to 8.
    """

    stored_size: tuple[int, int]
    orientation: int

    @property
    def upright_size(self) -> tuple[int, int]:
        """(height, width) as the picture is shown."""
        is_turned = self.orientation in _TRANSPOSED
        return self.stored_size[::-1] if is_turned else self.stored_size

    def is_stored(self, stated_size: tuple[int, int] | None) -> bool:
        """Whether an annotation of a size is of the stored picture.

        Args:
            stated_size: (height, width), None where nobody states it.

        Raises:
            UserError: It is the size of neither picture, and they differ.
        """
        if stated_size in (None, self.upright_size):
            return False
        if stated_size == self.stored_size:
            return True
        if self.upright_size == self.stored_size:
            return False
        raise self._other_size(stated_size)

    def note(
        self,
        stated_size: tuple[int, int] | None,
        keypoints_xy: np.ndarray | None,
        visibility: np.ndarray | None,
    ) -> str | None:
        """Returns a line where an annotation states a size of its own.

        Args:
            stated_size: (height, width) as the annotation states it.
            keypoints_xy: Float [K, 2] in the upright picture, or None.
            visibility: Int [K], or None.

        Raises:
            UserError: A joint lies outside of the picture: the annotation is
                of another one.
        """
        if stated_size in (None, self.upright_size, self.stored_size):
            return None
        error = self._other_size(stated_size)
        if keypoints_xy is not None and visibility is not None:
            is_outside = inspection.is_outside(keypoints_xy, self.upright_size)
            if (is_outside & (visibility != ABSENT)).any():
                raise error
        return f"{error}: joints are taken as they are"

    def doubt(
        self,
        stated_size: tuple[int, int] | None,
        has_joints: bool,
        label_map: np.ndarray | None,
    ) -> str | None:
        """Returns a line where nothing tells which picture is annotated.

        Args:
            stated_size: (height, width) as the annotation of joints states it.
            has_joints: Whether there are joints.
            label_map: Label map as it is stored, [H, W], or None.
        """
        if self.orientation == _UPRIGHT:
            return None
        is_open = self.upright_size == self.stored_size
        found = []
        if label_map is not None and is_open:
            found.append("label map")
        is_told = stated_size is not None or (
            label_map is not None and label_map.shape == self.upright_size
        )
        if has_joints and (is_open or not is_told):
            found.append("joints")
        if not found:
            return None
        return (
            f"picture turned by EXIF, orientation {self.orientation}, and no "
            f"size tells whether before or after: {' and '.join(found)} taken "
            "as of the picture as it is shown"
        )

    def _other_size(self, stated_size: tuple[int, int]) -> UserError:
        expected = "{} x {}".format(*self.upright_size)
        if self.upright_size != self.stored_size:
            expected += ", as stored {} x {}".format(*self.stored_size)
        return UserError(
            "annotation of a picture of another size",
            None,
            expected,
            "{} x {}".format(*stated_size),
        )

    def points(self, points_xy: np.ndarray) -> np.ndarray:
        """Turns points [..., 2] of the stored picture, in pixels, upright."""
        return self._turned(points_xy, 1)

    def boxes(self, boxes: np.ndarray) -> np.ndarray:
        """Turns boxes [..., 4] of the stored picture upright.

        Left, top, right, bottom, of which the last two are exclusive.
        """
        corners = np.asarray(boxes, np.float64)
        corners = corners.reshape(*corners.shape[:-1], 2, 2)
        corners = self._turned(corners, 0)
        sides = (corners.min(axis=-2), corners.max(axis=-2))
        return np.concatenate(sides, axis=-1)

    def label_map(self, label_map: np.ndarray) -> np.ndarray:
        """Turns a label map [H, W] upright where it is of the stored size."""
        if label_map.shape != self.stored_size or (
            label_map.shape == self.upright_size
        ):
            return label_map
        if self.orientation in _TRANSPOSED:
            label_map = label_map.T
        if self.orientation in _MIRRORED:
            label_map = label_map[:, ::-1]
        if self.orientation in _UPSIDE_DOWN:
            label_map = label_map[::-1]
        return np.ascontiguousarray(label_map)

    def _turned(self, xy: np.ndarray, last: int) -> np.ndarray:
        """Of a side of length n, 0 becomes n - `last`."""
        height, width = self.upright_size
        x, y = xy[..., 0], xy[..., 1]
        if self.orientation in _TRANSPOSED:
            x, y = y, x
        if self.orientation in _MIRRORED:
            x = width - last - x
        if self.orientation in _UPSIDE_DOWN:
            y = height - last - y
        return np.stack([x, y], axis=-1)


def of(data: bytes, where: object = None) -> Frame:
    """Returns the frame of the bytes of a picture.

    Raises:
        UserError: It is no whole picture.
    """
    structure = picture_structure.read(data, where)
    return Frame(structure.size, structure.orientation)
