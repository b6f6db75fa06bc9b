"""Tests of the file of results."""

import dataclasses
import json
import pathlib

from absl.testing import absltest
from absl.testing import parameterized

from nppnet_tf.errors import UserError
from nppnet_tf.study import results
from nppnet_tf.study.results import Results
from nppnet_tf.study.results import Unit

UNIT = Unit(results.TRAINING, "unet", 1, "steps", 0.002)


def _scored(score):
    return {
        "steps": 10,
        "curve": [],
        "selection_score": score,
        "test": {"mean_iou": score, "pckh": score},
        "seconds": 1.5,
        "seconds_in_all": 2,
    }


class ResultsTest(parameterized.TestCase):
    def setUp(self):
        super().setUp()
        self.path = pathlib.Path(self.create_tempdir().full_path, "r.jsonl")

    def test_what_is_added_is_read_again(self):
        Results(self.path, "a").add(UNIT, _scored(0.25))

        again = Results(self.path, "a")

        self.assertIn(UNIT, again)
        self.assertEqual(again[UNIT], _scored(0.25))
        self.assertEqual(again.of_kind(results.TRAINING), {UNIT: again[UNIT]})

    def test_results_of_other_settings_do_not_mix(self):
        Results(self.path, "a").add(UNIT, _scored(0.25))
        other = Results(self.path, "b")
        other.add(UNIT, _scored(0.5))

        self.assertEqual(other.num_others, 1)
        self.assertEqual(Results(self.path, "a")[UNIT], _scored(0.25))
        self.assertEqual(Results(self.path, "b")[UNIT], _scored(0.5))

    def test_half_a_last_line_of_a_killed_process_is_removed(self):
        found = Results(self.path, "a")
        found.add(UNIT, _scored(0.25))
        whole = self.path.read_text()
        self.path.write_text(whole + whole[:50])

        again = Results(self.path, "a")
        other = dataclasses.replace(UNIT, seed=2)
        again.add(other, _scored(0.5))

        self.assertCountEqual(
            Results(self.path, "a").of_kind(UNIT.kind), (UNIT, other)
        )
        self.assertStartsWith(self.path.read_text(), whole)
        self.assertLen(self.path.read_text().splitlines(), 2)

    def test_what_an_editor_saves_otherwise_is_kept_whole(self):
        Results(self.path, "a").add(UNIT, _scored(0.25))
        line = self.path.read_bytes().rstrip()
        other = dataclasses.replace(UNIT, seed=2)
        for text in (
            b"\xef\xbb\xbf" + line + b"\r\n",
            b"\xef\xbb\xbf" + line + b"\r\n" + line[:50],
            line + b"\r",
            line,
        ):
            self.path.write_bytes(text)

            Results(self.path, "a").add(other, _scored(0.5))

            found = Results(self.path, "a")
            self.assertEqual(found[UNIT], _scored(0.25), text)
            self.assertEqual(found[other], _scored(0.5), text)

    def test_who_only_reads_leaves_what_another_process_writes(self):
        self.path.write_text('{"format": "nppnet_tf.stu')

        self.assertEmpty(Results(self.path, "a").of_kind(results.TRAINING))
        self.assertEqual(self.path.read_text(), '{"format": "nppnet_tf.stu')

    @parameterized.parameters(
        "nothing",
        "[1]",
        "{}",
        '{"format": "nppnet_tf.study", "unit": {"kind": "other"}}',
        '{"format": "nppnet_tf.study", "unit": {"place": 1}}',
        '{"format": "nppnet_tf.study", "settings": "a", "result": {}, '
        '"unit": {"kind": "training", "seed": [1]}}',
    )
    def test_other_lines_are_refused_by_their_number(self, line):
        self.path.write_text(f"{line}\n")

        with self.assertRaisesRegex(UserError, "r.jsonl, line 1"):
            Results(self.path, "a")

    @parameterized.parameters(
        ({}, "result lacks an entry.*found: no steps"),
        (_scored("0.5"), "result.selection_score is not a number.*'0.5'"),
        (
            _scored(0.5) | {"test": {"pckh": 1}},
            "result.test lacks.*no mean_iou",
        ),
        (
            _scored(0.5) | {"curve": [[1]]},
            r"result.curve\[0\] is not an object",
        ),
    )
    def test_results_that_lack_something_are_refused(self, result, message):
        other = dataclasses.replace(UNIT, seed=2)
        found = Results(self.path, "a")
        found.add(other, _scored(0.25))
        found.add(UNIT, result)

        with self.assertRaisesRegex(UserError, rf"{message}") as caught:
            Results(self.path, "a")
        self.assertIn("r.jsonl, line 2", str(caught.exception))
        # Those of other settings, of another version perhaps, are not read.
        self.assertEmpty(Results(self.path, "b").of_kind(UNIT.kind))

    @parameterized.parameters(
        {"seed": "1"}, {"seed": 1.5}, {"learning_rate": None}, {"system": 3}
    )
    def test_units_of_other_values_are_refused(self, **changes):
        Results(self.path, "a").add(
            dataclasses.replace(UNIT, **changes), _scored(0.5)
        )

        name = next(iter(changes))
        with self.assertRaisesRegex(UserError, rf"unit.{name} is not.*line 1"):
            Results(self.path, "a")

    def test_what_is_not_finite_is_no_result(self):
        with self.assertRaisesRegex(ValueError, "Out of range"):
            Results(self.path, "a").add(UNIT, {"score": float("nan")})

        self.assertFalse(self.path.exists())

    def test_a_line_tells_its_settings(self):
        Results(self.path, "a").add(UNIT, {})

        line = json.loads(self.path.read_text())

        self.assertEqual(line["settings"], "a")

    def test_lines_that_others_add_meanwhile_are_kept(self):
        first, second = Results(self.path, "a"), Results(self.path, "b")
        first.add(UNIT, _scored(0.25))
        other = dataclasses.replace(UNIT, seed=2)

        second.add(UNIT, _scored(0.5))
        first.add(other, _scored(0.5))

        self.assertLen(Results(self.path, "a"), 2)
        self.assertEqual(Results(self.path, "b")[UNIT], _scored(0.5))

    def test_lines_that_are_taken_out_meanwhile_leave_no_hole(self):
        found = Results(self.path, "a")
        found.add(UNIT, _scored(0.25))
        self.path.write_text("")

        found.add(dataclasses.replace(UNIT, seed=2), _scored(0.5))

        self.assertLen(Results(self.path, "a"), 1)


if __name__ == "__main__":
    absltest.main()
