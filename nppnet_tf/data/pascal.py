"""Extended PASCAL-Person-Part: pictures of people, parts and joints.

    JPEGImages/<id>.jpg         pictures of PASCAL VOC 2010
    SegmentationPart/<id>.png   parts of all people, indices of a palette
    PersonJoints/<id>.mat       joints and box of every person
    train_id.txt, val_id.txt    which pictures (also in lists/)
    Mask/<id>.npy or .npz       what a detector found; see `detections`
    Instances/<id>.png          ids of people, if somebody made them

Networks see single people. Four ways to cut them out (`Options.people`):

    matched     the annotated box of every person for whom the detector found
                a box of 0.7 IoU at least, other people made background by its
                mask: the authors' release
    detections  the detected boxes and masks (the paper, Sec. 4.1); joints are
                those of the annotated person that is so matched
    instances   the people of Instances, their tight boxes and masks
    boxes       the annotated boxes; label maps show whoever is in them

Pictures without a file of joints are left out and named, as in the release;
`keep_without_joints` makes records without a pose of them where the way needs
no annotated box.
"""

import dataclasses
import os
import pathlib
from collections.abc import Iterator
from collections.abc import Sequence

import numpy as np

from nppnet_tf.data import boxes as box_geometry
from nppnet_tf.data import cropped
from nppnet_tf.data import detections
from nppnet_tf.data import id_list
from nppnet_tf.data import people as people_files
from nppnet_tf.data import raw
from nppnet_tf.data import source
from nppnet_tf.data.cropped import CroppedSample
from nppnet_tf.data.cropped import DetectionMask
from nppnet_tf.data.cropped import InstanceMask
from nppnet_tf.data.cropped import Mask
from nppnet_tf.data.descriptors import PASCAL_PERSON_PART
from nppnet_tf.data.detections import Detections
from nppnet_tf.data.people import People
from nppnet_tf.data.people import WholePicture
from nppnet_tf.data.source import Options
from nppnet_tf.data.source import Source
from nppnet_tf.errors import UserError

NAME = "pascal_person_part"

MATCHED = "matched"
DETECTIONS = "detections"
INSTANCES = "instances"
BOXES = "boxes"
WAYS = (MATCHED, DETECTIONS, INSTANCES, BOXES)

# Largest 1 - IoU of an annotated and a detected box of one person.
MAX_COST = 0.3

_IMAGES = "JPEGImages"
_LABELS = "SegmentationPart"
_JOINTS = "PersonJoints"
_DETECTIONS = "Mask"
_INSTANCES = "Instances"
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
    source.refuse(options, NAME, "descriptor")
    split = split or "train"
    cutter = _Cutter(root, options)
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
    return Source(PASCAL_PERSON_PART, samples, (*notes, *cutter.notes()), facts)


def read_pictures(
    root: str | os.PathLike[str], split: str
) -> list[WholePicture]:
    """Lists the truth about whole pictures, for measuring; see `read`.

    A picture without a file of joints has no people; one with a damaged file
    has a fault.
    """
    root = source.one_root((root,), NAME)
    return [_whole_picture(root, name) for name in _ids(root, split)]


class _Cutter:
    """Cuts the people out of pictures in one way; remembers who is left out.

    Attributes:
        way: One of `WAYS`.
        left_out: What was left out: names by reason.
    """

    def __init__(self, root: pathlib.Path, options: Options) -> None:
        self.way = options.people or MATCHED
        self.left_out: dict[str, list[str]] = {
            "pictures_without_joints": [],
            "pictures_without_people": [],
            "people_without_detection": [],
        }
        self._root = root
        self._keeps_all = options.keep_without_joints
        self._detections = pathlib.Path(
            options.detections or root / _DETECTIONS
        )
        self._check(options)

    def cut(self, picture_id: str) -> list[CroppedSample]:
        """Returns the people of one picture; what is damaged has a fault."""
        try:
            return list(self._cut(picture_id))
        except UserError as error:
            image_path = raw.find_image(self._root / _IMAGES, picture_id)
            return [
                CroppedSample(
                    picture_id,
                    picture_id,
                    image_path,
                    (0, 0, 0, 0),
                    fault=str(error),
                )
            ]

    def notes(self) -> list[str]:
        """One line for every reason for which something was left out."""
        return [
            f"{len(names)} {reason.replace('_', ' ')} left out: "
            + source.listed(names)
            for reason, names in self.left_out.items()
            if names
        ]

    def _check(self, options: Options) -> None:
        if self.way not in WAYS:
            raise UserError(
                f"unknown way to cut people out of {NAME}",
                "--people",
                ", ".join(WAYS),
                self.way,
            )
        uses_detections = self.way in (MATCHED, DETECTIONS)
        if options.detections is not None and not uses_detections:
            raise UserError(
                f"--people={self.way} does not take this flag", "--detections"
            )
        if self._keeps_all and self.way in (MATCHED, BOXES):
            raise UserError(
                f"--people={self.way} needs joints",
                "--keep_without_joints",
                f"--people={DETECTIONS} or --people={INSTANCES}",
            )
        needed = [self._root / _IMAGES]
        if uses_detections:
            needed.append(self._detections)
        elif self.way == INSTANCES:
            needed.append(self._root / _INSTANCES)
        if not self._keeps_all:
            needed.append(self._root / _JOINTS)
        for path in needed:
            if not path.is_dir():
                raise UserError(
                    f"no folder that --people={self.way} needs",
                    path,
                    f"see --people: {', '.join(WAYS)}",
                )

    def _cut(self, picture_id: str) -> Iterator[CroppedSample]:
        image_path = raw.find_image(self._root / _IMAGES, picture_id)
        if not image_path.is_file():
            raise UserError("no picture of this id", image_path)
        people = _people(self._root, picture_id)
        if people is None:
            if not self._keeps_all:
                self.left_out["pictures_without_joints"].append(picture_id)
                return
            people = people_files.no_people(_NUM_KEYPOINTS)
        cuts = self._cuts(picture_id, people)
        if not cuts:
            self.left_out["pictures_without_people"].append(picture_id)
        label_path = _label_path(self._root, picture_id)
        for cut in cuts:
            has_pose = cut.person is not None
            yield CroppedSample(
                f"{picture_id}_{cut.number}",
                picture_id,
                image_path,
                cut.box,
                label_path,
                people.keypoints_xy[cut.person] if has_pose else None,
                people.visibility[cut.person] if has_pose else None,
                cut.mask,
                cut.score,
            )

    def _cuts(self, picture_id: str, people: People) -> "list[_Cut]":
        if self.way == MATCHED:
            return self._matched(picture_id, people)
        if self.way == DETECTIONS:
            return self._detected(picture_id, people)
        if self.way == INSTANCES:
            return self._instances(picture_id, people)
        return [
            _Cut(number, box_geometry.whole_pixels(box), number)
            for number, box in enumerate(people.boxes)
        ]

    def _matched(self, picture_id: str, people: People) -> "list[_Cut]":
        path, found = self._read_detections(picture_id)
        return [
            _Cut(
                person,
                # As the release casts it.
                box_geometry.whole_pixels(people.boxes[person]),
                person,
                DetectionMask(path, detection),
            )
            for person, detection in self._assign(
                picture_id, people, found.boxes
            ).items()
        ]

    def _detected(self, picture_id: str, people: People) -> "list[_Cut]":
        path, found = self._read_detections(picture_id)
        pairs = self._assign(picture_id, people, found.boxes)
        person_of = {number: person for person, number in pairs.items()}
        return [
            _Cut(
                number,
                box_geometry.whole_pixels(box, outwards=True),
                person_of.get(number),
                DetectionMask(path, number) if found.has_masks else None,
                float(found.scores[number]),
            )
            for number, box in enumerate(found.boxes)
        ]

    def _instances(self, picture_id: str, people: People) -> "list[_Cut]":
        path = self._root / _INSTANCES / f"{picture_id}.png"
        found = cropped.instance_boxes(cropped.read_ids(path))
        pairs = self._assign(
            picture_id, people, np.array(list(found.values()), np.float64)
        )
        person_of = {number: person for person, number in pairs.items()}
        return [
            _Cut(
                instance,
                box,
                person_of.get(number),
                InstanceMask(path, instance),
            )
            for number, (instance, box) in enumerate(found.items())
        ]

    def _assign(
        self, picture_id: str, people: People, found: np.ndarray
    ) -> dict[int, int]:
        """Index of the box found for every person; the others are noted."""
        pairs = dict(box_geometry.assign(people.boxes, found, MAX_COST))
        self.left_out["people_without_detection"] += [
            f"{picture_id}_{person}"
            for person in range(people.count)
            if person not in pairs
        ]
        return pairs

    def _read_detections(
        self, picture_id: str
    ) -> tuple[pathlib.Path, Detections]:
        path = detections.find(self._detections, picture_id)
        if path is None:
            names = " or ".join(picture_id + end for end in detections.SUFFIXES)
            raise UserError(
                "no detections of the picture", self._detections, names
            )
        found = detections.read(path)
        if self.way == MATCHED and not found.has_masks:
            raise UserError(
                f"--people={MATCHED} needs masks",
                path,
                f"{detections.MASKS}, or --people={DETECTIONS}",
            )
        return path, found


@dataclasses.dataclass(frozen=True)
class _Cut:
    """One person to be cut out.

    Attributes:
        number: Among those of the picture, for the record's id.
        box: Left, top, right, bottom.
        person: Index of the annotated person, or None.
        mask: Who is who, or None.
        score: Of the detection.
    """

    number: int
    box: tuple[int, int, int, int]
    person: int | None
    mask: Mask | None = None
    score: float = 1.0


def _whole_picture(root: pathlib.Path, picture_id: str) -> WholePicture:
    fault = people = None
    try:
        people = _people(root, picture_id)
    except UserError as error:
        fault = str(error)
    return WholePicture(
        picture_id,
        raw.find_image(root / _IMAGES, picture_id),
        _label_path(root, picture_id),
        people,
        fault,
    )


def _people(root: pathlib.Path, picture_id: str) -> People | None:
    path = root / _JOINTS / f"{picture_id}.mat"
    if not path.is_file():
        return None
    return people_files.read_person_joints(path, _NUM_KEYPOINTS)


def _label_path(root: pathlib.Path, picture_id: str) -> pathlib.Path | None:
    path = root / _LABELS / f"{picture_id}.png"
    return path if path.is_file() else None


def _ids(root: pathlib.Path, split: str) -> list[str]:
    if split not in _SPLITS:
        raise UserError(
            f"unknown split of {NAME}", "--split", ", ".join(_SPLITS), split
        )
    name = f"{split}_id.txt"
    for path in (root / name, root / "lists" / name):
        if path.is_file():
            return id_list.read(path)
    raise UserError("no list of pictures", root, f"{name} or lists/{name}")
