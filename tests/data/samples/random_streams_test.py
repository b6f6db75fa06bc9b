"""Tests of nppnet_tf.data.samples.random_streams."""

import numpy as np
from absl.testing import absltest
from absl.testing import parameterized

from nppnet_tf.data.samples import random_streams


class RandomHalvesTest(parameterized.TestCase):
    @parameterized.parameters(0, 1, 2, 31, 32)
    def test_halves_are_disjoint_and_cover_everything(self, count):
        weight, architecture = random_streams.random_halves(count, seed=5)

        self.assertEqual(sorted([*weight, *architecture]), list(range(count)))
        self.assertEqual(len(weight) - len(architecture), count % 2)

    def test_same_seed_gives_the_same_halves(self):
        first = random_streams.random_halves(40, seed=-3)
        second = random_streams.random_halves(40, seed=-3)

        np.testing.assert_array_equal(first[0], second[0])

    def test_another_seed_gives_other_halves(self):
        first = random_streams.random_halves(40, seed=0)
        second = random_streams.random_halves(40, seed=1)

        self.assertFalse(np.array_equal(first[0], second[0]))

    def test_halves_are_random(self):
        weight, _ = random_streams.random_halves(1000, seed=0)

        # Neither the first half nor every second one.
        self.assertBetween(np.mean(weight < 500), 0.45, 0.55)
        self.assertBetween(np.mean(weight % 2), 0.45, 0.55)


if __name__ == "__main__":
    absltest.main()
