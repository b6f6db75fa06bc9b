"""What a record must be like before it is kept."""

import dataclasses

import numpy as np

from nppnet_tf.data.descriptors import DatasetDescriptor
from nppnet_tf.data.record import ABSENT
from nppnet_tf.data.record import VISIBLE
from nppnet_tf.data.record import Record
from nppnet_tf.errors import UserError
from nppnet_tf.pictures import picture_files

# A joint may lie a little outside: annotators guess at truncated limbs. Much
# further out it is a slip of theirs. Share of the longer side, and pixels.
OUTSIDE_SHARE = 0.02
OUTSIDE_PIXELS = 2.0

# So many far outside, and more than half of all, are of another picture.
_LEAST_FAR = 4


@dataclasses.dataclass(frozen=True)
class Mended:
    """What was mended in a record.

    Attributes:
        record_id: Id of the record.
        found: What was wrong.
        done: What became of it.
    """

    record_id: str
    found: str
    done: str

    @property
    def line(self) -> str:
        """`<id><tab><found>: <done>`, as a list of notes has it."""
        return f"{self.record_id}\t{self.found}: {self.done}"


def inspect(
    record: Record, descriptor: DatasetDescriptor
) -> tuple[Record, list[Mended]]:
    """Checks a record, and mends what can be mended.

    Args:
        record: Record as a reader made it.
        descriptor: What its labels and keypoints must be.

    Returns:
        The record with bytes that every decoder reads alike
        (`picture_files.plain_bytes`), with keypoints far outside of the
        picture made absent, and without a label map of background and ignored
        pixels alone; and each of those that there was, or label maps of
        background alone.

    Raises:
        UserError: The picture cannot be decoded, the label map has another
            size or ids that are no class, or the keypoints have another form
            or lie far outside for the most part.
    """
    image_bytes = picture_files.plain_bytes(record.image_bytes)
    size = picture_files.picture_size(image_bytes)
    mended = []
    record = dataclasses.replace(record, image_bytes=image_bytes)
    if record.label_map is not None:
        picture_files.require_same_size(record.label_map, size)
        _check_labels(record.label_map, descriptor)
        if tells_nothing(record.label_map, descriptor):
            found = (
                "label map of nothing but background and "
                f"{descriptor.ignore_label}, which counts nowhere"
            )
            mended.append(Mended(record.record_id, found, "left out"))
            record = dataclasses.replace(record, label_map=None)
        elif not record.label_map.any():
            found = "label map of nothing but background"
            mended.append(Mended(record.record_id, found, "kept"))
    if record.keypoints_xy is None or record.visibility is None:
        return record, mended
    _check_keypoints(record, descriptor)
    record, far = _without_far_keypoints(record, size, descriptor)
    return record, mended + far


def tells_nothing(label_map: np.ndarray, descriptor: DatasetDescriptor) -> bool:
    """Whether people are ignored in a label map: 0 and 255 of a mask."""
    is_ignored = label_map == descriptor.ignore_label
    return bool(is_ignored.any() and (is_ignored | (label_map == 0)).all())


def is_outside(keypoints_xy: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Which keypoints lie far outside of a picture, bool [K].

    Args:
        keypoints_xy: Float [K, 2] in pixels.
        size: (height, width) of the picture.
    """
    height, width = size
    most = margin(size)
    far = np.array([width, height]) - 0.5 + most
    beyond = (keypoints_xy < -0.5 - most) | (keypoints_xy > far)
    return beyond.any(axis=1)


def margin(size: tuple[int, int]) -> float:
    """Returns how many pixels beyond a picture are a guess and no slip.

    Args:
        size: (height, width) of the picture.
    """
    return max(OUTSIDE_PIXELS, OUTSIDE_SHARE * max(size))


def _check_labels(label_map: np.ndarray, descriptor: DatasetDescriptor) -> None:
    if label_map.dtype != np.uint8:
        raise UserError(
            "label map has another type", None, "uint8", label_map.dtype
        )
    used = np.flatnonzero(picture_files.label_counts(label_map))
    known = (used < descriptor.num_classes) | (used == descriptor.ignore_label)
    if not known.all():
        raise UserError(
            "label ids that are no class",
            None,
            f"0..{descriptor.num_classes - 1} or {descriptor.ignore_label}",
            ", ".join(str(label) for label in used[~known]),
        )


def _check_keypoints(record: Record, descriptor: DatasetDescriptor) -> None:
    expected = (descriptor.num_keypoints, 2)
    if record.keypoints_xy.shape != expected:
        raise UserError(
            "another number of keypoints",
            None,
            f"shape {expected}",
            f"shape {record.keypoints_xy.shape}",
        )
    if record.visibility.shape != expected[:1]:
        raise UserError(
            "another number of visibilities",
            None,
            f"shape {expected[:1]}",
            f"shape {record.visibility.shape}",
        )
    if not np.isfinite(record.keypoints_xy).all():
        raise UserError(
            "keypoints that are no numbers", None, "finite", "nan or inf"
        )
    visibility = record.visibility
    if ((visibility < ABSENT) | (visibility > VISIBLE)).any():
        raise UserError(
            "unknown visibility", None, f"{ABSENT}..{VISIBLE}", visibility
        )


def _without_far_keypoints(
    record: Record, size: tuple[int, int], descriptor: DatasetDescriptor
) -> tuple[Record, list[Mended]]:
    height, width = size
    is_far = is_outside(record.keypoints_xy, size)
    is_far &= record.visibility != ABSENT
    places = [
        "{} at ({:g}, {:g})".format(
            descriptor.keypoints[k], *record.keypoints_xy[k]
        )
        for k in np.flatnonzero(is_far)
    ]
    num_present = int((record.visibility != ABSENT).sum())
    # A person who was cut out may have most joints beyond the box.
    is_whole = record.crop is None
    if is_whole and len(places) >= _LEAST_FAR and 2 * len(places) > num_present:
        raise UserError(
            "joints of another picture, or of another size of it",
            None,
            f"inside of {height} x {width}",
            f"{len(places)} of {num_present} far outside, {places[0]}",
        )
    mended = [
        Mended(
            record.record_id,
            f"{place} lies outside of the picture of {height} x {width}",
            "made absent",
        )
        for place in places
    ]
    is_absent = is_far | (record.visibility == ABSENT)
    keypoints_xy = np.where(is_absent[:, None], 0, record.keypoints_xy)
    visibility = np.where(is_absent, ABSENT, record.visibility)
    record = dataclasses.replace(
        record,
        keypoints_xy=keypoints_xy.astype(np.float32),
        visibility=visibility.astype(np.int32),
    )
    return record, mended
