"""The expected cost is that of the derived network where all is decided."""

import dataclasses
import functools

import numpy as np
import tensorflow as tf
from absl.testing import absltest

from nppnet_tf import keys
from nppnet_tf.config import NetworkConfig
from nppnet_tf.layers.architecture import ArchitectureParameters
from nppnet_tf.models import choice_costs
from nppnet_tf.models import expected_cost
from nppnet_tf.search_space import genotype as genotypes
from nppnet_tf.search_space import parts
from nppnet_tf.search_space import primitives
from nppnet_tf.search_space import pruning
from nppnet_tf.search_space import random_genotype
from nppnet_tf.search_space import relaxation
from nppnet_tf.search_space import topology
from tests import made_once

START = genotypes.Genotype(*[genotypes.SEARCH] * 3)
# Both kinds of cells at several levels, a fusion cell twice, uneven sides.
CONFIG = NetworkConfig(channels=8, cells=5, num_fusion_cells=2)
IMAGE_SIZE = (32, 64)
# A weight that no softmax lets pass.
FAR = -60.0


@functools.cache
def costs():
    """What every choice costs, counted once for all files of a test run."""
    folder = made_once.folder("choice_costs", _measure)
    arrays = np.load(folder / "costs.npz")
    tables = {
        part.name: arrays[part.name.replace("/", "_")]
        for part in genotypes.searched_parts(START)
    }
    fixed = arrays["fixed"].item()
    return choice_costs.ChoiceCosts(fixed, tables, primitives.PAPER)


def _measure(folder):
    folder.mkdir()
    measured = choice_costs.measure(START, CONFIG, IMAGE_SIZE)
    tables = {
        name.replace("/", "_"): table for name, table in measured.tables.items()
    }
    np.savez(folder / "costs.npz", fixed=measured.fixed, **tables)


def of_one_branch(costs):
    """The same costs where one branch is searched: a part of every kind."""
    tables = {
        name: table
        for name, table in costs.tables.items()
        if parts.named(name).branch == keys.POSE
    }
    return dataclasses.replace(costs, tables=tables)


def fresh():
    """Parameters of every part at their first values."""
    found = {}
    for part in genotypes.searched_parts(START):
        found[part.name] = ArchitectureParameters(part.edges, 8)
        found[part.name].build()
    return found


def arrays(parameters):
    """Alpha and beta as pruning takes them."""
    return {
        name: pruning.ArchitectureArrays(each.alpha.numpy(), each.beta.numpy())
        for name, each in parameters.items()
    }


def prune(parameters):
    return pruning.derive(
        START, arrays(parameters), primitives.PAPER, relaxation.PAPER
    )


def decide(parameters, genotype):
    """Makes the mixture one-hot: equal weight on what a genotype keeps."""
    for name, each in parameters.items():
        part = parts.named(name)
        rows = {edge: row for row, edge in enumerate(part.edges)}
        alpha = np.full(each.alpha.shape, FAR)
        beta = np.full(each.beta.shape, FAR)
        for node, choices in enumerate(genotypes.nodes_of(genotype, part)):
            # Of four equal ones, three hold more than 0.7.
            choices = choices[:3]
            for choice in choices:
                row = rows[topology.Edge(node, choice.predecessor)]
                alpha[row, primitives.PAPER.index(choice.primitive)] = 0
            sources = [choice.predecessor for choice in choices]
            for source in set(sources):
                # Every choice alike, also where one edge has several.
                row = rows[topology.Edge(node, source)]
                beta[row] = np.log(sources.count(source))
        each.alpha.assign(alpha)
        each.beta.assign(beta)


class ExpectedCostTest(absltest.TestCase):
    def test_of_a_one_hot_mixture_it_is_that_of_the_network(self):
        parameters = fresh()
        for seed in range(3):
            drawn = random_genotype.draw(START, np.random.default_rng(seed))
            decide(parameters, drawn)

            expected = expected_cost.expected_cost(parameters, costs())

            # It counts what `cost.cost` does, see choice_costs_test.
            derived = costs().of(prune(parameters))
            np.testing.assert_allclose(float(expected), derived, rtol=1e-5)

    def test_of_an_undecided_cell_it_is_the_mean(self):
        part = parts.named("pose/fusion")
        table = np.random.default_rng(0).uniform(size=(18, 8))
        nodes = np.array([edge.node for edge in part.edges])

        found = expected_cost.cost_of_part(
            part,
            tf.fill([18, 8], 0.125),
            tf.constant([1 / np.sum(nodes == n) for n in nodes], tf.float32),
            tf.constant(table, tf.float32),
        )

        # Two edges of a node, whichever, and any operation.
        means = [2 * table[nodes == node].mean() for node in range(4)]
        self.assertAlmostEqual(float(found), sum(means), places=5)

    def test_descending_it_makes_the_derived_network_cheaper(self):
        parameters = fresh()
        random = np.random.default_rng(1)
        for each in parameters.values():
            each.alpha.assign(random.normal(scale=0.3, size=each.alpha.shape))
        variables = [each.alpha.value for each in parameters.values()]
        before = costs().of(prune(parameters))

        @tf.function(autograph=False)
        def step():
            with tf.GradientTape() as tape:
                found = expected_cost.expected_cost(parameters, costs())
            gradients = tape.gradient(found, variables)
            for variable, gradient in zip(variables, gradients, strict=True):
                variable.assign_sub(tf.sign(gradient) * 0.05)
            return found

        for _ in range(20):
            found = step()

        after = costs().of(prune(parameters))
        self.assertLess(after, 0.95 * before)
        # It tells what the derived network costs, within some percent.
        np.testing.assert_allclose(float(found), after, rtol=0.05)

    def test_weights_of_zero_have_a_gradient(self):
        part = parts.named("pose/interaction")
        weights = tf.constant(np.eye(28, 8), tf.float32)
        with tf.GradientTape() as tape:
            tape.watch(weights)
            found = expected_cost.cost_of_part(
                part, weights, tf.fill([28], 0.25), tf.ones([28, 8])
            )

        gradient = tf.convert_to_tensor(tape.gradient(found, weights))

        self.assertTrue(np.isfinite(gradient.numpy()).all())


if __name__ == "__main__":
    absltest.main()
