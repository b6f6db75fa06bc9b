"""Tests of nppnet_tf.training.selecting; tests/tools/search_test has more."""

import numpy as np
import tensorflow as tf
from absl.testing import absltest

from nppnet_tf import config as configuration
from nppnet_tf.data import descriptors
from nppnet_tf.models import budget as budgets
from nppnet_tf.models import choice_costs
from nppnet_tf.search_space import genotype as genotypes
from nppnet_tf.search_space import primitives
from nppnet_tf.training import checkpoints
from nppnet_tf.training import search
from nppnet_tf.training import selecting
from nppnet_tf.training.workdir import Workdir
from tests.tools import training_case

_GENOTYPE = genotypes.Genotype(
    genotypes.BASELINE, genotypes.OMIT, genotypes.SEARCH
)


def _budget():
    random = np.random.default_rng(0)
    tables = {
        part.name: random.uniform(size=(len(part.edges), 8))
        for part in genotypes.searched_parts(_GENOTYPE)
    }
    costs = choice_costs.ChoiceCosts(1.0, tables, primitives.PAPER)
    least, most = budgets.Budget(1, costs, budgets.MILLISECONDS).limits()
    # Far from what a choice at random costs.
    target = 0.8 * least + 0.2 * most
    return budgets.Budget(target, costs, budgets.MILLISECONDS)


class SelectingTest(training_case.TrainingCase):
    def test_what_is_selected_keeps_to_the_budget_of_the_search(self):
        config = configuration.RunConfig(
            configuration.SearchConfig(),
            configuration.NetworkConfig(channels=16, cells=4),
            configuration.InputConfig(image_size=(32, 32), batch_size=2),
        )
        workdir, budget = Workdir(self.folder / "run"), _budget()
        model = search.make_search_model(
            _GENOTYPE,
            config.network.for_data(descriptors.LIP),
            config.loss,
            config.schedule,
            tf.distribute.get_strategy(),
        )
        model.keep_to(budget)
        workdir.claim("search", configuration.record_of(*config.parts()), "")
        folder = checkpoints.CheckpointFolder(workdir.checkpoints)
        folder.save(model, checkpoints.Progress())

        selected = selecting.select(
            workdir.path, self.records, 1, lambda line: None
        )

        self.assertFalse(selected.is_searched)
        self.assertAlmostEqual(
            budget.cost(selected), budget.target, delta=0.05 * budget.target
        )


if __name__ == "__main__":
    absltest.main()
