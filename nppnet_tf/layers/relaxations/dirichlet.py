"""Weights drawn from a Dirichlet distribution that alpha shapes (DrNAS)."""

import keras
import numpy as np
import tensorflow as tf

from nppnet_tf.layers.draws import Draws
from nppnet_tf.layers.relaxations.relaxation_layer import RelaxationLayer

# Gamma samples of smaller concentrations are 0 in float32.
_LEAST_CONCENTRATION = 1e-2


@keras.saving.register_keras_serializable(package="nppnet_tf")
class DirichletRelaxation(Draws, RelaxationLayer):
    """All operations at once, by a sample of Dirichlet(elu(alpha) + 1).

    Where nothing is preferred all mixtures are equally likely, so that the
    search explores; the more alpha grows, the nearer samples are to the mean,
    (elu(alpha) + 1) divided by its sum, which pruning, health and E(A) read.
    Gradients go through the sample: it is a quotient of gamma variables,
    whose implicit derivatives TensorFlow has.

    Edges compete by the softmax of beta.

    Reference:
        Chen et al., DrNAS, https://arxiv.org/abs/2006.10355, Eq. 2 and 3.
    """

    def build(self, input_shape=None) -> None:
        self.make_key()
        self.built = True

    def operation_weights(self, alpha, training=False):
        concentration = tf.nn.elu(alpha) + 1
        if training:
            concentration = tf.random.stateless_gamma(
                alpha.shape,
                self.key.value,
                tf.maximum(concentration, _LEAST_CONCENTRATION),
                dtype=alpha.dtype,
            )
        # A row of samples that are all 0 has equal weights.
        concentration += np.finfo(np.float32).tiny
        total = tf.reduce_sum(concentration, -1, keepdims=True)
        return concentration / total
