"""What is to be done: inputs in shards, and which of them are done.

An output folder holds

    job.json                       what the job is; another one is refused
    inputs.txt                     the pictures, one a line (not of TFRecords)
    done/00003-of-00010.json       counts of a shard, written when all of it is

A shard is a run of lines of `inputs.txt`, or a TFRecord file.
"""

import dataclasses
import hashlib
import json
from collections.abc import Iterable
from collections.abc import Sequence
from typing import Any

from nppnet_tf.bulk import places
from nppnet_tf.errors import UserError
from nppnet_tf.files import file_digests
from nppnet_tf.files import json_documents
from nppnet_tf.files import text_files
from nppnet_tf.inference import predictor as predictors

FORMAT = "nppnet_tf.bulk"

_JOB = "job.json"
_INPUTS = "inputs.txt"
_DONE = "done"


@dataclasses.dataclass(frozen=True)
class Shard:
    """Some of the inputs.

    Attributes:
        number: Number of the shard, counted from 0.
        count: How many shards there are.
        path: `inputs.txt`, or a TFRecord file.
        start: Byte of the list where its lines begin; None of a TFRecord file.
        first: Number of its first picture, among those of the list.
        pictures: How many lines.
    """

    number: int
    count: int
    path: str
    start: int | None = None
    first: int = 0
    pictures: int = 0

    @property
    def name(self) -> str:
        """Its number among all, as files have it."""
        return f"{self.number:05d}-of-{self.count:05d}"


@dataclasses.dataclass(frozen=True)
class Model:
    """What predicts.

    Attributes:
        path: Path that `Predictor.from_directory` takes, the same for every
            worker.
        flip: Whether to average over mirrored inputs.
        scales: Factors of the inputs to average over.
        score_threshold: Least score of a joint that was found; the model's
            where None.
    """

    path: str
    flip: bool = False
    scales: tuple[float, ...] = (1.0,)
    score_threshold: float | None = None


def list_pictures(output: str, names: Iterable[str]) -> None:
    """Writes the list of pictures, or finds the same one there.

    Args:
        output: Folder of the job.
        names: Paths of pictures.

    Raises:
        UserError: There are none, a name has two lines, or the list that is
            there holds others.
    """
    entries = []
    for name in names:
        if "\n" in name or "\r" in name:
            raise UserError("name of two lines", repr(name), "another name")
        entries.append(f"{name}\n".encode("utf-8", "surrogateescape"))
    if not entries:
        raise UserError("no pictures", None, "pictures to predict", "none")
    data, path = b"".join(entries), places.joined(output, _INPUTS)
    if not places.exists(path):
        places.write(path, data)
    elif places.read(path) != data:
        raise UserError(
            "the inputs have changed since the job began",
            path,
            "the same inputs, or another `output`",
            f"{len(entries)} pictures now",
        )


def shards_of_list(output: str, pictures_per_shard: int) -> list[Shard]:
    """Divides the list of pictures.

    Args:
        output: Folder of the job, with the list.
        pictures_per_shard: Lines of a shard; the last one has what remains.
    """
    path = places.joined(output, _INPUTS)
    starts, counts, start = [], [], 0
    for number, line in enumerate(places.read(path).splitlines(keepends=True)):
        if number % pictures_per_shard == 0:
            starts.append(start)
            counts.append(0)
        counts[-1] += 1
        start += len(line)
    return [
        Shard(n, len(starts), path, at, n * pictures_per_shard, counts[n])
        for n, at in enumerate(starts)
    ]


def shards_of_records(patterns: Sequence[str]) -> list[Shard]:
    """Makes a shard of every TFRecord file.

    Raises:
        UserError: A pattern means none.
    """
    files = []
    for pattern in patterns:
        found = places.matching(pattern)
        if not found:
            raise UserError("no files", pattern, "TFRecord files", "none")
        files += found
    files = list(dict.fromkeys(files))
    return [Shard(n, len(files), path) for n, path in enumerate(files)]


def settings_of(model: Model, results_format: str) -> dict[str, Any]:
    """Returns what results depend on, besides their inputs.

    Args:
        model: What predicts.
        results_format: Format of the shards.

    Raises:
        UserError: There is no such model.
    """
    return {
        "results": results_format,
        "model_sha256": file_digests.sha256(
            predictors.description_file(model.path)
        ),
        "flip": model.flip,
        "scales": list(model.scales),
        "score_threshold": model.score_threshold,
    }


def begin(output: str, settings: dict[str, Any], shards: list[Shard]) -> None:
    """Writes what the job is, or finds that it is the one that is there.

    Args:
        output: Folder of the job.
        settings: What results depend on.
        shards: All of the job.

    Raises:
        UserError: Another job has written there.
    """
    inputs = json.dumps([dataclasses.astuple(shard) for shard in shards])
    document = {
        "format": FORMAT,
        **settings,
        "shards": len(shards),
        "inputs_sha256": hashlib.sha256(inputs.encode()).hexdigest(),
    }
    path = places.joined(output, _JOB)
    if not places.exists(path):
        places.write(path, f"{json.dumps(document, indent=1)}\n".encode())
        return
    there = _document(path)
    if there == document:
        return
    other = "another file"
    if isinstance(there, dict):
        other = ", ".join(
            f"{name} {there.get(name)}"
            for name, value in document.items()
            if there.get(name) != value
        )
    raise UserError(
        "folder holds another job", path, "this one, or another `output`", other
    )


def to_do(output: str, shards: Sequence[Shard]) -> list[Shard]:
    """Returns the shards that are not done."""
    done = set(places.matching(places.joined(output, _DONE, "*.json")))
    return [
        shard for shard in shards if done_file(output, shard.name) not in done
    ]


def done_file(output: str, name: str) -> str:
    """Returns the file that says of a shard that it is done."""
    return places.joined(output, _DONE, f"{name}.json")


def totals(output: str, shards: Sequence[Shard]) -> dict[str, int]:
    """Adds up the counts of the shards that are done."""
    total = {"pictures": 0, "dead_letters": 0}
    for shard in shards:
        path = done_file(output, shard.name)
        counts = json_documents.require_form(
            _document(path), dict.fromkeys(total, "an integer"), path, "shard"
        )
        for name in total:
            total[name] += counts[name]
    return total


def _document(path: str) -> Any:
    """Reads JSON of a job, which may lie on another file system."""
    data = places.read(path, json_documents.MAX_BYTES)
    return json_documents.parse(text_files.decode(data, path), path)
