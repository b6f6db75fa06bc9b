"""Folders of records: sharded writer; manifest; reading by number.

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

import hashlib
import json
import os
import pathlib
import shutil
import zlib
from collections.abc import Callable
from collections.abc import Collection
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any

from nppnet_tf import errors
from nppnet_tf import keys
from nppnet_tf import workers
from nppnet_tf.data import absence
from nppnet_tf.data.absence import Annotations
from nppnet_tf.data.damage import BadRecordError
from nppnet_tf.data.damage import DamageLog
from nppnet_tf.data.descriptors import DatasetDescriptor
from nppnet_tf.data.record import Record
from nppnet_tf.data.records import example
from nppnet_tf.data.records import manifest as manifests
from nppnet_tf.data.records import shard
from nppnet_tf.data.records.manifest import Manifest
from nppnet_tf.errors import UserError
from nppnet_tf.files import file_digests
from nppnet_tf.files import json_documents
from nppnet_tf.files import text_files

SKIPPED = "skipped.txt"
NOTES = "notes.txt"

# Behind the name of a folder in the making; what will be its content, and
# what is known of every finished shard.
PARTIAL = ".partial"
_CONTENT = "content"
_MADE = "made"


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
        index: Sequence[shard.IndexEntry],
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
        """Opens a folder that `write_records` made.

        Args:
            directory: The folder.
            max_bad_records: Damaged records that an iteration skips.

        Raises:
            UserError: Not such a folder, of another version, or with files
                missing.
        """
        directory = pathlib.Path(directory)
        found = manifests.read(directory)
        index = _read_index(directory, found)
        return cls(
            directory, found.descriptor, found.document, index, max_bad_records
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
        size = shard.FRAME_HEADER.size + entry.length
        try:
            with open(self._shards[entry.shard], "rb") as stream:
                # What an index claims is not allocated before it is there.
                end = os.fstat(stream.fileno()).st_size
                is_whole = entry.offset + size <= end
                stream.seek(entry.offset if is_whole else end)
                frame = stream.read(size if is_whole else 0)
        except OSError as error:
            raise self.bad_record(number, error) from error
        if len(frame) < size:
            raise self.bad_record(number, "shard is truncated")
        serialized = frame[shard.FRAME_HEADER.size :]
        length, _ = shard.FRAME_HEADER.unpack_from(frame)
        if length != entry.length or zlib.crc32(serialized) != entry.crc32:
            raise self.bad_record(number, "checksum differs")
        return serialized


def write_records(
    records: Sequence[Record | shard.Loadable],
    directory: str | os.PathLike[str],
    descriptor: DatasetDescriptor,
    num_shards: int = 1,
    max_bad_records: int = 0,
    facts: Mapping[str, Any] | None = None,
    num_workers: int = 1,
    advance: Callable[[int], object] = lambda count: None,
    required_tasks: Collection[str] = (),
) -> RecordSet:
    """Writes records into a new folder, which appears when it is whole.

    The same records give the same bytes, however many processes write and
    however often they were killed. A record's shard depends on its place in
    `records` alone, not on which others are damaged.

    Until it is whole the folder is made in `<directory>.partial`. A process
    that is killed leaves it behind, and the next finds the finished shards
    there; one is made again where its inputs have changed since. An error
    leaves nothing behind.

    Args:
        records: Records, or things whose `load` reads one; ids must differ.
            Where they have a `digest`, the manifest tells "inputs_sha256".
        directory: To be made.
        descriptor: What the records annotate.
        num_shards: Files to divide them into.
        max_bad_records: Damaged records that are left out and listed.
        facts: More entries for the manifest.
        num_workers: Processes, each of which writes whole shards.
        advance: Told how many more records have been looked at.
        required_tasks: Tasks for each of which a record must be annotated.

    Returns:
        The folder, opened.

    Raises:
        UserError: The folder exists, more than `max_bad_records` records are
            damaged, none is left, or a process died.
    """
    directory = pathlib.Path(directory)
    if num_shards < 1:
        raise ValueError(f"at least one shard. Received: {num_shards=}")
    if directory.exists():
        raise UserError(
            "output is already there", directory, "a folder to be made"
        )
    partial = directory.with_name(f"{directory.name}{PARTIAL}")
    jobs = _jobs(records, partial, descriptor, num_shards, max_bad_records)
    try:
        for folder in (partial / _CONTENT, partial / _MADE):
            folder.mkdir(parents=True, exist_ok=True)
        damage = DamageLog("the input")
        shards = []
        for made in workers.each(shard.make, jobs, num_workers, advance):
            for bad in made.bad_records:
                damage.skip(BadRecordError(*bad), max_bad_records)
            shards.append(made)
        manifest = _manifest(shards, descriptor, facts or {}, damage)
        _require_records(manifest, directory, required_tasks)
        _finish(partial / _CONTENT, shards, manifest, damage)
        os.replace(partial / _CONTENT, directory)
    except workers.WorkerDiedError:
        raise
    except Exception:
        shutil.rmtree(partial, ignore_errors=True)
        raise
    shutil.rmtree(partial, ignore_errors=True)
    return RecordSet.open(directory, max_bad_records)


def inputs_sha256(digests: Iterable[str]) -> str:
    """One digest of all inputs, of those of its samples in their order."""
    return hashlib.sha256("".join(digests).encode()).hexdigest()


def _jobs(
    records: Sequence[Record | shard.Loadable],
    partial: pathlib.Path,
    descriptor: DatasetDescriptor,
    num_shards: int,
    max_bad_records: int,
) -> list[shard.Job]:
    first: dict[str, int] = {}
    items: list[list[tuple[Record | shard.Loadable, bool]]] = [
        [] for _ in range(num_shards)
    ]
    for place, item in enumerate(records):
        is_repeated = first.setdefault(item.record_id, place) != place
        items[place * num_shards // len(records)].append((item, is_repeated))
    return [
        shard.Job(
            partial / _CONTENT / _shard_name(number, num_shards),
            partial / _MADE / f"{_shard_name(number, num_shards)}.json",
            descriptor,
            tuple(items[number]),
            max_bad_records,
        )
        for number in range(num_shards)
    ]


def _shard_name(number: int, num_shards: int) -> str:
    return f"records-{number:05d}-of-{num_shards:05d}.tfrecord"


def _manifest(
    shards: Sequence[shard.Made],
    descriptor: DatasetDescriptor,
    facts: Mapping[str, Any],
    damage: DamageLog,
) -> dict[str, Any]:
    """All of it that does not wait for the index."""
    return {
        **facts,
        **_inputs(shards),
        "format": manifests.FORMAT,
        "format_version": manifests.FORMAT_VERSION,
        "num_records": sum(len(made.entries) for made in shards),
        "num_label_maps": sum(made.num_label_maps for made in shards),
        "num_poses": sum(made.num_poses for made in shards),
        "num_skipped": len(damage.bad_records),
        "num_notes": sum(len(made.notes) for made in shards),
        "descriptor": json.loads(descriptor.to_json()),
        "shards": [
            {
                "name": made.name,
                "num_bytes": made.num_bytes,
                "sha256": made.sha256,
            }
            for made in shards
        ],
    }


def _require_records(
    manifest: Mapping[str, Any],
    directory: pathlib.Path,
    required_tasks: Collection[str],
) -> None:
    for task in required_tasks:
        if manifest["num_records"] and not manifest[manifests.ANNOTATED[task]]:
            ignored = manifest["descriptor"]["ignore_label"]
            raise UserError(
                f"no {absence.NAMES[task]} that tells anything",
                directory,
                f"one in {manifest['num_records']} records, or another `tasks`",
                f"background and {ignored} alone, which counts nowhere"
                if task == keys.PARSING
                else "none",
            )
    if not manifest["num_records"]:
        raise UserError(
            "no records to write",
            directory,
            "at least one good record",
            f"{manifest['num_skipped']} damaged",
        )


def _finish(
    content: pathlib.Path,
    shards: Sequence[shard.Made],
    manifest: Mapping[str, Any],
    damage: DamageLog,
) -> None:
    """Writes everything but the shards; the manifest last."""
    names = {made.name for made in shards}
    for path in content.iterdir():
        # A killed process, or one with another number of shards, left it.
        if path.name not in names:
            path.unlink()
    _write_lines(content / SKIPPED, [bad.line for bad in damage.bad_records])
    _write_lines(content / NOTES, sum((made.notes for made in shards), []))
    index = content / manifests.INDEX
    _write_lines(
        index,
        [
            json.dumps((number, *entry))
            for number, made in enumerate(shards)
            for entry in made.entries
        ],
    )
    described = {
        "name": manifests.INDEX,
        "num_bytes": index.stat().st_size,
        "sha256": file_digests.sha256(index),
    }
    document = json_documents.sealed({**manifest, "index": described})
    text = json.dumps(document, sort_keys=True, indent=1)
    (content / manifests.MANIFEST).write_text(text + "\n", "utf-8")


def _inputs(shards: Sequence[shard.Made]) -> dict[str, str]:
    digests = [digest for made in shards for digest in made.digests]
    if None in digests:
        return {}
    return {"inputs_sha256": inputs_sha256(digests)}


def _write_lines(path: pathlib.Path, lines: Sequence[str]) -> None:
    text = "".join(f"{errors.escaped(line)}\n" for line in lines)
    path.write_text(text, "utf-8")


def _read_index(
    directory: pathlib.Path, manifest: Manifest
) -> list[shard.IndexEntry]:
    path = directory / manifests.INDEX
    lines = text_files.decode(manifest.index, path).splitlines()
    count = len(manifest.document["shards"])
    index = [
        _index_entry(line, count, f"{path} line {number}")
        for number, line in enumerate(lines, start=1)
    ]
    if len(index) != manifest.document["num_records"]:
        raise UserError(
            "index of another number of records",
            path,
            manifest.document["num_records"],
            len(index),
        )
    return index


def _index_entry(line: str, num_shards: int, where: str) -> shard.IndexEntry:
    values = json_documents.parse(line, where)
    try:
        entry = shard.IndexEntry(*values)
        *numbers, name = entry
        is_right = all(type(number) is int for number in numbers)
        is_right = is_right and isinstance(name, str) and min(numbers) >= 0
    except TypeError:
        is_right = False
    if not is_right or entry.shard >= num_shards or not entry.length:
        raise UserError(
            "index is malformed",
            where,
            f"[shard below {num_shards}, offset, length, crc32, id]",
            line,
        )
    return entry
