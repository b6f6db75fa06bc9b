"""Measures a model, or the prediction files of any system.

A model on records:

    python -m tools.evaluate --model=RUN_OR_SAVEDMODEL --records=FOLDER

Records of people who were cut out of pictures, measured in whole pictures:

    python -m tools.evaluate --model=RUN --records=FOLDER --whole_pictures=ROOT

Files: label maps as PNG, matched by name; poses as LIP's CSV, matched by the
name in each row:

    python -m tools.evaluate --truth_dir=A --prediction_dir=B
    python -m tools.evaluate --truth_csv=A --prediction_csv=B

Prints IoU per class and PCKh per joint at the pictures' own size, and writes
them with their protocol to --output. In whole pictures, average precision of
joints takes the place of PCKh.
"""

import pathlib
from typing import Any

from nppnet_tf.data import descriptors
from nppnet_tf.errors import UserError
from nppnet_tf.evaluation import result_file

from .command_line import app
from .command_line import console
from .command_line import paths
from .command_line import scale_list
from .command_line.progress import Progress
from .command_line.tool_flags import ToolFlags

# More than any data set has.
_MOST_RECORDS = 1 << 31

FLAGS = ToolFlags()

_OF_MODEL = ("flip", "scales", "limit", "max_bad_records", "whole_pictures")

MODEL = FLAGS.define_path(
    "model",
    None,
    "Working directory of a run, a SavedModel, or a model of another runtime.",
    paths.require_model,
)
RECORDS = FLAGS.define_path(
    "records", None, "Folder of build_records.", paths.require_records
)
FLIP = FLAGS.define_switch("flip", False, "Average over the mirrored picture.")
SCALES = scale_list.define(
    FLAGS,
    "Factors of the network's input to average over; the paper's are "
    "0.5,0.75,1,1.25,1.5.",
)
LIMIT = FLAGS.define_count(
    "limit",
    None,
    "Measure only the first so many records (or pictures).",
    1,
    _MOST_RECORDS,
)
WHOLE_PICTURES = FLAGS.define_path(
    "whole_pictures",
    None,
    "Folder of the data set that the records were cut from: lays people back "
    "into their pictures and measures these.",
    paths.require_folder,
)
HEAD_FACTOR = FLAGS.define_number(
    "head_factor",
    1.0,
    "Head size in distances of the head's joints, for the average precision "
    "of --whole_pictures.",
    1e-6,
    1e6,
)
MAX_BAD_RECORDS = FLAGS.define_count(
    "max_bad_records", 0, "Damaged records to skip before stopping."
)
OUTPUT = FLAGS.define_output(
    "output", None, "JSON file to write.", paths.new_file
)
TRUTH_DIR = FLAGS.define_path(
    "truth_dir", None, "True label maps, PNG.", paths.require_folder
)
PREDICTION_DIR = FLAGS.define_path(
    "prediction_dir", None, "Predicted label maps, PNG.", paths.require_folder
)
TRUTH_CSV = FLAGS.define_path(
    "truth_csv", None, "True poses, LIP's CSV.", paths.require_file
)
PREDICTION_CSV = FLAGS.define_path(
    "prediction_csv", None, "Predicted poses, LIP's CSV.", paths.require_file
)
ALLOW_MISSING = FLAGS.define_switch(
    "allow_missing",
    False,
    "Leave pictures without a prediction out instead of stopping.",
)
POSE_READING = FLAGS.define_choice(
    "pose_reading",
    "as_written",
    ["as_written", "released"],
    "How --prediction_csv is read: as it stands, nan for a joint that was not "
    "predicted; or as the release's script does, which takes nan and negative "
    "coordinates for 1, to compare with its numbers.",
)
DATASET = FLAGS.define_choice(
    "dataset",
    "lip",
    descriptors.names(),
    "Whose classes and joints the files hold.",
)


def _run(_: list[str]) -> None:
    of_model = FLAGS.values_together("model", "records")
    label_maps = FLAGS.values_together("truth_dir", "prediction_dir")
    poses = FLAGS.values_together("truth_csv", "prediction_csv")
    of_files = bool(label_maps or poses)
    if bool(of_model) == of_files:
        raise UserError(
            "wrong flags",
            expected="--model and --records, or --truth_dir and "
            "--prediction_dir, or --truth_csv and --prediction_csv",
            found="both" if of_files else "none of them",
        )
    if of_files:
        FLAGS.refuse_idle("--model and --records", *_OF_MODEL)
    else:
        FLAGS.refuse_idle("files of answers", "allow_missing", "dataset")
    if not poses:
        FLAGS.refuse_idle("--truth_csv and --prediction_csv", "pose_reading")
    if not WHOLE_PICTURES.value:
        FLAGS.refuse_idle("--whole_pictures", "head_factor")
    output = _output()
    result = _measure_model() if of_model else _measure_files(label_maps, poses)
    console.say(result_file.to_text(result))
    if output is not None:
        result_file.write(output, result)
        console.say(f"written to {output}")


def _output() -> pathlib.Path | None:
    """Returns the file to write, which replaces a result at most."""
    if OUTPUT.value is None:
        return None
    inputs = (MODEL, RECORDS, WHOLE_PICTURES, TRUTH_DIR, PREDICTION_DIR)
    return paths.new_file(
        OUTPUT.value,
        "--output",
        [flag.value for flag in (*inputs, TRUTH_CSV, PREDICTION_CSV)],
        result_file.is_result,
    )


def _measure_model() -> dict[str, Any]:
    from nppnet_tf.evaluation import model_evaluation

    return model_evaluation.evaluate_model(
        MODEL.value,
        RECORDS.value,
        model_evaluation.Protocol(
            FLIP.value,
            SCALES.value,
            LIMIT.value,
            MAX_BAD_RECORDS.value,
            HEAD_FACTOR.value,
        ),
        WHOLE_PICTURES.value or None,
        lambda total: Progress(total, "evaluating").over,
        console.say,
    )


def _measure_files(
    label_maps: tuple[str, str] | None, poses: tuple[str, str] | None
) -> dict[str, Any]:
    from nppnet_tf.evaluation import evaluation

    return evaluation.evaluate_files(
        descriptors.get(DATASET.value),
        label_maps,
        poses,
        ALLOW_MISSING.value,
        pose_reading=POSE_READING.value,
    )


def main() -> None:
    """Entry of the console script."""
    app.run(_run, FLAGS)


if __name__ == "__main__":
    main()
