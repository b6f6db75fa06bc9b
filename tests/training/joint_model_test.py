"""What both trainings share: updates, trackers, the function of a step."""

import functools
from unittest import mock

import keras
import numpy as np
import tensorflow as tf
from absl.testing import absltest

from nppnet_tf import keys
from nppnet_tf.losses import terms
from nppnet_tf.training import distribution
from nppnet_tf.training import joint_model
from nppnet_tf.training import schedules
from nppnet_tf.training.adam import Adam
from tests.training import tiny_network


class UpdateTest(absltest.TestCase):
    def test_weights_and_task_weights_drop_together(self):
        network = tiny_network.TinyNetwork(tiny_network.DERIVED)

        updates = joint_model.weight_updates(
            network,
            tiny_network.joint_loss(),
            schedules.StepDecay(1e-3, (2,), 0.1),
            1e-4,
        )

        self.assertEqual(
            [update.name for update in updates],
            ["weight_optimizer", "task_weight_optimizer"],
        )
        self.assertAlmostEqual(updates[0].schedule(2), 1e-4, places=12)
        self.assertAlmostEqual(updates[1].schedule(2), 1e-5, places=12)

    def test_optimizers_are_built_on_their_variables(self):
        network = tiny_network.TinyNetwork(tiny_network.DERIVED)

        update = joint_model.make_update(
            "optimizer", network.network_weights, schedules.StepDecay(1e-3)
        )

        self.assertTrue(update.optimizer.built)
        # Two slots each, the count of steps and the learning rate.
        self.assertLen(
            update.optimizer.variables, 2 * len(network.network_weights) + 2
        )


class JitCompileTest(absltest.TestCase):
    def test_xla_compiles_the_steps_that_ask_for_it(self):
        logs = {}
        for jit_compile in (False, True):
            keras.utils.set_random_seed(0)
            model = tiny_network.retrain_model(learning_rate=0.01)
            model.jit_compile = jit_compile
            logs[jit_compile] = model.take_step(tiny_network.batch(0))
            (step,) = model.steps
            text = model.traced(step).experimental_get_compiler_ir
            if jit_compile:
                self.assertIn("HloModule", text(tiny_network.batch(0))())
            else:
                with self.assertRaises(ValueError):
                    text(tiny_network.batch(0))()

        # XLA adds in another order.
        for name, value in logs[False].items():
            np.testing.assert_allclose(logs[True][name], value, rtol=1e-5)

    def test_replicas_resize_as_xla_needs(self):
        batch = tiny_network.batch(0)
        resizes = {}
        for jit_compile in (False, True):
            # Which traces each replica in a thread of its own.
            strategy = tf.distribute.MirroredStrategy(["/cpu:0"])
            with strategy.scope():
                model = tiny_network.retrain_model()
            model.jit_compile = jit_compile
            (step,) = model.steps
            graph = model.traced(step).get_concrete_function(batch).graph
            types = [each.type for each in graph.get_operations()]
            resizes[jit_compile] = types.count("ResizeBilinear")

        self.assertGreater(resizes[False], 0)
        self.assertEqual(resizes[True], 0)


class OtherOptimizersTest(absltest.TestCase):
    def test_another_optimizer_moves_its_variables(self):
        optimizers = {"weight_optimizer": keras.optimizers.SGD}
        model = tiny_network.retrain_model(
            optimizers=optimizers, learning_rate=0.01
        )
        variables = [v.value for v in model.network.network_weights]
        batch = tiny_network.batch(0)
        with tf.GradientTape() as tape:
            predictions = model.network(batch[keys.IMAGE], training=True)
            loss = model.joint_loss(batch, predictions)[keys.TOTAL_LOSS]
        gradients = tape.gradient(loss, variables)
        before = tiny_network.values(model.network.network_weights)

        model.train_step(batch)

        for variable, old, gradient in zip(
            variables, before, gradients, strict=True
        ):
            np.testing.assert_allclose(
                variable, old - 0.01 * gradient, atol=1e-6
            )
        self.assertIsInstance(model.updates[1].optimizer, Adam)

    def test_it_follows_the_schedule_of_the_configuration(self):
        momentum = functools.partial(keras.optimizers.SGD, momentum=0.9)
        model = tiny_network.search_model(
            {"architecture_optimizer": momentum, "weight_optimizer": momentum},
            learning_rate=0.1,
            drop_epochs=(1,),
        )

        model.begin_epoch(1)

        rates = model.learning_rates
        self.assertAlmostEqual(rates["weight_optimizer"], 0.01, places=6)
        self.assertAlmostEqual(rates["architecture_optimizer"], 0.01, places=6)
        self.assertEqual(model.updates[0].optimizer.momentum, 0.9)

    def test_unknown_one_is_refused(self):
        with self.assertRaisesRegex(
            ValueError, "task_weight_optimizer. Received: architecture_opt"
        ):
            tiny_network.retrain_model(
                optimizers={"architecture_optimizer": keras.optimizers.SGD}
            )


class JointModelTest(absltest.TestCase):
    def test_logs_are_the_mean_losses_of_the_epoch(self):
        model = tiny_network.retrain_model(learning_rate=0.0)
        batches = [tiny_network.batch((0, step)) for step in range(3)]

        logs = model.fit(
            tiny_network.dataset(3), shuffle=False, verbose=0
        ).history

        expected = []
        for batch in batches:
            predictions = model.network(batch[keys.IMAGE], training=True)
            expected.append(model.joint_loss(batch, predictions))
        for name in terms.NAMES:
            mean = np.mean([float(losses[name]) for losses in expected])
            # The weights stand still, but for the task weights' few steps.
            self.assertAlmostEqual(logs[name][0], mean, delta=0.01 * mean)

    def test_a_step_without_logs_has_none_on_several_machines(self):
        with mock.patch.object(distribution, "is_divided", return_value=True):
            found = joint_model.means_of_replicas(
                tf.distribute.get_strategy(), {}
            )

        self.assertEqual(found, {})

    def test_learning_rates_and_task_weights_are_told(self):
        model = tiny_network.retrain_model(learning_rate=0.5)

        self.assertAlmostEqual(
            model.learning_rates["weight_optimizer"], 0.5, places=6
        )
        self.assertAlmostEqual(
            model.task_weights["pose_stage_0"], np.exp(2.5), places=3
        )

    def test_pictures_get_arrays(self):
        model = tiny_network.retrain_model()

        predictions = model.predict_for_pictures(tiny_network.batch(0))

        logits = predictions[keys.PARSING_LOGITS][0]
        self.assertIsInstance(logits, np.ndarray)
        self.assertEqual(logits.shape, (4, 4, 4, tiny_network.NUM_CLASSES))


if __name__ == "__main__":
    absltest.main()
