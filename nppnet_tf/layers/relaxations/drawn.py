"""What relaxations share that draw anew in every descent."""

import keras
import tensorflow as tf

from nppnet_tf.errors import UserError
from nppnet_tf.layers.draws import Draws
from nppnet_tf.layers.relaxations.relaxation_layer import SoftmaxRelaxation


@keras.saving.register_keras_serializable(package="nppnet_tf")
class DrawnRelaxation(Draws, SoftmaxRelaxation):
    """Weights of the operations that are drawn with Gumbel noise on alpha.

    The operation with the largest alpha + noise is one drawn by the softmax of
    alpha. E(A) and pruning take the softmax, the mean of what is drawn. Edges
    compete by the softmax of beta.

    The temperature follows the number of the epoch alone, so that epochs which
    are added to a run are those of a run that had them from the start.

    Args:
        first_temperature: Temperature of the first epoch, positive.
        last_temperature: The least, positive.
        decay: Factor from one epoch to the next, in (0, 1]. With 0.9 the
            temperature goes from 10 to 0.1 in 44 epochs.
    """

    def __init__(
        self,
        first_temperature: float = 10.0,
        last_temperature: float = 0.1,
        decay: float = 0.9,
        **kwargs,
    ) -> None:
        super().__init__(**kwargs)
        self.set_temperatures(first_temperature, last_temperature, decay)

    def set_temperatures(
        self, first: float | None, last: float | None, decay: float | None
    ) -> None:
        # What is None stays as it is.
        if first is not None:
            self.first_temperature = first
        if last is not None:
            self.last_temperature = last
        if decay is not None:
            self.decay = decay
        first, last, decay = (
            self.first_temperature,
            self.last_temperature,
            self.decay,
        )
        if not 0 < last <= first or not 0 < decay <= 1:
            raise UserError(
                "temperatures are positive and fall",
                "`first_temperature`, `last_temperature`, `temperature_decay`",
                "0 < last <= first, 0 < decay <= 1",
                f"{first}, {last}, {decay}",
            )

    def build(self, input_shape=None) -> None:
        self.make_key()
        self.temperature = self.add_weight(
            initializer=keras.initializers.Constant(self.first_temperature),
            trainable=False,
            autocast=False,
            name="temperature",
        )
        self.built = True

    def soft_sample(self, alpha):
        """Returns softmax((alpha + noise) / temperature), like alpha."""
        temperature = tf.cast(self.temperature.value, alpha.dtype)
        return tf.nn.softmax((alpha + self.noise(alpha)) / temperature)

    def noise(self, alpha):
        """Returns the standard Gumbel noise of this descent, like alpha."""
        return -tf.math.log(-tf.math.log(self.uniform(alpha)))

    def begin_epoch(self, epoch):
        falling = self.first_temperature * self.decay**epoch
        self.temperature.assign(max(falling, self.last_temperature))

    def describe(self):
        return {
            "temperature": float(keras.ops.convert_to_numpy(self.temperature))
        }

    def get_config(self) -> dict:
        return {
            **super().get_config(),
            "first_temperature": self.first_temperature,
            "last_temperature": self.last_temperature,
            "decay": self.decay,
        }


def one_hot_of_largest(weights):
    """Returns 1 at the largest weight of each row and 0 elsewhere."""
    return tf.one_hot(
        tf.argmax(weights, -1), weights.shape[-1], dtype=weights.dtype
    )
