"""The loss of both tasks over all stages of NPPNet's predictions."""

import dataclasses
import functools
from collections.abc import Callable
from collections.abc import Mapping
from collections.abc import Sequence

import keras
import tensorflow as tf

from nppnet_tf import config as configuration
from nppnet_tf import keys
from nppnet_tf.losses import boundary
from nppnet_tf.losses import heatmap
from nppnet_tf.losses import lovasz
from nppnet_tf.losses import parsing
from nppnet_tf.losses import reduction
from nppnet_tf.losses import task_weighting
from nppnet_tf.losses.terms import NAMES
from nppnet_tf.losses.terms import TERMS

# Of constants, batch, prediction of one stage, and annotated samples and pixels
# of the global batch by task: this replica's share, a float32 scalar.
Function = Callable[
    [configuration.LossConfig, Mapping, tf.Tensor, Mapping], tf.Tensor
]


@keras.saving.register_keras_serializable(package="nppnet_tf")
class JointLoss(keras.layers.Layer):
    """Weighs heatmap, parsing and boundary losses of every stage.

    Of each stage, pose is the error of main plus auxiliary heatmaps and
    parsing the cross-entropy of parts plus that of boundaries, auxiliary terms
    with weight 1 as in the release. `TaskWeighting` adds them up. Always in
    float32. Every value is this replica's share (see `losses.reduction`): sum
    over the replicas, never average.

    Args:
        num_stages: Stages of predictions: 1 without fusion, otherwise 2.
        config: Constants of the losses; a `LossConfig`, or a dict of its
            fields as `get_config` gives it.

    Call arguments:
        batch: Targets by the names of `keys`, B samples, [H, W] the input size
            and [h, w] that of the heatmaps, K keypoints: HEATMAPS and
            AUXILIARY_HEATMAPS [B, h, w, K], LABEL_MAP and BOUNDARY_MAP
            [B, H, W], HAS_KEYPOINTS and HAS_LABEL_MAP [B]. Others are ignored.
        predictions: For each of HEATMAPS, AUXILIARY_HEATMAPS,
            PARSING_LOGITS, BOUNDARY_LOGITS a sequence over stages, [B, h, w,
            channels].

    Returns:
        Dict of float32 scalars: keys.TOTAL_LOSS, and keys.POSE_LOSS,
        keys.AUXILIARY_POSE_LOSS, keys.PARSING_LOSS, keys.BOUNDARY_LOSS, which
        are summed over the stages and not weighted.
    """

    # What it returns, by name; a loss of another task has others.
    term_names = NAMES

    def __init__(
        self,
        num_stages: int,
        config: configuration.LossConfig | Mapping | None = None,
        **kwargs,
    ) -> None:
        super().__init__(dtype="float32", **kwargs)
        if num_stages < 1:
            raise ValueError(
                "`num_stages` must be at least 1. "
                f"Received: num_stages={num_stages}"
            )
        self.num_stages = num_stages
        self.config = _loss_config(config)
        self.task_weighting = task_weighting.TaskWeighting(
            num_stages,
            {
                keys.POSE: self.config.initial_pose_log_variance,
                keys.PARSING: self.config.initial_parsing_log_variance,
            },
            name="task_weighting",
        )
        self.built = True

    @property
    def task_weights(self) -> dict[str, tf.Tensor]:
        """Learned factors by "<task>_stage_<s>", float32 scalars."""
        return self.task_weighting.task_weights

    def call(
        self,
        batch: Mapping[str, tf.Tensor],
        predictions: Mapping[str, tuple[tf.Tensor, ...]],
    ) -> dict[str, tf.Tensor]:
        self._check_stages(predictions)
        counts = _global_counts(batch)
        terms = {
            term.name: [
                FUNCTIONS[term.name](self.config, batch, prediction, counts)
                for prediction in predictions[term.prediction]
            ]
            for term in TERMS
        }
        tasks = {
            task: _added([terms[t.name] for t in TERMS if t.task == task])
            for task in keys.BRANCHES
        }
        total = self.task_weighting(tasks, counts)
        sums = {
            name: functools.reduce(tf.add, stages)
            for name, stages in terms.items()
        }
        return {keys.TOTAL_LOSS: total, **sums}

    def _check_stages(self, predictions):
        for name in (term.prediction for term in TERMS):
            if len(predictions[name]) != self.num_stages:
                raise ValueError(
                    f"`predictions[{name!r}]` must hold {self.num_stages} "
                    f"stages. Received: stages={len(predictions[name])}"
                )

    def get_config(self) -> dict:
        config = super().get_config()
        del config["dtype"]  # Always float32.
        return {
            **config,
            "num_stages": self.num_stages,
            "config": dataclasses.asdict(self.config),
        }


def _heatmap_function(target: str) -> Function:
    """Returns the loss of heatmaps whose target has the same key."""

    def function(config, batch, prediction, counts):
        del config
        return heatmap.heatmap_loss(
            batch[target],
            prediction,
            batch[keys.HAS_KEYPOINTS],
            counts[keys.POSE],
        )

    return function


def _parsing(config, batch, logits, counts):
    del counts
    label_map, has_label_map = batch[keys.LABEL_MAP], batch[keys.HAS_LABEL_MAP]
    loss = parsing.parsing_loss(
        label_map,
        logits,
        has_label_map,
        class_weights=config.class_weights,
        hard_pixel_threshold=config.hard_pixel_threshold,
        min_hard_pixels=config.min_hard_pixels,
    )
    if config.lovasz_weight:
        loss += config.lovasz_weight * lovasz.lovasz_loss(
            label_map, logits, has_label_map
        )
    return loss


def _boundary(config, batch, logits, counts):
    del config, counts
    return boundary.boundary_loss(
        batch[keys.BOUNDARY_MAP], logits, batch[keys.HAS_LABEL_MAP]
    )


# One for every row of `terms.TERMS`: what a prediction of one stage costs.
FUNCTIONS: Mapping[str, Function] = {
    keys.POSE_LOSS: _heatmap_function(keys.HEATMAPS),
    keys.AUXILIARY_POSE_LOSS: _heatmap_function(keys.AUXILIARY_HEATMAPS),
    keys.PARSING_LOSS: _parsing,
    keys.BOUNDARY_LOSS: _boundary,
}


def _global_counts(batch):
    """Annotated samples (pose) and pixels (parsing) of the global batch."""
    pixels = parsing.counted_pixels(
        batch[keys.LABEL_MAP], batch[keys.HAS_LABEL_MAP]
    )
    local = tf.stack(
        [
            tf.reduce_sum(tf.cast(batch[keys.HAS_KEYPOINTS], tf.float32)),
            tf.cast(tf.math.count_nonzero(pixels), tf.float32),
        ]
    )
    pose, parts = tf.unstack(reduction.global_sum(local), num=2)
    return {keys.POSE: pose, keys.PARSING: parts}


def _added(losses: Sequence[Sequence[tf.Tensor]]) -> list[tf.Tensor]:
    """Adds the terms of a task, stage by stage."""
    return [
        functools.reduce(tf.add, stages) for stages in zip(*losses, strict=True)
    ]


def _loss_config(config) -> configuration.LossConfig:
    if config is None:
        return configuration.LossConfig()
    if isinstance(config, configuration.LossConfig):
        return config
    fields = dict(config)
    if fields.get("class_weights") is not None:
        fields["class_weights"] = tuple(fields["class_weights"])
    return configuration.LossConfig(**fields)
