"""Flags that search and retraining share, and what is made of them."""

import dataclasses
import hashlib

from absl import flags

from nppnet_tf import config as configuration
from nppnet_tf.search_space import published
from nppnet_tf.search_space import topology
from nppnet_tf.search_space.genotype import Genotype
from nppnet_tf.search_space.space import PAPER
from nppnet_tf.search_space.space import SearchSpace

from . import checked_flags
from . import console
from . import paths
from . import tool_flags

FLAGS = flags.FLAGS

# Below, a joint would fall between the pixels of a heatmap.
_LEAST_SIGMA = 3.0
_SIGMA_SIDE = 384

# Far above what anybody uses; far below what takes memory or time for ever.
MOST_LEARNING_RATE = 1_000_000
_MOST_LOG_VARIANCE = 50
_MOST_REPLICAS = 1024
_LEAST_SCALE, _MOST_SCALE = 0.01, 100

# Flags that may differ between two starts of one run.
_FREE = {
    "check_every",
    "checkpoint_every",
    "deterministic",
    "epochs",
    "max_bad_records",
    "num_replicas",
    "picture_every",
    "profile_steps",
    "strategy",
    "tasks",
    "validate_every",
    "validation_records",
    "workdir",
}
# Compared by what they hold, not by where it lies.
_BY_CONTENT = {"genotype", "records"}
# Unknown to runs of before: settings only where they are not the default.
_LATER = {"channel_proportion", "primitives", "relaxation"}


def define(
    channels: int,
    cells: int,
    config: configuration.SearchConfig | configuration.RetrainConfig,
) -> None:
    """Defines the shared flags; a tool calls it once, at module level.

    Args:
        channels: Default of the tool.
        cells: Default of the tool.
        config: Defaults of the schedule.
    """
    checked_flags.define_path(
        "records",
        None,
        "Folder of build_records to train on.",
        paths.require_records,
    )
    checked_flags.define_output(
        "workdir",
        None,
        "Folder of the run. The same command on it resumes the run.",
        paths.require_new_folder,
    )
    _define_network(channels, cells)
    _define_schedule(config)
    _define_inputs()
    _define_process()
    checked_flags.require_batch("batch_size", "image_size")


def _define_network(channels: int, cells: int) -> None:
    checked_flags.define_count(
        "channels",
        channels,
        "C of Eq. 3, a multiple of 4; of 16 where the encoder-decoder is "
        "searched.",
        topology.LEAST_CHANNELS,
        topology.MOST_CHANNELS,
    )
    checked_flags.define_count(
        "cells",
        cells,
        "L, cells of one encoder.",
        topology.LEAST_CELLS,
        topology.MOST_CELLS,
    )
    flags.DEFINE_enum(
        "preset",
        None,
        list(published.PRESETS),
        "Builds the network as the authors' release does where that differs "
        "from the paper. In tools.train it also stands for the genotype.",
    )
    checked_flags.define_count(
        "num_fusion_cells",
        configuration.NetworkConfig().num_fusion_cells,
        "Pose and parsing cells stacked one on the other.",
        1,
        topology.MOST_FUSION_CELLS,
    )


def _define_schedule(
    config: configuration.SearchConfig | configuration.RetrainConfig,
) -> None:
    loss = configuration.LossConfig()
    checked_flags.define_count("epochs", config.epochs, "Epochs in all.", 1)
    checked_flags.define_count(
        "steps_per_epoch", None, "Ends epochs after so many steps.", 1
    )
    checked_flags.define_number(
        "learning_rate",
        config.learning_rate,
        "Learning rate of the network weights.",
        0,
        MOST_LEARNING_RATE,
    )
    checked_flags.define_counts(
        "drop_epochs",
        config.drop_epochs,
        "Epochs, counted from 0, from which learning rates are multiplied.",
    )
    checked_flags.define_number(
        "drop_factor",
        config.drop_factor,
        "Factor of each drop of the learning rates.",
        0,
        1,
    )
    checked_flags.define_number(
        "task_weight_learning_rate",
        config.task_weight_learning_rate,
        "Learning rate of the learned weights of the tasks.",
        0,
        MOST_LEARNING_RATE,
    )
    checked_flags.define_count(
        "min_hard_pixels",
        loss.min_hard_pixels,
        "Pixels of a batch that the parsing loss keeps at least.",
        1,
        checked_flags.MOST_BATCH_PIXELS,
    )
    checked_flags.define_number(
        "parsing_log_variance",
        loss.initial_parsing_log_variance,
        "First value of the learned weight of parsing, -log of the factor of "
        "its loss.",
        -_MOST_LOG_VARIANCE,
        _MOST_LOG_VARIANCE,
    )


def _define_inputs() -> None:
    inputs = configuration.InputConfig()
    checked_flags.define_size("image_size", inputs.image_size, "Network input.")
    checked_flags.define_count(
        "batch_size",
        inputs.batch_size,
        "Samples over all replicas.",
        1,
        checked_flags.MOST_BATCH,
    )
    checked_flags.define_number(
        "heatmap_sigma",
        None,
        "Of heatmaps, in input pixels. Default: 7 for a longer side of 384 "
        "and in proportion, but at least 3.",
        0.5,
        checked_flags.MOST_SIDE,
    )
    checked_flags.define_numbers(
        "scale_range",
        inputs.scale_range,
        "Limits of the drawn scale, least and largest, relative to the fit of "
        "the picture into the input.",
        _LEAST_SCALE,
        _MOST_SCALE,
        2,
    )
    checked_flags.define_number(
        "rotation_degrees",
        inputs.rotation_degrees,
        "Largest drawn rotation, in degrees.",
        0,
        180,
    )
    flags.DEFINE_enum(
        "sampling",
        inputs.sampling,
        ("one_warp", "released"),
        "How a drawn transform is applied: by one warp, or by the steps of the "
        "authors' loader, which needs OpenCV.",
    )
    checked_flags.define_seed(
        "seed", inputs.seed, "Of weights, order, halves and transforms."
    )
    checked_flags.define_count(
        "max_bad_records", 0, "Damaged records to skip before stopping."
    )


def _define_process() -> None:
    flags.DEFINE_enum(
        "strategy",
        "default",
        ("default", "mirrored"),
        "One device, or all accelerators (without any: the CPU, split).",
    )
    checked_flags.define_count(
        "num_replicas",
        0,
        "Devices of --strategy=mirrored; 0 for all.",
        0,
        _MOST_REPLICAS,
    )
    flags.DEFINE_bool(
        "deterministic",
        False,
        "Makes runs on accelerators repeatable, bit for bit, and slower; runs "
        "on a CPU always are (docs/reproducibility.md).",
    )
    flags.DEFINE_enum(
        "tasks",
        "both",
        ("both", "parsing", "pose"),
        "Tasks for which records must be annotated; the other one's losses "
        "skip every sample.",
    )
    checked_flags.define_count(
        "picture_every",
        10,
        "Epochs between two pictures of predictions in TensorBoard; 0 for "
        "none.",
    )
    checked_flags.define_span(
        "profile_steps",
        None,
        "Steps of this process to trace for TensorBoard.",
    )
    checked_flags.define_count(
        "checkpoint_every",
        200,
        "Steps of an epoch between two checkpoints; 0 for only one at the end "
        "of each epoch. A run that is killed repeats the steps after the last.",
    )
    checked_flags.define_count(
        "check_every",
        1,
        "Steps between two looks at whether losses are finite.",
        1,
    )


def input_config() -> configuration.InputConfig:
    """Returns how records become batches."""
    size = FLAGS.image_size
    sigma = FLAGS.heatmap_sigma
    if sigma is None:
        at_full_size = configuration.InputConfig().heatmap_sigma
        sigma = max(at_full_size * max(size) / _SIGMA_SIDE, _LEAST_SIGMA)
    return configuration.InputConfig(
        image_size=size,
        batch_size=FLAGS.batch_size,
        scale_range=FLAGS.scale_range,
        rotation_degrees=FLAGS.rotation_degrees,
        heatmap_sigma=sigma,
        sampling=FLAGS.sampling,
        seed=FLAGS.seed,
        max_bad_records=FLAGS.max_bad_records,
    )


def check_network_size(genotype: Genotype, space: SearchSpace = PAPER) -> None:
    """Raises UserError where no network of the genotype has the flags' size."""
    config = configuration.NetworkConfig(
        channels=FLAGS.channels, cells=FLAGS.cells
    )
    multiple = genotype.channel_multiple(space.channel_proportion)
    topology.check_sizes(config, multiple, "--{}")


def network_config(descriptor) -> configuration.NetworkConfig:
    """Returns the size of the network for a data set's descriptor."""
    return configuration.NetworkConfig(
        channels=FLAGS.channels,
        cells=FLAGS.cells,
        num_classes=descriptor.num_classes,
        num_keypoints=descriptor.num_keypoints,
        num_fusion_cells=FLAGS.num_fusion_cells,
        **published.PRESETS.get(FLAGS.preset, {}),
    )


def loss_config(descriptor) -> configuration.LossConfig:
    """Returns the constants of the losses for a data set's descriptor."""
    return configuration.LossConfig(
        min_hard_pixels=FLAGS.min_hard_pixels,
        initial_parsing_log_variance=FLAGS.parsing_log_variance,
        class_weights=tuple(descriptor.class_weights) or None,
    )


def schedule_config(config_class: type, **further: object) -> object:
    """Returns a search or retraining configuration from the flags."""
    return config_class(
        epochs=FLAGS.epochs,
        learning_rate=FLAGS.learning_rate,
        drop_epochs=FLAGS.drop_epochs,
        drop_factor=FLAGS.drop_factor,
        task_weight_learning_rate=FLAGS.task_weight_learning_rate,
        **further,
    )


def open_records(flag: str = "records"):
    """Opens the records that a flag names."""
    from nppnet_tf.data.records.tfrecord import RecordSet

    folder = FLAGS[flag].value
    records = RecordSet.open(folder, FLAGS.max_bad_records)
    _check_tasks(records, folder, flag)
    return records


def _check_tasks(records, folder: object, flag: str) -> None:
    """Refuses to train on nothing; what is not measured is said."""
    from nppnet_tf.data import absence

    annotations = records.annotations
    if flag == "records":
        absence.refuse(annotations, absence.TASKS[FLAGS.tasks], folder)
    if any(each.found < each.expected for each in annotations.values()):
        console.say(f"{folder}: {absence.summary(annotations)}")


def settings(function, records, genotype) -> dict[str, object]:
    """Returns what makes another run of it, by flag.

    Args:
        function: Any function of the tool's module.
        records: Opened `RecordSet`.
        genotype: That the run starts from.
    """
    own = tool_flags.resolved(function).splitlines()
    names = {line.lstrip("-").partition("=")[0] for line in own}
    plain = {
        name: _plain(name)
        for name in sorted(
            flag.removeprefix("no") if flag not in FLAGS else flag
            for flag in names
        )
        if name not in _FREE | _BY_CONTENT
        and not (name in _LATER and FLAGS[name].value == FLAGS[name].default)
    }
    return {
        **plain,
        "records": f"{records.count} records, {_digest(records.manifest)}",
        "genotype": _digest(dataclasses.asdict(genotype)),
    }


def _plain(name: str) -> object:
    """Returns the value of a flag as records of runs have always held it."""
    value = FLAGS[name].value
    if name == "image_size":
        return checked_flags.text_of(name)
    return list(map(str, value)) if isinstance(value, tuple) else value


def _digest(value: object) -> str:
    text = repr(sorted(value.items()) if isinstance(value, dict) else value)
    return hashlib.sha256(text.encode()).hexdigest()[:12]
