r"""Searches NPPNet's architecture, in two stages (Sec. 3.6 and 4.2).

    python -m tools.search --stage=encoder_decoder --records=FOLDER \
        --workdir=runs/first
    python -m tools.search --stage=interaction_fusion --records=FOLDER \
        --workdir=runs/second --genotype=runs/first/genotype.json

The records are divided at random into two halves: network weights learn from
one, architecture parameters from the other. The same command again resumes the
run. The folder of the run gets genotype.json (the latest), genotypes/ (one per
epoch), metrics.jsonl, report.html, checkpoints/ and tensorboard/.

    python -m tools.search --search_strategy=random --stage=encoder_decoder \
        --target_gmac=1.2 --workdir=runs/random

draws a genotype instead of searching one, here of a given cost.
"""

import pathlib
import sys

from nppnet_tf import config as configuration
from nppnet_tf.search_space import genotype as genotypes
from nppnet_tf.search_space import published
from nppnet_tf.search_space import space as spaces
from nppnet_tf.search_space import stages
from nppnet_tf.search_space import strategies

from .command_line import app
from .command_line import console
from .command_line import paths
from .command_line import run_flags
from .command_line import strategy_flags
from .command_line.tool_flags import ToolFlags

FLAGS = ToolFlags()

run_flags.define(FLAGS, configuration.SEARCH)
STAGE = FLAGS.define_choice(
    "stage",
    None,
    stages.NAMES,
    "What is searched; the second stage keeps the encoder-decoder of "
    "--genotype.",
)
GENOTYPE = FLAGS.define_path(
    "genotype",
    None,
    "Encoder-decoder that the second stage keeps: genotype.json of the "
    "first, or one of "
    f"{', '.join(published.NAMES)}.",
    paths.require_genotype,
)
INTERACTION = FLAGS.define_choice(
    "interaction",
    genotypes.SEARCH,
    stages.STATES,
    "What the second stage does with the interaction.",
)
FUSION = FLAGS.define_choice(
    "fusion",
    genotypes.SEARCH,
    stages.STATES,
    "What the second stage does with the fusion.",
)
PRIMITIVES = FLAGS.define_text(
    "primitives",
    "paper",
    "Operations on every searched edge: one of "
    f"{', '.join(spaces.PRIMITIVES)}, or names with commas in the order of "
    "alpha.",
)
LATENCY_TABLE = FLAGS.define_path(
    "latency_table",
    None,
    "With --target_ms: what operations take, of tools.benchmark "
    "--what=latency_table on the machine that is meant.",
    paths.require_file,
)
WIDENS = FLAGS.define_path(
    "widens",
    None,
    "Folder of a search with a larger --channel_proportion, in whose state "
    "this one begins: alpha, beta and all weights.",
    paths.require_folder,
)
WIDENINGS = FLAGS.define_count(
    "widenings",
    0,
    "How often --channel_proportion is halved: each time a phase of all "
    "--epochs begins in the state that the one before has ended in, without a "
    "warm-up. The phases are runs in the folders k_K of --workdir.",
    0,
    10,
)
strategy_flags.define(FLAGS)


def _run(argv: list[str]) -> None:
    del argv
    strategy = strategy_flags.fill(FLAGS)
    config = run_flags.read(FLAGS, configuration.SEARCH)
    known = GENOTYPE.value and published.resolve(GENOTYPE.value)
    genotype = stages.start(STAGE.value, known, INTERACTION.value, FUSION.value)
    space = spaces.SearchSpace(
        spaces.PRIMITIVES.get(PRIMITIVES.value)
        or tuple(PRIMITIVES.value.split(",")),
        FLAGS[strategy_flags.CHANNEL_PROPORTION].value,
    )
    if strategy.name == strategies.RANDOM:
        _draw(genotype, config, space)
        return
    FLAGS.require_given("records")
    genotype.check_size(config.network, space)

    from nppnet_tf.training import phases
    from nppnet_tf.training import run

    from .command_line import run_console

    names = ("stage", "interaction", "fusion", "preset")
    with run_console.ConsoleReport(FLAGS, *names) as report:
        settings = {
            "report": report,
            "latency_table": LATENCY_TABLE.value,
            "widens": WIDENS.value,
        }
        if WIDENINGS.value:
            search, settings["widenings"] = phases.search, WIDENINGS.value
        else:
            search = run.search
        result = search(
            FLAGS["records"].value,
            genotype,
            FLAGS["workdir"].value,
            config,
            space,
            **settings,
        )
    # Not 0: what a script does after the run has to wait.
    if result.is_alarmed:
        sys.exit(app.ALARMED)
    if not result.is_complete:
        sys.exit(app.TERMINATED)
    console.say(f"genotype: {result.genotype}")


def _draw(
    genotype: genotypes.Genotype,
    config: configuration.RunConfig,
    space: spaces.SearchSpace,
) -> None:
    """Draws a genotype at random instead of searching one."""
    from nppnet_tf.training import random_run

    workdir = pathlib.Path(FLAGS["workdir"].value)
    cost = strategy_flags.target(FLAGS)
    random_run.draw(
        genotype,
        workdir,
        config,
        space,
        cost and random_run.CostBand(*cost),
        console.say,
    )
    console.say(f"genotype: {workdir / 'genotype.json'}")


def main() -> None:
    """Entry of the console script."""
    app.run(_run, FLAGS, required=("stage", "workdir"))


if __name__ == "__main__":
    main()
