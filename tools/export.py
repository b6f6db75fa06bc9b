"""Makes a SavedModel of a run, ready for TensorFlow Serving.

Writes <output>/<name>/<version>/ and lists all models of <output> in
<output>/models.config. docs/serving.md says how to serve it.
"""

import pathlib

from nppnet_tf.data import visibility
from nppnet_tf.errors import UserError
from nppnet_tf.inference import model_folders

from .command_line import app
from .command_line import console
from .command_line import paths
from .command_line import scale_list
from .command_line.tool_flags import ToolFlags

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
    visibility.SCORE_THRESHOLD,
    "Least score of a joint that counts as found; for the model's "
    "description, which tools.predict follows.",
    0,
    1,
)


def _run(argv: list[str]) -> None:
    del argv
    workdir, output = pathlib.Path(MODEL.value), pathlib.Path(OUTPUT.value)
    model_folders.new_version(output, NAME.value, VERSION.value)

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
    version = export.export_saved_model(
        network,
        descriptor,
        image_size,
        output,
        NAME.value,
        VERSION.value,
        FLIP.value,
        SCALES.value,
        SCORE_THRESHOLD.value,
    )
    console.say(f"exported to {version}")


def main() -> None:
    """Entry of the console script."""
    app.run(_run, FLAGS, required=("model",))


if __name__ == "__main__":
    main()
