"""Every relaxation that draws, held at once, and what each promises alone."""

import functools
import itertools
from unittest import mock

from tests import two_replicas  # isort: skip  (before any operation)

import keras
import numpy as np
import tensorflow as tf
from absl.testing import absltest
from absl.testing import parameterized

from nppnet_tf.errors import UserError
from nppnet_tf.layers.relaxations import table
from nppnet_tf.layers.relaxations.reinmax import ReinMaxRelaxation
from nppnet_tf.search_space import relaxation as contracts

DRAWN = ("gumbel", "concrete", "reinmax", "dirichlet")
HARD = ("gumbel", "reinmax")


def made(name):
    layer = table.make(name)
    layer.build()
    return layer


def some_alpha():
    random = np.random.default_rng(0)
    return np.float32(random.normal(size=(14, 8)))


class DrawnCase(parameterized.TestCase):
    def setUp(self):
        super().setUp()
        keras.utils.set_random_seed(3)
        self.alpha = tf.constant(some_alpha())

    def _draw(self, layer):
        return layer.operation_weights(self.alpha, training=True).numpy()


class EveryDrawnTest(DrawnCase):
    """A relaxation that is added is held to these by its name in the table."""

    def test_none_is_left_out(self):
        drawn = [
            each.name
            for each in contracts.known()
            if hasattr(made(each.name), "key")
        ]

        self.assertEqual(drawn, list(DRAWN))

    @parameterized.parameters(*DRAWN)
    def test_weights_of_an_edge_sum_to_one_and_none_is_negative(self, name):
        layer = made(name)
        for epoch in (0, 100):
            layer.begin_epoch(epoch)

            drawn = self._draw(layer)

            np.testing.assert_allclose(drawn.sum(axis=1), 1, atol=1e-6)
            self.assertGreaterEqual(drawn.min(), 0)

    @parameterized.parameters("gumbel", "reinmax", "dirichlet")
    def test_mean_of_the_draws_is_the_contract(self, name):
        alpha = np.float32([[1.0, 0.3, -0.5, -1.5]])
        many = tf.tile(tf.constant(alpha), [40000, 1])

        drawn = made(name).operation_weights(many, training=True)

        # Four standard deviations.
        expected = contracts.named(name).operation_weights(np.float64(alpha))
        np.testing.assert_allclose(
            tf.reduce_mean(drawn, 0), expected[0], atol=0.01
        )

    def test_largest_of_a_concrete_draw_is_drawn_by_the_contract(self):
        alpha = np.log(np.float32([[0.5, 0.3, 0.15, 0.05]]))
        many = tf.tile(tf.constant(alpha), [40000, 1])

        drawn = made("concrete").operation_weights(many, training=True)

        largest = tf.one_hot(tf.argmax(drawn, -1), 4)
        np.testing.assert_allclose(
            tf.reduce_mean(largest, 0), [0.5, 0.3, 0.15, 0.05], atol=0.01
        )

    @parameterized.parameters(*DRAWN)
    def test_a_draw_is_a_function_of_seed_and_descent(self, name):
        layer = made(name)
        first, again = self._draw(layer), self._draw(layer)
        layer.draw_anew()
        second = self._draw(layer)
        other = made(name)
        keras.utils.set_random_seed(3)
        same = made(name)

        np.testing.assert_array_equal(again, first)
        self.assertFalse(np.array_equal(second, first))
        # Of another part of the same run.
        self.assertFalse(np.array_equal(self._draw(other), first))
        np.testing.assert_array_equal(self._draw(same), first)
        other.key.assign(layer.key.value)
        np.testing.assert_array_equal(self._draw(other), second)

    @parameterized.parameters(*DRAWN)
    def test_replicas_draw_the_same(self, name):
        strategy = two_replicas.strategy()
        with strategy.scope():
            layer = made(name)

        @tf.function
        def descents():
            def step():
                first = layer.operation_weights(self.alpha, training=True)
                layer.draw_anew()
                second = layer.operation_weights(self.alpha, training=True)
                layer.draw_anew()
                return first, second

            return strategy.run(step)

        values = [strategy.experimental_local_results(v) for v in descents()]

        for left, right in values:
            np.testing.assert_array_equal(left, right)
        self.assertFalse(np.array_equal(values[0][0], values[1][0]))
        keys = strategy.experimental_local_results(layer.key.value)
        self.assertEqual([int(key[1]) for key in keys], [2, 2])

    @parameterized.parameters(*DRAWN)
    def test_a_planted_operation_is_found(self, name):
        # Two edges; each operation has a constant, the targets are -1 and 3.
        values = tf.constant([[0.0, -1.0, 2.0], [3.0, 1.0, 0.0]])
        targets = tf.constant([-1.0, 3.0])
        layer = made(name)
        alpha = tf.Variable(tf.zeros([2, 3]))
        optimizer = keras.optimizers.Adam(0.1)
        optimizer.build([alpha])

        @tf.function
        def step():
            with tf.GradientTape() as tape:
                weights = layer.operation_weights(alpha, training=True)
                mixed = tf.reduce_sum(weights * values, 1)
                loss = tf.reduce_sum((mixed - targets) ** 2)
            optimizer.apply([tape.gradient(loss, alpha)], [alpha])
            layer.draw_anew()

        for epoch in range(30):
            layer.begin_epoch(epoch)
            for _ in range(10):
                step()

        np.testing.assert_array_equal(tf.argmax(alpha, 1), [1, 0])


class TemperatureTest(DrawnCase):
    @parameterized.parameters(
        ("gumbel", 10, 0.9, 0.1),
        ("concrete", 1, 0.93, 0.03),
        ("reinmax", 1, 1, 1),
    )
    def test_it_falls_from_epoch_to_epoch(self, name, first, decay, last):
        layer, found = made(name), []
        for epoch in (0, 1, 2, 500):
            layer.begin_epoch(epoch)
            found.append(layer.describe()["temperature"])

        np.testing.assert_allclose(
            found, [first, first * decay, first * decay**2, last], rtol=1e-6
        )

    def test_a_search_sets_it(self):
        layer = made("gumbel")

        layer.set_temperatures(4.0, None, 0.5)

        layer.begin_epoch(1)
        self.assertEqual(layer.describe(), {"temperature": 2.0})
        self.assertEqual(layer.get_config()["first_temperature"], 4.0)

    @parameterized.parameters((0.0, 0.1, 0.9), (1.0, 2.0, 0.9), (1.0, 0.1, 1.1))
    def test_impossible_temperatures_are_refused(self, first, last, decay):
        with self.assertRaisesRegex(UserError, "positive and fall"):
            made("concrete").set_temperatures(first, last, decay)

    @parameterized.parameters("softmax", "dirichlet")
    def test_where_there_is_none_it_is_refused(self, name):
        layer = made(name)
        layer.set_temperatures(None, None, None)

        with self.assertRaisesRegex(UserError, "has no temperature"):
            layer.set_temperatures(1.0, None, None)


class HardTest(DrawnCase):
    @parameterized.parameters(*HARD)
    def test_one_operation_an_edge_is_drawn(self, name):
        layer = made(name)
        for epoch in (0, 100):
            layer.begin_epoch(epoch)

            drawn = self._draw(layer)

            # Exactly: an operation that is not drawn adds nothing at all.
            np.testing.assert_array_equal(np.unique(drawn), [0, 1])
            np.testing.assert_array_equal(drawn.sum(axis=1), 1)
            np.testing.assert_array_equal(
                drawn.argmax(axis=1),
                tf.argmax(self.alpha + layer.noise(self.alpha), -1),
            )


class GradientTest(DrawnCase):
    """Against finite differences of what the sample is made of, in NumPy."""

    def _slopes(self, name, soft, epoch=0):
        """Gradient of the graph, and differences of soft(alpha, noise, T)."""
        layer = made(name)
        layer.begin_epoch(epoch)
        alpha = np.float64(self.alpha[:4])
        factors = np.random.default_rng(1).normal(size=alpha.shape)
        x = tf.constant(alpha)
        with tf.GradientTape() as tape:
            tape.watch(x)
            drawn = layer.operation_weights(x, training=True)
            loss = tf.reduce_sum(drawn * factors)
        noise = layer.noise(x).numpy()
        temperature = float(layer.temperature.numpy())
        soft = functools.partial(soft, noise=noise, temperature=temperature)
        return (
            tape.gradient(loss, x).numpy(),
            differences(lambda a: np.sum(soft(a) * factors), alpha),
        )

    @parameterized.product(name=("gumbel", "concrete"), epoch=(0, 20, 100))
    def test_gradient_is_that_of_the_soft_sample(self, name, epoch):
        found, expected = self._slopes(
            name,
            lambda alpha, noise, temperature: contracts.softmax(
                (alpha + noise) / temperature
            ),
            epoch,
        )

        # At 0.03 softmax is so steep that differences lose digits.
        np.testing.assert_allclose(found, expected, atol=2e-6, rtol=1e-5)

    def test_gradient_of_reinmax_is_that_of_its_algorithm(self):
        start = np.float64(self.alpha[:4])

        def soft(alpha, noise, temperature):
            drawn = np.eye(8)[(start + noise).argmax(axis=1)]
            middle = (drawn + contracts.softmax(start / temperature)) / 2
            shifted = alpha - start + np.log(middle)
            return 2 * contracts.softmax(shifted) - contracts.softmax(alpha) / 2

        found, expected = self._slopes("reinmax", soft)

        np.testing.assert_allclose(found, expected, atol=1e-8)

    def test_mean_gradient_of_reinmax_is_exact_for_a_quadratic_loss(self):
        random = np.random.default_rng(2)
        alpha, matrix = random.normal(size=3), random.normal(size=(3, 3))

        def quadratic(weights):
            return tf.reduce_sum(
                weights * tf.matmul(weights, tf.constant(matrix))
            )

        layer = ReinMaxRelaxation()
        layer.build()
        total = np.zeros(3)
        chances = contracts.softmax(alpha)
        for number in range(3):
            # Noise that lets this operation be drawn.
            noise = tf.constant([100.0 * np.eye(3)[number]])
            x = tf.constant(alpha[None])
            with mock.patch.object(layer, "noise", lambda _, n=noise: n):
                with tf.GradientTape() as tape:
                    tape.watch(x)
                    value = quadratic(layer.operation_weights(x, True))
            total += chances[number] * tape.gradient(value, x).numpy()[0]

        # The mean of x'Mx over one-hot x is that of M's diagonal.
        expected = chances * (np.diag(matrix) - chances @ np.diag(matrix))
        np.testing.assert_allclose(total, expected, atol=1e-12)

    def test_gradient_of_a_dirichlet_draw_has_the_mean_that_it_must(self):
        # The mean weight is c_i / sum(c), whose derivative is known.
        alpha = tf.constant([[0.5, -0.5, 1.0]])
        layer = made("dirichlet")
        many = tf.tile(alpha, [60000, 1])
        with tf.GradientTape() as tape:
            tape.watch(many)
            drawn = layer.operation_weights(many, training=True)
            first = tf.reduce_sum(drawn[:, 0])
        found = tf.reduce_mean(tape.gradient(first, many), 0).numpy()

        expected = differences(
            lambda a: contracts.mean_of_dirichlet(a)[0, 0],
            np.float64(alpha.numpy()),
        )[0]
        np.testing.assert_allclose(found, expected, atol=0.004)
        self.assertGreater(abs(expected).min(), 0.02)


def differences(function, place, step=1e-5):
    """Central differences of a function of an array."""
    slopes = np.zeros_like(place)
    for index in itertools.product(*map(range, place.shape)):
        shift = np.zeros_like(place)
        shift[index] = step
        slopes[index] = (function(place + shift) - function(place - shift)) / (
            2 * step
        )
    return slopes


if __name__ == "__main__":
    absltest.main()
