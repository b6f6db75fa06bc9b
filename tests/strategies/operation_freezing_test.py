"""Tests of operations that are frozen one by one."""

import functools
from unittest import mock

from tests import two_replicas  # isort: skip  (before any operation)

import keras
import numpy as np
import tensorflow as tf
from absl.testing import absltest
from absl.testing import parameterized

from nppnet_tf.config import SearchConfig
from nppnet_tf.errors import UserError
from nppnet_tf.layers.fanout import MixedFanout
from nppnet_tf.layers.fanout import Target
from nppnet_tf.strategies import operation_freezing
from nppnet_tf.training import search
from tests.training import tiny_network


class OperationFreezingTest(absltest.TestCase):
    def _compared(self, times):
        self.weights = [keras.Variable([1.0, 1.0]) for _ in range(3)]
        with mock.patch.object(
            operation_freezing,
            "operation_weights",
            lambda network: self.weights,
        ):
            rule = operation_freezing.OperationFreezing(
                SearchConfig(stop_similarity=0.4), keras.Sequential()
            )
        rule.comparisons = 2
        # Cosines of 1, 0 and -1.
        ours = [tf.constant([1.0, 2.0])] * 3
        theirs = [[2.0, 4.0], [2.0, -1.0], [-1.0, -2.0]]
        for _ in range(times):
            rule.compare(ours, list(map(tf.constant, theirs)))
        return rule

    def test_what_disagrees_is_held_after_its_comparisons(self):
        before, after = self._compared(1), self._compared(2)

        np.testing.assert_array_equal(before.held, [0, 0, 0])
        np.testing.assert_allclose(before.total, [1, 0, -1], atol=1e-6)
        np.testing.assert_array_equal(after.held, [0, 1, 1])
        np.testing.assert_array_equal(after.total, [0, 0, 0])
        self.assertEqual(after.seen(None, {}, ()), {"held": 2, "of": 3})

    def test_what_is_held_stays_so_and_has_no_gradient(self):
        rule = self._compared(2)
        same = [tf.ones([2])] * 3
        for _ in range(2):
            rule.compare(same, same)
        # In another order, with one that it does not watch.
        variables = [keras.Variable([1.0]), *self.weights[::-1]]

        found = rule.without_held(variables, [tf.ones([1]), *same])

        for gradient, expected in zip(found, [1, 0, 0, 1], strict=True):
            np.testing.assert_array_equal(gradient, expected)

    def test_operations_of_a_fan_out_are_its_own_weights(self):
        fanout = MixedFanout(8, [Target(0), Target(1, 1, 16)])
        fanout.build((None, 4, 4, 8))
        network = keras.Sequential([keras.layers.Dense(3), fanout])

        found = operation_freezing.operation_weights(network)

        names = {weight.name for weight in found}
        self.assertIn("standard", names)
        self.assertNoCommonElements({"kernel", "gamma"}, names)

    def test_a_network_without_operations_is_refused(self):
        with self.assertRaisesRegex(UserError, "no operation .*`stop_rule`"):
            operation_freezing.OperationFreezing(
                SearchConfig(), keras.Sequential([keras.layers.Dense(3)])
            )


class SearchTest(parameterized.TestCase):
    def _model(self, optimizers=None, **settings):
        network = tiny_network.TinyNetwork(tiny_network.FUSION)
        with mock.patch.object(
            operation_freezing,
            "operation_weights",
            lambda network: [network.stem.kernel],
        ):
            return search.SearchModel(
                network,
                tiny_network.joint_loss(),
                SearchConfig(
                    stop_rule="oles",
                    stop_similarity=1.0,
                    **{"warmup_epochs": 0, "compare_every": 1, **settings},
                ),
                optimizers,
            )

    def test_two_replicas_compare_as_one(self):
        batch = next(iter(tiny_network.search_dataset(1)))
        batch = tf.nest.map_structure(np.asarray, batch)
        strategy = two_replicas.strategy()
        found = []
        for scope, data in (
            (tf.distribute.get_strategy(), batch),
            (strategy, two_replicas.split(strategy, batch)),
        ):
            with scope.scope():
                model = self._model()
            model.stop_rule.comparisons = 2
            model.begin_epoch(0)
            model.take_step(data)
            found.append(float(model.stop_rule.total.numpy()[0]))
            model.take_step(data)
            self.assertEqual(model.stop_rule.held.numpy().tolist(), [1.0])

        self.assertAlmostEqual(*found, places=4)
        self.assertGreater(abs(found[0]), 0.01)

    def test_the_first_comparison_is_known_to_be_traced(self):
        model = self._model(warmup_epochs=1, compare_every=3)
        told = []
        for epoch, steps in ((0, 2), (1, 5)):
            model.begin_epoch(epoch)
            for batch in tiny_network.search_dataset(steps):
                told.append(model.is_step_traced)
                model.take_step(batch)

        # Weights alone; with alpha; the comparison before step 3, and no more.
        self.assertEqual(told, [False, True, False, False, True, True, True])

    @parameterized.parameters(
        (None,), (functools.partial(keras.optimizers.SGD, momentum=0.9),)
    )
    def test_held_weights_stand_still_and_the_others_move(self, optimizer):
        model = self._model(
            {"weight_optimizer": optimizer} if optimizer else {}
        )
        network = model.network
        model.stop_rule.comparisons = 2
        model.begin_epoch(0)
        kernels = []
        for batch in tiny_network.search_dataset(4):
            model.take_step(batch)
            kernels.append(network.stem.kernel.numpy().copy())

        self.assertFalse(np.array_equal(kernels[0], np.zeros_like(kernels[0])))
        # Held by the second comparison, before the second step.
        self.assertEqual(model.stop_rule.held_weights, [network.stem.kernel])
        np.testing.assert_array_equal(kernels[0], kernels[3])
        self.assertIn("stop_rule", model.kept_variables)


if __name__ == "__main__":
    absltest.main()
