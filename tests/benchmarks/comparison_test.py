"""Tests of nppnet_tf.benchmarks.comparison."""

import json
import math
import pathlib

from absl.testing import absltest
from absl.testing import parameterized

from nppnet_tf.benchmarks import comparison
from nppnet_tf.errors import UserError

QUIET = (1.0, 1.01, 0.99, 1.02, 0.98)
NOISY = (1.0, 1.4, 0.7, 1.2, 0.8)


def _result(**values):
    return {"what": "reading", "cores": 2, "load_average": 0.3, **values}


def _line(old, new, is_counted=False):
    return comparison.line(
        comparison.Measure("step", tuple(old), is_counted),
        comparison.Measure("step", tuple(new), is_counted),
    )


class LineTest(parameterized.TestCase):
    def test_a_change_beyond_noise_is_told(self):
        line = _line(QUIET, [0.9 * value for value in QUIET])

        self.assertStartsWith(line, "step: 1 -> 0.9, -10.0%: CHANGED (p = ")

    def test_noise_that_hides_a_change_is_told(self):
        line = _line(NOISY, [0.9 * value for value in NOISY])

        # Half of the sum of 0.4 and 0.36.
        self.assertEqual(
            line,
            "step: 1 -> 0.9, -10.0%: within noise, which hides changes up to "
            "about 38%",
        )

    def test_a_change_that_is_sure_but_small_is_none(self):
        samples = [1 + value / 1000 for value in range(10)]

        line = _line(samples, [1.02 * value for value in samples])

        self.assertIn("within noise", line)

    def test_what_is_rounded_to_nothing_is_compared_too(self):
        self.assertIn("within noise", _line([0.0] * 5, [0.0] * 5))

    def test_few_samples_tell_nothing(self):
        line = _line(QUIET[:4], [2 * value for value in QUIET])

        self.assertIn("fewer than 5 samples tell nothing", line)

    @parameterized.named_parameters(
        ("small", 1.09, "no change that could be told (measured once)"),
        ("large", 1.11, "CHANGED (measured once)"),
    )
    def test_of_what_was_measured_once(self, new, verdict):
        self.assertEndsWith(_line([1.0], [new]), verdict)

    def test_of_what_is_counted_any_difference_is_a_change(self):
        self.assertEqual(_line([5], [5], True), "step: 5, equal")
        self.assertEndsWith(_line([5000], [5001], True), ": CHANGED")


class ResultTest(absltest.TestCase):
    def test_measures_are_found_wherever_they_stand(self):
        result = _result(
            graph_nodes={"weight_step": 7},
            seconds_of_each_step=[1, 2],
            seconds_per_step=1.5,
            peak_memory_gb=2.5,
            milliseconds={"form": {"median": 3, "samples": [3, 4]}},
            samples=8,
            gmac=math.nan,
        )

        found = {
            measure.name: (measure.samples, measure.is_counted)
            for measure in comparison.measures(result)
        }

        self.assertEqual(
            found,
            {
                "graph_nodes, weight_step": ((7,), True),
                "seconds_of_each_step": ((1, 2), False),
                "peak_memory_gb": ((2.5,), False),
                "milliseconds, form": ((3, 4), False),
            },
        )

    def test_what_makes_it_doubtful_is_told(self):
        old = _result(
            versions={"numpy": "1"},
            load_average=3.0,
            machine_gmac_per_second=50.0,
        )
        new = _result(
            versions={"numpy": "2"},
            peak_memory_gb=1,
            machine_gmac_per_second=100.0,
        )

        self.assertEqual(
            comparison.compare_results(old, new, "old.json"),
            [
                "peak_memory_gb: measured in one of the two alone",
                "not of the same versions of TensorFlow, Keras and NumPy",
                "the machine of the second is 2.00 times as fast (one product "
                "of matrices): seconds tell of it and not of the code",
                "the first was measured beside other work: load 3 on 2 cores",
            ],
        )

    def test_results_of_other_things_are_refused(self):
        with self.assertRaisesRegex(
            UserError, "something else; where: old.json, cores; expected: 2"
        ):
            comparison.compare_results(_result(cores=4), _result(), "old.json")


class ResultFileTest(absltest.TestCase):
    def setUp(self):
        super().setUp()
        self.folder = pathlib.Path(self.create_tempdir().full_path)

    def _write(self, name, text):
        path = self.folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
        return path

    def test_folders_are_compared_by_the_names_of_figures(self):
        self._write("old/a.json", json.dumps(_result(gmac=1)))
        self._write("old/b.json", json.dumps(_result()))
        self._write("new/a.json", json.dumps(_result(gmac=2)))

        lines = comparison.compare(self.folder / "old", self.folder / "new")

        self.assertEqual(
            lines,
            [
                "a.json",
                "  gmac: 1 -> 2: CHANGED",
                f"b.json: only in {self.folder / 'old'}",
            ],
        )

    def test_a_folder_and_a_file_are_refused(self):
        path = self._write("new.json", json.dumps(_result()))

        with self.assertRaisesRegex(UserError, "a folder of results"):
            comparison.compare(self.folder, path)

    def test_a_folder_without_results_is_refused(self):
        self._write("old/notes.txt", "")
        self._write("new/a.json", json.dumps(_result()))

        with self.assertRaisesRegex(UserError, "no results; where: .*old"):
            comparison.compare(self.folder / "old", self.folder / "new")

    def test_files_that_hold_no_result_are_refused(self):
        good = self._write("good.json", json.dumps(_result()))
        for text, problem in (
            ("[]", "result is not an object"),
            ("{}", "what is not a text"),
            ("{", "not JSON"),
        ):
            bad = self._write("bad.json", text)
            with self.assertRaisesRegex(UserError, problem):
                comparison.compare(bad, good)


if __name__ == "__main__":
    absltest.main()
