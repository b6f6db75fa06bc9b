"""Eq. 7: who moves when, on which half, on one replica and on two."""

import keras
import numpy as np
import tensorflow as tf
from absl.testing import absltest

from nppnet_tf import config as configuration
from nppnet_tf import keys
from nppnet_tf.search_space import published
from nppnet_tf.search_space import stages
from nppnet_tf.training import search
from tests import two_replicas
from tests.training import tiny_network


def _pair(**settings):
    return {
        keys.WEIGHT_SPLIT: tiny_network.batch(0, **settings),
        keys.ARCHITECTURE_SPLIT: tiny_network.batch(1, **settings),
    }


def _state(model):
    """Values of network weights, task weights and architecture weights."""
    return tuple(
        tiny_network.values(variables)
        for variables in (
            model.network.network_weights,
            model.joint_loss.trainable_variables,
            model.network.architecture_weights,
        )
    )


def _same(left, right):
    return all(np.array_equal(a, b) for a, b in zip(left, right, strict=True))


def _fit(model, epochs, steps=3):
    history = []
    for epoch in range(epochs):
        model.begin_epoch(epoch)
        logs = model.fit(
            tiny_network.search_dataset(steps, epoch),
            initial_epoch=epoch,
            epochs=epoch + 1,
            shuffle=False,
            verbose=0,
        )
        history.append({name: v[-1] for name, v in logs.history.items()})
    return history


class DescentTest(absltest.TestCase):
    def test_weight_step_leaves_architecture_untouched(self):
        model = tiny_network.search_model()
        weights, task_weights, architecture = _state(model)

        model.weight_step(_pair())

        after = _state(model)
        self.assertFalse(_same(after[0], weights))
        self.assertFalse(_same(after[1], task_weights))
        self.assertTrue(_same(after[2], architecture))

    def test_architecture_step_leaves_all_weights_untouched(self):
        model = tiny_network.search_model()
        weights, task_weights, architecture = _state(model)

        model.architecture_step(_pair())

        after = _state(model)
        self.assertTrue(_same(after[0], weights))
        self.assertTrue(_same(after[1], task_weights))
        self.assertFalse(_same(after[2], architecture))

    def test_each_half_reaches_its_own_step_alone(self):
        one, other = tiny_network.search_model(), tiny_network.search_model()
        data = _pair()

        one.weight_step(data)
        other.weight_step({**data, keys.ARCHITECTURE_SPLIT: None})
        one.architecture_step(data)
        other.architecture_step({**data, keys.WEIGHT_SPLIT: None})

        for left, right in zip(_state(one), _state(other), strict=True):
            self.assertTrue(_same(left, right))

    def test_only_alpha_is_penalized(self):
        """What weights do not move would be traced for nothing."""
        model = tiny_network.search_model()
        *of_weights, of_architecture = model.updates

        self.assertEqual(model.penalty(of_weights), 0)
        self.assertEqual(float(model.penalty([of_architecture])), 0)
        model.entropy_weight.assign(1)
        self.assertGreater(float(model.penalty([of_architecture])), 1)

    def test_a_step_moves_weights_first(self):
        together, apart = (tiny_network.search_model() for _ in range(2))
        reversed_order = tiny_network.search_model()
        data = _pair()

        together.train_step(data)
        apart.weight_step(data)
        apart.architecture_step(data)
        reversed_order.architecture_step(data)
        reversed_order.weight_step(data)

        self.assertTrue(_same(_state(together)[2], _state(apart)[2]))
        self.assertFalse(_same(_state(together)[2], _state(reversed_order)[2]))

    def test_task_weights_have_a_learning_rate_of_their_own(self):
        model = tiny_network.search_model(
            learning_rate=1e-2, task_weight_learning_rate=1e-4
        )
        before = _state(model)[1]

        model.weight_step(_pair())

        # The first step of Adam is the learning rate.
        for left, right in zip(before, _state(model)[1], strict=True):
            np.testing.assert_allclose(abs(left - right), 1e-4, rtol=1e-2)

    def test_every_descent_draws_anew_and_pictures_draw_nothing(self):
        model = tiny_network.search_model(relaxation="gumbel")
        draws = [relaxation.key for relaxation in model.relaxations]

        model.train_step(_pair())
        model.predict_for_pictures(tiny_network.batch(0))

        self.assertEqual([int(key[1]) for key in draws], [2] * len(draws))
        self.assertLen({int(key[0]) for key in draws}, len(draws))

    def test_temperature_follows_the_epoch(self):
        model = tiny_network.search_model(relaxation="gumbel")

        model.begin_epoch(2)

        for relaxation in model.relaxations:
            self.assertAlmostEqual(
                relaxation.describe()["temperature"], 8.1, places=5
            )

    def test_entropy_weight_makes_the_choice_sharper(self):
        entropies = []
        for weight in (0.0, 100.0):
            model = tiny_network.search_model(entropy_weight=weight)
            for _ in range(4):
                model.entropy_weight.assign(weight)
                model.architecture_step(_pair())
            entropies.append(float(model.network.entropy()))

        self.assertLess(entropies[1], entropies[0] - 0.001)

    def test_real_supernet_moves_but_for_its_moving_statistics(self):
        model = search.make_search_model(
            stages.start(
                "interaction_fusion", published.unet(), interaction="omit"
            ),
            configuration.NetworkConfig(
                channels=16,
                cells=4,
                num_classes=tiny_network.NUM_CLASSES,
                num_keypoints=tiny_network.NUM_KEYPOINTS,
                num_fusion_cells=1,
            ),
            configuration.LossConfig(min_hard_pixels=10),
            configuration.SearchConfig(warmup_epochs=0),
            tf.distribute.get_strategy(),
        )
        statistics = model.network.non_trainable_variables
        before = (*_state(model), tiny_network.values(statistics))

        # Eagerly, which is quicker than tracing for a single step.
        model.train_step(_pair(image_size=(32, 32)))

        after = (*_state(model), tiny_network.values(statistics))
        moved = [not _same(*pair) for pair in zip(before, after, strict=True)]
        self.assertEqual(moved, [True, True, True, False])
        for variable, left, right in zip(
            model.network.architecture_weights,
            before[2],
            after[2],
            strict=True,
        ):
            self.assertFalse(np.array_equal(left, right), variable.path)


class FitTest(absltest.TestCase):
    def test_warmup_moves_weights_alone(self):
        model = tiny_network.search_model(warmup_epochs=1)
        before = _state(model)

        first, second = _fit(model, 1), None
        after_warmup = _state(model)
        model.begin_epoch(1)
        second = model.fit(
            tiny_network.search_dataset(3, 1), shuffle=False, verbose=0
        ).history

        self.assertFalse(_same(before[0], after_warmup[0]))
        self.assertTrue(_same(before[2], after_warmup[2]))
        self.assertFalse(_same(after_warmup[2], _state(model)[2]))
        self.assertNotIn("architecture_loss", first[0])
        self.assertIn("architecture_loss", second)

    def test_every_step_is_traced_once(self):
        model = tiny_network.search_model(warmup_epochs=1)

        _fit(model, 3)

        self.assertLen(model.steps, 2)
        for step in model.steps:
            function = model.traced(step)
            self.assertEqual(function.experimental_get_tracing_count(), 1)

    def test_fit_equals_steps_by_hand(self):
        fitted, by_hand = (tiny_network.search_model() for _ in range(2))

        _fit(fitted, 1, steps=2)
        by_hand.begin_epoch(0)
        for data in tiny_network.search_dataset(2, 0):
            by_hand.train_step(data)

        for left, right in zip(_state(fitted), _state(by_hand), strict=True):
            for a, b in zip(left, right, strict=True):
                # A step of Adam moves a weight by 1e-3.
                np.testing.assert_allclose(a, b, atol=5e-5)

    def test_learning_rates_drop(self):
        model = tiny_network.search_model(drop_epochs=(1,))

        model.begin_epoch(1)

        rates = model.learning_rates
        self.assertAlmostEqual(rates["weight_optimizer"], 1e-3, places=9)
        self.assertAlmostEqual(rates["task_weight_optimizer"], 1e-5, places=9)
        self.assertAlmostEqual(rates["architecture_optimizer"], 1e-2, places=9)

    def test_two_replicas_match_one(self):
        """They draw alike; of what draws nothing: loop_test."""
        models, histories = [], []
        strategies = (tf.distribute.get_strategy(), two_replicas.strategy())
        for strategy in strategies:
            keras.utils.set_random_seed(0)
            with strategy.scope():
                model = tiny_network.search_model(
                    genotype=tiny_network.FUSION,
                    entropy_weight=2.0,
                    relaxation="gumbel",
                )
            histories.append(_fit(model, 3))
            models.append(model)

        one, two = ([*m.network.variables] for m in models)
        for left, right in zip(one, two, strict=True):
            np.testing.assert_allclose(
                keras.ops.convert_to_numpy(left),
                keras.ops.convert_to_numpy(right),
                atol=1e-5,
                err_msg=left.path,
            )
        for left, right in zip(*histories, strict=True):
            for name in left:
                self.assertAlmostEqual(left[name], right[name], places=5)


class ConstructionTest(absltest.TestCase):
    def test_derived_network_is_refused(self):
        with self.assertRaisesRegex(ValueError, "which is derived"):
            search.SearchModel(
                tiny_network.TinyNetwork(tiny_network.DERIVED),
                tiny_network.joint_loss(),
                configuration.SearchConfig(),
            )


if __name__ == "__main__":
    absltest.main()
