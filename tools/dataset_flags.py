"""Flags that say which data set is read, and reading it.

Shared by the tools that look at a data set's own files.
"""

from absl import flags

from nppnet_tf.data import datasets
from nppnet_tf.data import pascal
from nppnet_tf.data.source import SPLITS
from nppnet_tf.data.source import Options
from nppnet_tf.data.source import Source

from . import command_line

_DATASET = flags.DEFINE_enum(
    "dataset",
    "lip",
    datasets.NAMES,
    "Layout of the input: LIP, the extended PASCAL-Person-Part, or a plain "
    "folder of pictures with label PNGs of the same name and a pose.csv in "
    "LIP's classes and joints.",
)
_ROOT = flags.DEFINE_list(
    "root", [], "Folder of the data set; several for --dataset=folder."
)
_SPLIT = flags.DEFINE_enum(
    "split", None, SPLITS, "Split of a data set that has them; train if absent."
)
_PEOPLE = flags.DEFINE_enum(
    "people",
    None,
    pascal.WAYS,
    "How single people are cut out of pictures: annotated boxes with the "
    "masks of matched detections, detections themselves, instances, or "
    "annotated boxes as they are.",
)
_DETECTIONS = flags.DEFINE_string(
    "detections",
    None,
    "Folder of a detector's boxes and masks, <picture>.npz or .npy; Mask/ of "
    "the data set if absent.",
)
_KEEP_WITHOUT_JOINTS = flags.DEFINE_bool(
    "keep_without_joints",
    False,
    "Make records without a pose of pictures whose people have no joints, "
    "instead of leaving them out.",
)
_STRICT = flags.DEFINE_bool(
    "strict", False, "Refuse another number of samples than the published one."
)


def read_source() -> Source:
    """Lists the samples that the flags name; says what the reader notes.

    Returns:
        The source; its facts hold the name of the data set and the split too.

    Raises:
        UserError: As `datasets.read`.
    """
    source = datasets.read(
        _DATASET.value,
        _ROOT.value,
        _SPLIT.value,
        Options(
            people=_PEOPLE.value,
            detections=_DETECTIONS.value,
            keep_without_joints=_KEEP_WITHOUT_JOINTS.value,
            strict=_STRICT.value,
        ),
    )
    for note in source.notes:
        command_line.say(f"note: {note}")
    return source
