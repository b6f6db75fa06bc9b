"""Penalties on alpha by hand, and their gradients."""

import numpy as np
import tensorflow as tf
from absl.testing import absltest

from nppnet_tf.search_space import relaxation as contracts
from nppnet_tf.strategies import regularizers

ALPHA = np.float64([[0.0, np.log(3.0)], [-0.5, 2.0]])


def gradient_of(penalty):
    x = tf.constant(ALPHA)
    with tf.GradientTape() as tape:
        tape.watch(x)
        value = tf.reduce_sum(penalty(x))
    return tape.gradient(value, x).numpy()


class RegularizersTest(absltest.TestCase):
    def test_beta_decay_by_hand(self):
        found = regularizers.beta_decay(tf.constant(ALPHA[:1]))

        np.testing.assert_allclose(found, [np.log(4.0)])

    def test_gradient_of_beta_decay_is_the_softmax(self):
        np.testing.assert_allclose(
            gradient_of(regularizers.beta_decay), contracts.softmax(ALPHA)
        )

    def test_concentration_by_hand(self):
        found = regularizers.concentration(tf.constant(ALPHA))

        np.testing.assert_allclose(
            found, [np.log(3.0) ** 2, (np.exp(-0.5) - 1) ** 2 + 4]
        )

    def test_gradient_of_concentration_by_hand(self):
        elu = np.where(ALPHA > 0, ALPHA, np.exp(ALPHA) - 1)
        slope = np.where(ALPHA > 0, 1, np.exp(ALPHA))

        np.testing.assert_allclose(
            gradient_of(regularizers.concentration), 2 * elu * slope
        )


if __name__ == "__main__":
    absltest.main()
