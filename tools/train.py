r"""Trains the network of a genotype on a whole training set (Sec. 4.2).

    python -m tools.train --genotype=runs/second/genotype.json \
        --records=FOLDER --validation_records=FOLDER --workdir=runs/trained

The same command again resumes the run; --initial=RUN starts a new one from the
weights of another, such as one that import_npp made of the authors'; with
--new_heads the records may have other classes or joints than that one's. The
folder of the run gets network.json and weights.npz (the network of the best
epoch, for evaluate, predict and export), metrics.jsonl, checkpoints/ and
tensorboard/. The best epoch is the one with the highest mean of validation mIoU
and PCKh, or the last where there is no validation. Both are measured at the
network's own size and are not the published protocols; tools.evaluate has
those.
"""

import dataclasses
import json
from typing import TYPE_CHECKING

from absl import flags

from nppnet_tf import config as configuration
from nppnet_tf.errors import UserError
from nppnet_tf.search_space import genotype as genotypes
from nppnet_tf.search_space import published

from .command_line import app
from .command_line import checked_flags
from .command_line import console
from .command_line import paths
from .command_line import run_flags
from .command_line import run_loop

if TYPE_CHECKING:
    from nppnet_tf.data.records.tfrecord import RecordSet

FLAGS = flags.FLAGS

_KEEP = "keep"

run_flags.define(channels=128, cells=16, config=configuration.RetrainConfig())
checked_flags.define_path(
    "genotype",
    None,
    f"Architecture: a JSON file, or one of {', '.join(published.NAMES)}.",
    paths.require_genotype,
)
flags.DEFINE_enum(
    "encoder_decoder",
    _KEEP,
    (_KEEP, genotypes.BASELINE),
    "That of the genotype, or ResNet-50 and FPN (Table 5).",
)
flags.DEFINE_enum(
    "interaction",
    _KEEP,
    (_KEEP, genotypes.OMIT),
    "That of the genotype, or none (Table 5).",
)
flags.DEFINE_enum(
    "fusion",
    _KEEP,
    (_KEEP, genotypes.OMIT),
    "That of the genotype, or none (Table 5).",
)
checked_flags.define_path(
    "validation_records",
    None,
    "Folder of build_records to validate on.",
    paths.require_records,
)
checked_flags.define_path(
    "initial",
    None,
    "Run, of train or import_npp, whose weights to start from instead of "
    "drawn ones, with its learned task weights where it holds any. Its "
    "genotype, --channels and --cells have to be those of this run.",
    paths.require_run,
)
flags.DEFINE_bool(
    "new_heads",
    False,
    "With --initial: the records may have other classes or joints than that "
    "run. The last layers of the heads concerned are drawn anew, all other "
    "weights are kept.",
)
checked_flags.define_count(
    "validate_every", 1, "Epochs between two validations.", 1
)


def _run(argv: list[str]) -> None:
    del argv
    if FLAGS.genotype is None:
        FLAGS.genotype = FLAGS.preset
    app.require_given("genotype")
    retrain_config = run_flags.schedule_config(configuration.RetrainConfig)
    genotype = _genotype()
    run_flags.check_network_size(genotype)
    if FLAGS.new_heads and FLAGS.initial is None:
        raise UserError(
            "flag is missing", "--initial", "a run, for --new_heads", "nothing"
        )
    validation = None
    if FLAGS.validation_records is not None:
        validation = run_flags.open_records("validation_records")

    with run_loop.Run("train", _run, genotype) as run:
        if validation is not None:
            _check_same_data(run.descriptor, validation)
        if not run.is_finished():
            _train(run, genotype, retrain_config, validation)


def _train(
    run: run_loop.Run,
    genotype: genotypes.Genotype,
    retrain_config: configuration.RetrainConfig,
    validation: "RecordSet | None",
) -> None:
    """Runs the epochs that are left."""
    from nppnet_tf.data.samples import pipeline
    from nppnet_tf.models import saved_network
    from nppnet_tf.training import recording
    from nppnet_tf.training import retrain

    saved_network.finish_saving(run.workdir.path)
    network_config = run_flags.network_config(run.descriptor)
    initial = None
    # A run that goes on has weights of its own.
    if FLAGS.initial is not None and not run.has_checkpoint():
        initial = _initial_run(genotype, network_config)
        new_heads = _new_heads(initial, run.descriptor)
    steps = run.steps(search=False)
    model = retrain.make_retrain_model(
        genotype,
        network_config,
        run_flags.loss_config(run.descriptor),
        retrain_config,
        run.descriptor,
        run.strategy,
    )
    if initial is not None:
        weighting = model.joint_loss.task_weighting
        for line in initial.give(model.network, weighting, new_heads):
            console.say(line)
    genotypes.save(genotype, run.workdir.genotype_file)
    facts = {
        "descriptor": json.loads(run.descriptor.to_json()),
        "image_size": list(run.input_config.image_size),
    }
    replicas = run.strategy.num_replicas_in_sync
    further = {}
    if validation is not None:
        further["validate_every"] = FLAGS.validate_every
        further["other_records"] = [validation]
        further["make_validation"] = lambda: pipeline.make_dataset(
            validation, run.input_config, training=False, num_replicas=replicas
        )
    run.epochs(
        recording.RetrainRecorder(
            model,
            run.workdir,
            lambda extra: saved_network.save_network(
                model.network, run.workdir.path, {**facts, **extra}
            ),
        ),
        lambda epoch, first_step: pipeline.make_dataset(
            run.records,
            run.input_config,
            training=True,
            first_epoch=epoch,
            first_step=first_step,
            num_replicas=replicas,
        ),
        steps,
        **further,
    )
    console.say(f"network: {run.workdir.path}")


def _genotype() -> genotypes.Genotype:
    genotype = published.resolve(FLAGS.genotype)
    replaced = {
        part: FLAGS[part].value
        for part in ("encoder_decoder", "interaction", "fusion")
        if FLAGS[part].value != _KEEP
    }
    genotype = dataclasses.replace(genotype, **replaced)
    if genotype.is_searched:
        raise UserError(
            "a part of the genotype is still searched",
            f"--genotype={FLAGS.genotype}",
            "a derived genotype",
            "search",
        )
    return genotype


def _initial_run(genotype: genotypes.Genotype, network_config):
    """Reads what the run of --initial says; its body has to fit."""
    from nppnet_tf.training import initial_weights

    initial = initial_weights.InitialRun.read(FLAGS.initial)
    initial.require_body(genotype, network_config)
    return initial


def _new_heads(initial, descriptor) -> tuple[str, ...]:
    """Returns the branches whose heads do not start from another run."""
    new = initial.new_heads(descriptor, FLAGS.new_heads)
    if FLAGS.new_heads and not new:
        console.say(
            "--new_heads: none is new, classes and joints are those of "
            f"{initial.folder}"
        )
    if not FLAGS.new_heads:
        for branch in initial.renamed(descriptor):
            console.say(
                f"{branch}: {initial.folder} has other names for as many "
                "outputs; its heads are taken as they are (--new_heads draws "
                "them anew)"
            )
    return new


def _check_same_data(descriptor, validation) -> None:
    if validation.descriptor != descriptor:
        raise UserError(
            "records of another data set",
            "--validation_records",
            descriptor.name,
            validation.descriptor.name,
        )


def main() -> None:
    """Entry of the console script."""
    app.run(_run, required=("records", "workdir"))


if __name__ == "__main__":
    main()
