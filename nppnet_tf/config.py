"""Frozen dataclasses for everything that can be set; defaults cite the paper.

A field is written once: its meaning in the docstring of its class, its default
and its limits here. `tools` makes a flag of every field with limits
(`setting`), `check` holds values from Python against the same limits, and a
flag file of `flags` is the record of an experiment.
"""

import dataclasses
import inspect
import math
import re
from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any

from nppnet_tf.errors import UserError

# What is counted one by one: records, epochs, steps, pictures.
MANY = 1_000_000

# What generators of random numbers take.
MOST_SEED = (1 << 32) - 1

# Pictures of one batch, and their pixels: 13 GB as floats.
MOST_BATCH = 1 << 16
MOST_BATCH_PIXELS = 1 << 30

# One side of a network's input, in pixels; memory ends before. Every level of
# the pyramid halves it.
MOST_SIDE = 4096
SIDE_MULTIPLE = 32

# Pixels of the input under one of the network's maps, along each axis.
OUTPUT_STRIDE = 4

# Far above what anybody uses; far below what takes memory or time for ever.
MOST_LEARNING_RATE = 1_000_000
MOST_LOSS_WEIGHT = 1000
MOST_LOG_VARIANCE = 50
_MOST_REPLICAS = 1024
_MOST_WORKERS = 256
_LEAST_SCALE, _MOST_SCALE = 0.01, 100
_MOST_COST = 1_000_000

# What every network asks of C and L: a cell concatenates its four nodes to the
# width of its level, a reduction halves the width of its node, and a squeeze of
# one channel would leave none. Each level of the encoder has a cell.
LEAST_CHANNELS = 8
LEAST_CELLS = 4

# Of a baseline's inner convolutions, relative to what C makes them. C itself is
# the coarse measure.
LEAST_WIDTH, MOST_WIDTH = 0.1, 4.0

# More than any machine holds; weights grow with C^2 L, 32 GB at the last.
MOST_CHANNELS = 2048
MOST_CELLS = 256
MOST_FUSION_CELLS = 64
MOST_HEAD_CHANNELS = 4096

# A softmax is flat above the last and a step below the first.
_LEAST_TEMPERATURE, _MOST_TEMPERATURE = 0.001, 1000

# Of a heatmap, in input pixels. Below the least, a joint would fall between the
# pixels of a heatmap.
_SIGMA, _SIGMA_SIDE, _LEAST_SIGMA = 7.0, 384, 3.0

# What features and convolutions of a run may be computed in.
FLOAT32, BFLOAT16 = PRECISIONS = ("float32", "bfloat16")

# Where a run takes place.
DEFAULT, MIRRORED, MULTI_WORKER, TPU = STRATEGIES = (
    "default",
    "mirrored",
    "multi_worker",
    "tpu",
)

# Kinds of settings that a user types in a form of their own: 384x288, 3:5.
SIZE = "size"
SPAN = "span"

_METADATA = "setting"

# Fields that follow from the descriptor of the records, from a preset or from
# where a run takes place.
_FOLLOWS = (
    "share",
    "num_classes",
    "num_keypoints",
    "class_weights",
    "high_level_inputs",
)


@dataclasses.dataclass(frozen=True)
class Setting:
    """What a field that users set may hold.

    Attributes:
        least: Least number, or None where it holds none.
        most: Largest number.
        choices: Words that it may hold, where it holds a word.
        count: How many numbers a tuple holds, none less than the one before;
            None for any number of them, each larger than the one before.
        kind: `SIZE`, (height, width) of a network's input; `SPAN`, the first
            and the last of some steps; None for what the type says.
        name: Name of the flag and of the setting in the record of a run, where
            that is not the field's own.
        is_free: Whether it may differ between two starts of one run.
        is_late: Whether records of older runs lack it: it is recorded only
            where it is not the default.
    """

    least: float | None = None
    most: float | None = None
    choices: Sequence[str] = ()
    count: int | None = None
    kind: str | None = None
    name: str | None = None
    is_free: bool = False
    is_late: bool = False


def setting(default: object, **limits: Any) -> Any:
    """Returns a field of a dataclass that users set; see `Setting`."""
    return dataclasses.field(
        default=default, metadata={_METADATA: Setting(**limits)}
    )


@dataclasses.dataclass(frozen=True)
class NetworkConfig:
    """Size and form of NPPNet.

    Attributes:
        channels: C of Eq. 3, width of the finest level of the pyramid: 64 in
            the search, 128 in retraining (Sec. 4.2). A multiple of 4, and of 8
            k (16) where the encoder-decoder is searched; twice the
            INIT_CHANNELS of the release.
        cells: L, cells of one encoder: 12 in the search, 16 in retraining. A
            quarter of them (rounded down) lies before each reduction.
        num_classes: Parsing classes with the background.
        num_keypoints: Heatmaps of one pose prediction.
        num_fusion_cells: Pose cells, and parsing cells, stacked one on the
            other (Sec. 4.2: 3 of each).
        high_level_inputs: Pyramid levels that Eq. 6 concatenates, counted from
            0. The paper takes FL5..FL7; the release adds FL1.
        head_channels: Hidden channels of the heads of parsing and pose, an even
            number; the auxiliary head of pose has half as many. 256 in the
            release (C = 128); at C = 16 they are two fifths of a step.
        baseline_width: Factor of the inner widths of an encoder-decoder that
            is a baseline, to give it the cost of another network; the levels
            of the pyramid keep theirs.
    """

    channels: int = setting(128, least=LEAST_CHANNELS, most=MOST_CHANNELS)
    cells: int = setting(16, least=LEAST_CELLS, most=MOST_CELLS)
    num_classes: int = 20
    num_keypoints: int = 16
    num_fusion_cells: int = setting(3, least=1, most=MOST_FUSION_CELLS)
    high_level_inputs: tuple[int, ...] = (6, 5, 4)
    head_channels: int = setting(
        256, least=2, most=MOST_HEAD_CHANNELS, is_late=True
    )
    baseline_width: float = setting(
        1.0, least=LEAST_WIDTH, most=MOST_WIDTH, is_late=True
    )

    def for_data(self, descriptor: Any) -> "NetworkConfig":
        """Returns this size with the outputs of a data set.

        Args:
            descriptor: Anything with `num_classes` and `num_keypoints`: a
                `DatasetDescriptor`.
        """
        return dataclasses.replace(
            self,
            num_classes=descriptor.num_classes,
            num_keypoints=descriptor.num_keypoints,
        )


@dataclasses.dataclass(frozen=True)
class Share:
    """Which samples of every batch this process makes.

    Several machines divide each batch, and each of the parts that it may be
    computed in: what they make together is what one makes alone.

    Attributes:
        worker: Number of this process.
        num_workers: Processes, on as many machines.
        parts: Parts of a batch, see `ProcessConfig.accumulate_steps`.
    """

    worker: int = 0
    num_workers: int = 1
    parts: int = 1

    def places(self, batch_size: int) -> list[int]:
        """Returns the places of its samples in a batch.

        Args:
            batch_size: Samples of a batch, over all processes.
        """
        of_part = batch_size // self.parts
        own = of_part // self.num_workers
        return [
            part * of_part + self.worker * own + place
            for part in range(self.parts)
            for place in range(own)
        ]


@dataclasses.dataclass(frozen=True)
class InputConfig:
    """How records become batches (Sec. 4.2).

    Attributes:
        image_size: Size of the network's input, height and width in pixels.
        batch_size: Samples of a batch, over all replicas.
        scale_range: Limits of the drawn scale, least and largest, relative to
            the fit of the picture into the input.
        rotation_degrees: Largest drawn rotation, in degrees.
        centre_jitter: Largest shift of the crop's center, as a share of the
            input size. The release's 40 pixels of 384.
        flip_probability: Chance of a left-right flip.
        heatmap_stride: Input pixels per heatmap pixel.
        heatmap_sigma: Standard deviation of a joint in its heatmap, in input
            pixels; twice this in the auxiliary heatmap. If absent, 7 for a
            longer side of 384 and in proportion, but at least 3.
        boundary_width: Width of the boundary in input pixels.
        sampling: How a drawn transform is applied: by one warp, or by the
            steps and roundings of the authors' loader
            (`data.samples.released_sampling`), which needs OpenCV.
        seed: Seed of weights, of the order, of the two halves of the search
            and of every drawn transform.
        max_bad_records: Damaged records to name and skip before the run stops.
        input_workers: Processes that make batches; 0 for threads of the run's
            own process, which share Python's lock and make 1.1 to 1.7 times
            what one makes, however many cores there are. If absent, half of
            the cores, at most 8, where there are 4 or more; else 0. Batches are
            the same to the bit.
        share: Samples of a batch that this process makes; follows from the
            strategy.
    """

    image_size: tuple[int, int] = setting((384, 384), kind=SIZE)
    batch_size: int = setting(8, least=1, most=MOST_BATCH)
    scale_range: tuple[float, float] = setting(
        (0.5, 1.5), least=_LEAST_SCALE, most=_MOST_SCALE, count=2
    )
    rotation_degrees: float = setting(40.0, least=0, most=180)
    centre_jitter: float = 40.0 / 384.0
    flip_probability: float = 0.5
    heatmap_stride: int = OUTPUT_STRIDE
    heatmap_sigma: float | None = setting(None, least=0.5, most=MOST_SIDE)
    boundary_width: int = 3
    sampling: str = setting("one_warp", choices=("one_warp", "released"))
    seed: int = setting(0, least=0, most=MOST_SEED)
    max_bad_records: int = setting(0, least=0, most=MANY, is_free=True)
    input_workers: int | None = setting(
        None, least=0, most=_MOST_WORKERS, is_free=True
    )
    share: Share = Share()

    @property
    def sigma(self) -> float:
        """Standard deviation of a joint in its heatmap, in input pixels."""
        if self.heatmap_sigma is not None:
            return self.heatmap_sigma
        return max(_SIGMA * max(self.image_size) / _SIGMA_SIDE, _LEAST_SIGMA)


@dataclasses.dataclass(frozen=True)
class LossConfig:
    """Constants of the joint loss (Sec. 3.6; values of the release).

    Attributes:
        hard_pixel_threshold: A pixel whose true class has at least this
            probability is easy.
        min_hard_pixels: Pixels of a batch that the parsing loss keeps at least.
        class_weights: Weights of the classes in the parsing cross-entropy, or
            None for ones.
        lovasz_weight: Weight of the Lovasz-Softmax loss of parts beside the
            cross-entropy; 0 leaves it out, as the paper has it. It favors
            classes of few pixels, and with them the mean IoU.
        initial_pose_log_variance: First value of the learned weight of pose.
        initial_parsing_log_variance: First value of the learned weight of
            parsing, -log of the factor of its loss.
    """

    hard_pixel_threshold: float = 0.9
    min_hard_pixels: int = setting(131072, least=1, most=MOST_BATCH_PIXELS)
    class_weights: tuple[float, ...] | None = None
    lovasz_weight: float = setting(
        0.0, least=0, most=MOST_LOSS_WEIGHT, is_late=True
    )
    initial_pose_log_variance: float = -2.5
    initial_parsing_log_variance: float = setting(
        2.3,
        least=-MOST_LOG_VARIANCE,
        most=MOST_LOG_VARIANCE,
        name="parsing_log_variance",
    )

    def for_data(self, descriptor: Any) -> "LossConfig":
        """Returns these constants with the class weights of a data set.

        Args:
            descriptor: Anything with `class_weights`: a `DatasetDescriptor`.
        """
        return dataclasses.replace(
            self, class_weights=tuple(descriptor.class_weights) or None
        )


@dataclasses.dataclass(frozen=True)
class RetrainConfig:
    """Retraining of the derived network (Sec. 4.2).

    Attributes:
        epochs: Epochs in all.
        learning_rate: Learning rate of the network weights (Adam).
        drop_epochs: Epochs, counted from 0, from which learning rates are
            multiplied.
        drop_factor: Factor of each drop of the learning rates.
        task_weight_learning_rate: Learning rate of the learned weights of the
            tasks.
        validate_every: Epochs between two validations, where there are records
            to validate on.
        precision: Type of features and convolutions: float32 or bfloat16.
            Statistics of normalizations, losses, optimizers and all variables
            stay float32. On CPUs with AVX-512 BF16 a step at C = 128 takes
            0.85x the time and 9 % less memory with bfloat16, and a small
            network gains nothing; not measured on GPUs.
    """

    epochs: int = setting(120, least=1, most=MANY, is_free=True)
    learning_rate: float = setting(1e-3, least=0, most=MOST_LEARNING_RATE)
    drop_epochs: tuple[int, ...] = setting((85, 105), least=0, most=MANY)
    drop_factor: float = setting(0.1, least=0, most=1)
    task_weight_learning_rate: float = setting(
        1e-4, least=0, most=MOST_LEARNING_RATE
    )
    validate_every: int = setting(1, least=1, most=MANY, is_free=True)
    precision: str = setting(FLOAT32, choices=PRECISIONS, is_late=True)


@dataclasses.dataclass(frozen=True)
class SearchConfig:
    """One stage of the search (Sec. 3.6 and 4.2).

    Attributes:
        epochs: Epochs in all.
        warmup_epochs: First epochs in which only network weights move.
        learning_rate: Learning rate of the network weights (Adam).
        architecture_learning_rate: Learning rate of alpha and beta (Adam).
        architecture_betas: Adam's decay rates for alpha and beta.
        architecture_weight_decay: L2 penalty on alpha and beta.
        drop_epochs: Epochs, counted from 0, from which learning rates are
            multiplied.
        drop_factor: Factor of each drop of the learning rates.
        entropy_weight: Weight of E(A), Eq. 8, in Eq. 7, after its ramp.
        entropy_start_epoch: First epoch with E(A).
        entropy_ramp_epochs: Epochs over which the weight of E(A) grows.
        task_weight_learning_rate: Learning rate of the learned weights of the
            tasks.
        relaxation: How alpha and beta weigh operations and edges while they
            are searched: a name of `search_space.relaxation`.
        first_temperature: Temperature of the first epoch, of relaxations that
            have one; if absent, the relaxation's own.
        last_temperature: Temperature that it does not fall below; if absent,
            the relaxation's own.
        temperature_decay: Factor of the temperature from one epoch to the
            next; if absent, the relaxation's own.
        perturbation: What disturbs the weights of operations while network
            weights descend: a name of `search_space.strategies`.
        perturbation_size: Largest change of a weight, which is of 0..1, after
            it has grown from 0.03.
        perturbation_ramp_epochs: Epochs after which it has grown.
        skip_dropout: Chance that an edge does without its skip connection in a
            descent, in the first epoch; 0 for never.
        skip_dropout_decay: Factor of that chance from one epoch to the next.
        regularizer: Penalty on alpha besides E(A): a name of
            `search_space.strategies`.
        regularizer_weight: Weight of the regularizer, after its ramp.
        regularizer_ramp_epochs: Epochs over which its weight grows.
        stop_rule: What ends the search before its last epoch: a name of
            `search_space.strategies`.
        stop_skips: Skip connections of one cell with which darts_plus ends.
        stop_stable_epochs: Epochs of equal ranks after which darts_plus ends.
        stop_similarity: Mean cosine of an operation's gradients on both halves
            below which oles freezes it; of 20 comparisons.
        compare_every: Steps between two comparisons of oles, each of which
            takes as long as a descent of the weights on both halves.
        precision: Type of features and convolutions: float32 or bfloat16.
            Statistics of normalizations, losses, optimizers, all variables and
            the softmax of alpha and beta stay float32. On CPUs with AVX-512
            BF16 a step at C = 128 takes 0.85x the time and 9 % less memory
            with bfloat16, and a small network gains nothing; not measured on
            GPUs.
        target_gmac: Cost of the derived network that the search aims at, in
            giga multiply-accumulates; if absent, cost plays no role.
        target_ms: The same in milliseconds, by a table of latencies.
        target_channels: C of the derived network whose cost is meant; if
            absent, that of the search.
        target_cells: L of that network; if absent, that of the search.
        target_image_size: Size of its input, height and width in pixels; if
            absent, that of the search.
        pruned_every: Epochs between two looks at loss, mIoU and PCKh of the
            pruned network with the weights of the search; 0 for never. Each
            takes eight forward passes.
        curvature_every: Epochs between two looks at the dominant eigenvalue of
            the Hessian of alpha and beta; 0 for never. Each takes the time of
            24 steps.
        on_alarm: What to do where the records of a search show that it goes
            wrong: warn, or stop with that epoch; the same command then goes
            on.
    """

    epochs: int = setting(50, least=1, most=MANY, is_free=True)
    warmup_epochs: int = setting(5, least=0, most=MANY)
    learning_rate: float = setting(1e-3, least=0, most=MOST_LEARNING_RATE)
    architecture_learning_rate: float = setting(
        1e-3, least=0, most=MOST_LEARNING_RATE
    )
    architecture_betas: tuple[float, float] = (0.5, 0.999)
    architecture_weight_decay: float = setting(
        1e-3, least=0, most=MOST_LOSS_WEIGHT
    )
    drop_epochs: tuple[int, ...] = setting((35, 45), least=0, most=MANY)
    drop_factor: float = setting(0.1, least=0, most=1)
    entropy_weight: float = setting(1.0, least=0, most=MOST_LOSS_WEIGHT)
    entropy_start_epoch: int = setting(0, least=0, most=MANY)
    entropy_ramp_epochs: int = setting(0, least=0, most=MANY)
    task_weight_learning_rate: float = setting(
        1e-4, least=0, most=MOST_LEARNING_RATE
    )
    relaxation: str = setting("softmax", is_late=True)
    first_temperature: float | None = setting(
        None, least=_LEAST_TEMPERATURE, most=_MOST_TEMPERATURE, is_late=True
    )
    last_temperature: float | None = setting(
        None, least=_LEAST_TEMPERATURE, most=_MOST_TEMPERATURE, is_late=True
    )
    temperature_decay: float | None = setting(
        None, least=0.01, most=1, is_late=True
    )
    perturbation: str = setting("none", is_late=True)
    perturbation_size: float = setting(0.3, least=0, most=1, is_late=True)
    perturbation_ramp_epochs: int = setting(
        50, least=1, most=MANY, is_late=True
    )
    skip_dropout: float = setting(0.0, least=0, most=0.95, is_late=True)
    skip_dropout_decay: float = setting(0.82, least=0, most=1, is_late=True)
    regularizer: str = setting("none", is_late=True)
    regularizer_weight: float = setting(
        1.0, least=0, most=MOST_LOSS_WEIGHT, is_late=True
    )
    regularizer_ramp_epochs: int = setting(0, least=0, most=MANY, is_late=True)
    stop_rule: str = setting("none", is_late=True)
    stop_skips: int = setting(2, least=1, most=8, is_late=True)
    stop_stable_epochs: int = setting(10, least=1, most=MANY, is_late=True)
    stop_similarity: float = setting(0.4, least=-1, most=1, is_late=True)
    compare_every: int = setting(10, least=1, most=MANY, is_late=True)
    precision: str = setting(FLOAT32, choices=PRECISIONS, is_late=True)
    target_gmac: float | None = setting(
        None, least=0, most=_MOST_COST, is_late=True
    )
    target_ms: float | None = setting(
        None, least=0, most=_MOST_COST, is_late=True
    )
    target_channels: int | None = setting(
        None, least=LEAST_CHANNELS, most=MOST_CHANNELS, is_late=True
    )
    target_cells: int | None = setting(
        None, least=LEAST_CELLS, most=MOST_CELLS, is_late=True
    )
    target_image_size: tuple[int, int] | None = setting(
        None, kind=SIZE, is_late=True
    )
    pruned_every: int = setting(0, least=0, most=MANY, is_free=True)
    curvature_every: int = setting(0, least=0, most=MANY, is_free=True)
    on_alarm: str = setting("warn", choices=("warn", "stop"), is_free=True)


@dataclasses.dataclass(frozen=True)
class ProcessConfig:
    """How a run is carried out: where, for how long, what it leaves behind.

    Attributes:
        steps_per_epoch: Steps after which an epoch ends; if absent, the whole
            set.
        strategy: Where it runs: one device; all accelerators of this machine
            (without any: the CPU, split); all those of the machines that
            TF_CONFIG names, by the same command on each; or a TPU.
        num_replicas: Devices of the mirrored strategy; 0 for all.
        accumulate_steps: Parts that each batch is computed in, one after the
            other, for memory: `batch_size` counts the samples of all. Losses,
            hard pixels and gradients are those of the whole batch; but each
            part is normalized by itself, so that weights equal those of one
            part only as far as its moments equal the batch's. A step takes 1.3
            times as long.
        deterministic: Makes runs on accelerators repeatable, bit for bit, and
            slower; runs on a CPU always are (docs/reproducibility.md).
        jit_compile: Lets XLA compile the steps. On a CPU it does not pay: a
            training step at the demo's size is compiled for 120 s of
            processor time and then takes 1.7 s of it; without XLA it is
            traced for 9 s and takes 0.55 s. Not measured on accelerators.
        tasks: Tasks for which records must be annotated; the other one's
            losses skip every sample.
        picture_every: Epochs between two pictures of predictions in
            TensorBoard; 0 for none.
        report_every: Epochs between two drawings of report.html, the page of
            the run in its folder, which the last epoch always gets; 0 for
            none. A page of a search takes 2 s of processor time.
        profile_steps: Steps of this process to trace for TensorBoard, the
            first and the last.
        checkpoint_every: Steps of an epoch between two checkpoints; 0 for only
            one at the end of each epoch. A run that is killed repeats the
            steps after the last.
        check_every: Steps between two looks at whether losses are finite.
        on_nonfinite: What a run does whose losses or weights are not finite:
            stop, or rollback, which goes on from the last checkpoint with half
            the learning rates.
        max_rollbacks: Rollbacks before a run stops after all.
    """

    steps_per_epoch: int | None = setting(None, least=1, most=MANY)
    strategy: str = setting(DEFAULT, choices=STRATEGIES, is_free=True)
    num_replicas: int = setting(0, least=0, most=_MOST_REPLICAS, is_free=True)
    accumulate_steps: int = setting(1, least=1, most=MOST_BATCH, is_late=True)
    deterministic: bool = setting(False, is_free=True)
    jit_compile: bool = setting(False, is_late=True)
    tasks: str = setting(
        "both", choices=("both", "parsing", "pose"), is_free=True
    )
    picture_every: int = setting(10, least=0, most=MANY, is_free=True)
    report_every: int = setting(1, least=0, most=MANY, is_free=True)
    profile_steps: tuple[int, int] | None = setting(
        None, least=1, most=MANY, count=2, kind=SPAN, is_free=True
    )
    checkpoint_every: int = setting(200, least=0, most=MANY, is_free=True)
    check_every: int = setting(1, least=1, most=MANY, is_free=True)
    on_nonfinite: str = setting(
        "stop", choices=("stop", "rollback"), is_free=True
    )
    max_rollbacks: int = setting(3, least=1, most=MANY, is_free=True)


@dataclasses.dataclass(frozen=True)
class RunConfig:
    """Everything about a run but its data and its genotype.

    Attributes:
        schedule: `SearchConfig` of a search, `RetrainConfig` of a retraining.
        network: Size of the network; the numbers of classes and joints follow
            from the records.
        inputs: How records become batches.
        loss: Constants of the loss; the weights of classes follow from the
            records.
        process: How the run is carried out.
    """

    schedule: SearchConfig | RetrainConfig
    network: NetworkConfig = NetworkConfig()
    inputs: InputConfig = InputConfig()
    loss: LossConfig = LossConfig()
    process: ProcessConfig = ProcessConfig()

    def parts(self) -> tuple[object, ...]:
        """Returns the five configurations."""
        return tuple(
            getattr(self, field.name) for field in dataclasses.fields(self)
        )


# The paper's (Sec. 4.2).
SEARCH = RunConfig(SearchConfig(), NetworkConfig(channels=64, cells=12))
RETRAIN = RunConfig(RetrainConfig())


def settings_of(config: object) -> dict[str, Setting]:
    """Returns the settings of a dataclass, or of an instance, by field."""
    return {
        field.name: field.metadata[_METADATA]
        for field in dataclasses.fields(config)
        if _METADATA in field.metadata
    }


def meanings(config_class: type) -> dict[str, str]:
    """Returns what each field of a dataclass means, from its docstring."""
    # Python 3.13 takes the indentation out of docstrings, others leave it.
    words = inspect.cleandoc(config_class.__doc__ or "")
    _, _, attributes = words.partition("Attributes:\n")
    entries = re.findall(
        r"^ {4}(\w+): (.*(?:\n {8}.*)*)", attributes, re.MULTILINE
    )
    return {name: " ".join(text.split()) for name, text in entries}


def check(config: object) -> None:
    """Holds the settings of a dataclass against their limits.

    Raises:
        UserError: A value is none of its kind, out of range, or no choice.
    """
    for name, limits in settings_of(config).items():
        value = getattr(config, name)
        if limits.choices and value not in limits.choices:
            raise UserError(
                "unknown value", f"`{name}`", " or ".join(limits.choices), value
            )
        if limits.least is not None and value is not None:
            _check_numbers(name, limits, value, is_whole(config, name))


def is_whole(config: object, name: str) -> bool:
    """Whether a field holds integers, not any numbers."""
    (field,) = (f for f in dataclasses.fields(config) if f.name == name)
    return "float" not in str(field.type)


def _check_numbers(
    name: str, limits: Setting, value: object, whole: bool
) -> None:
    numbers = value if isinstance(value, tuple | list) else (value,)
    if limits.count is not None and len(numbers) != limits.count:
        raise UserError(
            "wrong number of values", f"`{name}`", limits.count, value
        )
    for number in numbers:
        if (
            not isinstance(number, int if whole else int | float)
            or isinstance(number, bool)
            or not math.isfinite(number)
            or not limits.least <= number <= limits.most
        ):
            kind = "integers" if whole else "numbers"
            raise UserError(
                "out of range",
                f"`{name}`",
                f"{kind} from {limits.least} to {limits.most}",
                value,
            )


def record_of(*configs: object) -> dict[str, object]:
    """Returns what makes another run of it: settings by name, as JSON.

    A value that is no setting (`setting`) is of interest only where it is not
    the default. Fields that follow from records and genotype are left out.
    """
    record: dict[str, object] = {}
    for config in configs:
        settings = settings_of(config)
        for field in dataclasses.fields(config):
            # What no flag sets is recorded as a setting that came late.
            limits = settings.get(field.name, Setting(is_late=True))
            value = getattr(config, field.name)
            if field.name in _FOLLOWS or limits.is_free or value is None:
                continue
            if limits.is_late and value == field.default:
                continue
            record[limits.name or field.name] = _plain(limits.kind, value)
    return dict(sorted(record.items()))


def of_record(config: Any, settings: Mapping[str, object]) -> Any:
    """Returns a configuration with the settings of a run.

    Args:
        config: Instance of a dataclass; what a run does not tell stays.
        settings: What `record_of` made, perhaps with more in it.

    Raises:
        UserError: A setting is of another kind.
    """
    values = {}
    for field, limits in settings_of(config).items():
        name = limits.name or field
        if name in settings:
            whole = is_whole(config, field)
            try:
                values[field] = _read(limits.kind, settings[name], whole)
            except (OverflowError, TypeError, ValueError) as error:
                raise UserError(
                    "setting of another kind",
                    f"`{name}` of the run",
                    "what a run records",
                    settings[name],
                ) from error
    return dataclasses.replace(config, **values)


def _read(kind: str | None, value: object, whole: bool) -> object:
    if kind == SIZE:
        return tuple(int(side) for side in str(value).split("x"))
    if isinstance(value, list):
        return tuple(int(v) if whole else float(v) for v in value)
    return value


def _plain(kind: str | None, value: object) -> object:
    """Returns a value as records of runs have always held it."""
    if kind == SIZE:
        return "x".join(map(str, value))
    return list(map(str, value)) if isinstance(value, tuple) else value
