"""A plain folder: pictures, label PNGs of the same name, a pose CSV.

    somewhere/a.jpg      a picture
    somewhere/a.png      its label map, if it has one
    somewhere/pose.csv   rows as LIP's pose CSV has them, if there are poses

Pictures that are PNGs themselves need folders of their own:
`somewhere/images/a.png` and `somewhere/labels/a.png`.
"""

import os
import pathlib
from collections.abc import Sequence

from nppnet_tf.data import lip
from nppnet_tf.data import raw
from nppnet_tf.data import source
from nppnet_tf.data.descriptors import LIP
from nppnet_tf.data.raw import RawSample
from nppnet_tf.data.source import Options
from nppnet_tf.data.source import Source
from nppnet_tf.errors import UserError

POSE_FILE = "pose.csv"
IMAGE_FOLDER = "images"
LABEL_FOLDER = "labels"


def read(
    roots: Sequence[str | os.PathLike[str]],
    split: str | None,
    options: Options,
) -> Source:
    """Reader of `datasets.READERS`; a folder has no splits."""
    del split
    source.refuse(options, "folder", "descriptor", *source.OF_PEOPLE)
    return Source(LIP, read_all(roots))


def read_folder(root: str | os.PathLike[str]) -> list[RawSample]:
    """Lists the samples of one folder, in the order of their names.

    Args:
        root: The folder.

    Raises:
        UserError: No such folder, no pictures in it, a CSV that cannot be
            read, or one that names pictures which are not there.
    """
    root = pathlib.Path(root)
    if not root.is_dir():
        raise UserError("no such folder", root, "a folder of pictures")
    pairs = _pairs(root)
    if not pairs:
        raise UserError(
            "no pictures in the folder", root, "JPEG or PNG files", "none"
        )
    pose_path = root / POSE_FILE
    poses = lip.read_pose_csv(pose_path) if pose_path.is_file() else {}
    if missing := sorted(set(poses) - set(pairs)):
        raise UserError(
            "rows without a picture",
            pose_path,
            f"a picture in {root} for every row",
            ", ".join(missing[:5]),
        )
    samples = []
    for record_id, (image_path, label_path) in sorted(pairs.items()):
        pose = poses.get(record_id)
        samples.append(
            RawSample(
                record_id,
                image_path,
                label_path,
                pose and pose.keypoints_xy,
                pose and pose.visibility,
                pose and pose.fault,
            )
        )
    return samples


def read_all(roots: Sequence[str | os.PathLike[str]]) -> list[RawSample]:
    """Lists the samples of several folders, one folder after the other.

    Raises:
        UserError: As `read_folder`, or two folders hold the same name.
    """
    samples = [sample for root in roots for sample in read_folder(root)]
    first: dict[str, RawSample] = {}
    for sample in samples:
        other = first.setdefault(sample.record_id, sample)
        if other is not sample:
            raise UserError(
                "two folders hold the same name",
                sample.image_path,
                "different names",
                other.image_path,
            )
    return samples


def _pairs(
    root: pathlib.Path,
) -> dict[str, tuple[pathlib.Path, pathlib.Path | None]]:
    """Picture and label map by record id."""
    image_folder, label_folder = root / IMAGE_FOLDER, root / LABEL_FOLDER
    if not image_folder.is_dir():
        image_folder = label_folder = root
    stems = {
        path.stem
        for path in image_folder.iterdir()
        if path.suffix in raw.IMAGE_SUFFIXES
    }
    pairs = {}
    for stem in stems:
        image_path = raw.find_image(image_folder, stem)
        label_path = label_folder / f"{stem}.png"
        has_labels = label_path.is_file() and label_path != image_path
        pairs[stem] = (image_path, label_path if has_labels else None)
    return pairs
