"""Flags that search and retraining share, and what is made of them."""

import dataclasses
import hashlib
import re

from absl import flags

from nppnet_tf import config as configuration
from nppnet_tf.errors import UserError
from nppnet_tf.search_space import published
from nppnet_tf.search_space import topology
from nppnet_tf.search_space.genotype import Genotype

from . import command_line

FLAGS = flags.FLAGS

# Below, a joint would fall between the pixels of a heatmap.
_LEAST_SIGMA = 3.0
_SIGMA_SIDE = 384

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
    network = configuration.NetworkConfig()
    inputs = configuration.InputConfig()
    loss = configuration.LossConfig()
    flags.DEFINE_string("records", None, "Folder of build_records to train on.")
    flags.DEFINE_string(
        "workdir",
        None,
        "Folder of the run. The same command on it resumes the run.",
    )
    flags.DEFINE_integer(
        "channels",
        channels,
        "C of Eq. 3, a multiple of 4; of 16 where the encoder-decoder is "
        "searched.",
        topology.LEAST_CHANNELS,
    )
    flags.DEFINE_integer(
        "cells", cells, "L, cells of one encoder.", topology.LEAST_CELLS
    )
    flags.DEFINE_enum(
        "preset",
        None,
        list(published.PRESETS),
        "Builds the network as the authors' release does where that differs "
        "from the paper. In tools.train it also stands for the genotype.",
    )
    flags.DEFINE_integer(
        "num_fusion_cells",
        network.num_fusion_cells,
        "Pose and parsing cells stacked one on the other.",
        1,
    )
    flags.DEFINE_string(
        "image_size",
        "{}x{}".format(*inputs.image_size),
        "Network input, HEIGHTxWIDTH or one number; multiples of 32.",
    )
    flags.DEFINE_integer(
        "batch_size", inputs.batch_size, "Samples over all replicas.", 1
    )
    flags.DEFINE_integer("epochs", config.epochs, "Epochs in all.", 1)
    flags.DEFINE_integer(
        "steps_per_epoch", None, "Ends epochs after so many steps.", 1
    )
    flags.DEFINE_float(
        "learning_rate", config.learning_rate, "Of network weights.", 0.0
    )
    flags.DEFINE_list(
        "drop_epochs",
        [str(epoch) for epoch in config.drop_epochs],
        "Epochs, counted from 0, from which learning rates are multiplied.",
    )
    flags.DEFINE_float("drop_factor", config.drop_factor, "By this.", 0.0, 1.0)
    flags.DEFINE_float(
        "task_weight_learning_rate",
        config.task_weight_learning_rate,
        "Of the learned weights of the tasks.",
        0.0,
    )
    flags.DEFINE_integer(
        "min_hard_pixels",
        loss.min_hard_pixels,
        "Pixels of a batch that the parsing loss keeps at least.",
        1,
    )
    flags.DEFINE_float(
        "parsing_log_variance",
        loss.initial_parsing_log_variance,
        "First value of the learned weight of parsing, -log of the factor of "
        "its loss.",
    )
    flags.DEFINE_float(
        "heatmap_sigma",
        None,
        "Of heatmaps, in input pixels. Default: 7 for a longer side of 384 "
        "and in proportion, but at least 3.",
        0.5,
    )
    flags.DEFINE_list(
        "scale_range",
        [str(scale) for scale in inputs.scale_range],
        "Limits of the drawn scale.",
    )
    flags.DEFINE_float(
        "rotation_degrees",
        inputs.rotation_degrees,
        "Largest drawn rotation.",
        0.0,
        180.0,
    )
    flags.DEFINE_enum(
        "sampling",
        inputs.sampling,
        ("one_warp", "released"),
        "How a drawn transform is applied: by one warp, or by the steps of the "
        "authors' loader, which needs OpenCV.",
    )
    flags.DEFINE_integer(
        "seed", inputs.seed, "Of weights, order, halves and transforms.", 0
    )
    flags.DEFINE_enum(
        "strategy",
        "default",
        ("default", "mirrored"),
        "One device, or all accelerators (without any: the CPU, split).",
    )
    flags.DEFINE_integer(
        "num_replicas", 0, "Devices of --strategy=mirrored; 0 for all.", 0
    )
    flags.DEFINE_bool(
        "deterministic",
        False,
        "Makes runs on accelerators repeatable, bit for bit, and slower; runs "
        "on a CPU always are (docs/reproducibility.md).",
    )
    flags.DEFINE_integer(
        "max_bad_records", 0, "Damaged records to skip before stopping.", 0
    )
    flags.DEFINE_enum(
        "tasks",
        "both",
        ("both", "parsing", "pose"),
        "Tasks for which records must be annotated; the other one's losses "
        "skip every sample.",
    )
    flags.DEFINE_integer(
        "picture_every",
        10,
        "Epochs between two pictures of predictions in TensorBoard; 0 for "
        "none.",
        0,
    )
    flags.DEFINE_string(
        "profile_steps",
        None,
        "Steps of this process to trace for TensorBoard, FIRST:LAST, as 3:5.",
    )
    flags.DEFINE_integer(
        "checkpoint_every",
        200,
        "Steps of an epoch between two checkpoints; 0 for only one at the end "
        "of each epoch. A run that is killed repeats the steps after the last.",
        0,
    )
    flags.DEFINE_integer(
        "check_every",
        1,
        "Steps between two looks at whether losses are finite.",
        1,
    )


def image_size() -> tuple[int, int]:
    """Returns --image_size as (height, width)."""
    match = re.fullmatch(r"(\d+)(?:x(\d+))?", FLAGS.image_size)
    size = (
        tuple(int(side or match[1]) for side in match.groups()) if match else ()
    )
    if not size or any(side < 32 or side % 32 for side in size):
        raise UserError(
            "input size does not fit the network",
            "--image_size",
            "multiples of 32, as 384 or 384x288",
            FLAGS.image_size,
        )
    return size


def input_config() -> configuration.InputConfig:
    """Returns how records become batches."""
    size = image_size()
    scales = _numbers("scale_range", float)
    if len(scales) != 2 or not 0 < scales[0] <= scales[1]:
        raise UserError(
            "wrong limits",
            "--scale_range",
            "least,largest, as 0.5,1.5",
            ",".join(FLAGS.scale_range),
        )
    sigma = FLAGS.heatmap_sigma
    if sigma is None:
        at_full_size = configuration.InputConfig().heatmap_sigma
        sigma = max(at_full_size * max(size) / _SIGMA_SIDE, _LEAST_SIGMA)
    return configuration.InputConfig(
        image_size=size,
        batch_size=FLAGS.batch_size,
        scale_range=scales,
        rotation_degrees=FLAGS.rotation_degrees,
        heatmap_sigma=sigma,
        sampling=FLAGS.sampling,
        seed=FLAGS.seed,
        max_bad_records=FLAGS.max_bad_records,
    )


def check_network_size(genotype: Genotype) -> None:
    """Raises UserError where no network of the genotype has the flags' size."""
    config = configuration.NetworkConfig(
        channels=FLAGS.channels, cells=FLAGS.cells
    )
    multiple = genotype.channel_multiple(config.channel_proportion)
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
        drop_epochs=tuple(_numbers("drop_epochs", int)),
        drop_factor=FLAGS.drop_factor,
        task_weight_learning_rate=FLAGS.task_weight_learning_rate,
        **further,
    )


def open_records(flag: str = "records"):
    """Opens the records that a flag names."""
    folder = command_line.require_folder(FLAGS[flag].value, f"--{flag}")

    from nppnet_tf.data.tfrecord import RecordSet

    records = RecordSet.open(folder, FLAGS.max_bad_records)
    _check_tasks(records, folder, flag)
    return records


def _check_tasks(records, folder: object, flag: str) -> None:
    """Refuses to train on nothing; what is not measured is said."""
    from nppnet_tf.data import absence

    annotations = {
        task: absence.Annotations(
            records.count_annotated(task), records.count, f"a {name}"
        )
        for task, name in absence.NAMES.items()
    }
    if flag == "records":
        absence.refuse(annotations, absence.TASKS[FLAGS.tasks], folder)
    if any(each.found < each.expected for each in annotations.values()):
        command_line.say(f"{folder}: {absence.summary(annotations)}")


def settings(function, records, genotype) -> dict[str, object]:
    """Returns what makes another run of it, by flag.

    Args:
        function: Any function of the tool's module.
        records: Opened `RecordSet`.
        genotype: That the run starts from.
    """
    own = command_line.resolved_flags(function).splitlines()
    names = {line.lstrip("-").partition("=")[0] for line in own}
    plain = {
        name: FLAGS[name].value
        for name in sorted(
            flag.removeprefix("no") if flag not in FLAGS else flag
            for flag in names
        )
        if name not in _FREE | _BY_CONTENT
    }
    return {
        **plain,
        "records": f"{records.count} records, {_digest(records.manifest)}",
        "genotype": _digest(dataclasses.asdict(genotype)),
    }


def _numbers(flag: str, kind: type) -> tuple:
    """Returns the value of a list flag; an empty list is allowed."""
    try:
        return tuple(kind(word) for word in FLAGS[flag].value if word)
    except ValueError:
        raise UserError(
            "not a list of numbers",
            f"--{flag}",
            "numbers with commas between them",
            ",".join(FLAGS[flag].value),
        ) from None


def _digest(value: object) -> str:
    text = repr(sorted(value.items()) if isinstance(value, dict) else value)
    return hashlib.sha256(text.encode()).hexdigest()[:12]
