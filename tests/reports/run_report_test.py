"""Tests of nppnet_tf.reports.run_report."""

import json
import pathlib

from absl.testing import absltest

from nppnet_tf.errors import UserError
from nppnet_tf.reports import page
from nppnet_tf.reports import run_report


def _search_record(epoch: int, **losses: float) -> dict:
    part = {"entropy": 2.0 - epoch, "largest_share": 0.1, "skip_share": 0.2}
    return {
        "epoch": epoch,
        "losses": {"loss": 3.0, **losses},
        "parts": {"pose/normal": part, "parsing/normal": part},
    }


def _result(iou: float, pckh: float) -> dict:
    return {
        "protocol": {
            "pictures": 64,
            "pictures_with_label_map": 60,
            "pictures_with_head": 50,
            "measured_at": "the size of each picture",
            "input_size": [128, 96],
            "scales": [1.0],
            "flip": False,
        },
        "parsing": {
            "mean_iou": iou,
            "iou": {"Hat": iou, "Glove": None},
            "convention": "mean over present",
        },
        "pose": {
            "pckh": pckh,
            "keypoints": {"left_knee": pckh},
            "threshold": 0.5,
            "protocol": "PCKh@0.5, pooled",
        },
    }


def _points(group: page.ChartGroup, title: str) -> dict[str, tuple]:
    (chart,) = [c for c in group.charts if c.title.startswith(title)]
    return {curve.name: curve.points for curve in chart.curves}


class ChartTest(absltest.TestCase):
    def test_search_curves_count_epochs_from_one(self):
        records = [
            _search_record(0),
            _search_record(1, architecture_loss=4.0),
        ]

        group = run_report.search_charts("Stage 1", records)

        self.assertEqual(
            _points(group, "Total loss"),
            {
                "weight half": ((1, 3.0), (2, 3.0)),
                "architecture half": ((2, 4.0),),
            },
        )
        self.assertEqual(
            _points(group, "Entropy"),
            {
                "pose/normal": ((1, 2.0), (2, 1.0)),
                "parsing/normal": ((1, 2.0), (2, 1.0)),
            },
        )
        self.assertLen(group.charts, 4)

    def test_runs_share_a_chart_per_term(self):
        runs = {
            "searched": [
                {
                    "epoch": 0,
                    "losses": {"loss": 1.0, "parsing_loss": 2.0},
                    "validation": {"mean_iou": 0.25},
                }
            ],
            "baseline": [{"epoch": 0, "losses": {"loss": 5.0}}],
        }

        group = run_report.training_charts("Training", runs)

        self.assertEqual(
            _points(group, "Total loss"),
            {"searched": ((1, 1.0),), "baseline": ((1, 5.0),)},
        )
        self.assertEqual(
            _points(group, "Validation mIoU")["searched"], ((1, 0.25),)
        )

    def test_terms_that_no_run_wrote_have_no_chart(self):
        runs = {"searched": [{"epoch": 0, "losses": {"loss": 1.0}}]}

        group = run_report.training_charts("Training", runs)

        self.assertLen(group.charts, 1)


class ResultTest(absltest.TestCase):
    def test_scores_are_the_two_numbers(self):
        self.assertEqual(
            run_report.scores(_result(0.4, 0.6)), {"miou": 0.4, "pckh": 0.6}
        )

    def test_scores_of_what_was_not_measured_are_none(self):
        result = {**_result(0.4, 0.6), "pose": None}

        self.assertEqual(run_report.scores(result), {"miou": 0.4, "pckh": None})

    def test_tables_put_systems_side_by_side(self):
        tables = run_report.score_tables(
            {"searched": _result(0.4, 0.6), "baseline": _result(0.3, 0.5)}
        )

        self.assertEqual(
            tables[0].rows, (("Hat", (0.4, 0.3)), ("Glove", (None, None)))
        )
        self.assertEqual(tables[1].rows, (("left_knee", (0.6, 0.5)),))
        self.assertEqual(tables[1].header, ("Keypoint", "searched", "baseline"))

    def test_protocol_says_what_was_measured_and_how(self):
        words = " ".join(run_report.protocol(_result(0.4, 0.6)).values())

        for expected in (
            "64, of which 60 with a label map and 50 with a head",
            "128 x 96",
            "scales 1, without the mirrored picture",
            "mean over present",
            "PCKh@0.5, pooled",
        ):
            self.assertIn(expected, words)


class ReadTest(absltest.TestCase):
    def setUp(self):
        super().setUp()
        self.folder = pathlib.Path(self.create_tempdir().full_path)

    def test_metrics_are_one_object_per_line(self):
        path = self.folder / "metrics.jsonl"
        path.write_text('{"epoch": 0}\n{"epoch": 1}\n')

        records = run_report.read_metrics(path)

        self.assertEqual(records, [{"epoch": 0}, {"epoch": 1}])

    def test_damaged_files_are_named(self):
        path = self.folder / "metrics.jsonl"
        path.write_text('{"epoch": ')

        with self.assertRaisesRegex(UserError, "metrics.jsonl"):
            run_report.read_metrics(path)
        with self.assertRaisesRegex(UserError, "metrics.jsonl"):
            run_report.read_json(path)
        with self.assertRaisesRegex(UserError, "absent.json"):
            run_report.read_json(self.folder / "absent.json")

    def test_epochs_are_numbers_that_there_are(self):
        path = self.folder / "metrics.jsonl"
        for number in (-1, 10**300, 10**9):
            path.write_text(json.dumps({"epoch": number}))

            with self.assertRaisesRegex(
                UserError, "number of an epoch.*line 1"
            ):
                run_report.read_metrics(path)

    def test_environment_names_versions_and_no_machine(self):
        environment = run_report.environment()

        self.assertContainsSubset(
            ["python", "tensorflow", "keras"], environment
        )
        json.dumps(environment)


class TextTableTest(absltest.TestCase):
    def test_columns_line_up(self):
        table = page.Table(("network", "mIoU"), (("searched", "0.41"),))

        lines = run_report.text_table(table).splitlines()

        self.assertEqual(lines, ["network   mIoU", "searched  0.41"])


if __name__ == "__main__":
    absltest.main()
