"""One sample under the eye: what is wrong with it, and what it holds.

Runs in worker processes; what it returns is small.
"""

import dataclasses
import hashlib
import math
import pathlib
from collections.abc import Callable
from collections.abc import Sequence

import numpy as np
from PIL import Image

from nppnet_tf.data import inspection
from nppnet_tf.data.damage import BadRecordError
from nppnet_tf.data.descriptors import DatasetDescriptor
from nppnet_tf.data.record import ABSENT
from nppnet_tf.data.record import VISIBLE
from nppnet_tf.data.record import Record
from nppnet_tf.data.source import Sample
from nppnet_tf.dataset_check import findings
from nppnet_tf.dataset_check.findings import Finding
from nppnet_tf.errors import TooLargeError
from nppnet_tf.errors import UnreadableError
from nppnet_tf.errors import UserError
from nppnet_tf.metrics import consistency
from nppnet_tf.metrics import pck
from nppnet_tf.pictures import picture_files
from nppnet_tf.pictures import picture_structure
from nppnet_tf.pictures.picture_files import LabelFormError
from nppnet_tf.pictures.picture_files import SizeMismatchError

# Pixels: less is no person, more than a telephone's picture is a mistake.
TINY_SIDE = 32
HUGE_SIDE = 4096

# Of visible joints, at least so many and so large a share beside the person.
_OFF_JOINTS = 4
_OFF_SHARE = 0.5

# Joints on parts of the other side, at least, and how many times those on
# their own. People cross arms and legs: one or two may lie there rightly.
_SWAPPED_JOINTS = 2
_SWAPPED_FACTOR = 3

# Sides of the gray pictures behind the fingerprint, and the smallest
# difference of gray levels that makes a fingerprint mean something.
_FINGERPRINT_SIDE = 9
_LEAST_CONTRAST = 24

# Every other error is one of the annotation.
_KINDS_OF_ERRORS = {
    UnreadableError: findings.UNREADABLE,
    # After the class that it is of, too.
    TooLargeError: findings.TOO_LARGE,
    LabelFormError: findings.LABEL_MODE,
    SizeMismatchError: findings.SIZE_MISMATCH,
}


@dataclasses.dataclass(frozen=True)
class Job:
    """Samples to examine, and what they annotate."""

    samples: Sequence[Sample]
    descriptor: DatasetDescriptor


@dataclasses.dataclass
class Examined:
    """What is known of a sample; C classes, K keypoints.

    Attributes:
        record_id: Id of the sample.
        findings: What is wrong with it alone.
        size: (height, width) of the picture; None where it cannot be read.
        picture_id: Id of the picture that it was cut out of, or None.
        content: Digest of the decoded pixels.
        fingerprint: Bool [128], near that of similar pictures, or None.
        class_pixels: Int64 [C], or None without a label map.
        visibility: Int32 [K], or None without a pose.
        on_parts: Float [K]: 1 on a fitting part, 0 beside it, NaN unknown.
        own_side: Joints on a part of their own side.
        other_side: Joints on a part of the other side.
        left_of: (votes, of which left is seen to the right of right); the rule
            for people who face the camera.
    """

    record_id: str
    findings: list[Finding] = dataclasses.field(default_factory=list)
    size: tuple[int, int] | None = None
    picture_id: str | None = None
    content: str | None = None
    fingerprint: np.ndarray | None = None
    class_pixels: np.ndarray | None = None
    visibility: np.ndarray | None = None
    on_parts: np.ndarray | None = None
    own_side: int = 0
    other_side: int = 0
    left_of: tuple[int, int] = (0, 0)

    def find(self, kind: str, detail: object) -> None:
        """Adds a finding."""
        line = " ".join(str(detail).split())
        self.findings.append(Finding(self.record_id, kind, line))


def examine_all(job: Job, advance: Callable[[int], object]) -> list[Examined]:
    """Examines samples one after the other, for `workers.each`."""
    examined = []
    for sample in job.samples:
        examined.append(examine(sample, job.descriptor))
        advance(1)
    return examined


def examine(sample: Sample, descriptor: DatasetDescriptor) -> Examined:
    """Reads a sample and looks at it; never raises for what is in it."""
    examined = Examined(sample.record_id)
    missing = [path for path in sample.paths if not path.is_file()]
    for path in missing:
        examined.find(findings.MISSING_FILE, path)
    if missing:
        return examined
    try:
        record = sample.load()
        picture = picture_files.decode_picture(record.image_bytes)
    except UserError as error:
        _tell_problem(error, examined)
        return examined
    for note in record.notes:
        examined.find(findings.STATED_SIZE, note)
    _look_at_picture(picture, record, examined)
    _look_at_label_files(sample, record, examined)
    if record.label_map is not None:
        _look_at_label_map(record.label_map, descriptor, examined)
    if record.keypoints_xy is not None and record.visibility is not None:
        _look_at_pose(record, descriptor, examined)
    return examined


def _tell_problem(error: UserError, examined: Examined) -> None:
    cause, reason = error, str(error)
    if isinstance(error, BadRecordError):
        cause, reason = error.cause, error.reason
    kind = findings.MALFORMED_ANNOTATION
    for each, candidate in _KINDS_OF_ERRORS.items():
        if isinstance(cause, each):
            kind = candidate
    where = "" if error.where is None else f" ({error.where})"
    examined.find(kind, f"{reason}{where}")


def _look_at_picture(
    picture: Image.Image, record: Record, examined: Examined
) -> None:
    examined.size = (picture.height, picture.width)
    if record.crop is not None:
        examined.picture_id = record.crop.picture_id
    size_text = "{} x {}".format(*examined.size)
    if min(examined.size) < TINY_SIDE:
        examined.find(findings.TINY_PICTURE, size_text)
    if max(examined.size) > HUGE_SIDE:
        examined.find(findings.HUGE_PICTURE, size_text)
    digest = hashlib.sha256(size_text.encode())
    digest.update(picture.tobytes())
    examined.content = digest.hexdigest()
    examined.fingerprint = _fingerprint(picture)


def _fingerprint(picture: Image.Image) -> np.ndarray | None:
    """Whether it gets brighter, at 64 places to the right and down each.

    The difference hash of N. Krawetz ("Kind of Like That", 2013), both ways
    round. Survives scaling, compression and changes of brightness.
    """
    side = _FINGERPRINT_SIDE
    gray = picture.convert("L").resize((side, side), Image.Resampling.BOX)
    levels = np.asarray(gray, np.int16)
    if np.ptp(levels) < _LEAST_CONTRAST:
        return None
    brighter = levels[:-1, 1:] > levels[:-1, :-1]
    lower = levels[1:, :-1] > levels[:-1, :-1]
    return np.concatenate([brighter.ravel(), lower.ravel()])


def _look_at_label_files(
    sample: Sample, record: Record, examined: Examined
) -> None:
    """A palette is read as indices, which a user should know."""
    if record.label_map is None:
        return
    for path in sample.paths[1:]:
        if path.suffix.lower() == ".png" and _has_palette(path):
            examined.find(findings.PALETTE_LABEL, f"of colors ({path})")


def _has_palette(path: pathlib.Path) -> bool:
    try:
        structure = picture_structure.read(picture_files.read_bytes(path))
    except UserError:
        return False
    return structure.color_type == picture_structure.PALETTE


def _look_at_label_map(
    label_map: np.ndarray, descriptor: DatasetDescriptor, examined: Examined
) -> None:
    if label_map.shape != examined.size:
        examined.find(
            findings.SIZE_MISMATCH,
            "label map {} x {}, picture {} x {}".format(
                *label_map.shape, *(examined.size or ())
            ),
        )
        return
    counts = picture_files.label_counts(label_map)
    examined.class_pixels = counts[: descriptor.num_classes].astype(np.int64)
    counts[descriptor.ignore_label] = 0
    unknown = np.flatnonzero(counts[descriptor.num_classes :])
    if unknown.size:
        ids = ", ".join(str(i + descriptor.num_classes) for i in unknown)
        examined.find(
            findings.UNKNOWN_LABEL,
            f"ids {ids} beyond 0..{descriptor.num_classes - 1}",
        )
    elif inspection.tells_nothing(label_map, descriptor):
        ignored = descriptor.ignore_label
        share = np.mean(label_map == ignored)
        examined.find(
            findings.IGNORED_LABEL_MAP,
            f"background alone, {share:.0%} of the pixels are {ignored}",
        )
        examined.class_pixels = None
        return
    elif not examined.class_pixels[1:].any():
        examined.find(findings.EMPTY_LABEL_MAP, "background alone")
    left_xs = {
        name: np.flatnonzero((label_map == number).any(axis=0)).mean()
        for number, name in enumerate(descriptor.classes)
        if name in descriptor.class_mirrors and counts[number]
    }
    _compare_sides(left_xs, descriptor.class_mirrors, examined)


def _compare_sides(
    places_x: dict[str, float], mirrors: dict[str, str], examined: Examined
) -> None:
    """Votes on whether what is named left is seen right of its partner."""
    votes, right = examined.left_of
    for name, x in places_x.items():
        other = mirrors[name]
        if name.lower().startswith("left") and other in places_x:
            votes += 1
            right += int(x > places_x[other])
    examined.left_of = (votes, right)


def _look_at_pose(
    record: Record, descriptor: DatasetDescriptor, examined: Examined
) -> None:
    label_map = record.label_map
    if examined.class_pixels is None:
        label_map = None
    try:
        _, notes = inspection.inspect(
            dataclasses.replace(record, label_map=None), descriptor
        )
    except UserError as error:
        examined.find(findings.MALFORMED_ANNOTATION, error)
        return
    for note in notes:
        examined.find(findings.JOINT_OUTSIDE, note.found)
    examined.visibility = record.visibility
    if not (record.visibility != ABSENT).any():
        examined.find(findings.EMPTY_POSE, "all joints are absent")
        return
    if label_map is not None:
        _compare_pose_and_parts(record, label_map, descriptor, examined)


def _compare_pose_and_parts(
    record: Record,
    label_map: np.ndarray,
    descriptor: DatasetDescriptor,
    examined: Examined,
) -> None:
    is_visible = record.visibility == VISIBLE
    points = np.where(is_visible[:, None], record.keypoints_xy, np.nan)
    examined.on_parts = consistency.keypoints_on_parts(
        label_map, points, _tolerance(record, descriptor), descriptor
    )
    off = np.flatnonzero(examined.on_parts == 0)
    known = int((~np.isnan(examined.on_parts)).sum())
    if len(off) >= _OFF_JOINTS and len(off) >= _OFF_SHARE * known:
        names = ", ".join(descriptor.keypoints[k] for k in off)
        examined.find(
            findings.JOINTS_OFF_PERSON,
            f"{len(off)} of {known} visible joints beside a fitting part: "
            f"{names}",
        )
    swapped = _count_sides(points, label_map, descriptor, examined)
    own, other = examined.own_side, examined.other_side
    if other >= max(_SWAPPED_JOINTS, _SWAPPED_FACTOR * own):
        examined.find(
            findings.SIDES_SWAPPED,
            f"{other} of {own + other} joints on a part of the other side: "
            + ", ".join(swapped),
        )


def _count_sides(
    points: np.ndarray,
    label_map: np.ndarray,
    descriptor: DatasetDescriptor,
    examined: Examined,
) -> list[str]:
    """Counts joints on sided parts; returns those on parts of the other."""
    swapped = []
    height, width = label_map.shape
    for k, name in enumerate(descriptor.keypoints):
        if name not in descriptor.keypoint_mirrors or np.isnan(points[k, 0]):
            continue
        column, row = (math.floor(value + 0.5) for value in points[k])
        if not (0 <= column < width and 0 <= row < height):
            continue
        label = int(label_map[row, column])
        if label >= descriptor.num_classes:
            continue
        part = descriptor.classes[label]
        own = descriptor.keypoint_classes.get(name, ())
        # Of parts without sides, a skirt, nothing can be said.
        if part not in descriptor.class_mirrors:
            continue
        if part in own:
            examined.own_side += 1
        elif descriptor.class_mirrors[part] in own:
            examined.other_side += 1
            swapped.append(f"{name} on {part}")
    return swapped


def _tolerance(record: Record, descriptor: DatasetDescriptor) -> float:
    if descriptor.head_segment is None:
        return 0.0
    is_present = record.visibility != ABSENT
    points = np.where(is_present[:, None], record.keypoints_xy, np.nan)
    (head,) = pck.head_sizes(points[None], descriptor)
    return 0.0 if math.isnan(head) else consistency.TOLERANCE * float(head)
