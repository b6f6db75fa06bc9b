"""Tests of what a network costs."""

import dataclasses

from absl.testing import absltest
from absl.testing import parameterized

from nppnet_tf.config import NetworkConfig
from nppnet_tf.form import description
from nppnet_tf.form import rules
from nppnet_tf.models import cost
from nppnet_tf.models.nppnet import NPPNet
from nppnet_tf.search_space import published
from tests.training import tiny_network

# Giga multiply-accumulates of the release at 384 x 384, C = 128, L = 16.
PUBLISHED_PARTS = {
    cost.FUSION_CELLS: 48.6,
    cost.HIGH_LEVEL: 16.9,
    cost.ENCODER_CELLS: 15.0,
    cost.DECODER_INTERACTION: 13.8,
    cost.HEADS: 13.6,
    cost.ENCODER_INTERACTION: 8.1,
    cost.STEMS: 4.2,
    cost.DECODING_CELLS: 1.5,
}


class ReleasedCostTest(absltest.TestCase):
    """The preset at its published size."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.network = NPPNet.from_preset(
            "released",
            channels=128,
            cells=16,
            num_classes=20,
            num_keypoints=16,
        )

    def test_released_network_has_its_parameters_and_work(self):
        found = cost.cost(self.network, (384, 384))

        self.assertEqual(found.parameters, 76_968_332)
        # The published figure; we project before we upsample.
        self.assertAlmostEqual(found.published_macs / 1e9, 121.68, delta=0.01)
        self.assertAlmostEqual(found.macs / 1e9, 118.46, delta=0.01)

    def test_every_part_of_the_released_network_has_its_work(self):
        found = cost.published_macs_by_part(self.network, (384, 384))

        rounded = {part: round(macs / 1e9, 1) for part, macs in found.items()}
        self.assertEqual(rounded, PUBLISHED_PARTS)

    def test_its_form_of_inference_saves_a_fifth_of_its_work(self):
        described = description.describe(self.network)

        table = rules.cost_table(described, (384, 384))

        self.assertAlmostEqual(table[0].macs / 1e9, 121.68, delta=0.01)
        self.assertLess(table[-1].macs / 1e9, 98.5)
        self.assertLess(table[-1].nodes, 0.85 * table[0].nodes)


class CostTest(parameterized.TestCase):
    @parameterized.parameters(published.unet, published.baseline)
    def test_a_network_without_weights_has_the_same_work(self, genotype):
        config = NetworkConfig(channels=8, cells=4, num_fusion_cells=1)
        joined = dataclasses.replace(
            genotype(), interaction=published.released().interaction
        )

        found = cost.macs(joined, config, (32, 64))

        network = NPPNet(joined, config)
        self.assertEqual(found, cost.cost(network, (32, 64)).macs)

    def test_work_grows_with_the_area_and_parts_add_up(self):
        config = NetworkConfig(channels=8, cells=4)
        network = NPPNet(published.unet(), config)

        small = cost.cost(network, (32, 32))
        large = cost.cost(network, (64, 96))
        parts = cost.published_macs_by_part(network, (32, 32))

        self.assertEqual(large.macs, 6 * small.macs)
        self.assertEqual(large.parameters, small.parameters)
        self.assertEqual(sum(parts.values()), small.published_macs)
        self.assertEqual(parts[cost.FUSION_CELLS], 0)

    def test_orders_differ_only_where_an_edge_upsamples(self):
        config = NetworkConfig(channels=8, cells=4)
        joined = dataclasses.replace(
            published.unet(), interaction=published.released().interaction
        )

        without = cost.cost(NPPNet(published.unet(), config), (32, 32))
        found = cost.cost(NPPNet(joined, config), (32, 32))

        self.assertEqual(without.published_macs, without.macs)
        self.assertGreater(found.published_macs, found.macs)

    def test_supernet_has_no_parts(self):
        network = tiny_network.TinyNetwork()

        with self.assertRaisesRegex(ValueError, "A derived network is needed"):
            cost.published_macs_by_part(network, (32, 32))


if __name__ == "__main__":
    absltest.main()
