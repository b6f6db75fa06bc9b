"""The fused Adam against its paper, against Keras, and counted."""

import keras
import numpy as np
import tensorflow as tf
from absl.testing import absltest
from absl.testing import parameterized

from nppnet_tf.training.adam import Adam
from tests import two_replicas


def _gradients(steps=6, shape=(3, 2), seed=0):
    return np.random.default_rng(seed).normal(size=(steps, *shape))


def _algorithm_1(value, gradients, rate, beta_1, beta_2, epsilon, l2=0.0):
    """Kingma and Ba's Algorithm 1, also PyTorch's, in float64."""
    m, v = np.zeros_like(value), np.zeros_like(value)
    for t, gradient in enumerate(gradients, start=1):
        gradient = gradient + l2 * value
        m = beta_1 * m + (1 - beta_1) * gradient
        v = beta_2 * v + (1 - beta_2) * gradient**2
        m_hat, v_hat = m / (1 - beta_1**t), v / (1 - beta_2**t)
        value = value - rate * m_hat / (np.sqrt(v_hat) + epsilon)
    return value


def _run(optimizer, start, gradients):
    variable = keras.Variable(start.astype(np.float32), name="variable")
    optimizer.build([variable])
    for gradient in gradients:
        optimizer.apply([tf.constant(gradient, tf.float32)], [variable])
    return keras.ops.convert_to_numpy(variable)


def _nodes(optimizer, count):
    variables = [
        keras.Variable(np.ones([2, 3], np.float32), name=f"variable_{i}")
        for i in range(count)
    ]
    optimizer.build(variables)
    function = tf.function(lambda g: optimizer.apply(g, variables))
    spec = [tf.TensorSpec([2, 3])] * count
    return len(function.get_concrete_function(spec).graph.get_operations())


class AdamTest(parameterized.TestCase):
    def setUp(self):
        super().setUp()
        self.start = np.array([[1.0, -2.0], [0.5, 3.0], [-1.0, 0.1]])

    @parameterized.named_parameters(
        ("usual", 0.9, 0.999, 1e-8, 0.0),
        ("of_the_architecture", 0.5, 0.999, 1e-8, 1e-3),
        ("with_an_epsilon_that_counts", 0.9, 0.99, 0.3, 0.0),
        ("with_a_large_penalty", 0.9, 0.99, 1e-8, 0.5),
    )
    def test_equals_algorithm_1(self, beta_1, beta_2, epsilon, l2_penalty):
        optimizer = Adam(0.1, beta_1, beta_2, epsilon, l2_penalty)

        result = _run(optimizer, self.start, _gradients())

        expected = _algorithm_1(
            self.start, _gradients(), 0.1, beta_1, beta_2, epsilon, l2_penalty
        )
        np.testing.assert_allclose(result, expected, rtol=1e-5, atol=1e-6)

    def test_equals_keras_where_float32_holds_the_decay_rates(self):
        settings = {"beta_1": 0.875, "beta_2": 0.9375, "epsilon": 1e-8}

        ours = _run(Adam(0.1, **settings), self.start, _gradients())
        theirs = _run(
            keras.optimizers.Adam(0.1, **settings), self.start, _gradients()
        )

        np.testing.assert_allclose(ours, theirs, rtol=1e-6)

    def test_is_not_further_from_the_paper_than_keras(self):
        # Keras takes 1 - 0.999 in float64, but 0.999 ** t in float32.
        expected = _algorithm_1(self.start, _gradients(), 0.1, 0.9, 0.999, 1e-8)

        errors = [
            abs(_run(optimizer, self.start, _gradients()) / expected - 1).max()
            for optimizer in (
                Adam(0.1),
                keras.optimizers.Adam(0.1, epsilon=1e-8),
            )
        ]

        self.assertLess(errors[0], 3e-6)
        self.assertLess(errors[0], errors[1])

    def test_learning_rate_can_be_set_between_steps(self):
        optimizer = Adam(0.1)
        variable = keras.Variable(np.zeros(2, np.float32))
        optimizer.build([variable])
        gradient = tf.constant([1.0, -1.0])

        optimizer.apply([gradient], [variable])
        optimizer.learning_rate = 0.0
        optimizer.apply([gradient], [variable])

        np.testing.assert_allclose(
            keras.ops.convert_to_numpy(variable), [-0.1, 0.1], rtol=1e-5
        )

    def test_two_replicas_sum_their_gradients(self):
        strategy = two_replicas.strategy()
        with strategy.scope():
            optimizer = Adam(0.1, epsilon=0.3)
            variable = keras.Variable(self.start.astype(np.float32))
            optimizer.build([variable])
        halves = tf.constant(_gradients() / 2, tf.float32)

        def step(number):
            # Tensors of their own, as a tape makes them on every replica.
            optimizer.apply([halves[number] * 1.0], [variable])

        run = tf.function(lambda number: strategy.run(step, args=(number,)))
        for number in range(len(halves)):
            run(tf.constant(number))

        expected = _algorithm_1(self.start, _gradients(), 0.1, 0.9, 0.999, 0.3)
        for replica in strategy.experimental_local_results(variable.value):
            np.testing.assert_allclose(
                replica.numpy(), expected, rtol=1e-5, atol=1e-6
            )

    def test_a_variable_costs_at_most_ten_nodes(self):
        ours = (_nodes(Adam(), 20) - _nodes(Adam(), 10)) / 10
        theirs = (
            _nodes(keras.optimizers.Adam(), 20)
            - _nodes(keras.optimizers.Adam(), 10)
        ) / 10

        # Four of them are the gradient of this test and three handles.
        self.assertLessEqual(ours, 10)
        self.assertGreater(theirs, 30)

    def test_survives_its_configuration(self):
        optimizer = Adam(0.1, 0.5, 0.9, 1e-6, 1e-3, name="special")

        revived = keras.optimizers.deserialize(
            keras.optimizers.serialize(optimizer)
        )

        self.assertIsInstance(revived, Adam)
        self.assertEqual(revived.get_config(), optimizer.get_config())


if __name__ == "__main__":
    absltest.main()
