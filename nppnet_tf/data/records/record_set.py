"""Folders of records, read by number.

A folder of records, as `record_writer` makes it, holds

    manifest.json                       counts, sha256 of every file, descriptor
    index.jsonl                         where every record lies
    records-00000-of-00004.tfrecord     the shards
    skipped.txt, notes.txt              what was left out or mended, and why

The shards are plain TFRecord files. The index lets any record be read alone,
so that an order is a permutation of numbers and needs no buffer. A line of it
is `[shard, offset, length, crc32, id]`: offset of the frame, length and
checksum of the serialized Example in it.
"""

import os
import pathlib
import zlib
from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any

from nppnet_tf.data import absence
from nppnet_tf.data.absence import Annotations
from nppnet_tf.data.damage import BadRecordError
from nppnet_tf.data.damage import DamageLog
from nppnet_tf.data.descriptors import DatasetDescriptor
from nppnet_tf.data.record import Record
from nppnet_tf.data.records import example
from nppnet_tf.data.records import manifest as manifests
from nppnet_tf.data.records import record_index
from nppnet_tf.errors import UnreadableError
from nppnet_tf.errors import UserError
from nppnet_tf.files import file_digests


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
        index: Sequence[record_index.IndexEntry],
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
            directory / entry["name"] for entry in manifest["shards"]
        )

    @classmethod
    def open(
        cls, directory: str | os.PathLike[str], max_bad_records: int = 0
    ) -> "RecordSet":
        """Opens a folder that `record_writer.write_records` made.

        Args:
            directory: The folder.
            max_bad_records: Damaged records that an iteration skips.

        Raises:
            UserError: Not such a folder, of another version, or with files
                missing.
        """
        directory = pathlib.Path(directory)
        found = manifests.read(directory)
        index = record_index.read(directory, found)
        return cls(
            directory, found.descriptor, found.document, index, max_bad_records
        )

    def __reduce__(self) -> tuple[type, tuple[object, ...]]:
        """Lets other processes have it; each meets damage for itself."""
        return type(self), (
            self.directory,
            self.descriptor,
            self.manifest,
            self._index,
            self.max_bad_records,
        )

    @property
    def count(self) -> int:
        """Records in the folder, damaged ones among them."""
        return len(self._index)

    @property
    def annotations(self) -> dict[str, Annotations]:
        """By task, how many records are annotated for it."""
        return {
            task: Annotations(
                self.manifest[manifests.ANNOTATED[task]],
                self.count,
                f"a {name} in a record",
                False,
            )
            for task, name in absence.NAMES.items()
        }

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
            BadRecordError: The bytes of a record are not those that were
                written, or they are no record.
        """
        serialized = self._read_bytes(number)
        try:
            record = example.from_example(serialized)
            self._check_keypoints(record)
        except UserError as error:
            raise self.bad_record(number, error) from error
        return record

    def _check_keypoints(self, record: Record) -> None:
        if record.visibility is None or record.keypoints_xy is None:
            return
        expected = (self.descriptor.num_keypoints,) * 2
        found = (len(record.visibility), len(record.keypoints_xy))
        if found != expected:
            raise UserError("joints of another number", None, expected, found)

    def shard_of(self, number: int) -> pathlib.Path:
        """File that holds a record."""
        return self._shards[self._index[number].shard]

    def checksum_of(self, number: int) -> str:
        """Hexadecimal crc32 of a record's bytes when they were written."""
        return f"{self._index[number].crc32:08x}"

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
        for number, entry in enumerate(self.manifest["shards"]):
            if file_digests.sha256(self._shards[number]) == entry["sha256"]:
                continue
            damaged = self._damaged_in(number)
            records = ", ".join(damaged[:10]) if damaged else "none"
            faults.append(f"{entry['name']} (damaged records: {records})")
        if faults:
            raise UserError(
                "files differ from their manifest",
                self.directory,
                f"the sha256 of {manifests.MANIFEST}",
                "; ".join(faults),
            )

    def _damaged_in(self, shard_number: int) -> list[str]:
        damaged = []
        for number, entry in enumerate(self._index):
            if entry.shard == shard_number:
                try:
                    self._read_bytes(number)
                except BadRecordError:
                    damaged.append(entry.record_id)
        return damaged

    def _read_bytes(self, number: int) -> bytes:
        entry = self._index[number]
        size = record_index.FRAME_HEADER.size + entry.length
        try:
            with open(self._shards[entry.shard], "rb") as stream:
                # What an index claims is not allocated before it is there.
                end = os.fstat(stream.fileno()).st_size
                is_whole = entry.offset + size <= end
                stream.seek(entry.offset if is_whole else end)
                frame = stream.read(size if is_whole else 0)
        except OSError as error:
            reason = UnreadableError(f"cannot be read: {error.strerror}")
            raise self.bad_record(number, reason) from error
        if len(frame) < size:
            truncated = UnreadableError("shard is truncated")
            raise self.bad_record(number, truncated)
        serialized = frame[record_index.FRAME_HEADER.size :]
        length, _ = record_index.FRAME_HEADER.unpack_from(frame)
        if length != entry.length or zlib.crc32(serialized) != entry.crc32:
            changed = UnreadableError("checksum differs")
            raise self.bad_record(number, changed)
        return serialized
