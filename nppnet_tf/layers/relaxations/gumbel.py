"""Hard samples with the gradient of soft ones (GDAS)."""

import keras
import tensorflow as tf

from nppnet_tf.layers.relaxations.drawn import DrawnRelaxation
from nppnet_tf.layers.relaxations.drawn import one_hot_of_largest


@keras.saving.register_keras_serializable(package="nppnet_tf")
class GumbelRelaxation(DrawnRelaxation):
    """One operation an edge, drawn by the softmax of alpha in every descent.

    Forward the drawn operation has weight 1 and the others none; backward goes
    the gradient of softmax((alpha + noise) / temperature), whose largest entry
    was drawn. Edges compete by the softmax of beta, which GDAS does not have.

    Reference:
        Dong and Yang, GDAS, https://arxiv.org/abs/1910.04465, Eq. 3 to 6; its
        temperature falls linearly over the epochs, from 10 to 0.1.

    Args:
        first_temperature: Temperature of the first epoch, positive.
        last_temperature: The least, positive.
        decay: Factor from one epoch to the next, in (0, 1].
    """

    def operation_weights(self, alpha, training=False):
        if not training:
            return super().operation_weights(alpha)
        soft = self.soft_sample(alpha)
        # Exactly one: 1 + (p - p), and not p + (1 - p).
        return one_hot_of_largest(soft) + (soft - tf.stop_gradient(soft))
