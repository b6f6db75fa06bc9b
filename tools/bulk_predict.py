r"""Finds parts and joints in very many pictures, on Apache Beam.

Takes pictures, folders and patterns ('archive/**/*.jpg', gs://...), a list of
paths (--input_list) or TFRecords of Examples with image/encoded
(--input_records). Writes into --output:

    predictions-00003-of-00010.tfrecord   by --format; json: a line for each
                                          picture; png: a folder
    dead_letters-00003-of-00010.jsonl     what could not be predicted, and why
    done/00003-of-00010.json              the shard is whole; its counts
    job.json, inputs.txt                  what the job is

Answers are those of predict, bit by bit. Called again after it was stopped or
killed, it goes on with the shards that are not done; what they hold does not
depend on it. docs/bulk.md says how it runs on Flink, Spark and Dataflow.
"""

import importlib.util
import os
from typing import TYPE_CHECKING

from nppnet_tf.errors import UserError
from nppnet_tf.runtimes import quiet

from .command_line import app
from .command_line import console
from .command_line import paths
from .command_line import scale_list
from .command_line.progress import Progress
from .command_line.tool_flags import ToolFlags

if TYPE_CHECKING:
    from nppnet_tf.bulk.job import Shard

# Shards of one pipeline of the direct runner, for each process.
_AT_ONCE = 8

FLAGS = ToolFlags()

MODEL = FLAGS.define_path(
    "model",
    None,
    "Working directory of a run, a SavedModel, or a model of another runtime.",
    paths.require_model,
)


def _require_output(path: str, flag: str) -> None:
    # Beam knows other file systems by their names.
    if "://" not in path:
        paths.require_new_folder(path, flag)


OUTPUT = FLAGS.define_output(
    "output", None, "Folder of the job.", _require_output
)
INPUT_LIST = FLAGS.define_path(
    "input_list",
    None,
    "Text file with the path of a picture in each line.",
    paths.require_file,
)
INPUT_RECORDS = FLAGS.define_text(
    "input_records",
    None,
    "TFRecord files of pictures, as build_records writes them: a pattern, or "
    "several with commas between them. Each is a shard.",
)
FORMAT = FLAGS.define_choice(
    "format",
    "tfrecord",
    ["tfrecord", "json", "png"],
    "What a shard of results is.",
)
PICTURES_PER_SHARD = FLAGS.define_count(
    "pictures_per_shard", 1000, "Pictures of a shard.", 1, 1_000_000
)
FLIP = FLAGS.define_switch("flip", False, "Average over the mirrored picture.")
SCALES = scale_list.define(
    FLAGS, "Factors of the network's input to average over."
)
SCORE_THRESHOLD = FLAGS.define_number(
    "score_threshold",
    None,
    "Least score of a joint that was found; by default the model's.",
    0,
    1,
)
RUNNER = FLAGS.define_choice(
    "runner",
    "direct",
    ["direct", "flink", "spark", "dataflow"],
    "Where it runs; direct: on this machine.",
)
WORKERS = FLAGS.define_count(
    "workers", 1, "Processes of the direct runner.", 1, 256
)
PIPELINE_OPTIONS = FLAGS.define_text(
    "pipeline_options",
    None,
    "Further options of Apache Beam, as on a command line.",
)


def _run(argv: list[str]) -> None:
    if INPUT_RECORDS.value:
        FLAGS.refuse_idle("pictures", "pictures_per_shard")
    if importlib.util.find_spec("apache_beam") is None:
        raise UserError(
            "Apache Beam is not installed",
            None,
            "pip install 'nppnet_tf[beam]'",
            "no package apache_beam",
        )
    sources = (bool(argv[1:]), INPUT_LIST.value, INPUT_RECORDS.value)
    if sum(map(bool, sources)) != 1:
        raise UserError(
            "wrong inputs",
            expected="pictures, or --input_list, or --input_records",
            found=f"{sum(map(bool, sources))} of them",
        )

    with quiet.quiet():
        from nppnet_tf.bulk import answers
        from nppnet_tf.bulk import job
        from nppnet_tf.bulk import pipeline
        from nppnet_tf.bulk import runners

    options = runners.options(
        RUNNER.value, PIPELINE_OPTIONS.value or "", WORKERS.value
    )
    model = job.Model(
        os.path.abspath(MODEL.value),
        FLIP.value,
        tuple(SCALES.value),
        SCORE_THRESHOLD.value,
    )
    names = _names(argv[1:])
    # What is wrong with a model is said here, not by a worker.
    answers.load(model)
    shards = _shards(names)
    job.begin(OUTPUT.value, job.settings_of(model, FORMAT.value), shards)
    left = job.to_do(OUTPUT.value, shards)
    if len(left) < len(shards):
        console.say(f"{len(shards) - len(left)} of {len(shards)} shards done")
    is_direct = RUNNER.value == runners.DIRECT
    with Progress(len(left), "shards") as progress:
        for _ in pipeline.run(
            left,
            pipeline.Job(model, OUTPUT.value, FORMAT.value),
            options,
            _AT_ONCE * WORKERS.value if is_direct else 0,
        ):
            progress.advance()
    _summarize(shards)


def _names(words: list[str]) -> list[str]:
    """Returns the pictures; none of TFRecords."""
    from nppnet_tf.bulk import inputs

    if INPUT_LIST.value:
        return list(inputs.listed(INPUT_LIST.value))
    return inputs.find(words)


def _shards(names: list[str]) -> "list[Shard]":
    from nppnet_tf.bulk import job

    if INPUT_RECORDS.value:
        return job.shards_of_records(INPUT_RECORDS.value.split(","))
    job.list_pictures(OUTPUT.value, names)
    return job.shards_of_list(OUTPUT.value, PICTURES_PER_SHARD.value)


def _summarize(shards: "list[Shard]") -> None:
    from nppnet_tf.bulk import job

    counts = job.totals(OUTPUT.value, shards)
    console.say(
        f"{counts['pictures']} pictures predicted, {counts['dead_letters']} "
        f"dead letters, in {len(shards)} shards in {OUTPUT.value}"
    )
    if counts["dead_letters"] and not counts["pictures"]:
        raise UserError(
            "no picture could be predicted",
            OUTPUT.value,
            "JPEG or PNG pictures",
            f"{counts['dead_letters']} dead letters",
        )


def main() -> None:
    """Entry of the console script."""
    app.run(_run, FLAGS, "[PICTURES]", required=("model", "output"))


if __name__ == "__main__":
    main()
