r"""Measures what the README states, and writes it as JSON.

python -m tools.benchmark --what=inference --preset=released \
        --channels=128 --cells=16 --image_size=384 --output=FILE
"""

import json
import sys
from typing import TYPE_CHECKING
from typing import Any

from nppnet_tf import config as configuration
from nppnet_tf.benchmarks import measuring
from nppnet_tf.benchmarks import subjects
from nppnet_tf.files import atomic
from nppnet_tf.search_space import published
from nppnet_tf.search_space import stages

from .command_line import app
from .command_line import config_flags
from .command_line import console
from .command_line import paths
from .command_line.tool_flags import ToolFlags

if TYPE_CHECKING:
    from nppnet_tf.search_space.genotype import Genotype

FLAGS = ToolFlags()

WHAT = FLAGS.define_choice(
    "what",
    None,
    subjects.NAMES,
    "Both steps of the search; a step of training, or a forward pass, of a "
    "derived network; training samples; or import_npp of a file of the "
    "authors' form, in a process of its own.",
)
STAGE = FLAGS.define_choice(
    "stage",
    "interaction_fusion",
    stages.NAMES,
    "Stage of the search that search_step takes. The second keeps the "
    "encoder-decoder of --genotype.",
)
GENOTYPE = FLAGS.define_path(
    "genotype",
    "released",
    "Genotype, or that of the part that search_step keeps: released, baseline "
    "or a file.",
    paths.require_genotype,
)
PRESET = FLAGS.define_choice(
    "preset",
    None,
    list(published.PRESETS),
    "Network that inference takes instead of that of --genotype.",
)
config_flags.define(
    FLAGS,
    configuration.NetworkConfig(channels=64, cells=12),
    "channels",
    "cells",
)
IMAGE_SIZE = FLAGS.define_size(
    "image_size", (192, 192), "Size of the network's input, in pixels."
)
BATCH_SIZE = FLAGS.define_count(
    "batch_size",
    0,
    "Pictures of a batch; 0 stands for 2, for 1 in inference and for 8 in "
    "input_pipeline.",
    0,
    configuration.MOST_BATCH,
)
REPEATS = FLAGS.define_count(
    "repeats", 5, "Steps to measure; seconds in input_pipeline.", 1
)
RECORDS = FLAGS.define_path(
    "records",
    None,
    "Folder of records that input_pipeline reads.",
    paths.require_records,
)
config_flags.define(FLAGS, configuration.InputConfig(), "input_workers")
OUTPUT = FLAGS.define_output(
    "output",
    None,
    "JSON file to write; if absent, only the screen.",
    paths.new_file,
)
FLAGS.require_batch("batch_size", "image_size")


def _run(_: list[str]) -> None:
    subjects.require(WHAT.value)
    _genotype()
    if WHAT.value == subjects.INPUT_PIPELINE:
        FLAGS.require_given("records")
    output, read = OUTPUT.value, (RECORDS.value, GENOTYPE.value)
    if output is not None:
        output = paths.new_file(output, "--output", read)
    measure = {
        subjects.SEARCH_STEP: _search_step,
        subjects.TRAIN_STEP: _train_step,
        subjects.INFERENCE: _inference,
        subjects.ROOFLINE: _roofline,
        subjects.READING: _reading,
        subjects.INPUT_PIPELINE: _input_pipeline,
        subjects.IMPORT: _import,
    }[WHAT.value]

    result = {"what": WHAT.value, **measure(), **measuring.circumstances()}
    console.say(text := json.dumps(result, indent=2))
    if output is not None:
        atomic.write_text(output, f"{text}\n")


def _genotype() -> "Genotype | None":
    """Returns what is measured; refuses what gives no network."""
    genotype = subjects.genotype_of(
        WHAT.value, STAGE.value, GENOTYPE.value, PRESET.value
    )
    subjects.check_size(genotype, _size(1))
    return genotype


def _search_step() -> dict[str, Any]:
    from nppnet_tf.benchmarks import search_step

    return search_step.measure(
        STAGE.value, _genotype(), _size(2), REPEATS.value
    )


def _train_step() -> dict[str, Any]:
    from nppnet_tf.benchmarks import train_step

    return train_step.measure(GENOTYPE.value, _size(2), REPEATS.value)


def _inference() -> dict[str, Any]:
    from nppnet_tf.benchmarks import forward_pass

    return forward_pass.measure(*_answers())


def _roofline() -> dict[str, Any]:
    from nppnet_tf.benchmarks import roofline

    return roofline.measure(*_answers())


def _answers() -> tuple:
    size = _size(1)
    network = subjects.network_of(_genotype(), PRESET.value, size)
    return PRESET.value or GENOTYPE.value, network, size, REPEATS.value


def _reading() -> dict[str, Any]:
    from nppnet_tf.benchmarks import reading

    return reading.measure(_size(1).image_size, REPEATS.value)


def _input_pipeline() -> dict[str, Any]:
    from nppnet_tf.benchmarks import input_pipeline

    size = _size(8)
    workers = FLAGS["input_workers"].value
    inputs = configuration.InputConfig(
        size.image_size, size.batch_size, input_workers=workers
    )
    return input_pipeline.measure(RECORDS.value, inputs, REPEATS.value)


def _import() -> dict[str, Any]:
    from nppnet_tf.benchmarks import checkpoint_import

    size = _size(1)
    tool = [sys.executable, "-m", f"{__package__}.import_npp"]
    return checkpoint_import.measure(size.channels, size.cells, tool)


def _size(batch_size: int) -> measuring.Size:
    """Returns the size of the flags, and so many pictures if they say 0."""
    return measuring.Size(
        FLAGS["channels"].value,
        FLAGS["cells"].value,
        IMAGE_SIZE.value,
        BATCH_SIZE.value or batch_size,
    )


def main() -> None:
    """Runs the tool."""
    app.run(_run, FLAGS)


if __name__ == "__main__":
    main()
