r"""Searches NPPNet's architecture, in two stages (Sec. 3.6 and 4.2).

    python -m tools.search --stage=encoder_decoder --records=FOLDER \
        --workdir=runs/first
    python -m tools.search --stage=interaction_fusion --records=FOLDER \
        --workdir=runs/second --genotype=runs/first/genotype.json

The records are divided at random into two halves: network weights learn from
one, architecture parameters from the other. The same command again resumes the
run. The folder of the run gets genotype.json (the latest), genotypes/ (one per
epoch), metrics.jsonl, checkpoints/ and tensorboard/.
"""

from absl import flags

from nppnet_tf import config as configuration
from nppnet_tf.errors import UserError
from nppnet_tf.search_space import genotype as genotypes
from nppnet_tf.search_space import published
from nppnet_tf.search_space import relaxation as relaxations
from nppnet_tf.search_space import space as spaces

from .command_line import app
from .command_line import checked_flags
from .command_line import console
from .command_line import paths
from .command_line import run_flags
from .command_line import run_loop

FLAGS = flags.FLAGS

_DEFAULTS = configuration.SearchConfig()
_STATES = (genotypes.SEARCH, genotypes.OMIT)

# Of a term of the loss.
_MOST_WEIGHT = 1000

run_flags.define(channels=64, cells=12, config=_DEFAULTS)
flags.DEFINE_enum(
    "stage",
    None,
    ("encoder_decoder", "interaction_fusion"),
    "What is searched; the second stage keeps the encoder-decoder of "
    "--genotype.",
)
checked_flags.define_path(
    "genotype",
    None,
    "Encoder-decoder that the second stage keeps: genotype.json of the "
    "first, or one of "
    f"{', '.join(published.NAMES)}.",
    paths.require_genotype,
)
flags.DEFINE_enum(
    "interaction",
    genotypes.SEARCH,
    _STATES,
    "What the second stage does with the interaction.",
)
flags.DEFINE_enum(
    "fusion",
    genotypes.SEARCH,
    _STATES,
    "What the second stage does with the fusion.",
)
checked_flags.define_text(
    "primitives",
    "paper",
    "Operations on every searched edge: one of "
    f"{', '.join(spaces.PRIMITIVES)}, or names with commas in the order of "
    "alpha.",
)
checked_flags.define_count(
    "channel_proportion",
    spaces.PAPER.channel_proportion,
    "k of Eq. 1: one channel in k goes through the operations; 1 is DARTS.",
    1,
)
flags.DEFINE_enum(
    "relaxation",
    _DEFAULTS.relaxation,
    [each.name for each in relaxations.known()],
    "How operations are weighted while they are searched: "
    + "; ".join(f"{each.name}, {each.meaning}" for each in relaxations.known())
    + ".",
)
checked_flags.define_count(
    "warmup_epochs",
    _DEFAULTS.warmup_epochs,
    "First epochs in which only network weights move.",
)
checked_flags.define_number(
    "architecture_learning_rate",
    _DEFAULTS.architecture_learning_rate,
    "Learning rate of alpha and beta.",
    0,
    run_flags.MOST_LEARNING_RATE,
)
checked_flags.define_number(
    "architecture_weight_decay",
    _DEFAULTS.architecture_weight_decay,
    "L2 penalty on alpha and beta.",
    0,
    _MOST_WEIGHT,
)
checked_flags.define_number(
    "entropy_weight",
    _DEFAULTS.entropy_weight,
    "Weight of E(A) in Eq. 7, after its ramp.",
    0,
    _MOST_WEIGHT,
)
checked_flags.define_count(
    "entropy_start_epoch",
    _DEFAULTS.entropy_start_epoch,
    "First epoch with E(A).",
)
checked_flags.define_count(
    "entropy_ramp_epochs",
    _DEFAULTS.entropy_ramp_epochs,
    "Epochs over which the weight of E(A) grows.",
)


def _run(argv: list[str]) -> None:
    del argv
    search_config = run_flags.schedule_config(
        configuration.SearchConfig,
        warmup_epochs=FLAGS.warmup_epochs,
        architecture_learning_rate=FLAGS.architecture_learning_rate,
        architecture_weight_decay=FLAGS.architecture_weight_decay,
        entropy_weight=FLAGS.entropy_weight,
        entropy_start_epoch=FLAGS.entropy_start_epoch,
        entropy_ramp_epochs=FLAGS.entropy_ramp_epochs,
        relaxation=FLAGS.relaxation,
    )
    known = _known_genotype()
    space = _space()

    from nppnet_tf.training import search

    genotype = search.search_genotype(
        FLAGS.stage, known, FLAGS.interaction, FLAGS.fusion
    )
    run_flags.check_network_size(genotype, space)
    with run_loop.Run("search", _run, genotype) as run:
        if not run.is_finished():
            _search(run, genotype, search_config, space)


def _space() -> spaces.SearchSpace:
    """Returns what the flags let an edge choose from."""
    names = spaces.PRIMITIVES.get(FLAGS.primitives)
    try:
        return spaces.SearchSpace(
            names or tuple(FLAGS.primitives.split(",")),
            FLAGS.channel_proportion,
        )
    except UserError as error:
        raise error.at(f"--{error.where}") from error


def _search(
    run: run_loop.Run,
    genotype: genotypes.Genotype,
    search_config: configuration.SearchConfig,
    space: spaces.SearchSpace,
) -> None:
    """Runs the epochs that are left."""
    from nppnet_tf.data.samples import pipeline
    from nppnet_tf.training import recording
    from nppnet_tf.training import search

    steps = run.steps(search=True)
    model = search.make_search_model(
        genotype,
        run_flags.network_config(run.descriptor),
        run_flags.loss_config(run.descriptor),
        search_config,
        run.strategy,
        space,
    )
    run.epochs(
        recording.SearchRecorder(model, run.workdir),
        lambda epoch, first_step: pipeline.make_search_dataset(
            run.records,
            run.input_config,
            first_epoch=epoch,
            first_step=first_step,
            num_replicas=run.strategy.num_replicas_in_sync,
        ),
        steps,
    )
    console.say(f"genotype: {run.workdir.genotype_file}")


def _known_genotype() -> genotypes.Genotype | None:
    if FLAGS.genotype is None:
        return None
    if FLAGS.stage == "encoder_decoder":
        raise UserError(
            "the first stage starts from nothing",
            "--genotype",
            "no genotype, or --stage=interaction_fusion",
            FLAGS.genotype,
        )
    return published.resolve(FLAGS.genotype)


def main() -> None:
    """Entry of the console script."""
    app.run(_run, required=("stage", "records", "workdir"))


if __name__ == "__main__":
    main()
