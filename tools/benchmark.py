r"""Measures what the README states, and writes it as JSON.

python -m tools.benchmark --what=inference --preset=released \
        --channels=128 --cells=16 --image_size=384 --output=FILE
python -m tools.benchmark --what=all --output=DIR --compare=OLD
"""

import os

from nppnet_tf import config as configuration
from nppnet_tf.benchmarks import comparison
from nppnet_tf.benchmarks import figures
from nppnet_tf.benchmarks import measures
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

FLAGS = ToolFlags()

WHAT = FLAGS.define_choice(
    "what",
    None,
    [*subjects.NAMES, subjects.ALL],
    subjects.MEANING,
)
STAGE = FLAGS.define_choice(
    "stage",
    "interaction_fusion",
    stages.NAMES,
    "Stage of the search that search_step and latency_table take. The second "
    "keeps the encoder-decoder of --genotype.",
)
GENOTYPE = FLAGS.define_path(
    "genotype",
    "released",
    "Genotype, or that of the part that search_step keeps: released, baseline, "
    "unet or a file.",
    paths.require_genotype,
)
PRESET = FLAGS.define_choice(
    "preset",
    None,
    list(published.PRESETS),
    "Network that inference takes instead of that of --genotype.",
)
_SIZES = configuration.NetworkConfig(channels=64, cells=12)
config_flags.define(FLAGS, _SIZES, *subjects.SIZES)
RUNTIME = FLAGS.define_choice(
    "runtime",
    subjects.RUNTIMES[0],
    subjects.RUNTIMES,
    "What runs the operations of latency_table.",
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
REPEATS = FLAGS.define_count("repeats", 5, subjects.REPEATS, 1)
NUM_REPLICAS = FLAGS.define_count(
    "num_replicas", 0, "Replicas that train_step takes; 0 for no strategy."
)
PEER = FLAGS.define_choice(
    "peer", None, subjects.PEERS, "Whose steps to measure in turns with ours."
)
RECORDS = FLAGS.define_path(
    "records",
    None,
    "Folder of records that input_pipeline reads; if absent, people are drawn.",
    paths.require_records,
)
config_flags.define(FLAGS, configuration.InputConfig(), "input_workers")
FIGURES = FLAGS.define_text(
    "figures",
    None,
    "Names of figures, with commas between them, that `all` makes even if they "
    "are there; if absent, those that are not there yet.",
)
FLAGS.require(
    ["figures", "what"],
    lambda values: not values["figures"] or values["what"] == subjects.ALL,
    "--figures with --what=all alone",
)


def _check_output(path: str, flag: str) -> None:
    if WHAT.value == subjects.ALL:
        paths.require_new_folder(path, flag)
    elif WHAT.value is None and COMPARE.value:
        _check_results(path, flag)
    else:
        paths.new_file(path, flag)


def _check_results(path: str, flag: str) -> None:
    if not os.path.isdir(path):
        paths.require_file(path, flag)
    comparison.read(path)


OUTPUT = FLAGS.define_output(
    "output",
    None,
    "JSON file to write, if absent, only the screen; folder of JSON files "
    "where `all` is measured.",
    _check_output,
)
COMPARE = FLAGS.define_path(
    "compare",
    None,
    "Earlier --output; says what has changed since, beyond noise. Without "
    f"--what nothing is measured again. {comparison.RULE}",
    _check_results,
)
FLAGS.require_batch("batch_size", "image_size")


def _run(_: list[str]) -> None:
    what, output = WHAT.value, OUTPUT.value
    for name, needed in subjects.idle_settings(what, STAGE.value, PRESET.value):
        FLAGS.refuse_idle(needed, name)
    if COMPARE.value is not None:
        FLAGS.require_given("output")
    if what == subjects.ALL:
        _make_figures()
    elif what is not None or COMPARE.value is None:
        _measure()
    if COMPARE.value is not None:
        console.say("\n".join(comparison.compare(COMPARE.value, output)))


def _measure() -> None:
    """Measures one thing."""
    subjects.require(WHAT.value, PEER.value)
    request = measures.Request(
        WHAT.value,
        STAGE.value,
        GENOTYPE.value,
        PRESET.value,
        measuring.Size(
            FLAGS["channels"].value,
            FLAGS["cells"].value,
            IMAGE_SIZE.value,
            BATCH_SIZE.value,
        ),
        REPEATS.value,
        NUM_REPLICAS.value,
        RECORDS.value,
        FLAGS["input_workers"].value,
        config_flags.read(FLAGS, _SIZES),
        RUNTIME.value,
        PEER.value,
        # Without a file the screen is what holds the document.
        console.say if OUTPUT.value is not None else lambda line: None,
    )
    request.network()
    output = OUTPUT.value
    if output is not None:
        read = RECORDS.value, GENOTYPE.value, COMPARE.value
        output = paths.new_file(output, "--output", read)
    text = measuring.to_json(measures.measure(request, __package__))
    console.say(text.rstrip())
    if output is not None:
        atomic.write_text(output, text)


def _make_figures() -> None:
    """Makes those that were asked for, or those that are not there."""
    FLAGS.require_given("output")
    names = FIGURES.value and FIGURES.value.split(",")
    wanted = figures.wanted(OUTPUT.value, names)
    folder = paths.new_folder(OUTPUT.value, "--output")
    figures.make(wanted, folder, figures.program(__package__), console.say)


def main() -> None:
    """Runs the tool."""
    app.run(_run, FLAGS)


if __name__ == "__main__":
    main()
