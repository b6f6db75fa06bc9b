r"""Trains the network of a genotype on a whole training set (Sec. 4.2).

    python -m tools.train --genotype=runs/second/genotype.json \
        --records=FOLDER --validation_records=FOLDER --workdir=runs/trained

The same command again resumes the run; --initial=RUN starts a new one from the
weights of another, such as one that import_npp made of the authors'; with
--new_heads the records may have other classes or joints than that one's. The
folder of the run gets network.json and weights.npz (the network of the best
epoch, for evaluate, predict and export), metrics.jsonl, report.html,
checkpoints/ and tensorboard/. The best epoch is the one with the highest mean
of validation mIoU and PCKh, or the last where there is no validation. Both are
measured at the network's own size and are not the published protocols;
tools.evaluate has those.
"""

import dataclasses
import sys

from nppnet_tf import config as configuration
from nppnet_tf.errors import UserError
from nppnet_tf.search_space import genotype as genotypes
from nppnet_tf.search_space import published

from .command_line import app
from .command_line import console
from .command_line import paths
from .command_line import run_flags
from .command_line.tool_flags import ToolFlags

FLAGS = ToolFlags()

_KEEP = "keep"

# Parts of the network that may be replaced (Table 5).
_PARTS = ("encoder_decoder", "interaction", "fusion")

run_flags.define(FLAGS, configuration.RETRAIN)
GENOTYPE = FLAGS.define_path(
    "genotype",
    None,
    f"Architecture: a JSON file, or one of {', '.join(published.NAMES)}.",
    paths.require_genotype,
)
ENCODER_DECODER = FLAGS.define_choice(
    "encoder_decoder",
    _KEEP,
    (_KEEP, *genotypes.BASELINES),
    "That of the genotype, or a baseline: ResNet-50 and FPN (Table 5), or a "
    "plain U-Net.",
)
INTERACTION = FLAGS.define_choice(
    "interaction",
    _KEEP,
    (_KEEP, genotypes.OMIT),
    "That of the genotype, or none (Table 5).",
)
FUSION = FLAGS.define_choice(
    "fusion",
    _KEEP,
    (_KEEP, genotypes.OMIT),
    "That of the genotype, or none (Table 5).",
)
EQUAL_COST = FLAGS.define_path(
    "equal_cost",
    None,
    "Genotype that the trained network is to be compared with: --channels and "
    "--baseline_width become those at which both have as many "
    "multiply-accumulates, within 5 %.",
    paths.require_genotype,
)
VALIDATION_RECORDS = FLAGS.define_path(
    "validation_records",
    None,
    "Folder of build_records to validate on.",
    paths.require_records,
)
INITIAL = FLAGS.define_path(
    "initial",
    None,
    "Run, of train or import_npp, whose weights to start from instead of "
    "drawn ones, with its learned task weights where it holds any. Its "
    "genotype, --channels and --cells have to be those of this run.",
    paths.require_run,
)
NEW_HEADS = FLAGS.define_switch(
    "new_heads",
    False,
    "With --initial: the records may have other classes or joints than that "
    "run. The last layers of the heads concerned are drawn anew, all other "
    "weights are kept.",
)


def _run(argv: list[str]) -> None:
    del argv
    config = run_flags.read(FLAGS, configuration.RETRAIN)
    genotype = _genotype()
    genotype.check_size(config.network)
    if NEW_HEADS.value and INITIAL.value is None:
        raise UserError(
            "flag is missing", "--initial", "a run, for --new_heads", "nothing"
        )

    from nppnet_tf.training import run

    from .command_line import run_console

    if EQUAL_COST.value:
        config = _of_equal_cost(config, genotype)
    start = INITIAL.value and run.Start(INITIAL.value, NEW_HEADS.value)
    with run_console.ConsoleReport(FLAGS, *_PARTS, "preset") as report:
        result = run.retrain(
            FLAGS["records"].value,
            genotype,
            FLAGS["workdir"].value,
            config,
            VALIDATION_RECORDS.value,
            start,
            report,
        )
    if not result.is_complete:
        # Not 0: what a script does after the run has to wait.
        sys.exit(app.TERMINATED)
    console.say(f"network: {result.workdir}")


def _genotype() -> genotypes.Genotype:
    """Returns the network to train, with the parts that flags replace."""
    name = GENOTYPE.value or FLAGS["preset"].value
    if name is None:
        FLAGS.require_given("genotype")
    replaced = {
        part: FLAGS[part].value for part in _PARTS if FLAGS[part].value != _KEEP
    }
    genotype = dataclasses.replace(published.resolve(name), **replaced)
    genotype.require_derived(f"--genotype={name}")
    return genotype


def _of_equal_cost(
    config: configuration.RunConfig, genotype: genotypes.Genotype
) -> configuration.RunConfig:
    """Gives the network the cost of --equal_cost at the size of the flags."""
    from nppnet_tf.data.records.record_set import RecordSet
    from nppnet_tf.models import equal_cost

    other = published.resolve(EQUAL_COST.value)
    other.require_derived(f"--equal_cost={EQUAL_COST.value}")
    descriptor = RecordSet.open(FLAGS["records"].value).descriptor
    network, found, wanted = equal_cost.of_equal_cost_to(
        other,
        genotype,
        config.network.for_data(descriptor),
        config.inputs.image_size,
    )
    console.say(
        f"C = {network.channels}, baseline width {network.baseline_width}: "
        f"{found / 1e9:.4g} GMAC, as {EQUAL_COST.value} with "
        f"{wanted / 1e9:.4g}"
    )
    return dataclasses.replace(config, network=network)


def main() -> None:
    """Entry of the console script."""
    app.run(_run, FLAGS, required=("records", "workdir"))


if __name__ == "__main__":
    main()
