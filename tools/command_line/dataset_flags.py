"""Flags that say which data set is read, and reading it.

Shared by the tools that look at a data set's own files.
"""

import pathlib

from absl import flags

from nppnet_tf.data import absence
from nppnet_tf.data import descriptors
from nppnet_tf.data.people import cutting
from nppnet_tf.data.readers import datasets
from nppnet_tf.data.readers import folder
from nppnet_tf.data.readers import pose_documents
from nppnet_tf.data.source import SPLITS
from nppnet_tf.data.source import Options
from nppnet_tf.data.source import Source

from . import checked_flags
from . import console
from . import paths

_DATASET = flags.DEFINE_enum(
    "dataset",
    "lip",
    datasets.NAMES,
    "Layout of the input: LIP, the extended PASCAL-Person-Part, CIHP, or a "
    "folder of pictures, label maps and a file of poses, in the classes and "
    "joints of --descriptor.",
)
_DESCRIPTOR = checked_flags.define_path(
    "descriptor",
    None,
    "What the labels and joints of --dataset=folder are: a JSON file, or "
    f"one of {', '.join(descriptors.names())}; lip if absent.",
    paths.require_descriptor,
)
_ROOT = checked_flags.define_paths(
    "root",
    "Folder of the data set; several for --dataset=folder.",
    paths.require_folder,
)
_SPLIT = flags.DEFINE_enum(
    "split",
    None,
    SPLITS,
    "Split of the data set. If absent, train of LIP and PASCAL-Person-Part, "
    "every picture of others.",
)
_KEYPOINTS = checked_flags.define_path(
    "keypoints",
    None,
    "File of poses of --dataset=folder: LIP's CSV, JSON of COCO, MPII or LIP, "
    f"or an array; {', '.join(folder.POSE_FILES)} of the folder if absent.",
    paths.require_file,
)


def _check_labels(path: str, flag: str) -> None:
    """The folder lies in each of --root."""
    for root in _ROOT.value:
        paths.require_folder(pathlib.Path(root, path), flag)


_LABELS = checked_flags.define_path(
    "labels",
    None,
    "Folder of label maps in --root of --dataset=folder; "
    f"{', '.join(folder.LABELS)} if absent.",
    _check_labels,
)
_JOINTS = flags.DEFINE_enum(
    "joints",
    None,
    pose_documents.known_orders(),
    "Data set whose order the joints of --dataset=folder have, where a JSON of "
    "COCO's form does not name them in its categories.",
)
_CATEGORY = checked_flags.define_text(
    "category",
    None,
    "Name of the category to read, where a JSON of COCO's form has several; "
    "person if absent.",
)
_PEOPLE = flags.DEFINE_enum(
    "people",
    None,
    (folder.WHOLE, *cutting.WAYS),
    "How single people are cut out of pictures: not at all, annotated boxes "
    "with the masks of matched detections (default of PASCAL-Person-Part), "
    "detections themselves, instances, or annotated boxes as they are.",
)
_DETECTIONS = checked_flags.define_path(
    "detections",
    None,
    "Folder of a detector's boxes and masks, <picture>.npz or .npy; Mask/ of "
    "the data set if absent.",
    paths.require_folder,
)
_KEEP_WITHOUT_JOINTS = flags.DEFINE_bool(
    "keep_without_joints",
    False,
    "Make records without a pose of pictures whose people have no joints, "
    "instead of leaving them out.",
)
_TASKS = flags.DEFINE_enum(
    "tasks",
    None,
    tuple(absence.TASKS),
    "Tasks of which something must be annotated; if absent, those that the "
    "layout of the data set promises.",
)
_STRICT = flags.DEFINE_bool(
    "strict", False, "Refuse another number of samples than the published one."
)


def is_split_given() -> bool:
    """Whether the flags name one split."""
    return _SPLIT.value is not None


def read_source(split: str | None = None) -> Source:
    """Lists the samples that the flags name; says what the reader notes.

    Args:
        split: Where the flags name none.

    Returns:
        The source; its facts hold the name of the data set and the split too.

    Raises:
        UserError: As `datasets.read`.
    """
    source = datasets.read(
        _DATASET.value,
        _ROOT.value,
        _SPLIT.value or split,
        Options(
            descriptor=_DESCRIPTOR.value
            and descriptors.resolve(_DESCRIPTOR.value),
            keypoints=_KEYPOINTS.value,
            labels=_LABELS.value,
            joints=_JOINTS.value,
            category=_CATEGORY.value,
            people=_PEOPLE.value,
            detections=_DETECTIONS.value,
            keep_without_joints=_KEEP_WITHOUT_JOINTS.value,
            strict=_STRICT.value,
        ),
    )
    for note in source.notes:
        console.say(f"note: {note}")
    return source


def required_tasks(source: Source) -> tuple[str, ...]:
    """Returns the tasks of which a data set must have something."""
    return absence.required(source.annotations, _TASKS.value)


def refuse_absence(source: Source) -> None:
    """Raises UserError where a task that is required has nothing."""
    tasks = required_tasks(source)
    absence.refuse(source.annotations, tasks, ", ".join(_ROOT.value))


def say_found(source: Source, name: str = "found") -> None:
    """Says what is annotated, and what nobody promised and is not there."""
    console.say(f"{name}: {absence.summary(source.annotations)}")
    if _TASKS.value is None:
        for line in absence.lines(source.annotations):
            console.say(f"note: {line}")
