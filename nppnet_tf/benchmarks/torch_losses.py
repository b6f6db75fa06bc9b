"""The joint loss in PyTorch, for a batch of which everything is annotated.

Needs the package `torch`, of the extra `torch`, and no TensorFlow.
"""

import functools
from collections.abc import Mapping

import torch
from torch import nn
from torch.nn import functional

from nppnet_tf import keys
from nppnet_tf.benchmarks import torch_network
from nppnet_tf.config import LossConfig

_Tensors = Mapping[str, torch.Tensor]


class JointLoss(nn.Module):
    """`losses.joint.JointLoss`, of every stage, with the learned weights.

    Args:
        num_stages: Stages of predictions.
        config: Constants; without class weights and Lovasz-Softmax.
    """

    def __init__(self, num_stages: int, config: LossConfig) -> None:
        super().__init__()
        self._config = config
        first = {
            keys.POSE: config.initial_pose_log_variance,
            keys.PARSING: config.initial_parsing_log_variance,
        }
        self.log_variances = nn.ParameterDict(
            {
                task: nn.Parameter(torch.full([num_stages], value))
                for task, value in first.items()
            }
        )

    def forward(self, batch: _Tensors, predictions: _Tensors) -> torch.Tensor:
        """Returns the weighted loss of all stages, a scalar.

        Args:
            batch: Targets by the names of `keys`: heatmaps [B, J, h, w], maps
                of labels int64 [B, H, W].
            predictions: Predictions [B, channels, h, w], "<key>_<stage>".
        """
        losses = []
        for task, of_stage in (
            (keys.POSE, _pose),
            (keys.PARSING, self._parsing),
        ):
            for stage, variance in enumerate(self.log_variances[task]):
                loss = of_stage(batch, predictions, stage)
                losses.append(torch.exp(-variance) * loss + variance)
        return functools.reduce(torch.add, losses)

    def _parsing(
        self, batch: _Tensors, predictions: _Tensors, stage: int
    ) -> torch.Tensor:
        parts = _cross_entropy(batch, predictions, keys.PARSING_LOGITS, stage)
        # Hard pixels, as `losses.parsing.parsing_loss` has them.
        with torch.no_grad():
            rank = min(self._config.min_hard_pixels, parts.numel() - 1)
            easiest = torch.kthvalue(-parts.flatten(), rank + 1).values
            least = torch.log(torch.tensor(self._config.hard_pixel_threshold))
            hard = -parts < torch.maximum(easiest, least)
        return parts[hard].mean() + _boundary(batch, predictions, stage)


def _pose(batch: _Tensors, predictions: _Tensors, stage: int) -> torch.Tensor:
    return functools.reduce(
        torch.add,
        (
            functional.mse_loss(predictions[f"{key}_{stage}"], batch[key])
            for key in (keys.HEATMAPS, keys.AUXILIARY_HEATMAPS)
        ),
    )


def _boundary(
    batch: _Tensors, predictions: _Tensors, stage: int
) -> torch.Tensor:
    values = _cross_entropy(batch, predictions, keys.BOUNDARY_LOGITS, stage)
    is_boundary = batch[keys.BOUNDARY_MAP] == 1
    return 0.5 * (values[is_boundary].mean() + values[~is_boundary].mean())


_LABELS = {
    keys.PARSING_LOGITS: keys.LABEL_MAP,
    keys.BOUNDARY_LOGITS: keys.BOUNDARY_MAP,
}


def _cross_entropy(
    batch: _Tensors, predictions: _Tensors, key: str, stage: int
) -> torch.Tensor:
    """Returns -log p of every pixel's class at full resolution, [B, H, W]."""
    labels = batch[_LABELS[key]]
    logits = torch_network.resize(
        predictions[f"{key}_{stage}"], tuple(labels.shape[1:])
    )
    return functional.cross_entropy(logits, labels, reduction="none")
