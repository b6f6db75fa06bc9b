"""Tests of what a network costs."""

from absl.testing import absltest

from nppnet_tf.config import NetworkConfig
from nppnet_tf.models import cost
from nppnet_tf.models.nppnet import NPPNet
from nppnet_tf.search_space import published


class CostTest(absltest.TestCase):
    def test_released_network_has_its_parameters(self):
        config = NetworkConfig(high_level_inputs=(0, 6, 5, 4))

        found = cost.cost(NPPNet(published.released(), config), (384, 384))

        self.assertEqual(found.parameters, 76_968_332)
        # 121.68 in the release's order; we project before we upsample.
        self.assertAlmostEqual(found.macs / 1e9, 118.5, delta=0.1)

    def test_work_grows_with_the_area(self):
        config = NetworkConfig(channels=8, cells=4)
        network = NPPNet(published.baseline(), config)

        small = cost.cost(network, (32, 32))
        large = cost.cost(network, (64, 96))

        self.assertEqual(large.macs, 6 * small.macs)
        self.assertEqual(large.parameters, small.parameters)


if __name__ == "__main__":
    absltest.main()
