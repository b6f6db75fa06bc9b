"""Random draws of a search that replicas share and that resume to the bit."""

import random

import numpy as np
import tensorflow as tf


class Draws:
    """Gives a layer a key, of which everything that it draws is a function.

    The key is a seed and the number of the descent. Both are in one variable:
    all replicas draw the same, checkpoints hold it, and a run that goes on
    draws what it would have drawn. The seed comes, as those of first weights
    do, from `keras.utils.set_random_seed`.

    A layer that draws inherits from this and calls `make_key` in its `build`.
    """

    def make_key(self) -> None:
        """Makes the variable."""
        key = (random.getrandbits(31), 0)
        self.key = self.add_weight(
            shape=(2,),
            dtype="int64",
            initializer=lambda shape, dtype: tf.constant(key, dtype),
            trainable=False,
            aggregation="only_first_replica",
            name="key",
        )

    def draw_anew(self) -> None:
        """Lets the next descent see another sample; ends each, in its graph."""
        self.key.assign_add([0, 1])

    def uniform(self, like):
        """Returns numbers of (0, 1), a tensor like another, of this descent."""
        return tf.random.stateless_uniform(
            like.shape,
            self.key.value,
            # 0 has no logarithm.
            minval=np.finfo(np.float32).tiny,
            dtype=like.dtype,
            # The same on every device.
            alg="philox",
        )
