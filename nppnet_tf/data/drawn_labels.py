"""Label maps that are no files of their own: regions that are to be drawn."""

import contextlib
import dataclasses
import pathlib
import reprlib
from collections.abc import Iterator
from collections.abc import Sequence
from typing import Any

import numpy as np

from nppnet_tf.data import regions
from nppnet_tf.errors import UserError
from nppnet_tf.pictures import picture_structure


@dataclasses.dataclass(frozen=True)
class DrawnLabels:
    """The parts of one picture as a document tells them.

    Attributes:
        path: The document.
        size: (height, width).
        shapes: Class and region, in the order of drawing. A region is COCO's:
            a list of polygons, each x and y in turn, or the runs of columns
            with their size.
        fault: What is wrong with them already, or None.
    """

    path: pathlib.Path
    size: tuple[int, int]
    shapes: tuple[tuple[int, Any], ...] = ()
    fault: str | None = None

    def read(self) -> np.ndarray:
        """Draws the label map, uint8 [height, width].

        Raises:
            UserError: A region is malformed, or of another size.
        """
        if self.fault is not None:
            raise UserError(self.fault)
        label_map = np.zeros(self.size, np.uint8)
        for class_id, region in self.shapes:
            label_map[pixels(region, self.size)] = class_id
        return label_map


def pixels(region: Any, size: tuple[int, int]) -> np.ndarray:
    """Returns which pixels of a picture a region of COCO covers.

    Args:
        region: "segmentation" of an annotation.
        size: (height, width) of the picture.

    Returns:
        Bool [height, width].

    Raises:
        UserError: It is malformed, or of another size.
    """
    with _as_user_errors(region):
        if isinstance(region, dict):
            return _of_runs(region, size)
        mask = np.zeros(size, np.bool_)
        for polygon in region:
            mask |= regions.filled(_corners(polygon), size)
        return mask


def ends(region: Any) -> tuple[list[float], list[float]]:
    """Returns the corners of the box around a region of COCO.

    Args:
        region: "segmentation" of an annotation.

    Returns:
        (left, top) and (right, bottom), all 0 of a region without pixels.

    Raises:
        UserError: It is malformed.
    """
    with _as_user_errors(region):
        if not isinstance(region, dict):
            corners = np.concatenate([_corners(part) for part in region])
            return corners.min(0).tolist(), corners.max(0).tolist()
        height, width = region["size"]
        if not 0 < height * width <= picture_structure.MAX_PIXELS:
            raise ValueError(f"a picture of {height} x {width}")
        places = np.argwhere(_of_runs(region, (height, width)).T)
        if not len(places):
            return [0, 0], [0, 0]
        return places.min(0).tolist(), (places.max(0) + 1).tolist()


@contextlib.contextmanager
def _as_user_errors(region: Any) -> Iterator[None]:
    try:
        yield
    except (TypeError, ValueError, KeyError, OverflowError) as error:
        # What is wrong with numbers has words of its own.
        is_told = isinstance(error, ValueError)
        found = error if is_told else reprlib.repr(region)
        raise UserError(
            "segmentation is malformed",
            None,
            "polygons of x, y in turn, or runs of COCO",
            "nothing" if region is None else found,
        ) from error


def _of_runs(region: dict[str, Any], size: tuple[int, int]) -> np.ndarray:
    if list(size) != region["size"]:
        raise UserError(
            "segmentation of a picture of another size",
            None,
            "{} x {}".format(*size),
            region["size"],
        )
    runs = region["counts"]
    if isinstance(runs, str):
        runs = regions.runs_of_text(runs)
    elif not all(type(run) is int for run in runs):
        raise ValueError("counts that are no whole numbers")
    return regions.mask_of(runs, size)


def _corners(polygon: Sequence[float]) -> np.ndarray:
    is_right = all(type(side) in (int, float) for side in polygon)
    if not is_right or len(polygon) < 6 or len(polygon) % 2:
        raise ValueError(f"a polygon of {len(polygon)} numbers")
    corners = np.array(polygon, np.float64).reshape(-1, 2)
    if not np.isfinite(corners).all():
        raise ValueError("corners that are no numbers")
    return corners
