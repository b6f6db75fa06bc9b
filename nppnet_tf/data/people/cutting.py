"""Cuts single people out of pictures of several, in one of four ways.

matched     the annotated box of every person for whom the detector found
            a box of 0.7 IoU at least, other people made background by its
            mask: the authors' release
detections  the detected boxes and masks (the paper, Sec. 4.1); joints are
            those of the annotated person that is so matched
instances   the people of a PNG of instances, their tight boxes and masks;
            joints as above; or those whose regions the file of poses tells,
            which are tied to their joints
boxes       the annotated boxes; label maps show whoever is in them
"""

import dataclasses
import functools
import pathlib
from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence

import numpy as np

from nppnet_tf.data import frames
from nppnet_tf.data import raw
from nppnet_tf.data import source
from nppnet_tf.data.drawn_labels import DrawnLabels
from nppnet_tf.data.frames import Frame
from nppnet_tf.data.people import boxes as box_geometry
from nppnet_tf.data.people import cropped
from nppnet_tf.data.people import detections
from nppnet_tf.data.people import whole_picture as people_files
from nppnet_tf.data.people.cropped import CroppedSample
from nppnet_tf.data.people.cropped import DetectionMask
from nppnet_tf.data.people.cropped import Mask
from nppnet_tf.data.people.detections import Detections
from nppnet_tf.data.people.whole_picture import People
from nppnet_tf.data.raw import LabelPlace
from nppnet_tf.data.source import Options
from nppnet_tf.errors import UserError
from nppnet_tf.files.file_table import FileTable
from nppnet_tf.pictures import picture_files
from nppnet_tf.pictures import picture_names
from nppnet_tf.pictures.label_colors import Color

MATCHED = "matched"
DETECTIONS = "detections"
INSTANCES = "instances"
BOXES = "boxes"
WAYS = (MATCHED, DETECTIONS, INSTANCES, BOXES)

# Largest 1 - IoU of an annotated and another box of one person.
MAX_COST = 0.3


@dataclasses.dataclass(frozen=True)
class Places:
    """Folders in which the parts of a data set lie.

    Attributes:
        images: Pictures.
        labels: Label PNGs.
        instances: PNGs of ids of people, or annotations of PASCAL-Part.
        detections: Files of a detector.
        drawn: Label maps that a document tells, by picture; None where they
            are the files of `labels`.
        has_regions: Whether the file of poses tells the regions of people,
            which then count in place of `instances`.
        palette: The color of every class, as in `RawSample`, or None.
    """

    images: pathlib.Path
    labels: pathlib.Path
    instances: pathlib.Path
    detections: pathlib.Path
    drawn: Mapping[str, DrawnLabels] | None = None
    has_regions: bool = False
    palette: Sequence[Color] | None = None

    @functools.cached_property
    def pictures(self) -> FileTable:
        """The pictures by id."""
        return FileTable(self.images, picture_names.ENDINGS)

    @functools.cached_property
    def label_maps(self) -> FileTable:
        """The label maps by id; pictures among them where both are mixed."""
        return FileTable(self.labels, raw.LABEL_SUFFIXES)

    @functools.cached_property
    def found_people(self) -> FileTable:
        """The files of a detector by id."""
        return FileTable(self.detections, detections.SUFFIXES)

    @functools.cached_property
    def instance_files(self) -> FileTable:
        """The files of instances by id."""
        return FileTable(self.instances, cropped.INSTANCE_SUFFIXES)

    def image_path(self, picture_id: str) -> pathlib.Path:
        """Returns the picture of an id; the usual path where there is none."""
        usual = f"{picture_id}{picture_names.ENDINGS[0]}"
        return self.pictures.get(picture_id, self.images / usual)

    def label_path(self, picture_id: str) -> LabelPlace | None:
        """Returns the label map of a picture, None where there is none."""
        if self.drawn is not None:
            return self.drawn.get(picture_id)
        path = self.label_maps.get(picture_id)
        is_picture = path == self.pictures.get(picture_id)
        return None if is_picture else path

    def upright(self, picture_id: str, people: People) -> People:
        """Returns the people of a picture in its upright pixels.

        Raises:
            UserError: The picture cannot be read, or is of another size than
                they are of.
        """
        if people.stated_size is None:
            return people
        data = raw.read_bytes(self.image_path(picture_id), picture_id)
        return people.upright(frames.of(data))

    def doubled(self, picture_id: str) -> str | None:
        """Returns what is wrong where two pictures have one id."""
        label_path = self.label_path(picture_id)
        paths = [
            path.name
            for path in self.pictures.doubled.get(picture_id, ())
            if path != label_path
        ]
        if len(paths) < 2:
            return None
        return f"several pictures of one name: {', '.join(paths)}"


class Cutter:
    """Cuts the people out of pictures in one way; remembers who is left out.

    Args:
        places: Where things lie.
        way: One of `WAYS`.
        options: Options of the reader; its own detections come first.
        num_keypoints: K.
        read_people: Returns the annotated people of a picture, None where
            nobody annotated any; UserError where their file is damaged.

    Attributes:
        way: How people are cut out, one of the ways above.
        left_out: What was left out: names by reason.
    """

    def __init__(
        self,
        places: Places,
        way: str,
        options: Options,
        num_keypoints: int,
        read_people: Callable[[str], People | None],
    ) -> None:
        self.way = way
        self.left_out: dict[str, list[str]] = {
            "pictures_without_joints": [],
            "pictures_without_people": [],
            "people_without_detection": [],
            "people_without_annotation": [],
            "people_with_damaged_annotation": [],
        }
        if options.detections is not None:
            places = dataclasses.replace(
                places, detections=pathlib.Path(options.detections)
            )
        self._places = places
        self._keeps_all = options.keep_without_joints
        self._num_keypoints = num_keypoints
        self._read_people = read_people
        self._check(options)

    def cut(self, picture_id: str) -> list[CroppedSample]:
        """Returns the people of one picture; what is damaged has a fault."""
        try:
            return list(self._cut(picture_id))
        except UserError as error:
            image_path = self._places.image_path(picture_id)
            return [
                CroppedSample(
                    picture_id,
                    picture_id,
                    image_path,
                    (0, 0, 0, 0),
                    fault=error.kept(),
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
        require_way(self.way, WAYS)
        uses_detections = self.way in (MATCHED, DETECTIONS)
        if options.detections is not None and not uses_detections:
            raise UserError(
                f"`people`={self.way} does not take this", "`detections`"
            )
        if self._keeps_all and self.way in (MATCHED, BOXES):
            raise UserError(
                f"`people`={self.way} needs joints",
                "`keep_without_joints`",
                f"`people`={DETECTIONS} or `people`={INSTANCES}",
            )
        needed = [self._places.images]
        if uses_detections:
            needed.append(self._places.detections)
        elif self.way == INSTANCES and not self._places.has_regions:
            needed.append(self._places.instances)
        for path in needed:
            if not path.is_dir():
                raise UserError(
                    f"no folder that `people`={self.way} needs",
                    path,
                    f"`people` is one of {', '.join(WAYS)}",
                )

    def _cut(self, picture_id: str) -> Iterator[CroppedSample]:
        image_path = self._places.image_path(picture_id)
        if not image_path.is_file():
            raise UserError("no picture of this id", image_path)
        if (doubled := self._places.doubled(picture_id)) is not None:
            raise UserError(doubled, self._places.images)
        people = self._read_people(picture_id)
        if people is None:
            if not self._keeps_all:
                self.left_out["pictures_without_joints"].append(picture_id)
                return
            people = people_files.no_people(self._num_keypoints)
        if self.way != BOXES:
            # To be compared with what was found in the upright picture.
            people = self._places.upright(picture_id, people)
        yield from self._faulty(picture_id, image_path, people)
        cuts = self._cuts(picture_id, people)
        if not cuts and not people.faults:
            self.left_out["pictures_without_people"].append(picture_id)
        label_path = self._places.label_path(picture_id)
        for cut in cuts:
            # A person of whom no joint was seen has no pose.
            has_pose = cut.person is not None and bool(
                people.visibility[cut.person].any()
            )
            if self.way == BOXES and not has_pose and label_path is None:
                self.left_out["people_without_annotation"].append(
                    f"{picture_id}_{cut.number}"
                )
                continue
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
                stated_size=people.stated_size,
                palette=self._places.palette,
            )

    def _faulty(
        self, picture_id: str, image_path: pathlib.Path, people: People
    ) -> Iterator[CroppedSample]:
        """People whose annotation is damaged: records, or noted."""
        for person, fault in people.faults.items():
            name = f"{picture_id}_{person}"
            if self.way in (BOXES, MATCHED):
                fault = f"person {person} of {picture_id}: {fault}"
                yield CroppedSample(
                    name, picture_id, image_path, (0, 0, 0, 0), fault=fault
                )
            else:
                # Whoever was found there is a record, without joints.
                reason = "people_with_damaged_annotation"
                self.left_out[reason].append(f"{name} ({fault})")

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
            if number not in people.faults
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
        if self._places.has_regions:
            return self._regions(picture_id, people)
        found = cropped.find_instances(
            self._places.instance_files, picture_id, self._frame(picture_id)
        )
        pairs = self._assign(
            picture_id,
            people,
            np.array([box for _, box, _ in found], np.float64),
        )
        person_of = {number: person for person, number in pairs.items()}
        return [
            _Cut(instance, box, person_of.get(number), mask)
            for number, (instance, box, mask) in enumerate(found)
        ]

    def _regions(self, picture_id: str, people: People) -> "list[_Cut]":
        frame = self._frame(picture_id)
        cuts = []
        for person in range(people.count):
            mask = people.masks[person] if people.masks else None
            pixels = np.zeros((0, 0), np.uint8)
            if mask is not None:
                size = mask.size or frame.upright_size
                mask = dataclasses.replace(mask, size=size)
                pixels = frame.label_map(mask.read()).astype(np.uint8)
            for box in cropped.instance_boxes(pixels).values():
                # As where instances have a file: then without joints.
                owner = None if person in people.faults else person
                cuts.append(_Cut(person, box, owner, mask))
        found = {cut.number for cut in cuts}
        self.left_out["people_without_detection"] += [
            f"{picture_id}_{person}"
            for person in range(people.count)
            if person not in found and person not in people.faults
        ]
        return cuts

    def _frame(self, picture_id: str) -> Frame:
        path = self._places.image_path(picture_id)
        return frames.of(picture_files.read_bytes(path), path)

    def _assign(
        self, picture_id: str, people: People, found: np.ndarray
    ) -> dict[int, int]:
        """Index of the box found for every person; the others are noted."""
        pairs = dict(box_geometry.assign(people.boxes, found, MAX_COST))
        self.left_out["people_without_detection"] += [
            f"{picture_id}_{person}"
            for person in range(people.count)
            if person not in pairs and person not in people.faults
        ]
        return pairs

    def _read_detections(
        self, picture_id: str
    ) -> tuple[pathlib.Path, Detections]:
        path = self._places.found_people.get(picture_id)
        if path is None:
            names = " or ".join(picture_id + end for end in detections.SUFFIXES)
            raise UserError(
                "no detections of the picture", self._places.detections, names
            )
        found = detections.read(path)
        if self.way == MATCHED and not found.has_masks:
            raise UserError(
                f"`people`={MATCHED} needs masks",
                path,
                f"{detections.MASKS}, or `people`={DETECTIONS}",
            )
        return path, found


def require_way(way: str, ways: Sequence[str]) -> None:
    """Raises UserError unless people can be cut out in a way.

    Args:
        way: Way that a user asks for.
        ways: Ways that there are.
    """
    if way not in ways:
        raise UserError(
            "unknown way to cut people out", "`people`", ", ".join(ways), way
        )


@dataclasses.dataclass(frozen=True)
class _Cut:
    """One person to be cut out.

    Attributes:
        number: Among those of the picture, for the record's id.
        box: Left, top, right, bottom.
        person: Index of the annotated person, or None.
        mask: Who is who, or None.
        score: Score of the detection.
    """

    number: int
    box: tuple[int, int, int, int]
    person: int | None
    mask: Mask | None = None
    score: float = 1.0
