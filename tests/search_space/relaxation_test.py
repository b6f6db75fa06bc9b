"""Shares of Eq. 2 in NumPy, against hand and against the release."""

from unittest import mock

import numpy as np
from absl.testing import absltest

from nppnet_tf.config import SearchConfig
from nppnet_tf.errors import UserError
from nppnet_tf.search_space import relaxation
from nppnet_tf.search_space import topology
from tests.shared import shared_path


class SharesTest(absltest.TestCase):
    def test_shares_equal_a_two_by_two_example_by_hand(self):
        edges = (topology.Edge(0, 0), topology.Edge(0, 1))
        alpha = np.log([[1.0, 3.0], [1.0, 1.0]])
        beta = np.log([1.0, 4.0])

        gamma = relaxation.PAPER.shares(alpha, beta, edges)

        np.testing.assert_allclose(
            gamma, [[0.2 * 0.25, 0.2 * 0.75], [0.4, 0.4]], rtol=1e-12
        )

    def test_shares_of_every_node_sum_to_one(self):
        random = np.random.default_rng(0)
        edges = topology.interaction_edges()

        gamma = relaxation.PAPER.shares(
            random.normal(size=(28, 8)), random.normal(size=28), edges
        )

        sums = np.zeros(topology.NUM_LEVELS)
        for edge, row in zip(edges, gamma, strict=True):
            sums[edge.node] += row.sum()
        np.testing.assert_allclose(sums, 1.0, rtol=1e-12)

    def test_nodes_do_not_mix(self):
        edges = topology.cell_edges(2)
        alpha, beta = np.zeros([14, 8]), np.zeros(14)
        changed = beta.copy()
        changed[0] = 3.0

        before = relaxation.PAPER.shares(alpha, beta, edges)
        after = relaxation.PAPER.shares(alpha, changed, edges)

        self.assertGreater(abs(after[:2] - before[:2]).max(), 0.05)
        np.testing.assert_array_equal(after[2:], before[2:])

    def test_equals_the_edge_shares_of_the_release(self):
        arrays = np.load(shared_path("reference/ref_arch.npz"))
        edges = topology.cell_edges(topology.FUSION_INPUTS)
        for case in range(4):
            gamma = relaxation.PAPER.shares(
                arrays[f"c{case}_alphas_pose"],
                arrays[f"c{case}_betas_pose"],
                edges,
            )

            np.testing.assert_allclose(
                gamma.sum(axis=1),
                arrays[f"c{case}_btw_betas_pose"],
                rtol=1e-5,
            )

    def test_wrong_rows_are_an_error(self):
        with self.assertRaisesRegex(ValueError, "13 rows for 14 edges"):
            relaxation.PAPER.shares(
                np.zeros([13, 8]), np.zeros(13), topology.cell_edges(2)
            )

    def test_a_value_that_is_not_finite_is_an_error(self):
        with self.assertRaisesRegex(ValueError, "finite"):
            relaxation.PAPER.shares(
                np.full([14, 8], np.nan), np.zeros(14), topology.cell_edges(2)
            )


class NamesTest(absltest.TestCase):
    def test_a_search_takes_the_papers_unless_told_otherwise(self):
        found = relaxation.named(SearchConfig().relaxation)

        self.assertIs(found, relaxation.PAPER)

    def test_unknown_name_is_refused(self):
        with self.assertRaisesRegex(
            UserError, "unknown relaxation.*softmax, gumbel, .*; found: argmax"
        ):
            relaxation.named("argmax")

    def test_every_relaxation_weighs_each_edge_in_full(self):
        alpha = np.random.default_rng(0).normal(scale=3, size=(14, 8))
        for each in relaxation.known():
            with self.subTest(each.name):
                weights = each.operation_weights(alpha)

                np.testing.assert_allclose(weights.sum(axis=1), 1, rtol=1e-12)
                self.assertGreaterEqual(weights.min(), 0)

    def test_a_name_is_registered_once(self):
        own = relaxation.Relaxation("own", "one of the user's")
        with mock.patch.dict(relaxation._KNOWN):
            relaxation.register(own)

            self.assertIs(relaxation.named("own"), own)
            with self.assertRaisesRegex(ValueError, "own"):
                relaxation.register(own)


if __name__ == "__main__":
    absltest.main()
