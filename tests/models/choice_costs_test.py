"""Tests of what choices cost: they add up to what a network costs."""

import numpy as np
from absl.testing import absltest

from nppnet_tf.config import NetworkConfig
from nppnet_tf.models import choice_costs
from nppnet_tf.models import cost
from nppnet_tf.models.nppnet import NPPNet
from nppnet_tf.search_space import genotype as genotypes
from nppnet_tf.search_space import primitives
from nppnet_tf.search_space import random_genotype

# Both kinds of cells at several levels, a fusion cell twice, uneven sides.
CONFIG = NetworkConfig(channels=8, cells=5, num_fusion_cells=2)
IMAGE_SIZE = (32, 64)
START = genotypes.Genotype(*[genotypes.SEARCH] * 3)


class ChoiceCostsTest(absltest.TestCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.costs = choice_costs.measure(START, CONFIG, IMAGE_SIZE)

    def test_they_add_up_to_the_work_of_the_network(self):
        drawn = random_genotype.draw(START, np.random.default_rng(1))

        found = cost.cost(NPPNet(drawn, CONFIG), IMAGE_SIZE)

        self.assertEqual(self.costs.of(drawn), found.macs)
        self.assertAlmostEqual(self.costs.gmac(drawn), found.macs / 1e9)

    def test_an_operation_of_the_fusion_by_hand(self):
        # 3x3, 8 by 8 channels, on 8 x 16 pixels, in two cells.
        column = self.costs.primitives.index(primitives.STD_CONV_3X3)

        np.testing.assert_array_equal(
            self.costs.tables["parsing/fusion"][:, column],
            np.full(18, 9 * 8 * 8 * 8 * 16 * 2),
        )


if __name__ == "__main__":
    absltest.main()
