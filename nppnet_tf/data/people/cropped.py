"""Single persons cut out of pictures of several.

The record of a person is a picture of its own: the box of the person, the
label map with other people made background where a mask says who is who, and
the joints from the corner of the box. Where it was cut is kept (`Crop`), so
that predictions can be put together again.
"""

import dataclasses
import pathlib
from collections.abc import Iterator
from collections.abc import Sequence
from typing import Any
from typing import Protocol

import numpy as np

from nppnet_tf import keys
from nppnet_tf.data import drawn_labels
from nppnet_tf.data import frames
from nppnet_tf.data import inspection
from nppnet_tf.data import raw
from nppnet_tf.data.damage import BadRecordError
from nppnet_tf.data.frames import Frame
from nppnet_tf.data.people import boxes
from nppnet_tf.data.people import detections
from nppnet_tf.data.raw import LabelPlace
from nppnet_tf.data.record import ABSENT
from nppnet_tf.data.record import Crop
from nppnet_tf.data.record import Record
from nppnet_tf.errors import UserError
from nppnet_tf.files import matlab
from nppnet_tf.files.file_table import FileTable
from nppnet_tf.pictures import picture_files
from nppnet_tf.pictures.label_colors import Color

# Of files of instances, in the order of preference.
INSTANCE_SUFFIXES = (".mat", ".png")

_BACKGROUND = 0
# Of an object of PASCAL-Part.
_PERSON_CLASS = "person"


class Mask(Protocol):
    """Which pixels of a picture are those of one person.

    Attributes:
        path: File that holds the mask.
    """

    path: pathlib.Path

    def read(self) -> np.ndarray:
        """Bool [H, W]; UserError says why it cannot be read."""


@dataclasses.dataclass(frozen=True)
class DetectionMask:
    """A mask of a file of detections.

    Attributes:
        path: The file.
        index: Index of the person among its people.
    """

    path: pathlib.Path
    index: int

    def read(self) -> np.ndarray:
        """Bool [H, W]; see `Mask`."""
        masks = detections.read(self.path).masks
        if masks is None:
            raise UserError("detections without masks", self.path)
        return masks[self.index]


@dataclasses.dataclass(frozen=True)
class InstanceMask:
    """A person of a PNG whose ids are those of persons.

    Attributes:
        path: The PNG.
        instance: Id of the person.
    """

    path: pathlib.Path
    instance: int

    def read(self) -> np.ndarray:
        """Bool [H, W]; see `Mask`."""
        return read_ids(self.path) == self.instance


@dataclasses.dataclass(frozen=True)
class AnnotatedMask:
    """A person of an annotation of PASCAL-Part.

    Attributes:
        path: MATLAB file with `anno.objects[].class` and `.mask`.
        index: Index of the person among its objects.
    """

    path: pathlib.Path
    index: int

    def read(self) -> np.ndarray:
        """Bool [H, W]; see `Mask`."""
        return _annotated_people(self.path)[self.index]


@dataclasses.dataclass(frozen=True)
class RegionMask:
    """A person whose region a document of COCO's form tells.

    Attributes:
        path: The document.
        size: (height, width) of the picture that the region is of; None until
            it is known, where the document does not state it.
        region: "segmentation" of the annotation.
    """

    path: pathlib.Path
    size: tuple[int, int] | None
    region: Any

    def read(self) -> np.ndarray:
        """Bool [H, W]; see `Mask`."""
        return drawn_labels.pixels(self.region, self.size)


def find_instances(
    files: FileTable, picture_id: str, frame: Frame
) -> list[tuple[int, tuple[int, int, int, int], Mask]]:
    """Lists the people of a picture, of a PNG of ids or of PASCAL-Part.

    Args:
        files: `<picture id>.png` or `<picture id>.mat` of every picture.
        picture_id: Id of the picture.
        frame: How the picture is stored and shown.

    Returns:
        Number, tight box in the upright picture, and mask of every person.

    Raises:
        UserError: There is neither file, or it cannot be read.
    """
    path = files.get(picture_id, files.folder / f"{picture_id}.png")
    if path.suffix.lower() == ".mat":
        return [
            (index, box, AnnotatedMask(path, index))
            for index, mask in _annotated_people(path).items()
            for box in instance_boxes(
                frame.label_map(mask.astype(np.uint8))
            ).values()
        ]
    return [
        (instance, box, InstanceMask(path, instance))
        for instance, box in instance_boxes(
            frame.label_map(read_ids(path))
        ).items()
    ]


def _annotated_people(path: pathlib.Path) -> dict[int, np.ndarray]:
    """Bool [H, W] of every person by the place among the objects."""
    annotation = matlab.read(path, ("anno",))["anno"]
    try:
        objects = annotation["objects"].ravel()[0].ravel()
        return {
            index: matlab.numbers(found["mask"], path) > 0
            for index, found in enumerate(objects)
            if str(np.asarray(found["class"]).squeeze()) == _PERSON_CLASS
        }
    except (IndexError, KeyError, TypeError, ValueError) as error:
        raise UserError(
            "not an annotation of PASCAL-Part",
            path,
            "anno.objects with class and mask",
            error,
        ) from error


def read_ids(path: pathlib.Path) -> np.ndarray:
    """Returns the ids of a PNG of instances, uint8 [H, W].

    Raises:
        UserError: It cannot be read or holds no ids.
    """
    return picture_files.decode_label_map(picture_files.read_bytes(path), path)


def instance_boxes(ids: np.ndarray) -> dict[int, tuple[int, int, int, int]]:
    """Returns the tight box of every id but 0 (none) and 255 (ignored)."""
    found = {}
    for instance in np.unique(ids).tolist():
        if instance in (0, keys.IGNORE_LABEL):
            continue
        rows, columns = np.nonzero(ids == instance)
        found[instance] = (
            int(columns.min()),
            int(rows.min()),
            int(columns.max()) + 1,
            int(rows.max()) + 1,
        )
    return found


@dataclasses.dataclass(frozen=True)
class CroppedSample:
    """Where the parts of one person's record lie; K keypoints.

    Attributes:
        record_id: Unique in its data set.
        picture_id: Id of the picture with all people.
        image_path: That picture.
        box: Left, top, right, bottom in it; may reach beyond it.
        label_path: Label map of the picture, see `RawSample`, or None.
        keypoints_xy: Float32 [K, 2], pixels of the picture, or None.
        visibility: Int32 [K], or None with `keypoints_xy`.
        mask: Who is who in the label map; None leaves it as it is.
        score: Score of the detection.
        fault: What is wrong with the annotation already, an error or a phrase,
            or None.
        stated_size: (height, width) of the picture that box and joints are
            of, as their file states it, or None; see `frames`.
        palette: The color of every class, as in `RawSample`, or None.
    """

    record_id: str
    picture_id: str
    image_path: pathlib.Path
    box: tuple[int, int, int, int]
    label_path: LabelPlace | None = None
    keypoints_xy: np.ndarray | None = None
    visibility: np.ndarray | None = None
    mask: Mask | None = None
    score: float = 1.0
    fault: UserError | str | None = None
    stated_size: tuple[int, int] | None = None
    palette: Sequence[Color] | None = None

    @property
    def paths(self) -> Sequence[pathlib.Path]:
        """The picture, its label PNG and the file of the mask."""
        paths = (
            self.image_path,
            self.label_path and raw.file_of(self.label_path),
            self.mask and self.mask.path,
        )
        return tuple(path for path in paths if path is not None)

    def load(self) -> Record:
        """Reads the files and cuts the person out.

        Raises:
            BadRecordError: A file is missing or unreadable, label map or mask
                are not of the picture's size, the box lies outside of the
                picture, or the annotation is at fault.
        """
        if self.fault is not None:
            raise BadRecordError(self.record_id, self.fault)
        data = raw.read_bytes(self.image_path, self.record_id)
        try:
            return self._cut(data)
        except BadRecordError:
            raise
        except UserError as error:
            raise BadRecordError(
                self.record_id, error, self.image_path
            ) from error

    def _cut(self, data: bytes) -> Record:
        frame = frames.of(data)
        sample = self
        if frame.is_stored(self.stated_size):
            sample = self._turned(frame)
        note = frame.note(
            sample.stated_size, sample.keypoints_xy, self.visibility
        )
        stored, label_map = self._label_map(frame)
        doubt = frame.doubt(
            self.stated_size, self.keypoints_xy is not None, stored
        )
        whole = Record(
            self.record_id,
            data,
            label_map,
            sample.keypoints_xy,
            self.visibility,
            notes=tuple(line for line in (note, doubt) if line is not None),
        )
        return cut(
            whole, sample.box, self.picture_id, frame.upright_size, self.score
        )

    def _turned(self, frame: Frame) -> "CroppedSample":
        left, top, right, bottom = frame.boxes(np.array(self.box))
        keypoints_xy = self.keypoints_xy
        if keypoints_xy is not None:
            keypoints_xy = frame.points(keypoints_xy)
        return dataclasses.replace(
            self,
            box=(int(left), int(top), int(right), int(bottom)),
            keypoints_xy=keypoints_xy,
        )

    def digest(self) -> str:
        """Hexadecimal sha256 of everything that the record is made of."""
        own = dataclasses.replace(self.mask, path=None) if self.mask else None
        mask_path = self.mask and self.mask.path
        if isinstance(self.mask, RegionMask):
            # All of it is told by its fields; the file is of all pictures.
            mask_path = None
        return raw.digest_of(
            (
                self.record_id,
                self.picture_id,
                self.box,
                self.score,
                self.fault,
                self.stated_size,
                own,
            ),
            (self.image_path, self.label_path, mask_path),
            (self.keypoints_xy, self.visibility),
        )

    def _label_map(
        self, frame: Frame
    ) -> tuple[np.ndarray | None, np.ndarray | None]:
        """The label map as it is stored, and that of the upright person."""
        if self.label_path is None:
            return None, None
        stored = raw.read_label_map(
            self.label_path, self.record_id, self.palette
        )
        label_map = frame.label_map(stored)
        size = frame.upright_size
        try:
            where = raw.file_of(self.label_path)
            picture_files.require_same_size(label_map, size, where)
            if self.mask is None:
                return stored, label_map
            mask = frame.label_map(self.mask.read())
            if mask.shape != size:
                raise picture_files.SizeMismatchError(
                    "mask does not fit the picture",
                    self.mask.path,
                    "{} x {}".format(*size),
                    " x ".join(map(str, mask.shape)),
                )
        except UserError as error:
            raise BadRecordError(self.record_id, error) from error
        return stored, np.where(mask, label_map, np.uint8(_BACKGROUND))


def cut(
    record: Record,
    box: tuple[int, int, int, int],
    picture_id: str,
    size: tuple[int, int],
    score: float = 1.0,
) -> Record:
    """Returns the record of one person, cut out of that of the picture.

    Args:
        record: The whole picture, with the parts and joints of the person.
        box: Left, top, right, bottom; may reach beyond the picture.
        picture_id: Id of the picture.
        size: (height, width) of the picture, upright.
        score: Score of the detection.

    Raises:
        UserError: The picture cannot be decoded, or the box is empty or lies
            outside.
    """
    if box[0] >= box[2] or box[1] >= box[3]:
        raise UserError(
            "box of no whole pixel", None, "left, top, right, bottom", box
        )
    left, top, right, bottom = inner = boxes.inside(box, size)
    if left >= right or top >= bottom:
        raise UserError(
            f"box {box} lies outside of the picture of {{}} x {{}}".format(
                *size
            )
        )
    part = np.s_[top:bottom, left:right]
    pixels = picture_files.decode(record.image_bytes)[part]
    label_map = record.label_map
    return dataclasses.replace(
        record,
        image_bytes=picture_files.encode_png(pixels),
        label_map=None if label_map is None else label_map[part].copy(),
        keypoints_xy=_from_corner(record, (left, top)),
        crop=Crop(picture_id, inner, size, score),
        notes=(*record.notes, *_cut_off(box, inner, size)),
    )


def _cut_off(
    box: tuple[int, int, int, int],
    inner: tuple[int, int, int, int],
    size: tuple[int, int],
) -> Iterator[str]:
    """A line on a box that reaches far beyond the picture."""
    if np.abs(np.subtract(box, inner)).max() > inspection.margin(size):
        yield (
            f"box {box} reaches beyond the picture of {size[0]} x {size[1]}: "
            "cut off at its border"
        )


def _from_corner(
    record: Record, corner_xy: tuple[int, int]
) -> np.ndarray | None:
    if record.keypoints_xy is None or record.visibility is None:
        return None
    moved = record.keypoints_xy - np.array(corner_xy, np.float32)
    is_present = (record.visibility != ABSENT)[:, np.newaxis]
    return np.where(is_present, moved, 0).astype(np.float32)
