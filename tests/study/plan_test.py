"""Tests of the order of units."""

import pathlib

from absl.testing import absltest

from nppnet_tf.errors import UserError
from nppnet_tf.study import plan
from nppnet_tf.study import results
from nppnet_tf.study.plan import Plan
from nppnet_tf.study.results import Results
from nppnet_tf.study.results import Unit
from nppnet_tf.study.settings import StudyConfig

CONFIG = StudyConfig(seeds=2, samples=1, learning_rates=(0.1, 0.2, 0.3))


class PlanTest(absltest.TestCase):
    def setUp(self):
        super().setUp()
        path = pathlib.Path(self.create_tempdir().full_path, "r.jsonl")
        self.results = Results(path, "a")

    def _finished(self, strategies, systems, config=CONFIG):
        """Finishes every unit; of the rates, the second is the best."""
        made = Plan(config, strategies, systems, self.results)
        units = []
        for unit in made.units():
            score = 1.0 - abs(unit.learning_rate - 0.2)
            self.results.add(unit, {"selection_score": score})
            units.append(unit)
        return made, units

    def test_the_most_telling_units_come_first(self):
        _, units = self._finished(["nppnet"], ["random", "unet"])

        trained = [
            (unit.system, unit.seed, unit.budget, unit.learning_rate)
            for unit in units
            if unit.kind == results.TRAINING
        ]
        self.assertEqual(units[0], Unit(results.SEARCH, "nppnet", 0))
        self.assertEqual(
            trained,
            [
                *(("nppnet", 0, "steps", rate) for rate in (0.1, 0.2, 0.3)),
                *(("random", 0, "steps", rate) for rate in (0.1, 0.2, 0.3)),
                *(("unet", 0, "steps", rate) for rate in (0.1, 0.2, 0.3)),
                ("random", 0, "time", 0.2),
                ("unet", 0, "time", 0.2),
                ("nppnet", 1, "steps", 0.2),
                ("random", 1, "steps", 0.2),
                ("unet", 1, "steps", 0.2),
                ("random", 1, "time", 0.2),
                ("unet", 1, "time", 0.2),
            ],
        )

    def test_a_larger_study_has_all_units_of_a_smaller_one(self):
        _, small = self._finished(["nppnet"], ["unet"])
        larger = Plan(
            StudyConfig(seeds=3, samples=1, learning_rates=(0.1, 0.2, 0.3)),
            ["nppnet"],
            ["unet", "random", "samples", "rows"],
            self.results,
        )
        units = []
        for unit in larger.units():
            if unit not in self.results:
                self.results.add(unit, {"selection_score": 0.0})
                units.append(unit)

        self.assertNoCommonElements(small, units)
        self.assertEqual(CONFIG.digest(), larger.config.digest())
        self.assertIn(Unit(results.NETWORK, "row_3", 2), units)

    def test_wrong_names_are_refused(self):
        for strategies, systems, message in (
            (["nppnet"], ["other"], "unknown system.*`systems`.*random, unet"),
            ([], [], "nothing to compare"),
            ([], ["unet", "rows"], "rows and samples are made of a searched"),
        ):
            with self.assertRaisesRegex(UserError, message):
                Plan(CONFIG, strategies, systems, self.results)

    def test_other_sizes_are_another_study(self):
        self.assertNotEqual(CONFIG.digest(), StudyConfig(steps=7).digest())

    def assertNoCommonElements(self, first, second):
        self.assertEmpty(set(first) & set(second))

    def test_table_5_is_the_papers(self):
        ordered = sorted(plan.TABLE_5, key=lambda row: plan.TABLE_5[row][0])

        self.assertEqual(ordered[0], "row_1")
        self.assertEqual(ordered[-1], "row_8")


if __name__ == "__main__":
    absltest.main()
