"""One shard of a folder of records: made once, found again after a kill."""

import contextlib
import dataclasses
import hashlib
import json
import pathlib
import zlib
from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Sequence
from typing import Protocol

import PIL
import tensorflow as tf

import nppnet_tf
from nppnet_tf.data import inspection
from nppnet_tf.data.damage import BadRecordError
from nppnet_tf.data.descriptors import DatasetDescriptor
from nppnet_tf.data.record import Record
from nppnet_tf.data.records import example
from nppnet_tf.data.records import record_index
from nppnet_tf.data.source import Sample
from nppnet_tf.errors import UserError
from nppnet_tf.files import atomic
from nppnet_tf.files import file_digests
from nppnet_tf.files import json_documents

_FRAME_FOOTER_BYTES = 4

# Entry of the sealed record of a shard: all of a `FinishedShard`.
_MADE = "made"


class Loadable(Protocol):
    """Something from which a record can be read when its turn comes.

    It may have a `digest` (`source.Sample`), which a shard needs to be found
    again.
    """

    record_id: str

    def load(self) -> Record:
        """Reads the record; UserError says why it cannot be read."""


@dataclasses.dataclass(frozen=True)
class ShardJob:
    """What a shard is to be made of.

    Attributes:
        path: File to write.
        made_path: File that says the shard is finished, and what it holds.
        descriptor: What the records annotate.
        items: Records or what loads them, and whether the id of each has
            occurred before, which is damage.
        max_bad_records: One more ends the shard, and with it all of them.
    """

    path: pathlib.Path
    made_path: pathlib.Path
    descriptor: DatasetDescriptor
    items: tuple[tuple[Record | Loadable, bool], ...]
    max_bad_records: int


@dataclasses.dataclass
class FinishedShard:
    """What became of the records of one shard.

    Attributes:
        name: Name of the file.
        fingerprint: What else than the inputs the bytes depend on.
        digests: Digests of the inputs; None for each that cannot tell.
        entries: Offset, length, crc32 and id of every record.
        bad_records: Arguments of `BadRecordError` for those left out.
        notes: Lines on what was mended.
        num_label_maps: Records with one.
        num_poses: Records with one.
        num_bytes: Size of the file.
        sha256: SHA-256 of the file, hexadecimal.
    """

    name: str
    fingerprint: str
    digests: list[str | None] = dataclasses.field(default_factory=list)
    entries: list[tuple[int, int, int, str]] = dataclasses.field(
        default_factory=list
    )
    bad_records: list[tuple[str, str, str | None]] = dataclasses.field(
        default_factory=list
    )
    notes: list[str] = dataclasses.field(default_factory=list)
    num_label_maps: int = 0
    num_poses: int = 0
    num_bytes: int = 0
    sha256: str = ""


def make(job: ShardJob, advance: Callable[[int], object]) -> FinishedShard:
    """Makes a shard, or finds the finished one of the same inputs.

    Every input is read from disk once: the system still holds what was just
    read for its digest when it is loaded.

    Args:
        job: What to make.
        advance: Told of every record that has been looked at.

    Raises:
        OSError: The shard cannot be written.
    """
    if (found := _finished(job)) is not None:
        advance(len(job.items))
        return found
    made = FinishedShard(job.path.name, _fingerprint(job))
    with _as_os_error(job.path), atomic.atomic_path(job.path) as temporary:
        with tf.io.TFRecordWriter(str(temporary)) as stream:
            for item, is_repeated in job.items:
                made.digests.append(_digest(item))
                _add(item, is_repeated, job.descriptor, made, stream)
                advance(1)
                if len(made.bad_records) > job.max_bad_records:
                    break
    made.num_bytes = job.path.stat().st_size
    made.sha256 = file_digests.sha256(job.path)
    document = json_documents.sealed({_MADE: dataclasses.asdict(made)})
    atomic.write_text(job.made_path, json.dumps(document))
    return made


def digests(
    items: Sequence[Sample], advance: Callable[[int], object]
) -> list[str]:
    """Digests of the inputs of some samples, in their order."""
    found = []
    for item in items:
        found.append(item.digest())
        advance(1)
    return found


def _add(
    item: Record | Loadable,
    is_repeated: bool,
    descriptor: DatasetDescriptor,
    made: FinishedShard,
    stream: tf.io.TFRecordWriter,
) -> None:
    """Appends one record; a damaged one is left out and listed."""
    try:
        if is_repeated:
            raise UserError("its id occurs twice")
        record = item if isinstance(item, Record) else item.load()
        record, mended = inspection.inspect(record, descriptor)
    except BadRecordError as bad:
        where = None if bad.where is None else str(bad.where)
        made.bad_records.append((bad.record_id, bad.reason, where))
        return
    except UserError as error:
        made.bad_records.append((item.record_id, str(error), None))
        return
    serialized = example.to_example(record)
    stream.write(serialized)
    offset = made.num_bytes
    length = len(serialized)
    made.entries.append(
        (offset, length, zlib.crc32(serialized), record.record_id)
    )
    made.num_bytes += record_index.FRAME_HEADER.size
    made.num_bytes += length + _FRAME_FOOTER_BYTES
    made.notes += [f"{record.record_id}\t{note}" for note in record.notes]
    made.notes += [each.line for each in mended]
    made.num_label_maps += record.label_map is not None
    made.num_poses += record.keypoints_xy is not None


def _finished(job: ShardJob) -> FinishedShard | None:
    """The shard where it is there, whole, and of these inputs."""
    try:
        document = json_documents.read(job.made_path)
        # Without a seal it is of an earlier version, which made other bytes.
        seal = document.pop(json_documents.SEAL, "")
        if seal != json_documents.seal_of(document):
            return None
        found = FinishedShard(**document[_MADE])
        is_whole = file_digests.sha256(job.path) == found.sha256
    except (UserError, OSError, *json_documents.FORM_ERRORS):
        return None
    is_same = (
        found.fingerprint == _fingerprint(job) and None not in found.digests
    )
    if not is_whole or not is_same or len(found.digests) != len(job.items):
        return None
    for digest, (item, _) in zip(found.digests, job.items, strict=True):
        if _digest(item) != digest:
            return None
    return found


def _digest(item: Record | Loadable) -> str | None:
    digest = getattr(item, "digest", None)
    return None if digest is None else digest()


def _fingerprint(job: ShardJob) -> str:
    parts = [
        nppnet_tf.__version__,
        # Writes the PNGs.
        PIL.__version__,
        job.descriptor.to_json(),
        str([is_repeated for _, is_repeated in job.items]),
    ]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


@contextlib.contextmanager
def _as_os_error(path: pathlib.Path) -> Iterator[None]:
    """A full disk is an error of the operating system, whoever met it."""
    try:
        yield
    except tf.errors.OpError as error:
        raise OSError(
            f"cannot write records into {path}: {error.message}"
        ) from error
