"""Probes measure what they say and leave a search as it was."""

import numpy as np
from absl.testing import absltest

from nppnet_tf.metrics.mean_iou import MeanIoU
from nppnet_tf.search_space import parts
from nppnet_tf.search_space import primitives
from nppnet_tf.search_space import pruning
from nppnet_tf.search_space import relaxation
from nppnet_tf.training import checkpoints
from nppnet_tf.training import probes
from tests import two_replicas
from tests.training import tiny_network


def _derive(model):
    return pruning.derive(
        model.network.genotype,
        checkpoints.architecture_arrays(model.network),
        primitives.PAPER,
        relaxation.PAPER,
    )


def _measure(model):
    with model.distribute_strategy.scope():
        model.score_by([MeanIoU(tiny_network.NUM_CLASSES)])
    measures = probes.Probes(
        model,
        lambda epoch, step: tiny_network.search_dataset(2, epoch).skip(step),
        pruned_every=2,
        curvature_every=2,
    )
    derived = _derive(model)
    return measures.measure(0, derived), measures.measure(1, derived)


class ProbesTest(absltest.TestCase):
    def test_they_are_due_every_few_epochs_and_change_nothing(self):
        model = tiny_network.search_model(relaxation="gumbel")
        before = checkpoints.arrays_of(model)

        nothing, found = _measure(model)

        self.assertEqual(nothing, {})
        self.assertEqual(set(found), {"pruned", "curvature"})
        pruned = found["pruned"]
        self.assertAlmostEqual(
            pruned["gap"], pruned["loss"] - pruned["supernet_loss"], places=6
        )
        self.assertNotEqual(pruned["gap"], 0.0)
        self.assertIn("parsing_loss", pruned)
        self.assertBetween(pruned["mean_iou"], 0.01, 1)
        for name, values in checkpoints.arrays_of(model).items():
            np.testing.assert_array_equal(values, before[name], name)

    def test_two_replicas_find_what_one_does(self):
        one = _measure(tiny_network.search_model())[1]
        with two_replicas.strategy().scope():
            model = tiny_network.search_model()
        two = _measure(model)[1]

        for name, loss in one["pruned"].items():
            self.assertAlmostEqual(loss, two["pruned"][name], places=4)
        self.assertAlmostEqual(one["curvature"], two["curvature"], delta=1e-2)

    def test_a_decided_search_loses_nothing_by_pruning(self):
        part = parts.named("pose/fusion")
        model = tiny_network.search_model()
        derived = _derive(model)
        gamma = probes.shares_of(model.network)[part.name]

        kept = probes.derived_shares(gamma, derived, part, primitives.PAPER)
        again = probes.derived_shares(kept, derived, part, primitives.PAPER)

        np.testing.assert_allclose(again, kept)
        # Of each of four nodes two operations, and all of the sum.
        self.assertEqual(np.count_nonzero(kept), 8)
        self.assertAlmostEqual(kept.sum(), 4.0)


class DominantEigenvalueTest(absltest.TestCase):
    def test_of_a_known_matrix(self):
        for largest in (9.0, -9.0):
            values = np.array([largest, 3.0, 1.0, -2.0, 0.5])
            basis, _ = np.linalg.qr(
                np.random.default_rng(1).normal(size=(5, 5))
            )
            matrix = basis * values @ basis.T

            found = probes.dominant_eigenvalue(
                lambda change, a=matrix: a @ change + 4.0, 5
            )

            self.assertAlmostEqual(found, largest, places=3)


if __name__ == "__main__":
    absltest.main()
