"""Writes folders of records: shards, index, manifest, lists; all or nothing.

`record_set` says what a folder holds, and reads it.
"""

import hashlib
import json
import os
import pathlib
import shutil
from collections.abc import Callable
from collections.abc import Collection
from collections.abc import Iterable
from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any

from nppnet_tf import errors
from nppnet_tf import keys
from nppnet_tf import workers
from nppnet_tf.data import absence
from nppnet_tf.data.damage import BadRecordError
from nppnet_tf.data.damage import DamageLog
from nppnet_tf.data.descriptors import DatasetDescriptor
from nppnet_tf.data.record import Record
from nppnet_tf.data.records import manifest as manifests
from nppnet_tf.data.records import shard
from nppnet_tf.data.records.record_set import RecordSet
from nppnet_tf.errors import UserError
from nppnet_tf.files import file_digests
from nppnet_tf.files import json_documents

SKIPPED = "skipped.txt"
NOTES = "notes.txt"

# Behind the name of a folder in the making; what will be its content, and
# what is known of every finished shard.
PARTIAL = ".partial"
_CONTENT = "content"
_MADE = "made"


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
        directory: Folder to make.
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
) -> list[shard.ShardJob]:
    first: dict[str, int] = {}
    items: list[list[tuple[Record | shard.Loadable, bool]]] = [
        [] for _ in range(num_shards)
    ]
    for place, item in enumerate(records):
        is_repeated = first.setdefault(item.record_id, place) != place
        items[place * num_shards // len(records)].append((item, is_repeated))
    return [
        shard.ShardJob(
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
    shards: Sequence[shard.FinishedShard],
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
        "descriptor": descriptor.to_values(),
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
    shards: Sequence[shard.FinishedShard],
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


def _inputs(shards: Sequence[shard.FinishedShard]) -> dict[str, str]:
    digests = [digest for made in shards for digest in made.digests]
    if None in digests:
        return {}
    return {"inputs_sha256": inputs_sha256(digests)}


def _write_lines(path: pathlib.Path, lines: Sequence[str]) -> None:
    text = "".join(f"{errors.escaped(line)}\n" for line in lines)
    path.write_text(text, "utf-8")
