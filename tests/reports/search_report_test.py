"""Tests of nppnet_tf.reports.search_report."""

import json
import math
import pathlib

from absl.testing import absltest

from nppnet_tf.errors import UserError
from nppnet_tf.reports import search_report
from tests.reports import search_run


def _with_numbers(part, number):
    """Returns a record of an epoch with one number in place of all others."""
    if isinstance(part, dict):
        return {
            name: value
            if name in ("epoch", "best_epoch")
            else _with_numbers(value, number)
            for name, value in part.items()
        }
    is_number = isinstance(part, int | float) and not isinstance(part, bool)
    return number if is_number else part


class SearchReportTest(absltest.TestCase):
    def setUp(self):
        super().setUp()
        self.folder = pathlib.Path(self.create_tempdir().full_path, "run")
        self.page = self.folder.parent / "page.html"

    def test_a_search_is_shown_with_its_history_and_its_alarms(self):
        search_run.write(self.folder)

        search_report.write(self.folder, self.page)

        text = self.page.read_text()
        for words in (
            "Search run",
            "the best is epoch 2",
            # Told where it began, not in every epoch.
            "Alarm in epoch 2, memorized: learned by heart.",
            "Shares of the operations",
            "What changed from epoch 1 to epoch 3",
            "most skips that pruning keeps in a part",
        ):
            self.assertIn(words, text)
        self.assertNotIn("Alarm in epoch 3", text)

    def test_what_a_stop_rule_has_done_is_told(self):
        search_run.write(self.folder)
        metrics = self.folder / "metrics.jsonl"
        *others, last = metrics.read_text().splitlines()
        ended = {
            **json.loads(last),
            "stop_rule": {"held": 3, "of": 108},
            "ended_because": "it has learned",
        }
        metrics.write_text("\n".join([*others, json.dumps(ended)]))

        search_report.write(self.folder, self.page)

        text = self.page.read_text()
        self.assertIn("Over with epoch 3: it has learned.", text)
        self.assertIn("operations that the stop rule holds", text)

    def test_a_training_is_shown_without_a_history(self):
        self.folder.mkdir()
        record = {"epoch": 0, "losses": {"loss": 1.0}, "seconds": 2.0}
        (self.folder / "metrics.jsonl").write_text(json.dumps(record))

        search_report.write(self.folder, self.page)

        self.assertIn("Training run", self.page.read_text())
        self.assertNotIn("How the search went", self.page.read_text())

    def test_genotypes_that_are_gone_leave_the_rest(self):
        search_run.write(self.folder)
        for path in (self.folder / "genotypes").iterdir():
            path.unlink()

        search_report.write(self.folder, self.page)

        self.assertIn("Shares of the operations", self.page.read_text())
        self.assertNotIn("What changed", self.page.read_text())

    def test_numbers_of_a_ruined_run_leave_the_rest(self):
        search_run.write(self.folder)
        path = self.folder / "metrics.jsonl"
        *before, last = path.read_text().splitlines()
        for number in (math.nan, math.inf, -math.inf, 1e308, -1e308, -1, 0):
            ruined = _with_numbers(json.loads(last), number)
            path.write_text("\n".join([*before, json.dumps(ruined)]))

            with self.subTest(number):
                search_report.write(self.folder, self.page)

                text = self.page.read_text()
                self.assertIn("Shares of the operations", text)
                self.assertIn("Total loss", text)

    def test_a_training_that_was_ruined_at_once_has_a_page(self):
        self.folder.mkdir()
        for loss in (math.nan, math.inf, 0):
            losses = {"loss": loss, "pose_loss": loss, "parsing_loss": loss}
            record = {"epoch": 0, "losses": losses, "seconds": 2.0}
            (self.folder / "metrics.jsonl").write_text(json.dumps(record))

            search_report.write(self.folder, self.page)

            self.assertIn("Training run", self.page.read_text())

    def test_without_an_epoch_there_is_nothing_to_report(self):
        self.folder.mkdir()

        with self.assertRaisesRegex(UserError, "nothing to report"):
            search_report.write(self.folder, self.page)

    def test_records_of_another_kind_are_refused(self):
        self.folder.mkdir()
        for record in (
            {"epoch": 0, "parts": {"pose/fusion": 3}},
            {"epoch": 0, "agreement": []},
            {"epoch": 0, "parts": {"pose/fusion": {"skip_share": "much"}}},
        ):
            path = self.folder / "metrics.jsonl"
            path.write_text(json.dumps(record))

            with self.subTest(record), self.assertRaises(UserError):
                search_report.write(self.folder, self.page)


if __name__ == "__main__":
    absltest.main()
