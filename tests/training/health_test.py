"""How decided a search is."""

import numpy as np
from absl.testing import absltest

from nppnet_tf.search_space import parts
from nppnet_tf.search_space import primitives
from nppnet_tf.search_space import pruning
from nppnet_tf.search_space import relaxation
from nppnet_tf.training import health


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
            architecture, primitives.PAPER, relaxation.PAPER
        )

        self.assertAlmostEqual(
            values["entropy_mean"], np.log(8) * 28 / (28 + 18), places=9
        )
        self.assertEqual(set(values["parts"]), set(architecture))


if __name__ == "__main__":
    absltest.main()
