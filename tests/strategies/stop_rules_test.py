"""Tests of what ends a search early."""

import keras
import numpy as np
from absl.testing import absltest

from nppnet_tf.config import SearchConfig
from nppnet_tf.search_space import genotype as genotypes
from nppnet_tf.search_space import primitives
from nppnet_tf.search_space import pruning
from nppnet_tf.search_space import published
from nppnet_tf.search_space import relaxation
from nppnet_tf.search_space import stages
from nppnet_tf.strategies import stop_rules

CONFIG = SearchConfig(stop_skips=2, stop_stable_epochs=3)


def epoch(skips=0, ranks="a"):
    return {"stop_rule": {"skips": skips, "ranks": ranks}}


def arrays(skip_edges=0):
    """A fusion in which the first operation leads but on some edges."""
    random = np.random.default_rng(0)
    alpha = random.normal(scale=0.1, size=(18, 8))
    alpha[:, 0] += 3
    skip = primitives.PAPER.index(primitives.SKIP_CONNECT)
    alpha[:skip_edges, skip] += 9
    return pruning.ArchitectureArrays(alpha, np.zeros(18))


def rule(cls=stop_rules.DartsPlus):
    return cls(CONFIG, keras.Sequential())


class DartsPlusTest(absltest.TestCase):
    def test_two_skips_of_one_cell_end_it(self):
        history = [epoch(0), epoch(1)]

        self.assertEqual(rule().reason(history), "")
        self.assertIn("2 skip", rule().reason([*history, epoch(2)]))

    def test_ranks_that_stay_end_it(self):
        changing = [epoch(ranks=name) for name in "abbb"]

        self.assertEqual(rule().reason(changing), "")
        self.assertIn("3 epochs", rule().reason([*changing, epoch(ranks="b")]))

    def test_epochs_of_the_warm_up_do_not_count(self):
        history = [{"epoch": n} for n in range(9)]

        self.assertEqual(rule().reason(history), "")


class SeenTest(absltest.TestCase):
    def _seen(self, found):
        start = stages.start(
            stages.INTERACTION_FUSION,
            published.baseline(),
            interaction=genotypes.OMIT,
        )
        architecture = {"pose/fusion": found, "parsing/fusion": arrays()}
        derived = pruning.derive(
            start, architecture, primitives.PAPER, relaxation.PAPER
        )
        return rule().seen(derived, architecture, primitives.PAPER)

    def test_skips_are_those_of_the_worst_cell(self):
        self.assertEqual(self._seen(arrays())["skips"], 0)
        # Two of the three edges into the first node.
        self.assertEqual(self._seen(arrays(skip_edges=3))["skips"], 2)

    def test_ranks_are_those_of_what_is_learned(self):
        before = self._seen(arrays())["ranks"]
        moved = arrays()
        moved.alpha[4, 0] -= 9

        self.assertEqual(self._seen(arrays(skip_edges=5))["ranks"], before)
        self.assertNotEqual(self._seen(moved)["ranks"], before)


if __name__ == "__main__":
    absltest.main()
