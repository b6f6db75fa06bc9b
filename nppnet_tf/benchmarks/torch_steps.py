"""Steps of training and of search in PyTorch, as `torch_peer` takes them.

Needs the package `torch`, of the extra `torch`, and no TensorFlow.
"""

import itertools
from collections.abc import Mapping

import numpy as np
import torch

from nppnet_tf import keys
from nppnet_tf.benchmarks.flat_network import FlatNetwork
from nppnet_tf.benchmarks.torch_losses import JointLoss
from nppnet_tf.benchmarks.torch_network import Network
from nppnet_tf.config import LossConfig
from nppnet_tf.config import RetrainConfig

_LAYOUT = torch.channels_last


class Steps:
    """Steps on one batch, again and again, with Adam.

    A search takes two in turn: weights descend, then alpha and beta (Eq. 7).

    Args:
        flat: The network.
        batch: Noise by the names of `keys`, laid out as TensorFlow has it.
    """

    def __init__(
        self, flat: FlatNetwork, batch: Mapping[str, np.ndarray]
    ) -> None:
        self._network = Network(flat).to(memory_format=_LAYOUT)
        stages = len(flat.outputs) // len(
            {name.rpartition("_")[0] for name in flat.outputs}
        )
        self._loss = JointLoss(stages, LossConfig())
        self._batch = {name: to_torch(value) for name, value in batch.items()}
        architecture = list(self._network.architecture.parameters())
        searched = {id(parameter) for parameter in architecture}
        weights = [
            parameter
            for parameter in itertools.chain(
                self._network.parameters(), self._loss.parameters()
            )
            if id(parameter) not in searched
        ]
        self._optimizers = [
            # Of the three forms of Adam the fastest on CPUs.
            torch.optim.Adam(moved, RetrainConfig.learning_rate, fused=True)
            for moved in (weights, architecture)
            if moved
        ]

    @property
    def num_parameters(self) -> int:
        """Numbers that the network learns, alpha and beta among them."""
        return sum(each.numel() for each in self._network.parameters())

    def take(self, has_all_gradients: bool = False) -> list[float]:
        """Takes the steps of a batch; returns the loss before each.

        Args:
            has_all_gradients: Whether each step computes the gradients of all
                that learns, as the authors' search does by `loss.backward()`;
                otherwise of what it moves and no others.
        """
        return [
            self._descend(number, has_all_gradients)
            for number in range(len(self._optimizers))
        ]

    def _descend(self, number: int, has_all_gradients: bool) -> float:
        predictions = self._network(self._batch[keys.IMAGE])
        loss = self._loss(self._batch, predictions)
        learned = [
            parameter
            for each, optimizer in enumerate(self._optimizers)
            for group in optimizer.param_groups
            for parameter in group["params"]
            if has_all_gradients or each == number
        ]
        gradients = torch.autograd.grad(loss, learned)
        for parameter, gradient in zip(learned, gradients, strict=True):
            parameter.grad = gradient
        self._optimizers[number].step()
        return loss.item()


def to_torch(value: np.ndarray) -> torch.Tensor:
    """Returns a value as PyTorch has it: channels second, labels int64.

    Args:
        value: Features [batch, h, w, channels], labels [batch, h, w] or else.
    """
    tensor = torch.tensor(value)
    if tensor.ndim == 4:
        return tensor.permute(0, 3, 1, 2).contiguous(memory_format=_LAYOUT)
    return tensor.long() if tensor.ndim == 3 else tensor
