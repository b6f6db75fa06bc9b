"""Record <-> tf.train.Example; sharded writer; manifest; reading by number.

A folder of records holds

    manifest.json                       counts, sha256 of every file, descriptor
    index.jsonl                         where every record lies
    records-00000-of-00004.tfrecord     the shards
    skipped.txt, notes.txt              what was left out or mended, and why

The shards are plain TFRecord files. The index lets any record be read alone,
so that an order is a permutation of numbers and needs no buffer. A line of it
is `[shard, offset, length, crc32, id]`: offset of the frame, length and
checksum of the serialized Example in it.
"""

import contextlib
import hashlib
import json
import os
import pathlib
import struct
import zlib
from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any
from typing import NamedTuple
from typing import Protocol

import numpy as np
import tensorflow as tf

from nppnet_tf.atomic import atomic_path
from nppnet_tf.data import images
from nppnet_tf.data import inspection
from nppnet_tf.data.damage import BadRecordError
from nppnet_tf.data.damage import DamageLog
from nppnet_tf.data.descriptors import DatasetDescriptor
from nppnet_tf.data.record import Crop
from nppnet_tf.data.record import Record
from nppnet_tf.errors import UserError

FORMAT = "nppnet_tf.records"
FORMAT_VERSION = 1

MANIFEST = "manifest.json"
INDEX = "index.jsonl"
SKIPPED = "skipped.txt"
NOTES = "notes.txt"

# Features of one Example.
RECORD_ID = "record_id"
IMAGE_ENCODED = "image/encoded"
IMAGE_HEIGHT = "image/height"
IMAGE_WIDTH = "image/width"
LABEL_MAP_ENCODED = "label_map/encoded"
KEYPOINTS_XY = "keypoints/xy"
KEYPOINTS_VISIBILITY = "keypoints/visibility"
# Only of records that were cut out of larger pictures.
CROP_PICTURE_ID = "crop/picture_id"
CROP_BOX = "crop/box"
CROP_PICTURE_SIZE = "crop/picture_size"
CROP_SCORE = "crop/score"

# A TFRecord frame: length, its checksum, the record, its checksum.
_FRAME_HEADER = struct.Struct("<QI")
_FRAME_FOOTER_BYTES = 4


class Loadable(Protocol):
    """Something from which a record can be read when its turn comes."""

    record_id: str

    def load(self) -> Record:
        """Reads the record; UserError says why it cannot be read."""


class _IndexEntry(NamedTuple):
    """Where one record lies: a line of the index."""

    shard: int
    offset: int
    length: int
    crc32: int
    record_id: str


def to_example(record: Record) -> bytes:
    """Serializes a record; equal records give equal bytes."""
    height, width = images.picture_size(record.image_bytes)
    features = {
        RECORD_ID: _bytes(record.record_id.encode()),
        IMAGE_ENCODED: _bytes(record.image_bytes),
        IMAGE_HEIGHT: _integers([height]),
        IMAGE_WIDTH: _integers([width]),
    }
    if record.label_map is not None:
        label_png = images.encode_png(record.label_map)
        features[LABEL_MAP_ENCODED] = _bytes(label_png)
    if record.keypoints_xy is not None and record.visibility is not None:
        xy = tf.train.FloatList(value=record.keypoints_xy.ravel().tolist())
        features[KEYPOINTS_XY] = tf.train.Feature(float_list=xy)
        features[KEYPOINTS_VISIBILITY] = _integers(record.visibility.tolist())
    if record.crop is not None:
        features |= _crop_features(record.crop)
    example = tf.train.Example(features=tf.train.Features(feature=features))
    return example.SerializeToString(deterministic=True)


def from_example(serialized: bytes) -> Record:
    """Reads what `to_example` wrote; UserError where it did not write it."""
    try:
        example = tf.train.Example.FromString(serialized)
    except Exception as error:
        # The class of the error is protobuf's own and not public.
        raise UserError("not an Example", found=error) from error
    feature = example.features.feature
    if RECORD_ID not in feature or IMAGE_ENCODED not in feature:
        raise UserError(
            "Example lacks features",
            None,
            f"{RECORD_ID}, {IMAGE_ENCODED}",
            ", ".join(sorted(feature)),
        )
    label_map = keypoints_xy = visibility = None
    if LABEL_MAP_ENCODED in feature:
        label_png = feature[LABEL_MAP_ENCODED].bytes_list.value[0]
        label_map = images.decode_label_map(label_png)
    if KEYPOINTS_XY in feature:
        xy = feature[KEYPOINTS_XY].float_list.value
        keypoints_xy = np.array(xy, np.float32).reshape(-1, 2)
        visible = feature[KEYPOINTS_VISIBILITY].int64_list.value
        visibility = np.array(visible, np.int32)
    return Record(
        record_id=feature[RECORD_ID].bytes_list.value[0].decode(),
        image_bytes=feature[IMAGE_ENCODED].bytes_list.value[0],
        label_map=label_map,
        keypoints_xy=keypoints_xy,
        visibility=visibility,
        crop=_crop(feature) if CROP_BOX in feature else None,
    )


class RecordSet:
    """The records of one folder, by number.

    Reading is safe from any number of threads.

    Attributes:
        directory: The folder.
        descriptor: What the records annotate.
        manifest: Content of its manifest.
        ids: Record ids by number.
        damage: Damaged records met so far.
        max_bad_records: How many of them an iteration skips.
    """

    def __init__(
        self,
        directory: pathlib.Path,
        descriptor: DatasetDescriptor,
        manifest: Mapping[str, Any],
        index: Sequence[_IndexEntry],
        max_bad_records: int = 0,
    ) -> None:
        self.directory = directory
        self.descriptor = descriptor
        self.manifest = manifest
        self.ids = tuple(entry.record_id for entry in index)
        self.damage = DamageLog(directory)
        self.max_bad_records = max_bad_records
        self._index = tuple(index)
        self._shards = tuple(
            directory / shard["name"] for shard in manifest["shards"]
        )

    @classmethod
    def open(
        cls, directory: str | os.PathLike[str], max_bad_records: int = 0
    ) -> "RecordSet":
        """Opens a folder that `write_records` made.

        Args:
            directory: The folder.
            max_bad_records: Damaged records that an iteration skips.

        Raises:
            UserError: Not such a folder, of another version, or with files
                missing.
        """
        directory = pathlib.Path(directory)
        manifest = _read_manifest(directory)
        with _malformed(directory / MANIFEST):
            descriptor = DatasetDescriptor.from_json(
                json.dumps(manifest["descriptor"]), directory / MANIFEST
            )
            index = _read_index(directory, manifest["index"]["sha256"])
            for shard in manifest["shards"]:
                _require_file(directory / shard["name"])
        return cls(directory, descriptor, manifest, index, max_bad_records)

    @property
    def count(self) -> int:
        """Records in the folder, damaged ones among them."""
        return len(self._index)

    def __len__(self) -> int:
        return self.count

    def __iter__(self) -> Iterator[Record]:
        """Yields every record in order; damaged ones are named and skipped.

        Raises:
            UserError: More than `max_bad_records` are damaged.
        """
        for number in range(self.count):
            try:
                record = self.read(number)
            except BadRecordError as bad:
                self.damage.skip(bad, self.max_bad_records)
            else:
                yield record

    def read(self, number: int) -> Record:
        """Reads one record.

        Args:
            number: 0..count - 1.

        Raises:
            BadRecordError: Its bytes are not those that were written, or they
                are no record.
        """
        serialized = self._read_bytes(number)
        try:
            return from_example(serialized)
        except UserError as error:
            raise self.bad_record(number, error) from error

    def bad_record(self, number: int, reason: object) -> BadRecordError:
        """Returns the error that names a record and its shard."""
        entry = self._index[number]
        return BadRecordError(
            entry.record_id, reason, self._shards[entry.shard]
        )

    def raise_pending(self) -> None:
        """Raises the `UserError` that stopped a dataset's reading, if any."""
        self.damage.raise_pending()

    def verify(self) -> None:
        """Compares every file with the manifest.

        Raises:
            UserError: Names every shard that differs and its damaged records.
        """
        faults = []
        for number, shard in enumerate(self.manifest["shards"]):
            if file_sha256(self._shards[number]) == shard["sha256"]:
                continue
            damaged = self._damaged_in(number)
            records = ", ".join(damaged[:10]) if damaged else "none"
            faults.append(f"{shard['name']} (damaged records: {records})")
        if faults:
            raise UserError(
                "files differ from their manifest",
                self.directory,
                f"the sha256 of {MANIFEST}",
                "; ".join(faults),
            )

    def _damaged_in(self, shard: int) -> list[str]:
        damaged = []
        for number, entry in enumerate(self._index):
            if entry.shard == shard:
                try:
                    self._read_bytes(number)
                except BadRecordError:
                    damaged.append(entry.record_id)
        return damaged

    def _read_bytes(self, number: int) -> bytes:
        entry = self._index[number]
        size = _FRAME_HEADER.size + entry.length
        try:
            with open(self._shards[entry.shard], "rb") as stream:
                stream.seek(entry.offset)
                frame = stream.read(size)
        except OSError as error:
            raise self.bad_record(number, error) from error
        if len(frame) < size:
            raise self.bad_record(number, "shard is truncated")
        serialized = frame[_FRAME_HEADER.size :]
        length, _ = _FRAME_HEADER.unpack_from(frame)
        if length != entry.length or zlib.crc32(serialized) != entry.crc32:
            raise self.bad_record(number, "checksum differs")
        return serialized


def write_records(
    records: Sequence[Record | Loadable],
    directory: str | os.PathLike[str],
    descriptor: DatasetDescriptor,
    num_shards: int = 1,
    max_bad_records: int = 0,
    facts: Mapping[str, Any] | None = None,
    progress: Callable[[Iterable[Any]], Iterable[Any]] = iter,
) -> RecordSet:
    """Writes records into a new folder, which appears when it is whole.

    The same records give the same bytes. A record's shard depends on its place
    in `records` alone, not on which others are damaged.

    Args:
        records: Records, or things whose `load` reads one; ids must differ.
        directory: To be made.
        descriptor: What the records annotate.
        num_shards: Files to divide them into.
        max_bad_records: Damaged records that are left out and listed.
        facts: More entries for the manifest.
        progress: Wraps the iteration over `records`.

    Returns:
        The folder, opened.

    Raises:
        UserError: The folder exists, more than `max_bad_records` records are
            damaged, or none is left.
    """
    directory = pathlib.Path(directory)
    if num_shards < 1:
        raise ValueError(f"at least one shard. Received: {num_shards=}")
    if directory.exists():
        raise UserError(
            "output is already there", directory, "a folder to be made"
        )
    with atomic_path(directory) as temporary:
        temporary.mkdir()
        writer = _Writer(temporary, descriptor, num_shards, max_bad_records)
        with _as_os_error(directory), writer:
            for place, item in enumerate(progress(records)):
                writer.add(item, place * num_shards // len(records))
            writer.finish(directory, facts or {})
    return RecordSet.open(directory, max_bad_records)


def file_sha256(path: str | os.PathLike[str]) -> str:
    """Hexadecimal sha256 of a file."""
    with open(path, "rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


class _Writer:
    """One folder in the making."""

    def __init__(
        self,
        directory: pathlib.Path,
        descriptor: DatasetDescriptor,
        num_shards: int,
        max_bad_records: int,
    ) -> None:
        self._directory = directory
        self._descriptor = descriptor
        self._max_bad_records = max_bad_records
        self._names = [
            f"records-{shard:05d}-of-{num_shards:05d}.tfrecord"
            for shard in range(num_shards)
        ]
        self._damage = DamageLog("the input")
        self._index: list[_IndexEntry] = []
        self._ids: set[str] = set()
        self._notes: list[str] = []
        self._num_label_maps = 0
        self._num_poses = 0
        self._shard = -1
        self._offset = 0
        self._stack = contextlib.ExitStack()
        self._stream: tf.io.TFRecordWriter | None = None

    def __enter__(self) -> "_Writer":
        self._start_shard(0)
        return self

    def __exit__(self, *error: object) -> None:
        self._stack.close()

    def add(self, item: Record | Loadable, shard: int) -> None:
        """Appends one record; a damaged one is left out and listed."""
        try:
            record, notes = self._load(item)
        except UserError as error:
            bad = (
                error
                if isinstance(error, BadRecordError)
                else BadRecordError(item.record_id, error)
            )
            self._damage.skip(bad, self._max_bad_records)
            return
        self._start_shard(shard)
        serialized = to_example(record)
        self._stream.write(serialized)
        self._index.append(
            _IndexEntry(
                shard,
                self._offset,
                len(serialized),
                zlib.crc32(serialized),
                record.record_id,
            )
        )
        self._offset += (
            _FRAME_HEADER.size + len(serialized) + _FRAME_FOOTER_BYTES
        )
        self._notes += notes
        self._num_label_maps += record.label_map is not None
        self._num_poses += record.keypoints_xy is not None

    def finish(self, directory: pathlib.Path, facts: Mapping[str, Any]) -> None:
        """Writes everything but the shards; the manifest last."""
        if not self._index:
            raise UserError(
                "no records to write",
                directory,
                "at least one good record",
                f"{len(self._damage.bad_records)} damaged",
            )
        self._start_shard(len(self._names))
        bad_records = self._damage.bad_records
        self._write_lines(SKIPPED, [bad.line for bad in bad_records])
        self._write_lines(NOTES, self._notes)
        self._write_lines(INDEX, [json.dumps(entry) for entry in self._index])
        manifest = {
            **facts,
            "format": FORMAT,
            "format_version": FORMAT_VERSION,
            "num_records": len(self._index),
            "num_label_maps": self._num_label_maps,
            "num_poses": self._num_poses,
            "num_skipped": len(bad_records),
            "num_notes": len(self._notes),
            "descriptor": json.loads(self._descriptor.to_json()),
            "index": self._describe(INDEX),
            "shards": [self._describe(name) for name in self._names],
        }
        text = json.dumps(manifest, sort_keys=True, indent=1)
        (self._directory / MANIFEST).write_text(text + "\n", "utf-8")

    def _load(self, item: Record | Loadable) -> tuple[Record, list[str]]:
        if item.record_id in self._ids:
            raise UserError("its id occurs twice")
        self._ids.add(item.record_id)
        record = item if isinstance(item, Record) else item.load()
        return inspection.inspect(record, self._descriptor)

    def _start_shard(self, shard: int) -> None:
        """Closes the current shard and opens those up to `shard`."""
        while self._shard < min(shard, len(self._names)):
            self._stack.close()
            self._shard += 1
            if self._shard < len(self._names):
                path = self._directory / self._names[self._shard]
                self._stream = tf.io.TFRecordWriter(str(path))
                self._stack.enter_context(self._stream)
                self._offset = 0

    def _write_lines(self, name: str, lines: Sequence[str]) -> None:
        text = "".join(f"{line}\n" for line in lines)
        (self._directory / name).write_text(text, "utf-8")

    def _describe(self, name: str) -> dict[str, Any]:
        path = self._directory / name
        return {
            "name": name,
            "num_bytes": path.stat().st_size,
            "sha256": file_sha256(path),
        }


def _read_manifest(directory: pathlib.Path) -> dict[str, Any]:
    path = directory / MANIFEST
    if not path.is_file():
        raise UserError(
            "not a folder of records",
            directory,
            f"a folder with {MANIFEST}, as build_records makes",
            "no such file" if directory.is_dir() else "no such folder",
        )
    with _malformed(path):
        manifest = json.loads(path.read_text("utf-8"))
        found = (manifest["format"], manifest["format_version"])
    if found != (FORMAT, FORMAT_VERSION):
        raise UserError(
            "records of another format",
            path,
            f"{FORMAT} version {FORMAT_VERSION}",
            "{} version {}".format(*found),
        )
    return manifest


def _read_index(
    directory: pathlib.Path, expected_sha256: str
) -> list[_IndexEntry]:
    path = directory / INDEX
    _require_file(path)
    content = path.read_bytes()
    if hashlib.sha256(content).hexdigest() != expected_sha256:
        raise UserError(
            "index differs from its manifest",
            path,
            f"the sha256 of {MANIFEST}",
            "another",
        )
    return [_IndexEntry(*json.loads(line)) for line in content.splitlines()]


def _require_file(path: pathlib.Path) -> None:
    if not path.is_file():
        raise UserError("file is missing", path, "a file of the manifest")


@contextlib.contextmanager
def _malformed(path: pathlib.Path) -> Iterator[None]:
    try:
        yield
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise UserError(
            "manifest is malformed",
            path,
            "what build_records wrote",
            f"{type(error).__name__}: {error}",
        ) from error


@contextlib.contextmanager
def _as_os_error(directory: pathlib.Path) -> Iterator[None]:
    """A full disk is an error of the operating system, whoever met it."""
    try:
        yield
    except tf.errors.OpError as error:
        raise OSError(
            f"cannot write records into {directory}: {error.message}"
        ) from error


def _crop_features(crop: Crop) -> dict[str, tf.train.Feature]:
    score = tf.train.FloatList(value=[crop.score])
    return {
        CROP_PICTURE_ID: _bytes(crop.picture_id.encode()),
        CROP_BOX: _integers(crop.box),
        CROP_PICTURE_SIZE: _integers(crop.picture_size),
        CROP_SCORE: tf.train.Feature(float_list=score),
    }


def _crop(feature: Mapping[str, tf.train.Feature]) -> Crop:
    return Crop(
        feature[CROP_PICTURE_ID].bytes_list.value[0].decode(),
        tuple(feature[CROP_BOX].int64_list.value),
        tuple(feature[CROP_PICTURE_SIZE].int64_list.value),
        feature[CROP_SCORE].float_list.value[0],
    )


def _bytes(value: bytes) -> tf.train.Feature:
    return tf.train.Feature(bytes_list=tf.train.BytesList(value=[value]))


def _integers(values: Sequence[int]) -> tf.train.Feature:
    return tf.train.Feature(int64_list=tf.train.Int64List(value=values))
