"""Tests of random genotypes: valid, everywhere, and of a given cost."""

from collections import Counter

import numpy as np
from absl.testing import absltest

from nppnet_tf.errors import UserError
from nppnet_tf.search_space import genotype as genotypes
from nppnet_tf.search_space import parts
from nppnet_tf.search_space import primitives
from nppnet_tf.search_space import published
from nppnet_tf.search_space import random_genotype
from nppnet_tf.search_space import stages
from nppnet_tf.search_space.space import SearchSpace

START = genotypes.Genotype(*[genotypes.SEARCH] * 3)


def convolutions(genotype):
    """A cost by hand: choices that are 3x3 convolutions, and one."""
    return 1 + sum(
        choice.primitive == primitives.STD_CONV_3X3
        for part in parts.PARTS
        for node in genotypes.nodes_of(genotype, part)
        for choice in node
    )


class DrawTest(absltest.TestCase):
    def setUp(self):
        super().setUp()
        self.random = np.random.default_rng(0)

    def test_nodes_are_as_pruning_leaves_them(self):
        for _ in range(20):
            drawn = random_genotype.draw(START, self.random)

            for part in parts.PARTS:
                for node in genotypes.nodes_of(drawn, part):
                    self.assertLen(set(node), len(node))
                    if part.kind == parts.INTERACTION:
                        self.assertBetween(len(node), 1, 4)
                        continue
                    sources = {choice.predecessor for choice in node}
                    self.assertLen(sources, 2)
                    self.assertLen(node, 2)

    def test_everything_is_drawn_equally_often(self):
        start = stages.start(stages.INTERACTION_FUSION, published.baseline())
        part = parts.named("pose/fusion")
        counts = Counter()
        for _ in range(1500):
            drawn = random_genotype.draw(start, self.random)
            counts.update(genotypes.nodes_of(drawn, part)[1])

        # Of 4 edges 2, each with one of 8: 1/16; five standard deviations.
        self.assertLen(counts, 32)
        for count in counts.values():
            self.assertAlmostEqual(count / 1500, 1 / 16, delta=0.032)

    def test_what_is_not_searched_stays(self):
        released = published.released()
        start = stages.start(
            stages.INTERACTION_FUSION, released, fusion=genotypes.OMIT
        )

        drawn = random_genotype.draw(start, self.random)

        self.assertEqual(drawn.encoder_decoder, released.encoder_decoder)
        self.assertEqual(drawn.fusion, genotypes.OMIT)
        self.assertFalse(drawn.is_searched)

    def test_equal_generators_draw_the_same_of_the_space(self):
        space = SearchSpace((primitives.SKIP_CONNECT, primitives.SE_CONNECT))

        one, other = (
            random_genotype.draw(START, np.random.default_rng(5), space)
            for _ in range(2)
        )

        self.assertEqual(one, other)
        self.assertNotIn(primitives.STD_CONV_3X3, one.to_json())


class DrawWithinTest(absltest.TestCase):
    def setUp(self):
        super().setUp()
        self.random = np.random.default_rng(0)

    def test_cost_is_within_the_band_where_hardly_any_draw_is(self):
        # Of some 80 choices one in eight is a convolution.
        for target in (4.0, 40.0):
            drawn = random_genotype.draw_within(
                START, self.random, convolutions, target, band=0.05
            )

            self.assertAlmostEqual(
                convolutions(drawn), target, delta=0.05 * target
            )

    def test_draws_of_one_cost_are_not_alike(self):
        one, other = (
            random_genotype.draw_within(START, self.random, convolutions, 40.0)
            for _ in range(2)
        )

        equal = sum(
            mine == others
            for part in parts.PARTS
            for mine, others in zip(
                genotypes.nodes_of(one, part),
                genotypes.nodes_of(other, part),
                strict=True,
            )
        )
        self.assertLess(equal, 6)

    def test_a_cost_that_nothing_has_is_refused(self):
        with self.assertRaisesRegex(
            UserError, "no random genotype.*such as 1; found: 0.5"
        ):
            random_genotype.draw_within(
                stages.start(stages.INTERACTION_FUSION, published.baseline()),
                self.random,
                lambda genotype: 1.0,
                0.5,
            )


if __name__ == "__main__":
    absltest.main()
