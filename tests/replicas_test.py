"""Tests of nppnet_tf.replicas."""

import functools

from tests import two_replicas  # isort: skip  (before any operation)

import tensorflow as tf
from absl.testing import absltest
from absl.testing import parameterized

from nppnet_tf import replicas
from nppnet_tf import resampling
from nppnet_tf.layers import normalization
from nppnet_tf.layers.architecture import ArchitectureParameters
from nppnet_tf.search_space.topology import Edge
from nppnet_tf.strategies import perturbation
from tests import shared
from tests.training import tiny_network


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


def _frozen():
    layer = normalization.BatchNormalization()
    layer.build((None, 1, 1, 2))

    def look():
        before = tf.identity(layer.moving_mean.value)
        layer(tf.ones([4, 1, 1, 2]), training=True)
        return tf.reduce_all(layer.moving_mean.value == before)

    return normalization.frozen_statistics, look


def _perturbed():
    layer = perturbation.RandomSmoothing()
    layer.build()
    weights = tf.fill([3, 4], 0.25)
    return (
        functools.partial(perturbation.within, False),
        lambda: tf.reduce_any(layer(weights) != weights),
    )


def _for_xla():
    images = tf.ones([1, 4, 4, 1])
    return (
        resampling.for_xla,
        lambda: (
            resampling.resize_bilinear(images, [2, 2]).op.type
            != "ResizeBilinear"
        ),
    )


def _held():
    parameters = ArchitectureParameters([Edge(0, 0), Edge(0, 1)], 2)
    parameters.build()

    def enter():
        # Of this replica; the other one's is another tensor.
        return parameters.holding(tf.constant([[0.0, 0.0], [0.0, 1.0]]))

    return enter, lambda: parameters.mixture().shares[1, 1, 0] == 1.0


def _descending():
    model = tiny_network.search_model(genotype=tiny_network.FUSION)
    mine = object()
    return (
        functools.partial(model.descending, mine),
        lambda: model._descent.value is mine,
    )


class SettingTest(parameterized.TestCase):
    @parameterized.parameters(
        (_frozen,), (_perturbed,), (_for_xla,), (_held,), (_descending,)
    )
    def test_each_holds_on_two_replicas_that_take_turns(self, make):
        strategy = two_replicas.strategy()
        with strategy.scope():
            enter, look = make()

        def others_turn():
            return replicas.sums([tf.ones([])])

        def on_replica():
            before = look()
            others_turn()
            with enter():
                others_turn()
                within = look()
                others_turn()
            others_turn()
            return tuple(map(tf.convert_to_tensor, (before, within, look())))

        found = tf.function(lambda: strategy.run(on_replica), autograph=False)()

        for values in zip(
            *map(strategy.experimental_local_results, found), strict=True
        ):
            self.assertEqual(list(map(bool, values)), [False, True, False])

    def test_a_block_around_all_replicas_is_refused(self):
        setting = replicas.Setting(1)

        with (
            two_replicas.strategy().scope(),
            self.assertRaisesRegex(RuntimeError, "a block around them"),
            setting.within(2),
        ):
            pass
        with setting.within(2), setting.within(3):
            self.assertEqual(setting.value, 3)
        self.assertEqual(setting.value, 1)

    def test_there_is_no_other_way(self):
        for path in (shared.REPOSITORY / "nppnet_tf").rglob("*.py"):
            if path.name != "replicas.py":
                text = path.read_text()
                for word in ("contextvars", "threading.local"):
                    self.assertNotIn(word, text, path)


if __name__ == "__main__":
    absltest.main()
