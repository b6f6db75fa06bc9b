"""Hard samples with a gradient of second order (ReinMax)."""

import keras
import tensorflow as tf

from nppnet_tf.layers.relaxations.drawn import DrawnRelaxation
from nppnet_tf.layers.relaxations.drawn import one_hot_of_largest


@keras.saving.register_keras_serializable(package="nppnet_tf")
class ReinMaxRelaxation(DrawnRelaxation):
    """One operation an edge, drawn by the softmax of alpha in every descent.

    Forward as `GumbelRelaxation`. Its gradient is that of Heun's method, where
    the straight-through gradient is Euler's: at temperature 1 its mean is
    exact for losses that are quadratic in the weights, and the straight-through
    one's for linear losses only.

    Reference:
        Liu et al., https://arxiv.org/abs/2304.08612, Algorithm 1. Temperatures
        of 1 and above lower the variance.

    Args:
        first_temperature: Temperature of the first epoch, positive.
        last_temperature: The least, positive.
        decay: Factor from one epoch to the next, in (0, 1].
    """

    def __init__(
        self,
        first_temperature: float = 1.0,
        last_temperature: float = 1.0,
        decay: float = 1.0,
        **kwargs,
    ) -> None:
        super().__init__(first_temperature, last_temperature, decay, **kwargs)

    def operation_weights(self, alpha, training=False):
        if not training:
            return super().operation_weights(alpha)
        drawn = one_hot_of_largest(alpha + self.noise(alpha))
        temperature = tf.cast(self.temperature.value, alpha.dtype)
        middle = (drawn + tf.nn.softmax(alpha / temperature)) / 2
        # The logits of the middle, through which alpha's gradient goes.
        shift = tf.stop_gradient(tf.math.log(middle) - alpha)
        soft = 2 * tf.nn.softmax(alpha + shift) - tf.nn.softmax(alpha) / 2
        return drawn + (soft - tf.stop_gradient(soft))
