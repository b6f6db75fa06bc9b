r"""Searches at several budgets and compares with other widths of one search.

    python -m tools.search_budgets --records=runs/people/train \
        --validation_records=runs/people/val --workdir=runs/budgets \
        --targets=0.045,0.055,0.07,0.085

For each target a search with --target_gmac, and one without any, whose genotype
is given every C from below to above all targets. All networks are trained alike
(--train_flagfile) and measured on the validation records, all printed as they
run. Stopped, the same command goes on where it was; with more --seeds it adds
to what is there. The folder gets pareto.json (every network), pareto_miou.svg,
pareto_pckh.svg and report.html.
"""

from nppnet_tf import config as configuration

from .command_line import app
from .command_line import config_flags
from .command_line import paths
from .command_line.tool_flags import ToolFlags
from .roads import budgets

FLAGS = ToolFlags()

RECORDS = FLAGS.define_path(
    "records",
    None,
    "Folder of build_records to search and train on.",
    paths.require_records,
)
VALIDATION_RECORDS = FLAGS.define_path(
    "validation_records",
    None,
    "Folder of build_records to measure on.",
    paths.require_records,
)
WORKDIR = FLAGS.define_output(
    "workdir",
    None,
    "Folder of all searches and trainings.",
    paths.require_new_folder,
)
TARGETS = FLAGS.define_numbers(
    "targets",
    (0.045, 0.055, 0.07, 0.085),
    "GMAC of the derived networks, rising.",
    1e-6,
    1e6,
)
SEEDS = FLAGS.define_count("seeds", 1, "How often all of it is done.", 1, 1000)
SEARCH_FLAGFILE = FLAGS.define_path(
    "search_flagfile",
    "flags/budgets/search.txt",
    "Flag file of tools.search.",
    paths.require_file,
)
TRAIN_FLAGFILE = FLAGS.define_path(
    "train_flagfile",
    "flags/budgets/train.txt",
    "Flag file of tools.train, whose sizes are those below.",
    paths.require_file,
)
_SIZES = configuration.NetworkConfig(
    channels=16, cells=4, num_fusion_cells=1, head_channels=64
)
config_flags.define(FLAGS, _SIZES)
IMAGE_SIZE = FLAGS.define_size(
    "image_size", (96, 64), "Size of the network's input, in pixels."
)


def _run(argv: list[str]) -> None:
    del argv
    folder = paths.new_folder(WORKDIR.value, "--workdir").absolute()
    budgets.Budgets(
        folder,
        RECORDS.value,
        VALIDATION_RECORDS.value,
        SEARCH_FLAGFILE.value,
        TRAIN_FLAGFILE.value,
        tuple(TARGETS.value),
        SEEDS.value,
        config_flags.read(FLAGS, _SIZES),
        IMAGE_SIZE.value,
    ).run()


def main() -> None:
    """Entry of the console script."""
    app.run(_run, FLAGS, required=("records", "validation_records", "workdir"))


if __name__ == "__main__":
    main()
