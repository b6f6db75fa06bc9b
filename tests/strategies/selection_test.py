"""Tests of selection by what a supernet misses, on supernets of numbers."""

import numpy as np
import tensorflow as tf
from absl.testing import absltest

from nppnet_tf.layers.architecture import ArchitectureParameters
from nppnet_tf.search_space import genotype as genotypes
from nppnet_tf.search_space import parts
from nppnet_tf.search_space import published
from nppnet_tf.search_space import stages
from nppnet_tf.strategies import selection

PRIMITIVES = ("std_conv_3x3", "max_pool_3x3", "skip_connect")
FUSION = stages.start(
    stages.INTERACTION_FUSION, published.baseline(), interaction="omit"
)
INTERACTION = stages.start(
    stages.INTERACTION_FUSION, published.baseline(), fusion="omit"
)


def supernet(start):
    """Parameters whose alpha prefers the last operation everywhere."""
    found = {}
    for part in genotypes.searched_parts(start):
        parameters = ArchitectureParameters(part.edges, len(PRIMITIVES))
        parameters.build()
        alpha = np.zeros(parameters.alpha.shape)
        alpha[:, 2] = 1.0
        parameters.alpha.assign(alpha)
        found[part.name] = parameters
    return found


def loss_of(architecture, worth):
    """The less, the more weight lies on what is worth something."""

    def loss():
        return -sum(
            float(
                tf.reduce_sum(
                    parameters.mixture(training=True).shares[..., 0]
                    * worth[name].T
                )
            )
            for name, parameters in architecture.items()
        )

    return loss


class SelectTest(absltest.TestCase):
    def _select(self, start, worth):
        architecture = supernet(start)
        return architecture, selection.select(
            start,
            architecture,
            PRIMITIVES,
            loss_of(architecture, worth),
            np.random.default_rng(0),
        )

    def test_a_cell_keeps_what_is_missed_and_not_what_alpha_prefers(self):
        part = parts.named("pose/fusion")
        worth = np.zeros([18, 3])
        # The second operation, and edges the more the later they come.
        worth[:, 1] = np.arange(1, 19)

        architecture, found = self._select(
            FUSION, {"pose/fusion": worth, "parsing/fusion": worth}
        )

        for node, choices in enumerate(genotypes.nodes_of(found, part)):
            self.assertEqual(
                choices,
                (("max_pool_3x3", node + 2), ("max_pool_3x3", node + 1)),
            )
        # The supernet is whole again.
        shares = architecture["pose/fusion"].mixture(training=True).shares
        self.assertGreater(float(tf.reduce_min(shares)), 0)

    def test_a_level_keeps_what_raises_the_loss_up_to_the_share(self):
        worth = np.zeros([28, 3])
        # Into level 1: 6 and 3 of 10 are 0.9 of what is missed.
        worth[1:3, 0] = 6, 3
        worth[1, 1] = 1

        _, found = self._select(
            INTERACTION,
            {"pose/interaction": worth, "parsing/interaction": worth},
        )

        self.assertEqual(
            found.interaction.pose[1],
            (("std_conv_3x3", 0), ("std_conv_3x3", 1)),
        )
        # What misses nothing keeps as many as the rule allows.
        self.assertLen(found.interaction.pose[5], 4)


if __name__ == "__main__":
    absltest.main()
