r"""Makes a folder of records from a data set's own files.

    python -m tools.build_records --dataset=lip --root=LIP --split=train \
        --output=records/train --num_shards=32
    python -m tools.build_records --dataset=pascal_person_part --root=PASCAL \
        --split=train --people=matched --output=records/people
    python -m tools.build_records --dataset=folder --root=MINE \
        --descriptor=MINE/descriptor.json --output=records/mine
    python -m tools.build_records --verify --output=records/train

Damaged files are named. Up to --max_bad_records are left out and listed in
skipped.txt of the output; one more stops the tool. The output appears when it
is whole; made again from the same files it is the same to the byte, whatever
--num_workers is, and a folder that is there already is left alone. A tool that
was killed leaves OUTPUT.partial behind: the same command again keeps the
finished shards and makes the rest.
"""

import itertools
import os
import pathlib
from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any

from nppnet_tf.data.source import Sample
from nppnet_tf.errors import UserError

from .command_line import app
from .command_line import console
from .command_line import paths
from .command_line import worker_flags
from .command_line.dataset_flags import DatasetFlags
from .command_line.progress import Progress
from .command_line.tool_flags import ToolFlags

FLAGS = ToolFlags()

DATASET = DatasetFlags(FLAGS)

NUM_WORKERS = worker_flags.define(FLAGS)

# Each is an open file.
_MOST_SHARDS = 1000


def _check_output(path: str, flag: str) -> None:
    """What is there has to be records; they are compared, never written."""
    if VERIFY.value or os.path.lexists(path):
        paths.require_records(path, flag)
    else:
        paths.require_new_folder(path, flag)


OUTPUT = FLAGS.define_output("output", None, "Folder to make.", _check_output)
NUM_SHARDS = FLAGS.define_count(
    "num_shards", 4, "Files to divide the records into.", 1, _MOST_SHARDS
)
MAX_BAD_RECORDS = FLAGS.define_count(
    "max_bad_records", 0, "Damaged samples that are left out and listed."
)
VERIFY = FLAGS.define_switch(
    "verify", False, "Only compare the files of --output with their manifest."
)


def main() -> None:
    """Entry point of the console script."""
    app.run(_run, FLAGS, required=("output",))


def _run(argv: list[str]) -> None:
    del argv
    output = pathlib.Path(OUTPUT.value)
    if VERIFY.value:
        # The flags of the command that made them may stand beside it.
        _verify(output)
    else:
        _build(output)


def _verify(output: pathlib.Path) -> None:
    from nppnet_tf.data.records.record_set import RecordSet

    record_set = RecordSet.open(output)
    record_set.verify()
    console.say(
        f"{output}: {record_set.count} records in "
        f"{len(record_set.manifest['shards'])} shards, as the manifest says"
    )


def _build(output: pathlib.Path) -> None:
    source = DATASET.read_source()
    DATASET.say_found(source)
    DATASET.refuse_absence(source)

    from nppnet_tf.data.records import record_writer
    from nppnet_tf.data.records.record_set import RecordSet

    samples = source.samples
    facts = {**source.facts, "num_inputs": len(samples)}
    num_workers = worker_flags.num_workers(NUM_WORKERS.value, len(samples))
    if output.exists():
        # Before the files are read: it may be something else altogether.
        manifest = RecordSet.open(output).manifest
        facts["inputs_sha256"] = _digest(samples, num_workers)
        _check_existing(output, manifest, facts)
        console.say(f"{output}: already made from the same files")
        return
    with Progress(len(samples), "writing records") as progress:
        record_set = record_writer.write_records(
            samples,
            output,
            source.descriptor,
            NUM_SHARDS.value,
            MAX_BAD_RECORDS.value,
            facts,
            num_workers,
            progress.advance,
            DATASET.required_tasks(source),
        )
    console.say(f"{output}: {_summary(record_set.manifest)}")


def _digest(samples: Sequence[Sample], num_workers: int) -> str:
    from nppnet_tf import workers
    from nppnet_tf.data.records import record_writer
    from nppnet_tf.data.records import shard

    jobs = workers.portions(samples)
    with Progress(len(samples), "reading files") as progress:
        digests = workers.each(
            shard.digests, jobs, num_workers, progress.advance
        )
        return record_writer.inputs_sha256(
            itertools.chain.from_iterable(digests)
        )


def _check_existing(
    output: pathlib.Path,
    manifest: Mapping[str, Any],
    facts: Mapping[str, Any],
) -> None:
    facts = {**facts, "num_shards": NUM_SHARDS.value}
    made = {**manifest, "num_shards": len(manifest["shards"])}
    for name, expected in facts.items():
        if made.get(name) != expected:
            raise UserError(
                "output was made from something else",
                f"{output}, {name}",
                expected,
                made.get(name),
            )
    if manifest["num_skipped"] > MAX_BAD_RECORDS.value:
        raise UserError(
            "output lacks damaged records",
            output / "skipped.txt",
            f"at most --max_bad_records={MAX_BAD_RECORDS.value}",
            manifest["num_skipped"],
        )


def _summary(manifest: dict[str, object]) -> str:
    text = (
        f"{manifest['num_records']} records, "
        f"{manifest['num_label_maps']} with a label map, "
        f"{manifest['num_poses']} with a pose"
    )
    for number, name in (("num_skipped", "skipped"), ("num_notes", "notes")):
        if manifest[number]:
            text += f"; {manifest[number]} {name}: {name}.txt"
    return text


if __name__ == "__main__":
    main()
