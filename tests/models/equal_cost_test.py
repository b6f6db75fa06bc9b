"""Tests of networks that are given a cost."""

from unittest import mock

from absl.testing import absltest
from absl.testing import parameterized

from nppnet_tf.config import NetworkConfig
from nppnet_tf.errors import UserError
from nppnet_tf.models import cost
from nppnet_tf.models import equal_cost
from nppnet_tf.models.nppnet import NPPNet
from nppnet_tf.search_space import published
from nppnet_tf.search_space.genotype import Genotype

CONFIG = NetworkConfig(channels=8, cells=4, num_fusion_cells=1)
SIZE = (32, 32)


class EqualCostTest(parameterized.TestCase):
    def test_a_network_is_given_the_cost(self):
        genotype = published.unet()
        least = cost.cost(NPPNet(genotype, CONFIG), SIZE).macs

        config = equal_cost.of_equal_cost(genotype, CONFIG, SIZE, 2.7 * least)

        found = cost.cost(NPPNet(genotype, config), SIZE).macs
        self.assertAlmostEqual(found / least / 2.7, 1, delta=0.05)

    def test_a_baseline_is_given_the_cost_of_another_network(self):
        other, baseline = published.baseline(), published.unet()

        sizes, found, wanted = equal_cost.of_equal_cost_to(
            other, baseline, CONFIG, SIZE
        )

        self.assertEqual(wanted, cost.cost(NPPNet(other, CONFIG), SIZE).macs)
        self.assertEqual(found, cost.cost(NPPNet(baseline, sizes), SIZE).macs)
        self.assertAlmostEqual(found / wanted, 1, delta=0.05)

    @parameterized.parameters(
        # Costs are squares of C.
        (260, 500, [16, 20, 24]),
        (65, 150, [8, 12, 16]),
        (10, 60, [8]),
        (400, 400, [20]),
        (700, 710, [24, 28]),
        (9000, 9001, [92, 96]),
    )
    def test_channels_enclose_what_is_wanted(self, least, most, expected):
        squares = mock.Mock(
            side_effect=lambda genotype, sizes, size: sizes.channels**2
        )
        with mock.patch.object(cost, "macs", squares):
            found = equal_cost.channels_around(
                published.released(),
                NetworkConfig(channels=24),
                SIZE,
                least,
                most,
            )

        self.assertEqual(found, expected)

    @parameterized.parameters(0.7, 0.97, 1.3, 2.9)
    def test_width_is_found_where_the_cost_grows_in_steps(self, factor):
        def macs(width):
            return sum(
                100 + 10 * round(filters * width) + round(filters * width) ** 2
                for filters in (8, 16, 32, 64)
            )

        width = equal_cost.closest_width(macs, factor * macs(1))

        self.assertAlmostEqual(macs(width) / macs(1) / factor, 1, delta=0.03)

    def test_what_no_size_costs_is_refused_in_one_line(self):
        with self.assertRaisesRegex(
            UserError, "no network of this kind has such a cost.*GMAC with C"
        ):
            equal_cost.of_equal_cost(
                Genotype(published.released().encoder_decoder),
                CONFIG,
                SIZE,
                target_macs=1000,
            )


if __name__ == "__main__":
    absltest.main()
