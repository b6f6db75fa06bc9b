"""Frozen dataclasses for everything that can be set; defaults cite the paper.

A dataclass holds the meaning, a flag of `tools` is its handle, a flag file of
`flags` is its record.
"""

import dataclasses


@dataclasses.dataclass(frozen=True)
class NetworkConfig:
    """Size and form of NPPNet.

    Attributes:
        channels: C of Eq. 3, width of the finest pyramid level: 64 in the
            search, 128 in retraining (Sec. 4.2). A multiple of 4 from 8 on,
            and of 8 k where the encoder-decoder is searched; twice the
            INIT_CHANNELS of the release.
        cells: L, cells of one encoder: 12 in the search, 16 in retraining. 4
            or more; a quarter of them (rounded down) lies before each
            reduction.
        num_classes: Parsing classes with the background.
        num_keypoints: Heatmaps of one pose prediction.
        num_fusion_cells: Pose cells, and parsing cells, stacked one on the
            other (Sec. 4.2: 3 of each).
        high_level_inputs: Pyramid levels that Eq. 6 concatenates, counted from
            0. The paper takes FL5..FL7; the release adds FL1.
    """

    channels: int = 128
    cells: int = 16
    num_classes: int = 20
    num_keypoints: int = 16
    num_fusion_cells: int = 3
    high_level_inputs: tuple[int, ...] = (6, 5, 4)


@dataclasses.dataclass(frozen=True)
class InputConfig:
    """How records become batches (Sec. 4.2).

    Attributes:
        image_size: Network input (height, width), multiples of 32.
        batch_size: Samples of a global batch, over all replicas.
        scale_range: Limits of the drawn scale, relative to the fit of the
            longer side into the input.
        rotation_degrees: Drawn from [-rotation, rotation].
        centre_jitter: Largest shift of the crop's centre, as a share of the
            input size. The release's 40 pixels of 384.
        flip_probability: Chance of a left-right flip.
        heatmap_stride: Input pixels per heatmap pixel.
        heatmap_sigma: Standard deviation of a heatmap in input pixels; twice
            this in the auxiliary heatmap. 7 at 384 x 384.
        boundary_width: Width of the boundary in input pixels.
        sampling: "one_warp", or "released": the steps and roundings of the
            authors' loader (`data.released_sampling`).
        seed: Of the order, the two halves and every drawn transform.
        max_bad_records: Damaged records named and skipped before the run
            stops.
    """

    image_size: tuple[int, int] = (384, 384)
    batch_size: int = 8
    scale_range: tuple[float, float] = (0.5, 1.5)
    rotation_degrees: float = 40.0
    centre_jitter: float = 40.0 / 384.0
    flip_probability: float = 0.5
    heatmap_stride: int = 4
    heatmap_sigma: float = 7.0
    boundary_width: int = 3
    sampling: str = "one_warp"
    seed: int = 0
    max_bad_records: int = 0


@dataclasses.dataclass(frozen=True)
class LossConfig:
    """Constants of the joint loss (Sec. 3.6; values of the release).

    Attributes:
        hard_pixel_threshold: A pixel whose true class has at least this
            probability is easy.
        min_hard_pixels: Pixels of a global batch kept at least.
        class_weights: Of the parsing cross-entropy, or None for ones.
        initial_pose_log_variance: First value of the learned weight of pose.
        initial_parsing_log_variance: First value of that of parsing.
    """

    hard_pixel_threshold: float = 0.9
    min_hard_pixels: int = 131072
    class_weights: tuple[float, ...] | None = None
    initial_pose_log_variance: float = -2.5
    initial_parsing_log_variance: float = 2.3


@dataclasses.dataclass(frozen=True)
class SearchConfig:
    """One stage of the search (Sec. 3.6 and 4.2).

    Attributes:
        epochs: Of this stage.
        warmup_epochs: First epochs in which only network weights move.
        learning_rate: Of network weights, Adam.
        architecture_learning_rate: Of alpha and beta, Adam.
        architecture_betas: Adam's decay rates for alpha and beta.
        architecture_weight_decay: L2 penalty on alpha and beta.
        drop_epochs: Epochs from which the learning rate is multiplied.
        drop_factor: By this.
        entropy_weight: Of Eq. 8 in Eq. 7, at the end of its ramp.
        entropy_start_epoch: First epoch with the entropy term.
        entropy_ramp_epochs: Epochs over which its weight grows linearly.
        task_weight_learning_rate: Of the learned task weights.
        relaxation: How alpha and beta weigh operations and edges while they
            are searched: a name of `search_space.relaxation`.
    """

    epochs: int = 50
    warmup_epochs: int = 5
    learning_rate: float = 1e-3
    architecture_learning_rate: float = 1e-3
    architecture_betas: tuple[float, float] = (0.5, 0.999)
    architecture_weight_decay: float = 1e-3
    drop_epochs: tuple[int, ...] = (35, 45)
    drop_factor: float = 0.1
    entropy_weight: float = 1.0
    entropy_start_epoch: int = 0
    entropy_ramp_epochs: int = 0
    task_weight_learning_rate: float = 1e-4
    relaxation: str = "softmax"


@dataclasses.dataclass(frozen=True)
class RetrainConfig:
    """Retraining of the derived network (Sec. 4.2).

    Attributes:
        epochs: Passes over the whole training set.
        learning_rate: Of Adam.
        drop_epochs: Epochs from which the learning rate is multiplied.
        drop_factor: By this.
        task_weight_learning_rate: Of the learned task weights.
    """

    epochs: int = 120
    learning_rate: float = 1e-3
    drop_epochs: tuple[int, ...] = (85, 105)
    drop_factor: float = 0.1
    task_weight_learning_rate: float = 1e-4
