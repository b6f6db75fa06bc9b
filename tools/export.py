"""Makes a SavedModel of a run, ready for TensorFlow Serving, or another file.

Writes <output>/<name>/<version>/ and lists all models of <output> in
<output>/models.config. docs/serving.md says how to serve it.

With --format=onnx, openvino or litert it writes the network alone, for inputs
of one size, into <output>/<name>-<format>-<precision>/: the model,
model.json, which describes it, and parity.json, which says how far it is from
the SavedModel. predict and evaluate take it as they take a SavedModel;
docs/runtimes.md says what each is good for.
"""

import dataclasses
import pathlib
from typing import TYPE_CHECKING
from typing import Any

from nppnet_tf.errors import UserError
from nppnet_tf.inference import model_folders
from nppnet_tf.runtimes.runtime import Runtime

from .command_line import app
from .command_line import console
from .command_line import paths
from .command_line import scale_list
from .command_line.description_flags import DescriptionFlags
from .command_line.runtime_flags import RuntimeFlags
from .command_line.tool_flags import ToolFlags

if TYPE_CHECKING:
    from nppnet_tf.data.descriptors import DatasetDescriptor

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
DESCRIPTION = DescriptionFlags(FLAGS)
RUNTIME = RuntimeFlags(FLAGS)


def _run(argv: list[str]) -> None:
    del argv
    DESCRIPTION.require_one_threshold()
    wanted = RUNTIME.runtime(SCALES.value)
    if wanted is None:
        _export_saved_model()
    else:
        _export_runtime(wanted)


def _load() -> "tuple[Any, DatasetDescriptor, tuple[int, int]]":
    """Loads the run, which may not be a search."""
    from nppnet_tf.inference import predictor

    network, descriptor, image_size = predictor.load_run(MODEL.value)
    if network.is_supernet:
        raise UserError(
            "a supernet cannot be served",
            MODEL.value,
            "a run of nppnet-train, whose genotype is derived",
            "a search",
        )
    return network, descriptor, image_size


def _export_runtime(wanted: Runtime) -> None:
    output = pathlib.Path(OUTPUT.value)
    model_folders.new_package(
        output, NAME.value, wanted.name, RUNTIME.precision
    )

    from nppnet_tf.evaluation import runtime_export
    from nppnet_tf.evaluation import runtime_parity
    from nppnet_tf.inference import predictor

    request = RUNTIME.request()
    network, *facts = _load()
    card = DESCRIPTION.card(MODEL.value, network)
    threshold, calibration = DESCRIPTION.calibrated(
        network, *facts, FLIP.value, SCALES.value
    )
    description = dataclasses.replace(
        predictor.describe(
            network,
            NAME.value,
            VERSION.value or 1,
            *facts,
            FLIP.value,
            SCALES.value,
        ),
        score_threshold=threshold,
        calibration=calibration,
    )
    folder, report = runtime_export.export(
        network, description, request, output, card
    )
    console.say(runtime_parity.to_text(report))
    console.say(f"exported to {folder / wanted.file}")


def _export_saved_model() -> None:
    output = pathlib.Path(OUTPUT.value)
    model_folders.new_version(output, NAME.value, VERSION.value)

    from nppnet_tf.inference import export

    loaded = _load()
    card = DESCRIPTION.card(MODEL.value, loaded[0])
    threshold, calibration = DESCRIPTION.calibrated(
        *loaded, FLIP.value, SCALES.value
    )
    version = export.export_saved_model(
        *loaded,
        output,
        NAME.value,
        VERSION.value,
        FLIP.value,
        SCALES.value,
        threshold,
        calibration,
        card,
    )
    console.say(f"exported to {version}")


def main() -> None:
    """Entry of the console script."""
    app.run(_run, FLAGS, required=("model",))


if __name__ == "__main__":
    main()
