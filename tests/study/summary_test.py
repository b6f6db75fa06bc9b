"""Tests of what is said of results, and of the figures that show it."""

import pathlib
import xml.etree.ElementTree

from absl.testing import absltest

from nppnet_tf.study import figures
from nppnet_tf.study import plan
from nppnet_tf.study import report
from nppnet_tf.study import results
from nppnet_tf.study import summary
from nppnet_tf.study.plan import Plan
from nppnet_tf.study.results import Results
from nppnet_tf.study.results import Unit
from nppnet_tf.study.settings import StudyConfig

CONFIG = StudyConfig(seeds=3, samples=4, learning_rates=(0.1, 0.2, 0.3))
SYSTEMS = ("unet", "random", "samples", "rows")


def finished(path):
    """Returns the plan and the made-up results of a whole study."""
    found = Results(path, CONFIG.digest())
    made = Plan(CONFIG, ["nppnet"], SYSTEMS, found)
    for unit in made.units():
        found.add(unit, _RESULTS[unit.kind](unit))
    return made, found


def _search(unit):
    stage = {"largest_skip_share": 0.1 * unit.seed, "entropy": [2.0, 1.5]}
    return {
        "stages": {"first": stage},
        "seconds": 10.0,
        "seconds_in_all": 12.0,
    }


def _training(unit):
    # Of equal seeds nppnet is 0.02 above the U-Net, with a spread of its own.
    level = {"nppnet": 0.3, "unet": 0.28}.get(unit.system, 0.2)
    if unit.system.startswith("row"):
        level = 0.01 * int(unit.system[-1])
    score = level + 0.01 * unit.seed
    wobble = 0.002 * (unit.seed % 2 if unit.system == "unet" else 0)
    measures = {"mean_iou": score + wobble, "pckh": 2 * score}
    return {
        "steps": 10,
        "curve": [{"step": 10, "loss": 1.0, **measures}],
        "best_epoch": 0,
        "selection_score": 1 - abs(unit.learning_rate - 0.2),
        "test": measures,
        "seconds": 5.0,
        "seconds_in_all": 7.0,
    }


_RESULTS = {
    results.SEARCH: _search,
    results.TRAINING: _training,
    results.NETWORK: lambda unit: {
        "macs": 2e8,
        "parameters": 10**6,
        "channels": 16,
        "baseline_width": 1.0,
    },
    results.SPEED: lambda unit: {
        "share": 2.0,
        "seconds_per_step": 0.1,
        "reference_seconds_per_step": 0.2,
        "quartiles": [1.9, 2.1],
    },
    results.SUPERNET: lambda unit: {
        "scores": [
            {"mean_iou": 0.1 * number, "pckh": -0.1 * number}
            for number in range(CONFIG.samples)
        ]
    },
}


class SummaryTest(absltest.TestCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        folder = pathlib.Path(absltest.get_default_test_tmpdir(), "summary")
        cls.plan, cls.results = finished(folder / "r.jsonl")
        cls.found = summary.of(cls.plan, cls.results)

    def test_means_and_deviations_are_those_of_the_seeds(self):
        scores = self.found["budgets"]["steps"]["nppnet"]["mean_iou"]

        self.assertEqual(scores["values"], [0.3, 0.31, 0.32])
        self.assertEqual(scores["mean"], 0.31)
        self.assertEqual(scores["deviation"], 0.01)
        self.assertEqual(scores["standard_error"], 0.0058)

    def test_differences_are_paired_by_seeds(self):
        difference = self.found["differences"]["steps"]["unet"]["mean_iou"]

        self.assertEqual(difference["values"], [0.02, 0.018, 0.02])
        # 0.058 / 3 over 0.002 / 3.
        self.assertEqual(difference["standard_errors"], 29.0)
        low, high = difference["interval"]
        self.assertLess(0.0179, low)
        self.assertLess(low, difference["mean"])
        self.assertLess(difference["mean"], high)
        self.assertLess(high, 0.0201)

    def test_in_equal_time_the_reference_is_what_it_is_in_equal_steps(self):
        by_time = self.found["budgets"]["time"]

        self.assertEqual(
            by_time["nppnet"], self.found["budgets"]["steps"]["nppnet"]
        )
        self.assertNotIn("row_1", by_time)

    def test_an_interval_needs_two_seeds(self):
        self.assertIsNone(summary.interval([0.5]))

    def test_inherited_scores_are_held_against_trained_ones(self):
        found = self.found["supernet"]

        self.assertEqual(found["mean_iou"]["correlation"]["spearman"], 1)
        self.assertEqual(found["pckh"]["correlation"]["spearman"], -1)

    def test_samples_that_the_supernet_has_not_seen_are_left_out(self):
        path = pathlib.Path(self.create_tempdir().full_path, "r.jsonl")
        made, found = finished(path)
        supernet = Unit(results.SUPERNET, "nppnet")
        found.add(supernet, {"scores": found[supernet]["scores"][:3]})

        again = summary.of(made, found)["supernet"]["mean_iou"]

        before = self.found["supernet"]["mean_iou"]
        self.assertEqual(again["trained"], before["trained"][:3])
        self.assertEqual(again["inherited"], before["inherited"][:3])

    def test_rows_are_held_against_the_papers(self):
        found = self.found["table_5"]["mean_iou"]

        self.assertLen(found["rows"], 8)
        self.assertEqual(found["rows"]["row_8"]["mean"], 0.31)
        searched = self.found["budgets"]["steps"]["nppnet"]["mean_iou"]
        self.assertEqual(
            found["rows"]["row_8"]["deviation"], searched["deviation"]
        )
        # Ours are 1..8 and the paper's 1 4 3 7 2 6 5 8: 1 - 6 * 26 / 504.
        self.assertEqual(found["correlation"]["spearman"], 0.6905)

    def test_skips_and_seconds_are_told(self):
        self.assertEqual(
            [s["largest_skip_share"] for s in self.found["searches"]],
            [0.0, 0.1, 0.2],
        )
        self.assertEqual(self.found["seconds"]["search"], 12.0)

    def test_every_figure_is_a_whole_svg(self):
        drawn = [
            *(
                draw(self.found, budget)
                for draw in (
                    figures.scores,
                    figures.differences,
                    figures.cost_and_score,
                    figures.curves,
                )
                for budget in plan.BUDGETS
            ),
            figures.supernet(self.found),
            figures.table_5(self.found),
        ]

        for svg in drawn:
            root = xml.etree.ElementTree.fromstring(svg)
            self.assertEqual(root.get("role"), "img")

    def test_equal_results_make_equal_pages(self):
        again = summary.of(self.plan, self.results)

        self.assertEqual(report.data(again), report.data(self.found))

    def test_nothing_finished_makes_an_empty_page(self):
        path = pathlib.Path(self.create_tempdir().full_path, "r.jsonl")
        empty = Results(path, CONFIG.digest())
        page = path.with_name("report.html")

        report.write(
            summary.of(Plan(CONFIG, ["nppnet"], SYSTEMS, empty), empty), page
        )

        self.assertNotIn("<svg", page.read_text())


if __name__ == "__main__":
    absltest.main()
