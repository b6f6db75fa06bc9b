"""Finds people with a Mask R-CNN of the TensorFlow Model Garden.

The paper's detector is Mask R-CNN (Sec. 4.1). What is run is the SavedModel
that the Model Garden's `export_saved_model` writes, for which plain TensorFlow
is enough; detectors that speak the same names do as well.

    input       image_tensor  uint8 [B, H, W, 3]
                image_bytes   string [B], a JPEG or PNG each
                tf_example    string [B], an Example with `image/encoded` each
    outputs     detection_boxes    [B, N, 4], top, left, bottom, right
                detection_classes  [B, N], counted from 1
                detection_scores   [B, N], 0..1
                num_detections     [B], how many of the N are meant
                detection_masks    [B, N, h, w], 0..1 in the box, or of the
                                   picture's size
                image_info         [B, 4, 2], see below

B may be fixed or free. Boxes are shares of the picture, pixels of it, or, where
there is `image_info`, pixels of what the network saw: a picture that was
resized by `image_info[2]` and cut at `image_info[3]`, both (y, x).
"""

import contextlib
import dataclasses
import hashlib
import itertools
import os
import pathlib
from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any
from typing import TypeVar

import numpy as np
import tensorflow as tf
from absl import logging

from nppnet_tf.data.people import mask_pasting
from nppnet_tf.data.people.detections import Detections
from nppnet_tf.errors import UserError
from nppnet_tf.files import file_digests
from nppnet_tf.files import plain_path
from nppnet_tf.pictures import picture_files

Key = TypeVar("Key")

SIGNATURE = "serving_default"
COCO_PERSON = 1

IMAGE_TENSOR = "image_tensor"
IMAGE_BYTES = "image_bytes"
TF_EXAMPLE = "tf_example"

BOXES = "detection_boxes"
CLASSES = "detection_classes"
SCORES = "detection_scores"
COUNT = "num_detections"
MASKS = "detection_masks"
IMAGE_INFO = "image_info"

_NEEDED = (BOXES, CLASSES, SCORES)
_SAVED_MODEL_FILE = "saved_model.pb"
# Below the folder that `export_saved_model` is given.
_SUBFOLDER = "saved_model"
_FEATURE = "image/encoded"

# Shares of a picture end at 1, and boxes in pixels reach further than this.
_LARGEST_SHARE = 1.5

# Pictures of other sizes that wait for company, in batches.
_WAITING_BATCHES = 4


@dataclasses.dataclass(frozen=True)
class _Input:
    """What a signature is given.

    Attributes:
        name: Name of the signature's argument.
        kind: `IMAGE_TENSOR`, `IMAGE_BYTES` or `TF_EXAMPLE`.
        batch_size: B, None where it is free.
    """

    name: str
    kind: str
    batch_size: int | None


class PersonDetector:
    """Runs a detector on pictures of any size.

    Args:
        function: A signature: called with its one argument by name, returns
            outputs by name.
        where: What is run, for messages.

    Raises:
        UserError: The signature is not that of a detector.

    Example:
        detector = PersonDetector.from_directory("mask_rcnn/saved_model")
        found, = detector.detect([image])
    """

    def __init__(
        self, function: Callable[..., Mapping[str, Any]], where: object
    ) -> None:
        outputs = dict(sorted(function.structured_outputs.items()))
        missing = [name for name in _NEEDED if name not in outputs]
        if missing:
            raise UserError(
                "not the signature of a detector",
                where,
                f"outputs {', '.join(_NEEDED)}",
                f"no {' and no '.join(missing)} in {', '.join(outputs)}",
            )
        self._function = function
        self._where = where
        self._input = _read_input(function, where)
        self._masks = outputs.get(MASKS)

    @classmethod
    def from_directory(
        cls, path: str | os.PathLike[str], signature: str = SIGNATURE
    ) -> "PersonDetector":
        """Loads a SavedModel.

        Args:
            path: Folder of the SavedModel, or that in which
                `export_saved_model` put it.
            signature: Which of its functions to run.

        Raises:
            UserError: There is none, it cannot be loaded, or it is not a
                detector.
        """
        folder = find_model(path)
        try:
            with _errors_only(), plain_path.plain_path(folder) as plain:
                loaded = tf.saved_model.load(plain)
        except (OSError, ValueError, tf.errors.OpError) as error:
            raise UserError(
                "SavedModel cannot be loaded", folder, "a whole export", error
            ) from error
        if signature not in loaded.signatures:
            raise UserError(
                "SavedModel lacks the signature",
                folder,
                signature,
                ", ".join(loaded.signatures) or "none at all",
            )
        detector = cls(
            loaded.signatures[signature], f"{folder}, signature {signature}"
        )
        # A signature does not keep alive what it was loaded with.
        detector._loaded = loaded
        return detector

    @property
    def input_kind(self) -> str:
        """`IMAGE_TENSOR`, `IMAGE_BYTES` or `TF_EXAMPLE`."""
        return self._input.kind

    @property
    def batch_size(self) -> int | None:
        """Pictures of one call; None where any number can be."""
        return self._input.batch_size

    @property
    def has_masks(self) -> bool:
        """Whether the detector makes masks, or boxes alone."""
        return self._masks is not None

    def detect(
        self,
        pictures: Sequence[np.ndarray],
        min_score: float = 0.5,
        person_class: int = COCO_PERSON,
    ) -> list[Detections]:
        """Finds the people in pictures of one size.

        Args:
            pictures: Uint8 [H, W, 3] each, RGB, upright; at most `batch_size`
                where that is not None.
            min_score: Less certain people are left out.
            person_class: What the detector calls a person.

        Returns:
            The people of every picture, in the order of the detector, their
            boxes and masks in pixels of the picture and cut at its borders.

        Raises:
            UserError: The detector fails, or answers in another form.
        """
        outputs = self._run(pictures)
        return [
            self._people(
                {name: array[number] for name, array in outputs.items()},
                picture.shape[:2],
                min_score,
                person_class,
            )
            for number, picture in enumerate(pictures)
        ]

    def _run(self, pictures: Sequence[np.ndarray]) -> dict[str, np.ndarray]:
        count = len(pictures)
        # Where the batch is fixed, the last picture stands for absent ones.
        missing = (self.batch_size or count) - count
        batch = [*pictures, *[pictures[-1]] * missing]
        try:
            outputs = self._function(**{self._input.name: self._encoded(batch)})
            arrays = {name: value.numpy() for name, value in outputs.items()}
        except tf.errors.OpError as error:
            raise UserError(
                "detector fails", self._where, found=error.message
            ) from error
        _check_outputs(arrays, len(batch), self._where)
        return arrays

    def _encoded(self, pictures: Sequence[np.ndarray]) -> tf.Tensor:
        if self.input_kind == IMAGE_TENSOR:
            return tf.constant(np.stack(pictures))
        # Not the bytes of the file: decoders differ in what they make of gray,
        # CMYK and turned pictures, and boxes and masks belong to ours.
        encoded = [picture_files.encode_png(picture) for picture in pictures]
        if self.input_kind == TF_EXAMPLE:
            encoded = [_example(each) for each in encoded]
        return tf.constant(encoded)

    def _people(
        self,
        outputs: Mapping[str, np.ndarray],
        size: tuple[int, int],
        min_score: float,
        person_class: int,
    ) -> Detections:
        scores = outputs[SCORES].astype(np.float64)
        found = outputs[BOXES].astype(np.float64)
        is_meant = np.arange(len(scores)) < outputs.get(COUNT, len(scores))
        boxes = _in_picture(found, is_meant, outputs.get(IMAGE_INFO), size)
        shown = _cut(boxes, size)
        keep = (
            is_meant
            & (scores >= min_score)
            & (np.rint(outputs[CLASSES]) == person_class)
            & np.isfinite(found).all(-1)
            & (shown[:, :2] < shown[:, 2:]).all(-1)
        )
        masks = None
        if self.has_masks:
            masks = self._whole(outputs[MASKS][keep], boxes[keep], size)
        return Detections(shown[keep], scores[keep], masks)

    def _whole(
        self, masks: np.ndarray, boxes: np.ndarray, size: tuple[int, int]
    ) -> np.ndarray:
        is_of_boxes = self._masks.shape[-2:].is_fully_defined()
        if masks.shape[1:] == size and not is_of_boxes:
            return masks > 0.5
        return mask_pasting.paste(masks, boxes, size)


def find_model(path: str | os.PathLike[str]) -> pathlib.Path:
    """Returns the folder of a SavedModel: this one, or `saved_model` in it.

    Raises:
        UserError: It is neither.
    """
    folder = pathlib.Path(path)
    for found in (folder, folder / _SUBFOLDER):
        if (found / _SAVED_MODEL_FILE).is_file():
            return found
    raise UserError(
        "no SavedModel",
        path,
        f"{_SAVED_MODEL_FILE}, or a folder {_SUBFOLDER} with it",
        "neither" if folder.is_dir() else "no such folder",
    )


def sha256(path: str | os.PathLike[str]) -> str:
    """Hexadecimal digest of a SavedModel: its graph and its weights."""
    folder = find_model(path)
    digest = hashlib.sha256()
    for file in (
        folder / _SAVED_MODEL_FILE,
        *sorted((folder / "variables").glob("variables.*")),
    ):
        digest.update(bytes.fromhex(file_digests.sha256(file)))
    return digest.hexdigest()


def same_sized(
    pictures: Iterable[tuple[Key, np.ndarray]], batch_size: int
) -> Iterator[list[tuple[Key, np.ndarray]]]:
    """Gathers pictures of one size, since a batch holds no others.

    Args:
        pictures: Pictures of any sizes, each with something that names it.
        batch_size: Pictures of a batch.

    Yields:
        Batches; smaller ones where pictures have waited too long for others
        of their size, so that they do not fill the memory, and at the end.
    """
    waiting: dict[tuple[int, ...], list[tuple[Key, np.ndarray]]] = {}
    num_waiting = 0
    for key, picture in pictures:
        group = waiting.setdefault(picture.shape, [])
        group.append((key, picture))
        num_waiting += 1
        full = len(group) == batch_size
        if full or num_waiting > _WAITING_BATCHES * batch_size:
            # The size whose first picture has waited longest comes first.
            size = picture.shape if full else next(iter(waiting))
            batch = waiting.pop(size)
            num_waiting -= len(batch)
            yield batch
    yield from waiting.values()


@contextlib.contextmanager
def _errors_only() -> Iterator[None]:
    """Silences TensorFlow, which misses gradients that nobody will ask for.

    It warns of thousands of them where a whole Mask R-CNN is loaded.
    """
    before = logging.get_verbosity()
    logging.set_verbosity(logging.ERROR)
    try:
        yield
    finally:
        logging.set_verbosity(before)


def _read_input(function: Any, where: object) -> _Input:
    _, named = function.structured_input_signature
    if len(named) == 1:
        ((name, spec),) = named.items()
        kind = _kind(function, spec)
        if kind is not None:
            return _Input(name, kind, spec.shape[0])
    raise UserError(
        "the detector takes no pictures of any size",
        where,
        f"one input: uint8 [B, H, W, 3] ({IMAGE_TENSOR}), or strings [B] "
        f"({IMAGE_BYTES}, {TF_EXAMPLE})",
        ", ".join(
            f"{name}: {spec.dtype.name} {spec.shape}"
            for name, spec in sorted(named.items())
        )
        or "no input",
    )


def _kind(function: Any, spec: tf.TensorSpec) -> str | None:
    """Kind of an input; None where it is of no known kind."""
    if spec.dtype == tf.uint8 and spec.shape.rank == 4:
        is_free = spec.shape.as_list()[1:] == [None, None, 3]
        return IMAGE_TENSOR if is_free else None
    if spec.dtype != tf.string or spec.shape.rank != 1:
        return None
    # Both are strings: what is done to them tells them apart.
    operations = _operations(function)
    if any(name.startswith("Parse") for name in operations):
        return TF_EXAMPLE
    if any(name.startswith("Decode") for name in operations):
        return IMAGE_BYTES
    return None


def _operations(function: Any) -> set[str]:
    """Types of the operations of a function and of those that it calls."""
    graph = function.graph.as_graph_def()
    nodes = itertools.chain(
        graph.node, *(each.node_def for each in graph.library.function)
    )
    return {node.op for node in nodes}


def _example(encoded: bytes) -> bytes:
    values = tf.train.BytesList(value=[encoded])
    feature = {_FEATURE: tf.train.Feature(bytes_list=values)}
    features = tf.train.Features(feature=feature)
    return tf.train.Example(features=features).SerializeToString()


def _check_outputs(
    arrays: Mapping[str, np.ndarray], batch_size: int, where: object
) -> None:
    start = (batch_size, arrays[SCORES].shape[-1])
    mask_sides = arrays[MASKS].shape[-2:] if MASKS in arrays else ()
    shapes = {
        BOXES: (*start, 4),
        CLASSES: start,
        SCORES: start,
        COUNT: (batch_size,),
        MASKS: (*start, *mask_sides),
        IMAGE_INFO: (batch_size, 4, 2),
    }
    for name, shape in shapes.items():
        if name in arrays and arrays[name].shape != shape:
            raise UserError(
                "detector answers in another form",
                where,
                f"{name} of shape {shape}",
                f"shape {arrays[name].shape}",
            )


def _in_picture(
    found: np.ndarray,
    is_meant: np.ndarray,
    image_info: np.ndarray | None,
    size: tuple[int, int],
) -> np.ndarray:
    """Left, top, right, bottom in pixels of the picture, [N, 4].

    Args:
        found: Top, left, bottom, right as the detector gives them.
        is_meant: Which of them say anything.
        image_info: How the picture was resized, or None.
        size: (height, width) of the picture.
    """
    if np.nan_to_num(found[is_meant]).max(initial=0) <= _LARGEST_SHARE:
        boxes = found * np.tile(size, 2)
    elif image_info is not None:
        _, _, scale, offset = image_info.astype(np.float64)
        boxes = (found + np.tile(offset, 2)) / np.tile(scale, 2)
    else:
        boxes = found
    return boxes[:, [1, 0, 3, 2]]


def _cut(boxes: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Cuts boxes at the borders of a picture."""
    height, width = size
    return np.clip(boxes, 0, (width, height, width, height))
