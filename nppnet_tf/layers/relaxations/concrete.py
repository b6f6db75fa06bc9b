"""Soft samples that harden as the temperature falls (SNAS)."""

import keras

from nppnet_tf.layers.relaxations.drawn import DrawnRelaxation


@keras.saving.register_keras_serializable(package="nppnet_tf")
class ConcreteRelaxation(DrawnRelaxation):
    """All operations at once, by a sample of the concrete distribution.

    The weights are softmax((alpha + noise) / temperature), forward and
    backward: no estimate is biased by a hard choice, and the weights come to
    be one-hot as the temperature falls. An operation has the largest of them
    with the probability that the softmax of alpha gives it, which is what
    pruning, health and E(A) read.

    Reference:
        Xie et al., SNAS, https://arxiv.org/abs/1812.09926, Eq. 4; its
        temperature falls from 1 to 0.03.

    Args:
        first_temperature: Temperature of the first epoch, positive.
        last_temperature: The least, positive.
        decay: Factor from one epoch to the next, in (0, 1].
    """

    def __init__(
        self,
        first_temperature: float = 1.0,
        last_temperature: float = 0.03,
        decay: float = 0.93,
        **kwargs,
    ) -> None:
        super().__init__(first_temperature, last_temperature, decay, **kwargs)

    def operation_weights(self, alpha, training=False):
        if not training:
            return super().operation_weights(alpha)
        return self.soft_sample(alpha)
