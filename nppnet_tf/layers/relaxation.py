"""Relaxations in the graph of a supernet: how alpha and beta are learned.

`nppnet_tf.search_space.relaxation` says the same in NumPy, for whatever reads a
search. Outside of training both are equal.
"""

import random
from collections.abc import Callable
from collections.abc import Sequence

import keras
import numpy as np
import tensorflow as tf

from nppnet_tf.search_space import relaxation as contracts
from nppnet_tf.search_space.topology import Edge


@keras.saving.register_keras_serializable(package="nppnet_tf")
class RelaxationLayer(keras.layers.Layer):
    """What every relaxation is; each searched part has one of its own.

    A subclass weighs operations. Edges compete by softmax and E(A) is the
    entropy of the operations' weights, unless it says otherwise. What it keeps
    from step to step are variables that it makes in `build`: checkpoints hold
    them.
    """

    def build(self, input_shape=None) -> None:
        self.built = True

    def operation_weights(self, alpha, training: bool | None = False):
        """Weighs the operations of every edge.

        Args:
            alpha: Float [edges, primitives].
            training: Whether it is a step of the search that asks. Otherwise
                the weights are those of the contract, in expectation.

        Returns:
            Tensor like alpha, no weight negative; every row sums to 1.
        """
        raise TypeError(f"{type(self).__name__} does not weigh operations")

    def edge_weights(
        self, beta, edges: Sequence[Edge], training: bool | None = False
    ):
        """Weighs the edges of every node; arguments as above.

        Returns:
            Tensor [edges]; the weights of one node sum to 1.
        """
        # Eq. 2: edges into one node compete; nodes do not mix.
        nodes = np.array([edge.node for edge in edges])
        rivals = nodes[:, None] == nodes[None, :]
        logits = tf.where(rivals, beta[None, :], -np.inf)
        return tf.linalg.diag_part(tf.nn.softmax(logits))

    def entropies(self, alpha):
        """Entropy of each edge's operations, [edges], nats (Eq. 8).

        log(num_primitives) where all weigh the same, 0 where one has it all.
        """
        weights = self.operation_weights(alpha)
        return -tf.reduce_sum(tf.math.xlogy(weights, weights), -1)

    def begin_epoch(self, epoch: int) -> None:
        """Sets what follows the epoch, counted from 0; never in a graph."""

    def draw_anew(self) -> None:
        """Lets the next descent see another sample; ends each, in its graph."""

    def describe(self) -> dict[str, float]:
        """Returns numbers for the record of an epoch, alike in all parts."""
        return {}


@keras.saving.register_keras_serializable(package="nppnet_tf")
class SoftmaxRelaxation(RelaxationLayer):
    """All operations at once, weighted by the softmax of alpha (Eq. 2)."""

    def operation_weights(self, alpha, training=False):
        return tf.nn.softmax(alpha)

    def entropies(self, alpha):
        # Of logarithms that do not vanish with their weights.
        log_weights = tf.nn.log_softmax(alpha)
        return -tf.reduce_sum(tf.exp(log_weights) * log_weights, -1)


@keras.saving.register_keras_serializable(package="nppnet_tf")
class GumbelRelaxation(SoftmaxRelaxation):
    """One operation an edge, drawn by the softmax of alpha in every descent.

    Forward the drawn operation has weight 1 and the others none; backward goes
    the gradient of softmax((alpha + noise) / temperature), whose largest entry
    was drawn. E(A) and pruning take the softmax, the mean of what is drawn.
    Edges compete by the softmax of beta, which GDAS does not have.

    A sample is a function of a seed and of the number of the descent. Both are
    variables: all replicas draw the same, and a run that goes on draws what it
    would have drawn. The seed comes, as those of first weights do, from
    `keras.utils.set_random_seed`.

    The temperature follows the number of the epoch alone, so that epochs which
    are added to a run are those of a run that had them from the start.

    Reference:
        Dong and Yang, GDAS, https://arxiv.org/abs/1910.04465; its temperature
        falls linearly over the epochs, from 10 to 0.1.

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
        if not 0 < last_temperature <= first_temperature or not 0 < decay <= 1:
            raise ValueError(
                "Temperatures are positive and fall. Received: "
                f"{first_temperature=}, {last_temperature=}, {decay=}"
            )
        self.first_temperature = first_temperature
        self.last_temperature = last_temperature
        self.decay = decay

    def build(self, input_shape=None) -> None:
        key = (random.getrandbits(31), 0)
        # The seed, and the number of the descent.
        self.key = self.add_weight(
            shape=(2,),
            dtype="int64",
            initializer=lambda shape, dtype: tf.constant(key, dtype),
            trainable=False,
            aggregation="only_first_replica",
            name="key",
        )
        self.temperature = self.add_weight(
            initializer=keras.initializers.Constant(self.first_temperature),
            trainable=False,
            autocast=False,
            name="temperature",
        )
        self.built = True

    def operation_weights(self, alpha, training=False):
        if not training:
            return super().operation_weights(alpha)
        temperature = tf.cast(self.temperature.value, alpha.dtype)
        soft = tf.nn.softmax((alpha + self.noise(alpha)) / temperature)
        drawn = tf.one_hot(
            tf.argmax(soft, -1), soft.shape[-1], dtype=soft.dtype
        )
        # Exactly one: 1 + (p - p), and not p + (1 - p).
        return drawn + (soft - tf.stop_gradient(soft))

    def noise(self, alpha):
        """Returns the standard Gumbel noise of this descent, like alpha."""
        uniform = tf.random.stateless_uniform(
            alpha.shape,
            self.key.value,
            # 0 has no logarithm.
            minval=np.finfo(np.float32).tiny,
            dtype=alpha.dtype,
            # The same on every device.
            alg="philox",
        )
        return -tf.math.log(-tf.math.log(uniform))

    def begin_epoch(self, epoch):
        falling = self.first_temperature * self.decay**epoch
        self.temperature.assign(max(falling, self.last_temperature))

    def draw_anew(self):
        self.key.assign_add([0, 1])

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


_FORMS = {
    contracts.SOFTMAX: SoftmaxRelaxation,
    contracts.GUMBEL: GumbelRelaxation,
}


def make(name: str) -> RelaxationLayer:
    """Returns the graph form of a relaxation, for one part.

    Raises:
        UserError: If there is no such relaxation.
    """
    return _FORMS[contracts.named(name).name](name="relaxation")


def register(
    contract: contracts.Relaxation, form: Callable[..., RelaxationLayer]
) -> None:
    """Adds a relaxation of one's own, for this process.

    Searches take its name from here on, and so does what reads them; a process
    that reads them registers it first.

    Args:
        contract: Name and weights of the relaxation in NumPy.
        form: Makes its graph form for one part, of (name=...).

    Raises:
        ValueError: If there is a relaxation of this name.
    """
    contracts.register(contract)
    _FORMS[contract.name] = form
