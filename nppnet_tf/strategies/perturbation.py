"""What disturbs the weights of operations while a search trains."""

from contextlib import AbstractContextManager

import keras
import tensorflow as tf

from nppnet_tf import replicas
from nppnet_tf.layers.draws import Draws

_is_architecture_step = replicas.Setting[bool | None](None)


def within(is_architecture_step: bool) -> AbstractContextManager[None]:
    """Traces a descent, for the perturbations that act in it.

    Outside of one none acts: what is predicted for people is undisturbed.

    Args:
        is_architecture_step: Whether alpha and beta descend, not weights.
    """
    return _is_architecture_step.within(is_architecture_step)


@keras.saving.register_keras_serializable(package="nppnet_tf")
class Perturbation(Draws, keras.layers.Layer):
    """What every perturbation is; each searched part has one of its own.

    A subclass says how weights change, by draws of `uniform` that are others
    in every descent, and how `size` follows the epoch.

    Attributes:
        in_architecture_steps: Whether it also acts while alpha and beta
            descend.
        size: How much it disturbs, a variable.
    """

    in_architecture_steps = False

    def build(self, input_shape=None) -> None:
        self.make_key()
        self.size = self.add_weight(
            initializer=keras.initializers.Constant(self.size_at(0)),
            trainable=False,
            autocast=False,
            name="size",
        )
        self.built = True

    def size_at(self, epoch: int) -> float:
        """Returns how much it disturbs in an epoch, counted from 0."""
        raise TypeError(f"{type(self).__name__} has no size")

    def perturb(self, weights):
        """Returns disturbed weights, a tensor like them.

        Args:
            weights: Weights of operations [edges, primitives]; rows sum to 1.
        """
        raise TypeError(f"{type(self).__name__} disturbs nothing")

    def call(self, weights):
        step = _is_architecture_step.value
        if step is None or (step and not self.in_architecture_steps):
            return weights
        return self.perturb(weights)

    def begin_epoch(self, epoch: int) -> None:
        """Sets what follows the epoch."""
        self.size.assign(self.size_at(epoch))


@keras.saving.register_keras_serializable(package="nppnet_tf")
class RandomSmoothing(Perturbation):
    """Uniform noise on the weights of operations while W descends.

    W then fits a neighborhood of the mixture instead of the mixture alone, and
    the loss around it becomes flat: the step from the mixture to one operation
    an edge costs less. Disturbed weights are clipped to 0..1 and rows divided
    by their sums; where nothing of a row is left, what was the largest has all.

    Reference:
        Chen and Hsieh, SDARTS-RS, https://arxiv.org/abs/2002.05283, Eq. 4. The
        clipping and the growth, 0.03 + 0.27 epoch / epochs, are of the authors'
        code.

    Args:
        last_size: Largest noise after its growth; the weights are within 0..1.
        ramp_epochs: Epochs after which it has grown; the authors' searches end
            with them.
        first_size: Largest noise of the first epoch.
    """

    def __init__(
        self,
        last_size: float = 0.3,
        ramp_epochs: int = 50,
        first_size: float = 0.03,
        **kwargs,
    ) -> None:
        super().__init__(**kwargs)
        self.last_size = last_size
        self.ramp_epochs = ramp_epochs
        self.first_size = first_size

    def size_at(self, epoch):
        grown = min(1.0, epoch / self.ramp_epochs)
        first = min(self.first_size, self.last_size)
        return first + (self.last_size - first) * grown

    def perturb(self, weights):
        noise = (2 * self.uniform(weights) - 1) * self.size.value
        disturbed = weights + noise
        clipped = tf.clip_by_value(disturbed, 0, 1)
        left = tf.reduce_sum(clipped, -1, keepdims=True)
        largest = tf.one_hot(
            tf.argmax(disturbed, -1), weights.shape[-1], dtype=weights.dtype
        )
        return tf.where(left > 0, tf.math.divide_no_nan(clipped, left), largest)

    def get_config(self) -> dict:
        return {
            **super().get_config(),
            "last_size": self.last_size,
            "ramp_epochs": self.ramp_epochs,
            "first_size": self.first_size,
        }
