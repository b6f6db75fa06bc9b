"""Tests of what choices cost: they add up to what a network costs."""

import numpy as np
from absl.testing import absltest

from nppnet_tf.models import cost
from nppnet_tf.models.nppnet import NPPNet
from nppnet_tf.search_space import primitives
from nppnet_tf.search_space import random_genotype
from tests.models import expected_cost_test

START, CONFIG = expected_cost_test.START, expected_cost_test.CONFIG
IMAGE_SIZE = expected_cost_test.IMAGE_SIZE


class ChoiceCostsTest(absltest.TestCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.costs = expected_cost_test.costs()

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
