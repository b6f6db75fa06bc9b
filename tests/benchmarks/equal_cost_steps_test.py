"""Tests of nppnet_tf.benchmarks.equal_cost_steps."""

import math
from unittest import mock

from absl.testing import absltest

from nppnet_tf.benchmarks import equal_cost_steps
from nppnet_tf.benchmarks import measuring
from nppnet_tf.benchmarks import training_steps
from nppnet_tf.config import NetworkConfig
from nppnet_tf.models import equal_cost
from nppnet_tf.search_space import published

_CONFIG = NetworkConfig(num_fusion_cells=1, head_channels=16)
_SIZE = measuring.Size(channels=16, cells=4, image_size=(64, 32), batch_size=1)


class EqualCostStepsTest(absltest.TestCase):
    def test_baselines_cost_what_the_network_does(self):
        clock = [0.0]

        def step(model, batch):
            """Takes 3 s of the network, 2 of the U-Net."""
            seconds = {published.unet(): 2.0, published.baseline(): 3.0}

            def call():
                clock[0] += seconds[model.network.genotype]

            return call

        with (
            mock.patch.object(equal_cost_steps, "_step", step),
            mock.patch.object(measuring.time, "perf_counter", lambda: clock[0]),
        ):
            found = equal_cost_steps.measure("baseline", _CONFIG, _SIZE, 3)

        networks = found["networks"]
        self.assertEqual(list(networks), ["baseline", "unet"])
        for network in networks.values():
            self.assertAlmostEqual(
                network["macs"] / networks["baseline"]["macs"],
                1,
                delta=equal_cost.TOLERANCE,
            )
        self.assertEqual(found["steps_in_equal_time"], {"unet": 1.5})

    def test_a_step_is_one_of_training(self):
        model = equal_cost_steps._model(published.unet(), _CONFIG)
        step = equal_cost_steps._step(model, training_steps.noise(_SIZE))

        losses = [step() for _ in range(3)]

        self.assertTrue(all(map(math.isfinite, losses)), losses)
        self.assertLess(losses[-1], losses[0])


if __name__ == "__main__":
    absltest.main()
