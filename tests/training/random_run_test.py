"""Tests of runs that draw a genotype."""

import dataclasses
import pathlib

from absl.testing import absltest

from nppnet_tf import config as configuration
from nppnet_tf.errors import UserError
from nppnet_tf.search_space import genotype as genotypes
from nppnet_tf.search_space import published
from nppnet_tf.search_space import stages
from nppnet_tf.search_space.space import SearchSpace
from nppnet_tf.training import random_run

START = stages.start(
    stages.INTERACTION_FUSION,
    published.baseline(),
    interaction=genotypes.OMIT,
)
CONFIG = configuration.RunConfig(
    configuration.SearchConfig(),
    configuration.NetworkConfig(channels=8, cells=4),
    configuration.InputConfig(image_size=(32, 32), seed=3),
)


class DrawTest(absltest.TestCase):
    def setUp(self):
        super().setUp()
        self.folder = pathlib.Path(self.create_tempdir().full_path)
        self.lines = []

    def _draw(self, name, config=CONFIG, **arguments):
        return random_run.draw(
            START,
            self.folder / name,
            config,
            SearchSpace(),
            say=self.lines.append,
            **arguments,
        )

    def test_the_same_seed_draws_the_same_into_the_folder(self):
        one, other = self._draw("one"), self._draw("other")
        inputs = dataclasses.replace(CONFIG.inputs, seed=4)
        config = dataclasses.replace(CONFIG, inputs=inputs)
        third = self._draw("third", config)

        self.assertEqual(one, other)
        self.assertNotEqual(one, third)
        self.assertEqual(
            genotypes.load(self.folder / "other" / "genotype.json"), other
        )
        with self.assertRaisesRegex(UserError, "another run.*`seed`"):
            self._draw("other", config)
        self.assertEqual(self._draw("other"), one)

    def test_a_cost_is_met_and_told(self):
        with self.assertRaisesRegex(UserError, "no random genotype.*found: 7"):
            self._draw("run", cost=random_run.CostBand(7.0))
        self._draw("run", cost=random_run.CostBand(0.0094, 0.002))

        self.assertRegex(
            self.lines[0], r"C = 8, L = 4, 32 x 32: 0.0094\d* GMAC"
        )


if __name__ == "__main__":
    absltest.main()
