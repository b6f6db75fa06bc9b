"""Files of a shard, by format; equal answers give equal bytes."""

import base64
import json
import os
import pathlib
import tempfile
from collections.abc import Callable
from collections.abc import Sequence

import tensorflow as tf

from nppnet_tf.bulk import job
from nppnet_tf.bulk import places
from nppnet_tf.bulk.answers import Answer
from nppnet_tf.files import atomic
from nppnet_tf.files import file_names
from nppnet_tf.pictures import picture_names

# Room for the number and the ending in the name of a file.
_MOST_STEM = 200

Write = Callable[[str, str, Sequence[Answer]], None]


def write_shard(
    output: str, name: str, results: str, answers: Sequence[Answer]
) -> dict[str, int]:
    """Writes a shard; at last the file that says that it is done.

    Args:
        output: Folder of the job.
        name: Name of the shard.
        results: One of `FORMATS`.
        answers: All of the shard, in any order.

    Returns:
        How many pictures were predicted, and how many not.
    """
    answers = sorted(answers, key=lambda each: each.number)
    good = [each for each in answers if each.error is None]
    bad = [each for each in answers if each.error is not None]
    FORMATS[results](output, name, good)
    if bad:
        places.write(
            places.joined(output, f"dead_letters-{name}.jsonl"),
            _lines(
                {
                    "source": file_names.as_text(each.source),
                    "error": each.error,
                }
                for each in bad
            ),
        )
    counts = {"pictures": len(good), "dead_letters": len(bad)}
    places.write(
        job.done_file(output, name), f"{json.dumps(counts)}\n".encode()
    )
    return counts


def _write_json(output: str, name: str, answers: Sequence[Answer]) -> None:
    """A line for each picture, the label map in base64."""
    places.write(
        places.joined(output, f"predictions-{name}.jsonl"),
        _lines(
            {
                "source": file_names.as_text(each.source),
                "prediction": json.loads(each.document),
                "label_map_png": base64.b64encode(each.label_map).decode(),
            }
            for each in answers
        ),
    )


def _write_tfrecord(output: str, name: str, answers: Sequence[Answer]) -> None:
    """An Example for each picture."""
    target = places.joined(output, f"predictions-{name}.tfrecord")
    with atomic.naming(target), tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "shard")
        with tf.io.TFRecordWriter(path) as writer:
            for each in answers:
                writer.write(to_example(each))
        data = pathlib.Path(path).read_bytes()
    places.write(target, data)


def _write_png(output: str, name: str, answers: Sequence[Answer]) -> None:
    """A folder with a label map and a document for each picture."""
    folder = places.joined(output, f"predictions-{name}")
    for each in answers:
        start = places.joined(folder, start_of(each))
        places.write(f"{start}.png", each.label_map)
        document = json.dumps(json.loads(each.document), indent=1)
        places.write(f"{start}.json", f"{document}\n".encode())


FORMATS: dict[str, Write] = {
    "tfrecord": _write_tfrecord,
    "json": _write_json,
    "png": _write_png,
}


def start_of(answer: Answer) -> str:
    """Returns what the names of a picture's files begin with.

    Its number first: two folders may hold pictures of one name.
    """
    name = answer.source.rstrip("/").rpartition("/")[2]
    stem = atomic.short_name(picture_names.stem_of(name), _MOST_STEM)
    return f"{answer.number:09d}-{stem}"


def to_example(answer: Answer) -> bytes:
    """Returns a serialized Example.

    Its features are bytes: `source`, the path of the picture; `prediction`,
    JSON as in `<picture>.json` of predict; `label_map_png`.
    """
    values = {
        "source": os.fsencode(answer.source),
        "prediction": answer.document.encode(),
        "label_map_png": answer.label_map,
    }
    feature = {
        name: tf.train.Feature(bytes_list=tf.train.BytesList(value=[value]))
        for name, value in values.items()
    }
    example = tf.train.Example(features=tf.train.Features(feature=feature))
    return example.SerializeToString(deterministic=True)


def _lines(documents) -> bytes:
    return b"".join(
        f"{json.dumps(document, allow_nan=False)}\n".encode()
        for document in documents
    )
