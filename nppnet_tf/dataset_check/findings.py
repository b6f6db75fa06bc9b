"""What can be wrong with a data set, how badly, and what mends it."""

import dataclasses

ERROR = "error"
WARNING = "warning"
NOTE = "note"


@dataclasses.dataclass(frozen=True)
class Kind:
    """One thing that can be wrong.

    Attributes:
        severity: `ERROR`, `WARNING` or `NOTE`. Errors stop `build_records` or
            make results wrong; warnings are worth a look.
        repair: What a user can do about it.
    """

    severity: str
    repair: str


@dataclasses.dataclass(frozen=True)
class Finding:
    """One thing that is wrong with one sample, or with a whole split.

    Attributes:
        record_id: Id of the sample; "*" for a whole split.
        kind: Name in `KINDS`.
        detail: What exactly, in one line.
    """

    record_id: str
    kind: str
    detail: str


WHOLE_SPLIT = "*"

MISSING_FILE = "missing_file"
UNREADABLE = "unreadable"
TOO_LARGE = "too_large"
LABEL_MODE = "label_mode"
SIZE_MISMATCH = "size_mismatch"
UNKNOWN_LABEL = "unknown_label"
MALFORMED_ANNOTATION = "malformed_annotation"
DUPLICATED_ID = "duplicated_id"
ID_IN_SPLITS = "id_in_two_splits"
PICTURE_IN_SPLITS = "picture_in_two_splits"
SIDES_SWAPPED_EVERYWHERE = "sides_swapped_everywhere"
SIDES_SWAPPED = "sides_swapped"
SIDES_UNLIKELY = "sides_unlikely"
SIMILAR_IN_SPLITS = "similar_in_two_splits"
DUPLICATED_PICTURE = "duplicated_picture"
JOINTS_OFF_PERSON = "joints_off_person"
JOINT_OUTSIDE = "joint_outside"
POSE_WITHOUT_PICTURE = "pose_without_picture"
LABEL_MAP_WITHOUT_PICTURE = "label_map_without_picture"
NO_LABEL_MAPS = "no_label_maps"
NO_POSES = "no_poses"
NO_BACKGROUND = "no_background"
UNUSED_CLASSES = "unused_classes"
IGNORED_LABEL_MAP = "ignored_label_map"
STATED_SIZE = "stated_size"
MISSING_LABEL_MAP = "missing_label_map"
MISSING_POSE = "missing_pose"
EMPTY_LABEL_MAP = "empty_label_map"
EMPTY_POSE = "empty_pose"
TINY_PICTURE = "tiny_picture"
HUGE_PICTURE = "huge_picture"
SPLIT_UNREADABLE = "split_unreadable"
SPLIT_ABSENT = "split_absent"
PALETTE_LABEL = "palette_label"
SIMILAR_PICTURE = "similar_picture"

KINDS = {
    SPLIT_UNREADABLE: Kind(ERROR, "mend the file it names"),
    NO_LABEL_MAPS: Kind(
        ERROR,
        "name the folder as the reader expects it, or by --labels; "
        "--tasks=pose says that none is wanted",
    ),
    NO_POSES: Kind(
        ERROR,
        "name the file as the reader expects it, or by --keypoints; "
        "--tasks=parsing says that none is wanted",
    ),
    MISSING_FILE: Kind(
        ERROR, "unpack the archive again, or take the id off its list"
    ),
    UNREADABLE: Kind(ERROR, "copy or download the file again"),
    TOO_LARGE: Kind(
        ERROR, "shrink picture, label map and pose: nothing reads so much"
    ),
    LABEL_MODE: Kind(
        ERROR,
        "save label maps as PNGs of one channel of 8 bits whose values are "
        "class ids, not colors",
    ),
    SIZE_MISMATCH: Kind(
        ERROR,
        "resize neither file: find the label map that belongs to the picture",
    ),
    UNKNOWN_LABEL: Kind(
        ERROR,
        "map the ids to classes of the descriptor, or to its ignore label",
    ),
    MALFORMED_ANNOTATION: Kind(ERROR, "mend the row or the file it names"),
    DUPLICATED_ID: Kind(ERROR, "keep one of the samples, rename the other"),
    ID_IN_SPLITS: Kind(ERROR, "take the sample out of one of the splits"),
    PICTURE_IN_SPLITS: Kind(
        ERROR, "take the picture out of one of the splits: it is learned by "
        "heart",
    ),
    SIDES_SWAPPED_EVERYWHERE: Kind(
        ERROR,
        "exchange left and right in the label maps or in the poses, or in the "
        "names of the descriptor",
    ),
    SIDES_SWAPPED: Kind(
        WARNING,
        "look at the contact sheet; where left and right are exchanged, "
        "exchange them back in the label map or in the pose",
    ),
    SIDES_UNLIKELY: Kind(
        WARNING, "look whether left is the side of the person shown"
    ),
    SIMILAR_IN_SPLITS: Kind(
        WARNING, "look at both; take copies out of one of the splits"
    ),
    DUPLICATED_PICTURE: Kind(
        WARNING, "keep one of them where they show the same person"
    ),
    JOINTS_OFF_PERSON: Kind(
        WARNING,
        "look at the contact sheet: pose and label map may be of different "
        "pictures or sizes",
    ),
    JOINT_OUTSIDE: Kind(
        WARNING, "mend the coordinates; build_records makes the joint absent"
    ),
    POSE_WITHOUT_PICTURE: Kind(
        WARNING, "unpack the picture, or ignore the row: nothing reads it"
    ),
    LABEL_MAP_WITHOUT_PICTURE: Kind(
        WARNING, "unpack the picture, or give both one name: nothing reads it"
    ),
    NO_BACKGROUND: Kind(
        WARNING, "look whether ids count from 1: class 0 is the background"
    ),
    IGNORED_LABEL_MAP: Kind(
        WARNING,
        "write class ids: people of the ignore label count nowhere, so that "
        "the sample has no label map",
    ),
    STATED_SIZE: Kind(
        WARNING,
        "look whether joints, boxes and label map are those of the picture as "
        "it is shown",
    ),
    MISSING_LABEL_MAP: Kind(
        WARNING, "unpack it; without it the parsing losses skip the sample"
    ),
    MISSING_POSE: Kind(
        WARNING, "find it; without it the pose losses skip the sample"
    ),
    EMPTY_LABEL_MAP: Kind(WARNING, "look whether nobody is in the picture"),
    EMPTY_POSE: Kind(WARNING, "look whether nobody is in the picture"),
    TINY_PICTURE: Kind(WARNING, "leave it out: it shows nothing to learn"),
    HUGE_PICTURE: Kind(
        WARNING, "shrink picture, label map and pose: reading it takes long"
    ),
    SPLIT_ABSENT: Kind(NOTE, "name the splits you have by --split"),
    PALETTE_LABEL: Kind(
        NOTE, "nothing, as long as the indices are class ids: they are read"
    ),
    UNUSED_CLASSES: Kind(
        NOTE, "nothing, or look whether the ids are those of the descriptor"
    ),
    SIMILAR_PICTURE: Kind(NOTE, "nothing, or keep one of them"),
}  # fmt: skip


def rank(kind: str) -> int:
    """Returns the place of a kind in `KINDS`; the worst has the first."""
    return list(KINDS).index(kind)
