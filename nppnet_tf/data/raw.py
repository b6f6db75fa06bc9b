"""Raw files of one sample, read when their turn comes."""

import dataclasses
import hashlib
import pathlib
from collections.abc import Sequence

import numpy as np

from nppnet_tf.data import frames
from nppnet_tf.data.damage import BadRecordError
from nppnet_tf.data.drawn_labels import DrawnLabels
from nppnet_tf.data.frames import Frame
from nppnet_tf.data.record import ABSENT
from nppnet_tf.data.record import Record
from nppnet_tf.errors import TooLargeError
from nppnet_tf.errors import UnreadableError
from nppnet_tf.errors import UserError
from nppnet_tf.files import matlab
from nppnet_tf.files import text_files
from nppnet_tf.pictures import picture_files
from nppnet_tf.pictures import picture_names
from nppnet_tf.pictures.label_colors import Color

# Where a label map is found.
LabelPlace = pathlib.Path | DrawnLabels

# What a label map may be; the second as Clothing Co-Parsing has it.
LABEL_SUFFIXES = (".png", ".mat")
_MATLAB_LABELS = "groundtruth"


@dataclasses.dataclass(frozen=True)
class RawSample:
    """Where the parts of one record lie.

    Attributes:
        record_id: Unique in its data set.
        image_path: Picture; its absence makes the record a damaged one.
        label_path: Label map, a file or to be drawn, or None where the sample
            has none.
        keypoints_xy: Keypoints as in `Record`, or None where the sample has no
            pose.
        visibility: Visibility as in `Record`, or None with `keypoints_xy`.
        fault: What is wrong with the annotation already, or None.
        stated_size: (height, width) of the picture whose joints these are, as
            the annotation states it, or None; see `frames`.
        palette: The color of every class, see `read_label_map`, or None.
    """

    record_id: str
    image_path: pathlib.Path
    label_path: LabelPlace | None = None
    keypoints_xy: np.ndarray | None = None
    visibility: np.ndarray | None = None
    fault: str | None = None
    stated_size: tuple[int, int] | None = None
    palette: Sequence[Color] | None = None

    @property
    def paths(self) -> tuple[pathlib.Path, ...]:
        """The picture and, where the sample has one, the label PNG."""
        if self.label_path is None:
            return (self.image_path,)
        return (self.image_path, file_of(self.label_path))

    def load(self) -> Record:
        """Reads the files.

        Raises:
            BadRecordError: A file is missing or unreadable, or the annotation
                is at fault.
        """
        if self.fault is not None:
            raise BadRecordError(self.record_id, self.fault)
        label_map = None
        if self.label_path is not None:
            label_map = read_label_map(
                self.label_path, self.record_id, self.palette
            )
        data = read_bytes(self.image_path, self.record_id)
        keypoints_xy = self.keypoints_xy
        notes: tuple[str, ...] = ()
        try:
            if label_map is not None or keypoints_xy is not None:
                frame = frames.of(data)
                doubt = frame.doubt(
                    self.stated_size, keypoints_xy is not None, label_map
                )
                if label_map is not None:
                    label_map = frame.label_map(label_map)
                if keypoints_xy is not None:
                    keypoints_xy, notes = self._upright(frame)
                if doubt is not None:
                    notes += (doubt,)
        except UserError as error:
            raise BadRecordError(
                self.record_id, error, self.image_path
            ) from error
        return Record(
            self.record_id,
            data,
            label_map,
            keypoints_xy,
            self.visibility,
            notes=notes,
        )

    def _upright(self, frame: Frame) -> tuple[np.ndarray, tuple[str, ...]]:
        """The joints in the upright picture, and lines on them."""
        if frame.is_stored(self.stated_size):
            is_present = (self.visibility != ABSENT)[:, np.newaxis]
            turned = frame.points(self.keypoints_xy)
            return np.where(is_present, turned, 0).astype(np.float32), ()
        note = frame.note(self.stated_size, self.keypoints_xy, self.visibility)
        return self.keypoints_xy, () if note is None else (note,)

    def digest(self) -> str:
        """Hexadecimal sha256 of everything that the record is made of."""
        return digest_of(
            (self.record_id, self.fault, self.stated_size),
            (self.image_path, self.label_path),
            (self.keypoints_xy, self.visibility),
        )


def find_image(folder: pathlib.Path, stem: str) -> pathlib.Path:
    """Returns the picture of this name; the usual path where there is none."""
    return picture_names.find_picture(folder, stem)


def read_bytes(path: pathlib.Path, record_id: str) -> bytes:
    """Returns the content of a file; BadRecordError where it has none."""
    try:
        text_files.require_regular(path)
        if path.stat().st_size > picture_files.MAX_BYTES:
            raise TooLargeError(
                "file is too large",
                path,
                f"at most {picture_files.MAX_BYTES} bytes",
                path.stat().st_size,
            )
        return path.read_bytes()
    except UserError as error:
        raise BadRecordError(record_id, error) from error
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        unreadable = UnreadableError(f"cannot be read: {reason}")
        raise BadRecordError(record_id, unreadable, path) from error


def file_of(place: LabelPlace) -> pathlib.Path:
    """Returns the file that holds a label map."""
    return place.path if isinstance(place, DrawnLabels) else place


def read_label_map(
    path: LabelPlace, record_id: str, palette: Sequence[Color] | None = None
) -> np.ndarray:
    """Returns the ids of a label map, uint8 [H, W].

    Args:
        path: A PNG of ids, a MATLAB file with a matrix `groundtruth`, or what
            is to be drawn.
        record_id: Id that the message names.
        palette: The color of every class, which that of a PNG may not
            contradict; None where its colors mean nothing.

    Raises:
        BadRecordError: It cannot be read or holds no ids.
    """
    if isinstance(path, DrawnLabels):
        try:
            return path.read()
        except UserError as error:
            raise BadRecordError(record_id, error, path.path) from error
    data = read_bytes(path, record_id)
    try:
        if path.suffix.lower() == ".mat":
            return _matlab_label_map(path)
        return picture_files.decode_label_map(data, palette=palette)
    except UserError as error:
        raise BadRecordError(record_id, error, path) from error


def _matlab_label_map(path: pathlib.Path) -> np.ndarray:
    matrix = matlab.read(path, (_MATLAB_LABELS,))[_MATLAB_LABELS]
    labels = matlab.numbers(matrix, path)
    ids = np.nan_to_num(labels, nan=-1).clip(0, 255).astype(np.uint8)
    if ids.ndim != 2 or (ids != labels).any():
        raise picture_files.LabelFormError(
            "label map does not hold class ids",
            path,
            f"a matrix {_MATLAB_LABELS} of 0..255",
            f"shape {labels.shape}",
        )
    return ids


def digest_of(
    words: Sequence[object],
    paths: Sequence[LabelPlace | None],
    arrays: Sequence[np.ndarray | None],
) -> str:
    """Hexadecimal sha256 of words, of the content of files, and of arrays."""
    digest = hashlib.sha256()
    parts = [str(word).encode() for word in words]
    parts += [_content(path) for path in paths]
    parts += [b"" if array is None else array.tobytes() for array in arrays]
    for part in parts:
        # The length keeps neighbors apart.
        digest.update(len(part).to_bytes(8, "little"))
        digest.update(part)
    return digest.hexdigest()


def _content(path: LabelPlace | None) -> bytes:
    if path is None:
        return b""
    if isinstance(path, DrawnLabels):
        # The file may be of thousands of pictures.
        return repr((path.size, path.shapes, path.fault)).encode()
    try:
        text_files.require_regular(path)
        return path.read_bytes()
    except (UserError, OSError, ValueError) as error:
        return f"{type(error).__name__}".encode()
