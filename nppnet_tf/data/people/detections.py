"""What a detector found in a picture: boxes, classes, scores, masks.

Two forms of one file for every picture, `<picture id>.npz` or `.npy`. Both
hold, for N detections in a picture of H x W,

    boxes          [N, 4]     left, top, right, bottom in pixels
    pred_classes   [N]        whole numbers; 0 is a person
    scores         [N]        0..1; ones if absent
    pred_masks     [N, H, W]  boolean, or numbers that are above 0.5 inside

The `.npz` is plain and is what `tools/detect_people.py` writes; the `.npy` is
a pickled dictionary, as the authors' release reads it, which `object_arrays`
reads without running it. A file without masks is one of boxes alone.
"""

import dataclasses
import os
import pathlib
from collections.abc import Mapping

import numpy as np

from nppnet_tf.errors import UserError
from nppnet_tf.files import array_archives
from nppnet_tf.files import atomic
from nppnet_tf.files import object_arrays

PERSON = 0

BOXES = "boxes"
CLASSES = "pred_classes"
SCORES = "scores"
MASKS = "pred_masks"
NAMES = (BOXES, CLASSES, SCORES, MASKS)

SUFFIXES = (".npz", ".npy")


@dataclasses.dataclass(frozen=True)
class Detections:
    """The people that a detector found in one picture. N people.

    Attributes:
        boxes: Float64 [N, 4], left, top, right, bottom in pixels.
        scores: Float64 [N], 0..1.
        masks: Bool [N, H, W], or None where there are none.
    """

    boxes: np.ndarray
    scores: np.ndarray
    masks: np.ndarray | None

    @property
    def has_masks(self) -> bool:
        """Whether the detector makes masks."""
        return self.masks is not None


def find(
    folder: str | os.PathLike[str], picture_id: str
) -> pathlib.Path | None:
    """Returns the file of a picture's detections, None where there is none."""
    for suffix in SUFFIXES:
        path = pathlib.Path(folder) / f"{picture_id}{suffix}"
        if path.is_file():
            return path
    return None


def read(path: str | os.PathLike[str]) -> Detections:
    """Reads the people of a file of detections; other classes are left out.

    Raises:
        UserError: The file cannot be read, or its arrays do not fit together.
    """
    path = pathlib.Path(path)
    is_pickled = path.suffix == ".npy"
    arrays = (
        object_arrays.read(path)
        if is_pickled
        else array_archives.read(path, NAMES)
    )
    if missing := {BOXES, CLASSES} - set(arrays):
        raise UserError(
            "detections lack arrays",
            path,
            f"{BOXES} and {CLASSES}",
            f"no {' and no '.join(sorted(missing))}",
        )
    count = arrays[CLASSES].size
    arrays.setdefault(SCORES, np.ones(count))
    _check(arrays, count, path)
    is_person = arrays[CLASSES].reshape(count) == PERSON
    masks = arrays.get(MASKS)
    if masks is not None:
        masks = masks[is_person]
        masks = masks if masks.dtype == np.bool_ else masks > 0.5
    return Detections(
        arrays[BOXES].astype(np.float64)[is_person],
        arrays[SCORES].astype(np.float64)[is_person],
        masks,
    )


def refuse_shares(boxes: np.ndarray, where: object) -> None:
    """Refuses boxes that are shares of their pictures, and no pixels.

    Args:
        boxes: Float [N, 4], of one picture or of many.
        where: File, for the message.

    Raises:
        UserError: All sides of all boxes lie between 0 and 1, and not all of
            them are whole.
    """
    is_small = ((boxes >= 0) & (boxes <= 1)).all()
    if is_small and (boxes % 1).any():
        raise UserError(
            "boxes are shares of the picture",
            where,
            "pixels",
            ", ".join(f"{side:g}" for side in boxes[0]),
        )


def write(path: str | os.PathLike[str], found: Detections) -> None:
    """Writes the people of a picture, whole or not at all.

    Args:
        path: File to make, `<picture id>.npz`; the same people make the same
            bytes.
        found: The people; none is a file too, and says that somebody looked.
    """
    arrays = {
        BOXES: found.boxes,
        CLASSES: np.full(len(found.boxes), PERSON),
        SCORES: found.scores,
    }
    if found.masks is not None:
        arrays[MASKS] = found.masks
    # By a stream: NumPy would put another suffix behind the temporary's name.
    with atomic.atomic_path(path) as temporary, open(temporary, "wb") as stream:
        np.savez_compressed(stream, **arrays)


def _check(
    arrays: Mapping[str, np.ndarray], count: int, path: pathlib.Path
) -> None:
    shapes = {BOXES: (count, 4), CLASSES: (count,), SCORES: (count,)}
    for name, shape in shapes.items():
        array = arrays[name]
        if array.shape != shape or array.dtype.kind not in "biuf":
            raise UserError(
                "detections do not fit together",
                path,
                f"{name} of shape {shape}",
                f"shape {array.shape} of {array.dtype}",
            )
        if not np.isfinite(array).all():
            raise UserError(
                "detections that are no numbers",
                path,
                f"finite {name}",
                "nan or inf",
            )
    refuse_shares(arrays[BOXES], path)
    masks = arrays.get(MASKS)
    if masks is None:
        return
    if masks.ndim != 3 or len(masks) != count or masks.dtype.kind not in "biuf":
        raise UserError(
            "detections do not fit together",
            path,
            f"{MASKS} of shape ({count}, height, width)",
            f"shape {masks.shape} of {masks.dtype}",
        )
