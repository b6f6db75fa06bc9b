r"""Derives a genotype from a search (Sec. 4.3) and says what it costs.

    python -m tools.derive --workdir=runs/second --output=genotype.json

Cells keep two edges per node and one operation on each, as DARTS does; the
interaction keeps per level the operations with the largest shares until these
sum to 0.7, four at most. The cost is that of the network at --channels, --cells
and --image_size, the paper's sizes for retraining.

    python -m tools.derive --workdir=runs/second --selection=perturbation \
        --records=records/train --output=genotype.json

asks the supernet instead of alpha, which takes some hundred losses a part.
"""

import pathlib

from nppnet_tf import config as configuration
from nppnet_tf.errors import UserError
from nppnet_tf.search_space import genotype as genotypes
from nppnet_tf.search_space import pruning
from nppnet_tf.search_space import strategies
from nppnet_tf.search_space import topology

from .command_line import app
from .command_line import config_flags
from .command_line import console
from .command_line import paths
from .command_line.tool_flags import ToolFlags

FLAGS = ToolFlags()

WORKDIR = FLAGS.define_path(
    "workdir", None, "Folder of a search.", paths.require_folder
)
CHECKPOINT = FLAGS.define_path(
    "checkpoint",
    None,
    "Checkpoint of a search, instead of the last of --workdir.",
    paths.require_file,
)
OUTPUT = FLAGS.define_output(
    "output", None, "JSON file to write.", paths.new_file
)
_SIZES = ("channels", "cells", "head_channels", "baseline_width")
config_flags.define(FLAGS, configuration.NetworkConfig(), *_SIZES)
IMAGE_SIZE = FLAGS.define_side(
    "image_size", 384, "Side of the network's input, in pixels."
)
SELECTION = FLAGS.define_choice(
    "selection",
    strategies.SHARES,
    [each.name for each in strategies.components(strategies.SELECTION)],
    "What decides: shares of alpha and beta, or perturbation, which takes each "
    "operation away from the supernet of --workdir and keeps what the loss on "
    "--records misses most (DARTS-PT).",
)
RECORDS = FLAGS.define_path(
    "records",
    None,
    "Records of the search, for --selection=perturbation.",
    paths.require_records,
)
BATCHES = FLAGS.define_count(
    "selection_batches",
    4,
    "Batches of which --selection=perturbation takes the mean loss.",
    1,
)
COST = FLAGS.define_switch(
    "cost", True, "Build the network and count its parameters and operations."
)
_OF_COST = (*_SIZES, "image_size")


def _run(argv: list[str]) -> None:
    del argv
    if SELECTION.value == strategies.SHARES:
        wanted = f"--selection={strategies.BY_PERTURBATION}"
        FLAGS.refuse_idle(wanted, "records", "selection_batches")
    if not COST.value:
        FLAGS.refuse_idle("--cost", *_OF_COST)
    path = _checkpoint_path()
    output = _output(path)
    sizes = _sizes()

    from nppnet_tf.training import checkpoints

    checkpoint = checkpoints.load(path)
    if not checkpoint.architecture:
        raise UserError(
            "checkpoint holds no search", path, "a run of search", "derived"
        )
    genotype = _selected() or checkpoint.derive()
    console.say(genotype.to_json().rstrip())
    for line in _shares(checkpoint, genotype):
        console.say(line)
    console.say(f"epochs of the search: {checkpoint.progress.epoch}")
    if COST.value:
        console.say(_cost(genotype, sizes))
    if output is not None:
        genotypes.save(genotype, output)
        console.say(f"written to {output}")


def _selected() -> genotypes.Genotype | None:
    """Returns what the supernet of the run misses most, if that decides."""
    if SELECTION.value == strategies.SHARES:
        return None
    FLAGS.require_given("workdir", "records")

    from nppnet_tf.training import selecting

    return selecting.select(
        WORKDIR.value, RECORDS.value, BATCHES.value, console.say
    )


def _checkpoint_path() -> pathlib.Path:
    if bool(WORKDIR.value) == bool(CHECKPOINT.value):
        raise UserError(
            "which search?",
            "--workdir, --checkpoint",
            "one of them",
            "both" if WORKDIR.value else "none",
        )
    if CHECKPOINT.value:
        return pathlib.Path(CHECKPOINT.value)
    return paths.require_file(
        pathlib.Path(WORKDIR.value, "checkpoints", "last.npz"), "--workdir"
    )


def _output(checkpoint: pathlib.Path) -> pathlib.Path | None:
    """Returns the file to write, which replaces a genotype at most."""
    if OUTPUT.value is None:
        return None
    return paths.new_file(
        OUTPUT.value, "--output", (checkpoint, WORKDIR.value), _is_genotype
    )


def _is_genotype(path: pathlib.Path) -> bool:
    try:
        genotypes.load(path)
    except UserError:
        return False
    return True


def _sizes() -> configuration.NetworkConfig:
    config = config_flags.read(FLAGS, configuration.NetworkConfig())
    topology.check_sizes(config)
    return config


def _shares(checkpoint, genotype: genotypes.Genotype) -> list[str]:
    """Says how much of every searched part its kept operations hold."""
    return [
        f"{part}: kept {share:.3f} of the share"
        for part, share in pruning.kept_shares(
            genotype,
            checkpoint.architecture,
            checkpoint.primitives,
            checkpoint.known_relaxation(),
        ).items()
    ]


def _cost(
    genotype: genotypes.Genotype, config: configuration.NetworkConfig
) -> str:
    from nppnet_tf.models import cost
    from nppnet_tf.models.nppnet import NPPNet

    side = IMAGE_SIZE.value
    found = cost.cost(NPPNet(genotype, config), (side, side))
    return (
        f"cost at C = {config.channels}, L = {config.cells}, {side} x {side}: "
        f"{found}"
    )


def main() -> None:
    """Entry of the console script."""
    app.run(_run, FLAGS)


if __name__ == "__main__":
    main()
