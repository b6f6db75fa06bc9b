"""Derived networks keep to their budget, and give up little share for it."""

import dataclasses
import json

import numpy as np
import tensorflow as tf
from absl.testing import absltest

from nppnet_tf.config import NetworkConfig
from nppnet_tf.config import SearchConfig
from nppnet_tf.errors import UserError
from nppnet_tf.models import budget as budgets
from nppnet_tf.search_space import genotype as genotypes
from nppnet_tf.search_space import random_genotype
from nppnet_tf.search_space import relaxation
from nppnet_tf.training import health
from nppnet_tf.training.adam import Adam
from tests.models import expected_cost_test

START = expected_cost_test.START
CONFIG = expected_cost_test.CONFIG


class BudgetTest(absltest.TestCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.costs = expected_cost_test.costs()
        cls.least, cls.most = budgets.Budget(1.0, cls.costs).limits()

    def setUp(self):
        super().setUp()
        self.parameters = expected_cost_test.fresh()
        random = np.random.default_rng(0)
        for each in self.parameters.values():
            each.alpha.assign(random.normal(scale=0.2, size=each.alpha.shape))
        self.arrays = expected_cost_test.arrays(self.parameters)
        self.pruned = expected_cost_test.prune(self.parameters)

    def _budget(self, part_of_range):
        span = self.most - self.least
        return budgets.Budget(self.least + part_of_range * span, self.costs)

    def _select(self, budget):
        return budget.select(self.pruned, self.arrays, relaxation.PAPER)

    def test_every_cost_of_the_space_is_kept_to(self):
        for part_of_range in (0.0, 0.1, 0.3, 0.5, 0.8, 1.0):
            budget = self._budget(part_of_range)

            selected = self._select(budget)

            with self.subTest(part_of_range):
                self.assertAlmostEqual(
                    budget.cost(selected),
                    budget.target,
                    delta=budgets.BAND * budget.target,
                )
                self.assertFalse(selected.is_searched)

    def test_what_keeps_to_it_stays_as_it_is(self):
        cost = self.costs.gmac(self.pruned)

        selected = self._select(budgets.Budget(1.04 * cost, self.costs))

        self.assertEqual(selected, self.pruned)

    def test_a_near_target_exchanges_few_choices(self):
        cost = self.costs.gmac(self.pruned)
        parts = [part.name for part in genotypes.searched_parts(START)]

        selected = self._select(budgets.Budget(0.93 * cost, self.costs))

        kept = health.agreement(self.pruned, selected, parts)
        self.assertBetween(kept, 0.9, 0.999)

    def test_limits_hold_every_genotype(self):
        for seed in range(5):
            drawn = random_genotype.draw(START, np.random.default_rng(seed))

            self.assertBetween(self.costs.gmac(drawn), self.least, self.most)

    def test_a_cost_that_nothing_has_is_refused(self):
        goal = budgets.Goal(2 * self.most, CONFIG, (32, 64))

        with self.assertRaisesRegex(UserError, "`target_gmac`.*GMAC"):
            goal.budget(genotypes.Genotype(genotypes.UNET, fusion="search"))

    def test_survives_json(self):
        budget = self._budget(0.4)

        again = budgets.Budget.from_plain(
            json.loads(json.dumps(budget.to_plain()))
        )

        self.assertEqual(self._select(again), self._select(budget))

    def test_the_term_leads_alpha_to_the_target(self):
        branch = expected_cost_test.of_one_branch(self.costs)
        least, most = budgets.Budget(1.0, branch).limits()
        budget = budgets.Budget(least + 0.85 * (most - least), branch)
        self.assertGreater(
            abs(budget.cost(self.pruned) / budget.target - 1), 0.1
        )
        term = budgets.BudgetTerm(budget)
        searched = {name: self.parameters[name] for name in branch.tables}
        variables = [each.alpha for each in searched.values()]
        optimizer = Adam(0.05, beta_1=0.5)
        optimizer.build(variables)
        random = np.random.default_rng(0)

        @tf.function(autograph=False)
        def step(noise):
            with tf.GradientTape() as tape:
                objective = term.value(searched)
            gradients = tape.gradient(objective, [v.value for v in variables])
            pairs = zip(gradients, noise, strict=True)
            optimizer.apply([g + n for g, n in pairs], variables)
            term.ascend(searched)

        for _ in range(60):
            # As large as a search's own gradients.
            step(
                [
                    tf.constant(
                        random.normal(scale=0.01, size=v.shape), tf.float32
                    )
                    for v in variables
                ]
            )

        pruned = expected_cost_test.prune(self.parameters)
        self.assertAlmostEqual(
            budget.cost(pruned), budget.target, delta=0.1 * budget.target
        )


class GoalTest(absltest.TestCase):
    def _goal(self, **settings):
        schedule = dataclasses.replace(SearchConfig(), **settings)
        return budgets.goal_of(schedule, NetworkConfig(64, 12), (96, 64))

    def test_without_a_target_there_is_none(self):
        self.assertIsNone(self._goal())

    def test_the_network_meant_is_that_of_the_search_unless_told(self):
        own = self._goal(target_gmac=1.0)
        larger = self._goal(
            target_gmac=1.0, target_channels=128, target_image_size=(384, 384)
        )

        self.assertEqual((own.config.channels, own.image_size), (64, (96, 64)))
        self.assertEqual(larger.config.channels, 128)
        self.assertEqual(larger.config.cells, 12)
        self.assertEqual(larger.image_size, (384, 384))

    def test_targets_that_do_not_go_together_are_refused(self):
        for settings in (
            {"target_gmac": 1.0, "target_ms": 1.0},
            {"target_ms": 1.0},
            {"target_gmac": 1.0, "target_channels": 10},
        ):
            with self.subTest(settings), self.assertRaises(UserError):
                self._goal(**settings)


if __name__ == "__main__":
    absltest.main()
