"""Tests of nppnet_tf.layers.replicas."""

import tensorflow as tf
from absl.testing import absltest
from tensorflow.python.ops import op_selector

from nppnet_tf.layers import replicas
from tests import two_replicas


class SumTest(absltest.TestCase):
    def _run(self, step):
        strategy = two_replicas.strategy()
        own = strategy.experimental_distribute_values_from_function(
            lambda context: tf.constant(
                [1.0, 2.0 + context.replica_id_in_sync_group]
            )
        )
        values = tf.function(lambda x: strategy.run(step, args=(x,)))(own)
        return [
            value.numpy().tolist()
            for value in strategy.experimental_local_results(values)
        ]

    def test_every_replica_gets_the_sum(self):
        found = self._run(replicas.sum_over_replicas)

        self.assertEqual(found, [[2.0, 5.0], [2.0, 5.0]])

    def test_gradient_of_a_sum_is_the_sum_of_gradients(self):
        def step(x):
            with tf.GradientTape() as tape:
                tape.watch(x)
                # Replica r weighs the sum by its own x: d/dx_r of
                # sum over replicas s of x_s * (x_0 + x_1).
                y = tf.stop_gradient(x) * replicas.sum_over_replicas(x)
            return tape.gradient(y, x)

        self.assertEqual(self._run(step), [[2.0, 5.0], [2.0, 5.0]])

    def test_several_are_summed_at_once(self):
        def step(x):
            first, second = replicas.sums([x, 10.0 * x])
            return tf.concat([first, second], 0)

        self.assertEqual(self._run(step)[0], [2.0, 5.0, 20.0, 50.0])

    def test_no_walk_leaves_the_sum(self):
        lengths = []
        walk = op_selector.get_backward_walk_ops

        def counted(*arguments, **settings):
            found = walk(*arguments, **settings)
            lengths.append(len(found))
            return found

        def step(x):
            with tf.GradientTape() as tape:
                tape.watch(x)
                y = x
                for _ in range(20):
                    y = replicas.sum_over_replicas(tf.sin(y))
            return tape.gradient(y, x)

        with absltest.mock.patch.object(
            op_selector, "get_backward_walk_ops", counted
        ):
            self._run(step)

        self.assertNotEmpty(lengths)
        self.assertLessEqual(max(lengths), 4)


if __name__ == "__main__":
    absltest.main()
