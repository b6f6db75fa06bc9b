"""Extended PASCAL-Person-Part: pictures of people, parts and joints.

    JPEGImages/<id>.jpg         pictures of PASCAL VOC 2010
    SegmentationPart/<id>.png   parts of all people, indices of a palette
    PersonJoints/<id>.mat       joints and box of every person
    train_id.txt, val_id.txt    which pictures (also in lists/)
    Mask/<id>.npy or .npz       what a detector found; see `detections`
    Instances/<id>.png          ids of people, if somebody made them, or
    Annotations_Part/<id>.mat   the annotations of PASCAL-Part

Networks see single people, cut out in one of the ways of `cutting`; that of
the authors' release is the default.

Pictures without a file of joints are left out and named, as in the release;
`keep_without_joints` makes records without a pose of them where the way needs
no annotated box.
"""

import functools
import os
import pathlib
from collections.abc import Sequence

from nppnet_tf import keys
from nppnet_tf.data import absence
from nppnet_tf.data import source
from nppnet_tf.data.absence import Annotations
from nppnet_tf.data.descriptors import PASCAL_PERSON_PART
from nppnet_tf.data.descriptors import DatasetDescriptor
from nppnet_tf.data.people import cutting
from nppnet_tf.data.people import whole_picture as people_files
from nppnet_tf.data.people.cutting import Cutter
from nppnet_tf.data.people.cutting import Places
from nppnet_tf.data.people.whole_picture import People
from nppnet_tf.data.people.whole_picture import WholePicture
from nppnet_tf.data.readers import id_list
from nppnet_tf.data.source import Options
from nppnet_tf.data.source import Sample
from nppnet_tf.data.source import Source
from nppnet_tf.errors import AbsentSplitError
from nppnet_tf.errors import UserError
from nppnet_tf.files.file_table import FileTable

NAME = "pascal_person_part"

_JOINTS = "PersonJoints"
_LABELS = "SegmentationPart"
_SPLITS = ("train", "val")

_NUM_KEYPOINTS = PASCAL_PERSON_PART.num_keypoints


def read(
    roots: Sequence[str | os.PathLike[str]],
    split: str | None,
    options: Options,
) -> Source:
    """Reader of `datasets.READERS`; the split is "train" where None.

    Raises:
        UserError: No such folder, list or way of cutting; or other than the
            published number of pictures where the options are strict.
    """
    root = source.one_root(roots, NAME)
    source.refuse(options, NAME, *source.OF_FOLDERS)
    split = split or "train"
    if not (root / _JOINTS).is_dir() and not options.keep_without_joints:
        raise UserError("no joints", root / _JOINTS, "a folder of .mat files")
    cutter = Cutter(
        _places(root),
        options.people or cutting.MATCHED,
        options,
        _NUM_KEYPOINTS,
        functools.partial(_people, _joint_files(root)),
    )
    ids = _ids(root, split)
    samples = [sample for name in ids for sample in cutter.cut(name)]
    published = PASCAL_PERSON_PART.split_sizes[split]
    notes = source.count_notes(
        len(ids), published, f"pictures of {split}", root, options.strict
    )
    facts = {
        "split": split,
        "published_split_size": published,
        "people": cutter.way,
        "num_pictures": len(ids),
        **cutter.left_out,
    }
    return Source(
        PASCAL_PERSON_PART,
        samples,
        (*notes, *cutter.notes()),
        facts,
        annotations=_annotations(root, samples, options),
    )


def _annotations(
    root: pathlib.Path, samples: Sequence[Sample], options: Options
) -> dict[str, Annotations]:
    num_labels, num_poses = source.count_annotated(samples)
    places = _places(root)
    near = source.damaged_line(samples)
    near_poses = near or absence.near_names(root, (_JOINTS,))
    if not num_labels and not near:
        near = absence.near_label_maps(
            root,
            places.labels,
            set(places.pictures),
            places.images,
            (root / "Instances", places.instances, places.detections),
        )
    return {
        keys.PARSING: Annotations(
            num_labels,
            len(samples),
            f"{_LABELS}/<id>.png",
            True,
            "" if num_labels else near,
        ),
        keys.POSE: Annotations(
            num_poses,
            len(samples),
            f"{_JOINTS}/<id>.mat",
            not options.keep_without_joints,
            "" if num_poses else near_poses,
        ),
    }


def read_pictures(
    root: str | os.PathLike[str],
    split: str | None,
    descriptor: DatasetDescriptor | None = None,
) -> list[WholePicture]:
    """Lists the truth about whole pictures, for measuring; see `read`.

    A picture without a file of joints has no people; one with a damaged file
    has a fault. Whatever the descriptor, classes and joints are PASCAL's.
    """
    del descriptor
    root = source.one_root((root,), NAME)
    places = _places(root)
    joints = _joint_files(root)
    return [_whole_picture(places, joints, name) for name in _ids(root, split)]


def _whole_picture(
    places: Places, joints: FileTable, picture_id: str
) -> WholePicture:
    people = None
    fault = places.doubled(picture_id)
    try:
        people = _people(joints, picture_id)
    except UserError as error:
        fault = str(error)
    return WholePicture(
        picture_id,
        places.image_path(picture_id),
        places.label_path(picture_id),
        people,
        fault,
        places.palette,
    )


def _joint_files(root: pathlib.Path) -> FileTable:
    return FileTable(root / _JOINTS, (".mat",))


def _people(joints: FileTable, picture_id: str) -> People | None:
    path = joints.get(picture_id)
    if path is None:
        return None
    return people_files.read_person_joints(path, _NUM_KEYPOINTS)


def _places(root: pathlib.Path) -> Places:
    instances = root / "Instances"
    if not instances.is_dir():
        instances = root / "Annotations_Part"
    return Places(
        root / "JPEGImages",
        root / _LABELS,
        instances,
        root / "Mask",
        palette=PASCAL_PERSON_PART.palette,
    )


def _ids(root: pathlib.Path, split: str) -> list[str]:
    if split not in _SPLITS:
        raise AbsentSplitError(
            f"unknown split of {NAME}", "`split`", ", ".join(_SPLITS), split
        )
    name = f"{split}_id.txt"
    for path in (root / name, root / "lists" / name):
        if path.is_file():
            return id_list.read(path)
    raise UserError("no list of pictures", root, f"{name} or lists/{name}")
