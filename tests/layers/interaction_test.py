"""Tests of the exchange between the pyramids."""

import numpy as np
import tensorflow as tf
from absl.testing import absltest

from nppnet_tf import keys
from nppnet_tf.layers.interaction import Interaction
from nppnet_tf.layers.interaction import PendingTerms
from nppnet_tf.search_space import genotype as genotypes
from nppnet_tf.search_space import primitives
from nppnet_tf.search_space import published
from nppnet_tf.search_space import topology
from nppnet_tf.search_space.genotype import InteractionGene
from nppnet_tf.search_space.space import SearchSpace
from tests.layers import copied_weights

CHANNELS = 8
SIDE = 8


def pyramids(seed=0):
    """Random features of both branches, level by level."""
    return [
        {
            branch: tf.random.stateless_normal(
                [1, side, side, topology.level_channels(level, CHANNELS)],
                [seed + level, number],
            )
            for number, branch in enumerate(keys.BRANCHES)
        }
        for level in range(topology.NUM_LEVELS)
        for side in [SIDE // topology.level_stride(level)]
    ]


def exchange(layer, features, mixtures=None):
    """Runs all levels; returns the updated features."""
    pending = PendingTerms()
    return [
        layer(feature, level=level, pending=pending, mixtures=mixtures)
        for level, feature in enumerate(features)
    ]


NOTHING = ((),) * topology.NUM_LEVELS


def skip_from(level, source):
    """Nodes of which one takes one level of the other branch."""
    nodes = list(NOTHING)
    nodes[level] = (genotypes.Choice(primitives.SKIP_CONNECT, source),)
    return tuple(nodes)


class InteractionTest(absltest.TestCase):
    def test_searched_branch_has_28_edges_from_the_other(self):
        layer = Interaction(CHANNELS)
        half = topology.NUM_LEVELS

        edges = [
            (target.node, number % half)
            for fanouts in (layer.own[:half], layer.later[:half])
            for number, fanout in enumerate(fanouts)
            if fanout is not None
            for target in fanout.targets
        ]

        self.assertCountEqual(edges, topology.interaction_edges())
        self.assertLen(edges, 28)
        rows = [row for group in topology.interaction_groups() for row in group]
        self.assertCountEqual(rows, range(28))

    def test_own_level_is_seen_before_the_exchange(self):
        gene = InteractionGene(skip_from(2, 2), skip_from(2, 2))
        layer = Interaction(CHANNELS, gene)
        layer.build()
        features = pyramids()

        updated = exchange(layer, features)

        both = features[2][keys.POSE] + features[2][keys.PARSING]
        for branch in keys.BRANCHES:
            np.testing.assert_allclose(updated[2][branch], both, atol=1e-5)

    def test_earlier_level_is_seen_after_the_exchange(self):
        gene = InteractionGene(skip_from(6, 0), skip_from(0, 0))
        layer = Interaction(CHANNELS, gene)
        layer.build()
        projection = layer.later[0].projections[0]
        projection.kernel.assign(np.eye(CHANNELS)[None, None])
        features = pyramids()

        updated = exchange(layer, features)

        parsing = features[0][keys.PARSING] + features[0][keys.POSE]
        np.testing.assert_allclose(
            updated[6][keys.POSE], features[6][keys.POSE] + parsing, atol=1e-5
        )

    def test_levels_without_choices_stay(self):
        layer = Interaction(CHANNELS, InteractionGene(skip_from(4, 1), NOTHING))
        layer.build()
        features = pyramids()

        updated = exchange(layer, features)

        for level, feature in enumerate(features):
            np.testing.assert_array_equal(
                updated[level][keys.PARSING], feature[keys.PARSING]
            )

    def test_one_hot_supernet_is_the_derived_interaction(self):
        gene = InteractionGene(
            *(
                tuple((genotypes.Choice(name, source),) for source in sources)
                for name, sources in (
                    (primitives.STD_CONV_3X3, (0, 0, 1, 1, 2, 2, 3)),
                    (primitives.SE_CONNECT, range(7)),
                )
            )
        )
        searched = Interaction(
            CHANNELS, space=SearchSpace(channel_proportion=1)
        )
        derived = Interaction(CHANNELS, gene)
        mixtures = {branch: [] for branch in keys.BRANCHES}
        for layer in (searched, derived):
            layer.build()
        copied_weights.randomize(searched)
        fanouts = zip(
            searched.own + searched.later,
            derived.own + derived.later,
            strict=True,
        )
        for number, (mixed, selected) in enumerate(fanouts):
            if mixed is not None:
                branch = keys.BRANCHES[number // topology.NUM_LEVELS % 2]
                mixtures[branch].append(
                    copied_weights.copy_kept(mixed, selected)
                )
        features = pyramids()

        updated = exchange(searched, features, mixtures)

        expected = exchange(derived, features)
        for level in range(topology.NUM_LEVELS):
            for branch in keys.BRANCHES:
                np.testing.assert_allclose(
                    updated[level][branch], expected[level][branch], atol=1e-4
                )

    def test_config_makes_the_same_layer(self):
        layer = Interaction(CHANNELS, published.released().interaction)

        copy = Interaction.from_config(layer.get_config())

        self.assertEqual(copy.gene, layer.gene)
        self.assertEqual(copy.get_config(), layer.get_config())


if __name__ == "__main__":
    absltest.main()
