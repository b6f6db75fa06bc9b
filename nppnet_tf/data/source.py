"""What a reader of a data set gives: samples, and what they annotate."""

import dataclasses
import os
import pathlib
from collections.abc import Iterable
from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any
from typing import Protocol

from nppnet_tf.data import absence
from nppnet_tf.data.absence import Annotations
from nppnet_tf.data.descriptors import DatasetDescriptor
from nppnet_tf.data.record import Record
from nppnet_tf.errors import UserError
from nppnet_tf.pictures import picture_names

SPLITS = ("train", "val", "test")

# Options of readers that cut people out of pictures.
OF_PEOPLE = ("people", "detections", "keep_without_joints")
# Options that say what a plain folder does not say of itself.
OF_FOLDERS = ("descriptor", "keypoints", "labels", "joints", "category")

_LISTED = 5


class Sample(Protocol):
    """One record that is still spread over files.

    A sample holds paths and annotations, never pictures, and can be pickled:
    other processes load it.

    Attributes:
        record_id: Unique in its data set.
    """

    record_id: str

    @property
    def paths(self) -> Sequence[pathlib.Path]:
        """Every file that `load` reads; the picture is the first."""

    def load(self) -> Record:
        """Reads the record; BadRecordError says why it cannot be read."""

    def digest(self) -> str:
        """Hexadecimal sha256 of everything that the record is made of."""


@dataclasses.dataclass(frozen=True)
class Options:
    """What a user may ask of a reader; a reader refuses what it cannot do.

    Attributes:
        descriptor: Classes and joints of the data set, where it does not
            state them itself.
        keypoints: File of poses, where it does not lie where the reader looks.
        labels: Folder of label maps, below the data set's, where they do not
            lie where the reader looks.
        joints: Data set whose order the joints of a file have that does not
            name them.
        category: Name of the category, in a file of COCO with several.
        people: How single persons are cut out of pictures; the reader's own
            way where None.
        detections: Folder of a detector's boxes and masks.
        keep_without_joints: Pictures whose people nobody gave joints become
            records without a pose, instead of being left out.
        strict: Another number of samples than the published one is an error
            and not a note.
    """

    descriptor: DatasetDescriptor | None = None
    keypoints: str | os.PathLike[str] | None = None
    labels: str | os.PathLike[str] | None = None
    joints: str | None = None
    category: str | None = None
    people: str | None = None
    detections: str | os.PathLike[str] | None = None
    keep_without_joints: bool = False
    strict: bool = False


@dataclasses.dataclass(frozen=True)
class Source:
    """A data set, or one split of it.

    Attributes:
        descriptor: What the samples annotate.
        samples: Samples in a fixed order, with different ids.
        notes: One line for each thing that a user should know: other counts
            than the published ones, pictures that were left out.
        facts: How the samples were made, plain values for a manifest.
        poses_without_picture: Ids of poses that belong to no sample.
        label_maps_without_picture: Ids of label maps likewise.
        annotations: What is annotated, by task; none where nobody has looked.
    """

    descriptor: DatasetDescriptor
    samples: Sequence[Sample]
    notes: tuple[str, ...] = ()
    facts: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    poses_without_picture: tuple[str, ...] = ()
    label_maps_without_picture: tuple[str, ...] = ()
    annotations: Mapping[str, Annotations] = dataclasses.field(
        default_factory=dict
    )


def one_root(
    roots: Sequence[str | os.PathLike[str]], dataset: str
) -> pathlib.Path:
    """Returns the only folder; UserError where there are several or it is not.

    Args:
        roots: Folders as a user gave them.
        dataset: Name of the data set, for messages.
    """
    if len(roots) != 1:
        raise UserError(
            "several folders",
            "`root`",
            f"one for `dataset`={dataset}",
            ", ".join(str(root) for root in roots),
        )
    root = pathlib.Path(roots[0])
    if not root.is_dir():
        raise UserError(
            "no such folder", root, f"the folder of {dataset}", "nothing"
        )
    return root


def refuse(options: Options, dataset: str, *names: str) -> None:
    """Raises UserError where options are set that a reader has no use for.

    Args:
        options: Options as a user gave them.
        dataset: Name of the data set, for messages.
        *names: Attributes that must not be set.
    """
    for name in names:
        value = getattr(options, name)
        if value is not None and value is not False:
            raise UserError(
                f"`dataset`={dataset} does not take this",
                f"`{name}`",
                "no such flag",
                getattr(value, "name", value),
            )


def listed(names: Sequence[str]) -> str:
    """Returns the first few of many names."""
    more = ", ..." if len(names) > _LISTED else ""
    return ", ".join(names[:_LISTED]) + more


def count_annotated(samples: Iterable[Any]) -> tuple[int, int]:
    """Returns how many samples have a label map, and how many a pose.

    Args:
        samples: Those of readers, which know where their parts lie.
    """
    found = [
        (each.label_path is not None, each.keypoints_xy is not None)
        for each in samples
    ]
    return sum(has for has, _ in found), sum(has for _, has in found)


def damaged_line(samples: Iterable[Any]) -> str:
    """Returns the line that counts samples at fault, with the first fault.

    What they annotate is not known, so that it may be all there is.

    Args:
        samples: Those of readers.
    """
    faults = [each.fault for each in samples if each.fault is not None]
    return f"{len(faults)} damaged: {faults[0]}" if faults else ""


def stray_notes(label_maps: Sequence[str], poses: Sequence[str]) -> list[str]:
    """Returns lines on annotations that are those of no picture.

    Args:
        label_maps: Ids.
        poses: Ids.
    """
    return [
        f"{len(names)} {what} without a picture, not read: {listed(names)}"
        for what, names in (("label maps", label_maps), ("poses", poses))
        if names
    ]


def count_notes(
    count: int,
    published: int | None,
    what: str,
    where: object,
    is_strict: bool,
) -> tuple[str, ...]:
    """Compares a number of samples with the published one.

    Args:
        count: Samples there are.
        published: Samples there should be; None where nobody says.
        what: Is counted, "pictures of the split val".
        where: File or folder, for the message.
        is_strict: Raise instead of noting.

    Returns:
        No line or one.

    Raises:
        UserError: The numbers differ and `is_strict`.
    """
    if published is None or count == published:
        return ()
    error = UserError(
        f"another number of {what} than published", where, published, count
    )
    if is_strict:
        raise error
    return (str(error),)


def near_pictures(root: pathlib.Path) -> str:
    """Says which folder could be that of the pictures.

    Args:
        root: Folder of the data set.

    Returns:
        A phrase, empty where nothing is near.
    """
    found = []
    for folder in absence.folders_below(root):
        if count := len(picture_names.pictures_in(folder)):
            is_of_labels = absence.is_of_labels(folder)
            found.append(
                (is_of_labels, -count, folder.relative_to(root).as_posix())
            )
    if not found:
        return ""
    _, count, name = min(found)
    return f"{name}/ holds {-count} JPEG or PNG files: `root`={root / name}?"
