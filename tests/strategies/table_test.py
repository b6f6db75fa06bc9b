"""Every strategy on a toy supernet, and components of one's own."""

import functools
from unittest import mock

from tests import two_replicas  # isort: skip  (before any operation)

import keras
import numpy as np
import tensorflow as tf
from absl.testing import absltest
from absl.testing import parameterized

from nppnet_tf import keys
from nppnet_tf.config import SearchConfig
from nppnet_tf.errors import UserError
from nppnet_tf.layers.architecture import ArchitectureParameters
from nppnet_tf.layers.relaxations import table as relaxations
from nppnet_tf.search_space import sources
from nppnet_tf.search_space import strategies
from nppnet_tf.search_space.topology import Edge
from nppnet_tf.strategies import perturbation
from nppnet_tf.strategies import stop_rules
from nppnet_tf.strategies import table
from nppnet_tf.training import checkpoints
from nppnet_tf.training import recording
from nppnet_tf.training import search
from nppnet_tf.training.workdir import Workdir
from tests.training import tiny_network

SEARCHES = [
    each.name for each in strategies.known() if each.name != strategies.RANDOM
]
PRIMITIVES = ("linear", "square", "skip_connect")


class ToySupernet:
    """Two edges, three operations each, quadratic losses.

    The first edge is to be 3x and the second -2x^2, so that the planted
    operations are the learned linear one and the learned square.
    """

    def __init__(self, config):
        self.config = config
        edges = (Edge(0, 0), Edge(1, 0))
        self.parameters = ArchitectureParameters(
            edges, 3, relaxations.make(config.relaxation)
        )
        self.parameters.build()
        self.perturbations = table.make_perturbations(config, PRIMITIVES, "toy")
        self.regularizer = table.regularizer(config.regularizer)
        self.weights = tf.Variable(tf.ones([2, 2]) * 0.5)
        self.parameters.perturb = self._perturb
        self.optimizers = [keras.optimizers.Adam(rate) for rate in (0.1, 0.05)]
        self.groups = [
            [self.weights],
            [self.parameters.alpha.value, self.parameters.beta.value],
        ]
        for optimizer, group in zip(self.optimizers, self.groups, strict=True):
            optimizer.build(group)

    def _perturb(self, weights):
        for each in self.perturbations:
            weights = each(weights)
        return weights

    def loss(self, x):
        shares = self.parameters.mixture(training=True).shares[..., 0]
        linear = self.weights[:, 0, None] * x
        square = self.weights[:, 1, None] * x**2
        operations = tf.stack([linear, square, tf.tile(x[None], [2, 1])])
        found = tf.reduce_sum(shares[..., None] * operations, 0)
        error = found - tf.stack([3 * x, -2 * x**2])
        loss = tf.reduce_mean(error**2)
        entropy = tf.reduce_mean(self.parameters.edge_entropies())
        loss += self.config.entropy_weight * entropy
        if self.regularizer:
            penalty = self.regularizer(self.parameters.alpha.value)
            loss += 0.01 * tf.reduce_mean(penalty)
        return loss

    @functools.partial(tf.function, autograph=False)
    def steps(self, batches):
        """Takes a step with each batch, [steps, 2, samples]."""
        tf.while_loop(
            lambda step: step < batches.shape[0],
            functools.partial(self._step, batches),
            [tf.constant(0)],
        )

    def _step(self, batches, step):
        x = batches[step]
        drawn = (self.parameters.relaxation, *self.perturbations)
        for number, group in enumerate(self.groups):
            with perturbation.within(number == 1), tf.GradientTape() as tape:
                loss = self.loss(x[number])
            gradients = tape.gradient(loss, group, unconnected_gradients="zero")
            self.optimizers[number].apply(gradients, group)
            for each in drawn:
                each.draw_anew()
        return (step + 1,)

    def search(self, epochs=15, steps=20):
        random = np.random.default_rng(0)
        for epoch in range(epochs):
            for each in (self.parameters.relaxation, *self.perturbations):
                each.begin_epoch(epoch)
            batches = random.uniform(-1.5, 1.5, size=(steps, 2, 32))
            self.steps(tf.constant(batches, tf.float32))
        return self.parameters.alpha.numpy().argmax(axis=1).tolist()


class PlantedOperationTest(parameterized.TestCase):
    def setUp(self):
        super().setUp()
        keras.utils.set_random_seed(3)

    @parameterized.parameters(*SEARCHES)
    def test_it_is_found_in_300_steps(self, name):
        config = strategies.named(name).configured(
            SearchConfig(entropy_weight=0.1)
        )

        self.assertEqual(ToySupernet(config).search(), [0, 1])

    def test_it_is_found_where_skips_are_dropped(self):
        self.assertEqual(
            ToySupernet(SearchConfig(skip_dropout=0.5)).search(), [0, 1]
        )


class StepTest(absltest.TestCase):
    """All kinds of components at once in the search itself."""

    config = SearchConfig(
        warmup_epochs=0,
        learning_rate=1e-2,
        architecture_learning_rate=1e-2,
        relaxation="dirichlet",
        perturbation="random_smoothing",
        regularizer="beta_decay",
        regularizer_ramp_epochs=4,
        skip_dropout=0.3,
    )

    def test_two_replicas_move_everything_as_one(self):
        batch = next(iter(tiny_network.search_dataset(1)))
        batch = tf.nest.map_structure(np.asarray, batch)

        one = self._moved(tf.distribute.get_strategy(), batch)
        strategy = two_replicas.strategy()
        two = self._moved(strategy, two_replicas.split(strategy, batch))

        for left, right in zip(one, two, strict=True):
            np.testing.assert_allclose(left, right, atol=2e-4)

    def test_resumed_search_is_the_uninterrupted_one_to_the_bit(self):
        path = self.create_tempdir().full_path + "/last.npz"
        model, resumed = self._model(), self._model()
        self._epoch(model, 0)
        checkpoints.save(path, model, checkpoints.Progress(epoch=1))
        self._epoch(model, 1)

        checkpoints.restore(resumed, checkpoints.load(path))
        self._epoch(resumed, 1)

        found = checkpoints.arrays_of(resumed)
        self.assertIn("perturbations/pose_fusion_skip_dropout/key", found)
        for name, values in checkpoints.arrays_of(model).items():
            np.testing.assert_array_equal(found[name], values, name)
        # Two of five epochs of its ramp.
        self.assertAlmostEqual(
            float(resumed.regularizer_weight.numpy()), 0.4, places=6
        )

    def _epoch(self, model, epoch):
        model.begin_epoch(epoch)
        for batch in tiny_network.search_dataset(1, epoch):
            model.train_step(batch)

    def _model(self):
        return search.SearchModel(
            tiny_network.TinyNetwork(
                tiny_network.FUSION, relaxation=self.config.relaxation
            ),
            tiny_network.joint_loss(),
            self.config,
        )

    def _moved(self, strategy, batch):
        keras.utils.set_random_seed(3)
        with strategy.scope():
            model = self._model()
        model.begin_epoch(1)
        before = tiny_network.values(model.network.architecture_weights)
        model.take_step(batch)
        after = tiny_network.values(model.network.architecture_weights)
        self.assertFalse(np.allclose(before[0], after[0], atol=1e-4))
        return after


class _OwnStopRule(stop_rules.StopRule):
    """Holds the first weight, and ends the search at a low loss."""

    compares = True

    def __init__(self, config, network):
        super().__init__(config, network)
        self.weights = network.network_weights[:1]
        self.held = keras.Variable([0.0], trainable=False, name="held")
        self.variables = [self.held]

    def compare(self, ours, theirs):
        self.shown = ours, theirs
        self.held.assign([1.0])

    def reason(self, history):
        return "it has learned" if history[-1]["losses"]["loss"] < 1 else ""


class OwnComponentTest(absltest.TestCase):
    def setUp(self):
        super().setUp()
        kept = {
            kind: list(strategies.components(kind))
            for kind in ("perturbation", "regularizer", "stop_rule")
        }
        self.enterContext(mock.patch.dict(strategies._COMPONENTS, kept))
        self.enterContext(mock.patch.dict(table._PERTURBATIONS))
        self.enterContext(mock.patch.dict(table._REGULARIZERS))
        self.enterContext(mock.patch.dict(table._STOP_RULES))

    def test_a_search_takes_ones_own(self):
        component = strategies.Component("squares", "small", sources.DARTS)
        table.register(
            "regularizer", component, lambda a: tf.reduce_sum(a**2, 1)
        )
        table.register(
            "perturbation",
            component,
            lambda config, name: perturbation.RandomSmoothing(0.1, name=name),
        )
        config = SearchConfig(regularizer="squares", perturbation="squares")

        self.assertEqual(float(table.regularizer("squares")(np.eye(2))[0]), 1)
        (made,) = table.make_perturbations(config, PRIMITIVES, "pose/fusion")
        self.assertEqual(made.key.path, "pose_fusion_squares/key")
        with self.assertRaisesRegex(ValueError, "squares"):
            table.register("regularizer", component, lambda alpha: alpha)

    def test_a_stop_rule_of_ones_own_sees_gradients_and_holds_weights(self):
        component = strategies.Component("own", "the first", sources.DARTS)
        table.register("stop_rule", component, _OwnStopRule)
        model = tiny_network.search_model(stop_rule="own", compare_every=2)
        network, (batch,) = model.network, tiny_network.search_dataset(1)
        watched, other = network.network_weights[:2]

        self._assert_sees_gradients(model, batch, watched)
        model.stop_rule.held.assign([0.0])
        model.take_step(batch)
        before = tiny_network.values([watched, other])
        model.take_step(batch)

        same = [
            np.array_equal(*pair)
            for pair in zip(
                before, tiny_network.values([watched, other]), strict=True
            )
        ]
        self.assertEqual(same, [True, False])
        self._assert_reason_ends_it(model)

    def _assert_sees_gradients(self, model, batch, weight):
        # Eagerly: what it is shown can be kept.
        model.comparison_step(batch)

        halves = (keys.WEIGHT_SPLIT, keys.ARCHITECTURE_SPLIT)
        for (found,), half in zip(model.stop_rule.shown, halves, strict=True):
            with tf.GradientTape() as tape:
                image = batch[half][keys.IMAGE]
                predicted = model.network(image, training=True)
                losses = model.joint_loss(batch[half], predicted)
            expected = tape.gradient(losses[keys.TOTAL_LOSS], weight.value)
            np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-6)

    def _assert_reason_ends_it(self, model):
        recorder = recording.SearchRecorder(
            model, Workdir(self.create_tempdir().full_path)
        )
        ends = [
            recorder.record(epoch, {"loss": loss}, 1.0).get("ended_because")
            for epoch, loss in enumerate([2.0, 0.5])
        ]
        self.assertEqual(ends, [None, "it has learned"])

    def test_skips_are_not_dropped_where_there_are_none(self):
        with self.assertRaisesRegex(UserError, "no skip.*skip_dropout"):
            table.make_perturbations(
                SearchConfig(skip_dropout=0.5), ("linear",), "toy"
            )

    def test_unknown_names_are_refused(self):
        with self.assertRaisesRegex(UserError, "regularizer.*found: l7"):
            table.regularizer("l7")
        with self.assertRaisesRegex(UserError, "perturbation.*found: tide"):
            table.make_perturbations(
                SearchConfig(perturbation="tide"), PRIMITIVES, "toy"
            )


if __name__ == "__main__":
    absltest.main()
