"""Makes a SavedModel of a run, ready for TensorFlow Serving.

Writes <output>/<name>/<version>/ and lists all models of <output> in
<output>/models.config. docs/serving.md says how to serve it.
"""

import pathlib
from typing import TYPE_CHECKING
from typing import Any

from nppnet_tf.data import visibility
from nppnet_tf.errors import UserError
from nppnet_tf.inference import model_folders

from .command_line import app
from .command_line import console
from .command_line import paths
from .command_line import scale_list
from .command_line.progress import Progress
from .command_line.tool_flags import ToolFlags

if TYPE_CHECKING:
    from nppnet_tf.data.descriptors import DatasetDescriptor
    from nppnet_tf.inference.calibration import Calibration

# Of TensorFlow Serving.
_MOST_VERSION = (1 << 63) - 1

FLAGS = ToolFlags()

MODEL = FLAGS.define_path(
    "model", None, "Working directory of a run.", paths.require_run
)
OUTPUT = FLAGS.define_output(
    "output",
    "savedmodels",
    "Folder that holds models, each in its own.",
    paths.require_new_folder,
)
NAME = FLAGS.define_text("name", "nppnet", "Name of the model.")
VERSION = FLAGS.define_count(
    "version",
    None,
    "Number of the version; by default one more than the newest.",
    1,
    _MOST_VERSION,
)
FLIP = FLAGS.define_switch(
    "flip", False, "Average over the mirrored picture, in the graph."
)
SCALES = scale_list.define(
    FLAGS, "Factors of the network's input to average over."
)
SCORE_THRESHOLD = FLAGS.define_number(
    "score_threshold",
    None,
    "Least score of a joint that counts as found; for the model's "
    f"description, which tools.predict follows. {visibility.SCORE_THRESHOLD} "
    "by default.",
    0,
    1,
)
CALIBRATE = FLAGS.define_path(
    "calibrate",
    None,
    "Records that the run was not trained on, to measure the least score of a "
    "found joint and what scores mean; for the model's description.",
    paths.require_records,
)


def _run(argv: list[str]) -> None:
    del argv
    workdir, output = pathlib.Path(MODEL.value), pathlib.Path(OUTPUT.value)
    model_folders.new_version(output, NAME.value, VERSION.value)
    if CALIBRATE.value and SCORE_THRESHOLD.value is not None:
        raise UserError(
            "score is stated and measured",
            "--score_threshold, --calibrate",
            "one of them",
            "both",
        )

    from nppnet_tf.inference import export
    from nppnet_tf.inference import predictor

    network, descriptor, image_size = predictor.load_run(workdir)
    if network.is_supernet:
        raise UserError(
            "a supernet cannot be served",
            workdir,
            "a run of nppnet-train, whose genotype is derived",
            "a search",
        )
    threshold, calibration = _calibrated(network, descriptor, image_size)
    version = export.export_saved_model(
        network,
        descriptor,
        image_size,
        output,
        NAME.value,
        VERSION.value,
        FLIP.value,
        SCALES.value,
        threshold,
        calibration,
    )
    console.say(f"exported to {version}")


def _calibrated(
    network: Any, descriptor: "DatasetDescriptor", image_size: tuple[int, int]
) -> "tuple[float, Calibration | None]":
    """Least score of a joint that was found, measured if that is asked for."""
    if not CALIBRATE.value:
        stated = SCORE_THRESHOLD.value
        return visibility.SCORE_THRESHOLD if stated is None else stated, None

    from nppnet_tf.data.records.record_set import RecordSet
    from nppnet_tf.evaluation import calibrating
    from nppnet_tf.inference.predictor import Predictor

    records = RecordSet.open(CALIBRATE.value)
    threshold, calibration = calibrating.calibrate(
        Predictor.from_network(
            network, descriptor, image_size, FLIP.value, SCALES.value
        ),
        records,
        Progress(records.count, "calibrating").over,
    )
    console.say(
        f"joints from a score of {threshold:g} on count as found: right for "
        f"{calibration.balanced_accuracy:.1%} of those that pictures show and "
        "of those that they do not, on average"
    )
    return threshold, calibration


def main() -> None:
    """Entry of the console script."""
    app.run(_run, FLAGS, required=("model",))


if __name__ == "__main__":
    main()
