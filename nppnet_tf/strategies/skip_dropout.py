"""Skip connections that are dropped at random (P-DARTS)."""

from collections.abc import Sequence

import keras
import numpy as np
import tensorflow as tf

from nppnet_tf.strategies.perturbation import Perturbation


@keras.saving.register_keras_serializable(package="nppnet_tf")
class SkipDropout(Perturbation):
    """Leaves skip connections out of an edge with a chance, in both descents.

    While weights are young, gradients flow through skips and they take the
    lead; where some are absent, the other operations have to learn. What is
    kept weighs 1 / (1 - rate) as much, so that the mean stays.

    Departs from the paper: a whole skip is dropped and not single features of
    it, which is one number an edge and the same in the mean.

    Reference:
        Chen et al., P-DARTS, https://arxiv.org/abs/1904.12760, Sec. 3.3.2; the
        authors' rate falls by a factor of exp(-0.2) an epoch.

    Args:
        columns: Columns of alpha that are skip connections.
        rate: Chance of the first epoch, below 1.
        decay: Factor from one epoch to the next.
    """

    in_architecture_steps = True

    def __init__(
        self,
        columns: Sequence[int],
        rate: float,
        decay: float = 0.82,
        **kwargs,
    ) -> None:
        super().__init__(**kwargs)
        self.columns = tuple(columns)
        self.rate = rate
        self.decay = decay

    def size_at(self, epoch):
        return self.rate * self.decay**epoch

    def perturb(self, weights):
        is_skip = np.isin(np.arange(weights.shape[-1]), self.columns)
        is_kept = self.uniform(weights) > self.size.value
        factor = tf.cast(is_kept, weights.dtype) / (1 - self.size.value)
        return tf.where(is_skip, weights * factor, weights)

    def get_config(self) -> dict:
        return {
            **super().get_config(),
            "columns": list(self.columns),
            "rate": self.rate,
            "decay": self.decay,
        }
