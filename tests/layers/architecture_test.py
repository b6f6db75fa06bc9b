"""Tests of alpha, beta and what is made of them."""

import json
import math

import numpy as np
import tensorflow as tf
from absl.testing import absltest

from nppnet_tf.layers.architecture import ArchitectureParameters
from nppnet_tf.search_space import relaxation
from nppnet_tf.search_space import topology
from tests import reference_arrays
from tests.shared import shared_path


def parameters_of(alpha, beta, edges):
    layer = ArchitectureParameters(edges, np.shape(alpha)[1])
    layer.build()
    layer.alpha.assign(alpha)
    layer.beta.assign(beta)
    return layer


class ArchitectureParametersTest(absltest.TestCase):
    def setUp(self):
        super().setUp()
        generator = np.random.default_rng(0)
        self.edges = topology.cell_edges(2)
        self.alpha = generator.normal(size=(14, 8)).astype(np.float32)
        self.beta = generator.normal(size=14).astype(np.float32)
        self.layer = parameters_of(self.alpha, self.beta, self.edges)

    def test_betas_of_one_node_sum_to_one(self):
        edges = self.layer.mixture().edges[:, 0].numpy()

        for node in range(4):
            rows = [i for i, edge in enumerate(self.edges) if edge.node == node]
            self.assertAlmostEqual(edges[rows].sum(), 1, places=5)

    def test_betas_of_two_nodes_do_not_mix(self):
        before = self.layer.mixture().edges.numpy()
        beta = self.beta.copy()
        beta[0] += 3
        self.layer.beta.assign(beta)

        after = self.layer.mixture().edges.numpy()

        self.assertGreater(abs(after[0, 0] - before[0, 0]), 0.1)
        np.testing.assert_allclose(after[2:], before[2:])

    def test_shares_equal_an_example_by_hand(self):
        edges = [topology.Edge(0, 0), topology.Edge(0, 1)]
        log = math.log
        layer = parameters_of(
            [[log(3), log(1)], [log(1), log(1)]], [log(1), log(4)], edges
        )

        shares = layer.mixture().shares[..., 0].numpy()

        np.testing.assert_allclose(
            shares, [[0.15, 0.4], [0.05, 0.4]], atol=1e-6
        )

    def test_shares_equal_the_contract(self):
        shares = self.layer.mixture().shares[..., 0].numpy()

        expected = relaxation.PAPER.shares(self.alpha, self.beta, self.edges)

        np.testing.assert_allclose(shares.T, expected, atol=1e-6)

    def test_groups_take_their_edges(self):
        whole = self.layer.mixture()

        groups = self.layer.mixtures([[3, 0], [5]])

        for mixture, rows in zip(groups, ([3, 0], [5]), strict=True):
            np.testing.assert_array_equal(
                mixture.shares, whole.shares.numpy()[:, rows]
            )
            np.testing.assert_array_equal(
                mixture.edges, whole.edges.numpy()[rows]
            )

    def test_entropy_is_log_n_where_nothing_is_preferred(self):
        self.layer.alpha.assign(np.full((14, 8), 5.0))

        np.testing.assert_allclose(
            self.layer.edge_entropies(), np.full(14, math.log(8)), atol=1e-6
        )

    def test_entropy_is_zero_at_one_hot(self):
        self.layer.alpha.assign(200 * np.eye(14, 8))

        np.testing.assert_allclose(
            self.layer.edge_entropies()[:8], np.zeros(8), atol=1e-6
        )

    def test_entropy_and_gradients_equal_the_release(self):
        arrays = reference_arrays.load("search_genotypes_arch.npz")
        listing = shared_path("reference/search_genotypes.json")
        for case in json.loads(listing.read_text()):
            name = case["case"]
            alphas = {
                key.split("/")[1]: arrays[key]
                for key in arrays
                if key.startswith(f"{name}/alphas")
            }
            entropy, gradients = released_entropy(alphas)

            self.assertLen(alphas, 6)
            self.assertAlmostEqual(entropy, case["loss_entropy"], places=6)
            for key, gradient in gradients.items():
                np.testing.assert_allclose(
                    gradient, arrays[f"{name}/grad_entropy/{key}"], atol=1e-7
                )


def released_entropy(alphas):
    """The release's mean of means, a quarter of it, and its gradients."""
    layers = {
        key: parameters_of(alpha, np.zeros(len(alpha)), one_node(len(alpha)))
        for key, alpha in alphas.items()
    }
    with tf.GradientTape() as tape:
        means = [
            tf.reduce_mean(layer.edge_entropies()) / math.log(7)
            for layer in layers.values()
        ]
        entropy = 0.25 * tf.reduce_mean(tf.stack(means))
    sources = {key: layer.alpha.value for key, layer in layers.items()}
    return float(entropy), tape.gradient(entropy, sources)


def one_node(count):
    return [topology.Edge(0, predecessor) for predecessor in range(count)]


if __name__ == "__main__":
    absltest.main()
