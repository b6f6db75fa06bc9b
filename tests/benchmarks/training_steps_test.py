"""Tests of nppnet_tf.benchmarks.training_steps."""

from absl.testing import absltest

from nppnet_tf import config as configuration
from nppnet_tf import keys
from nppnet_tf.benchmarks import measuring
from nppnet_tf.benchmarks import training_steps
from nppnet_tf.losses.joint import JointLoss
from nppnet_tf.training.retrain import RetrainModel
from tests.training import tiny_network

SIZE = measuring.Size(channels=4, cells=0, image_size=(32, 64), batch_size=2)


class TrainingStepsTest(absltest.TestCase):
    def test_noise_has_the_shapes_of_a_batch(self):
        batch = training_steps.noise(SIZE)

        self.assertEqual(batch[keys.IMAGE].shape, (2, 32, 64, 3))
        self.assertEqual(batch[keys.HEATMAPS].shape, (2, 8, 16, 16))
        self.assertEqual(batch[keys.LABEL_MAP].shape, (2, 32, 64))

    def test_every_step_of_a_model_is_measured(self):
        config = configuration.NetworkConfig(channels=4)
        network = tiny_network.TinyNetwork(tiny_network.DERIVED, config)
        model = RetrainModel(
            network, JointLoss(1), configuration.RetrainConfig()
        )

        found = training_steps.measure(model, training_steps.noise(SIZE), 2)

        self.assertLen(found["seconds_of_each_step"], 2)
        self.assertEqual(list(found["graph_nodes"]), ["weight_step"])
        self.assertContainsSubset(["Conv2D"], found["share_of_thread_time"])
        for name in (
            "seconds_to_first_step",
            "cpu_seconds_to_first_step",
            "seconds_per_step",
            "cpu_seconds_per_step",
            "cores_busy",
            "peak_memory_gb",
            "thread_seconds",
        ):
            self.assertGreater(found[name], 0, name)
        self.assertGreater(found["worth_steps"]["checkpoint"], 0)


if __name__ == "__main__":
    absltest.main()
