"""Tests of nppnet_tf.replicas."""

import tensorflow as tf
from absl.testing import absltest

from nppnet_tf import replicas
from tests import two_replicas


class SumsTest(absltest.TestCase):
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

    def test_every_replica_gets_all_sums(self):
        def step(x):
            first, second = replicas.sums([x, 10.0 * x])
            return tf.concat([first, second], 0)

        self.assertEqual(self._run(step), [[2.0, 5.0, 20.0, 50.0]] * 2)

    def test_sums_have_no_gradient(self):
        def step(x):
            with tf.GradientTape() as tape:
                tape.watch(x)
                (total,) = replicas.sums([x])
                y = x * total
            return tape.gradient(y, x)

        self.assertEqual(self._run(step), [[2.0, 5.0]] * 2)


if __name__ == "__main__":
    absltest.main()
