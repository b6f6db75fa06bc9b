"""What every epoch of a search tells of how it fares."""

import dataclasses

import keras
import numpy as np
import tensorflow as tf
from absl.testing import absltest

from nppnet_tf.search_space import genotype as genotypes
from nppnet_tf.search_space import parts
from nppnet_tf.search_space import primitives
from nppnet_tf.search_space import pruning
from nppnet_tf.search_space import published
from nppnet_tf.search_space import relaxation
from nppnet_tf.training import health
from nppnet_tf.training.adam import Adam


def _zeros(part):
    edges = len(parts.named(part).edges)
    return pruning.ArchitectureArrays(np.zeros([edges, 8]), np.zeros(edges))


class PartHealthTest(absltest.TestCase):
    def test_nothing_decided(self):
        values = health.part_health(
            "pose/normal",
            _zeros("pose/normal"),
            primitives.PAPER,
            relaxation.PAPER,
        )

        self.assertAlmostEqual(values["entropy"], np.log(8), places=12)
        self.assertAlmostEqual(values["skip_share"], 1 / 8, places=12)
        self.assertAlmostEqual(values["pooling_share"], 2 / 8, places=12)
        # Nodes with 2, 3, 4 and 5 edges.
        expected = np.mean([1 / 16, 1 / 24, 1 / 32, 1 / 40])
        self.assertAlmostEqual(values["largest_share"], expected, places=12)

    def test_all_skip(self):
        arrays = _zeros("pose/normal")
        skip = primitives.PAPER.index(primitives.SKIP_CONNECT)
        arrays.alpha[:, skip] = 1000.0

        values = health.part_health(
            "pose/normal", arrays, primitives.PAPER, relaxation.PAPER
        )

        self.assertAlmostEqual(values["entropy"], 0.0, places=12)
        self.assertAlmostEqual(values["skip_share"], 1.0, places=12)
        self.assertAlmostEqual(values["shares"]["skip_connect"], 1.0, places=12)
        self.assertAlmostEqual(values["pooling_share"], 0.0, places=12)

    def test_edge_without_weight_still_has_an_entropy(self):
        arrays = _zeros("pose/fusion")
        arrays.beta[0] = -30.0

        values = health.part_health(
            "pose/fusion", arrays, primitives.PAPER, relaxation.PAPER
        )

        self.assertAlmostEqual(values["entropy"], np.log(8), places=9)


class SearchHealthTest(absltest.TestCase):
    def test_mean_entropy_counts_edges(self):
        architecture = {
            part: _zeros(part) for part in ("pose/interaction", "pose/fusion")
        }
        architecture["pose/fusion"].alpha[:, 0] = 1000.0

        values = health.search_health(
            architecture,
            primitives.PAPER,
            relaxation.PAPER,
            published.released(),
        )

        self.assertAlmostEqual(
            values["entropy_mean"], np.log(8) * 28 / (28 + 18), places=9
        )
        self.assertEqual(set(values["parts"]), set(architecture))
        # Of the 18 rows of fusion, one operation of eight stands out.
        spread = 1000 * np.sqrt(7) / 8
        self.assertAlmostEqual(
            values["alpha_spread"], spread * np.sqrt(18 / 46), places=9
        )

    def test_skips_are_those_that_pruning_keeps(self):
        skip = genotypes.Choice(primitives.SKIP_CONNECT, 0)
        other = genotypes.Choice(primitives.STD_CONV_3X3, 1)
        cell = genotypes.CellGene(
            ((skip, other), (other, skip), (other, other), (other, other))
        )
        derived = genotypes.Genotype(
            genotypes.BASELINE, genotypes.OMIT, genotypes.FusionGene(cell, cell)
        )

        values = health.search_health(
            {"pose/fusion": _zeros("pose/fusion")},
            primitives.PAPER,
            relaxation.PAPER,
            derived,
        )

        self.assertEqual(values["parts"]["pose/fusion"]["kept_skips"], 0.25)


class AgreementTest(absltest.TestCase):
    def test_counts_what_stayed(self):
        first = published.released()
        nodes = first.fusion.pose.nodes
        # One operation of eight takes another input.
        moved = nodes[0][0]._replace(predecessor=2)
        self.assertNotEqual(moved, nodes[0][0])
        cell = genotypes.CellGene(((moved, *nodes[0][1:]), *nodes[1:]))
        second = dataclasses.replace(
            first, fusion=genotypes.FusionGene(cell, first.fusion.parsing)
        )

        self.assertEqual(health.agreement(first, first, ["pose/fusion"]), 1)
        self.assertEqual(
            health.agreement(first, second, ["pose/fusion"]), 7 / 8
        )
        self.assertEqual(
            health.agreement(first, second, ["pose/fusion", "parsing/fusion"]),
            15 / 16,
        )


class LossGapsTest(absltest.TestCase):
    def test_is_relative_and_of_the_terms_alone(self):
        losses = {
            **{"loss": -1.0, "pose_loss": 0.2, "parsing_loss": 2.0},
            **{"architecture_loss": 3.0, "architecture_pose_loss": 0.3},
        }

        gaps = health.loss_gaps(losses)

        self.assertEqual(list(gaps), ["pose_loss"])
        self.assertAlmostEqual(gaps["pose_loss"], 0.5, places=12)


class GradientNormsTest(absltest.TestCase):
    def test_is_the_norm_of_gradients_that_stay(self):
        optimizers = []
        for norm in (5.0, 10.0):
            variable = keras.Variable(np.zeros(2, np.float32))
            optimizer = Adam()
            optimizer.build([variable])
            for _ in range(3):
                gradient = np.array([0.6, -0.8], np.float32) * norm
                optimizer.apply([tf.constant(gradient)], [variable])
            optimizers.append(optimizer)

        norms = health.gradient_norms(*optimizers)

        self.assertAlmostEqual(norms["weights"], 5.0, places=3)
        self.assertAlmostEqual(norms["architecture"], 10.0, places=3)
        self.assertAlmostEqual(norms["ratio"], 2.0, places=4)

    def test_is_absent_where_nothing_has_moved_or_is_remembered(self):
        variable = keras.Variable(np.zeros(2, np.float32))
        adam, plain = Adam(), keras.optimizers.SGD()
        for optimizer in (adam, plain):
            optimizer.build([variable])

        self.assertEqual(health.gradient_norms(adam, adam), {})
        plain.apply([tf.ones(2)], [variable])
        self.assertEqual(health.gradient_norms(plain, plain), {})


if __name__ == "__main__":
    absltest.main()
