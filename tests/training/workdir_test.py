"""A folder belongs to one run."""

import json
import pathlib

from absl.testing import absltest
from absl.testing import parameterized

from nppnet_tf.errors import UserError
from nppnet_tf.training.workdir import Workdir

_SETTINGS = {"channels": 16, "drop_epochs": (1, 2), "genotype": "abc"}


class WorkdirTest(parameterized.TestCase):
    def setUp(self):
        super().setUp()
        self.path = pathlib.Path(self.create_tempdir().full_path) / "run"
        self.workdir = Workdir(self.path)

    def _started(self):
        self.workdir.claim("search", _SETTINGS, "--channels=16\n")
        self.workdir.checkpoints.mkdir()

    def _settings(self):
        return json.loads((self.path / "run.json").read_text())["settings"]

    def test_first_claim_writes_the_flags(self):
        self.workdir.claim("search", _SETTINGS, "--channels=16\n")

        self.assertEqual(self.workdir.flags_file.read_text(), "--channels=16\n")

    def test_same_run_may_claim_again(self):
        self._started()

        self.workdir.claim("search", dict(_SETTINGS), "--channels=16\n")

        self.assertEqual(self._settings(), {**_SETTINGS, "drop_epochs": [1, 2]})

    @parameterized.named_parameters(
        ("changed", {"channels": 32}, "`channels`.*expected: 16; found: 32"),
        ("list", {"drop_epochs": [1]}, r"`drop_epochs`.*\[1, 2\].*\[1\]"),
        ("added", {"seed": 1}, "`seed`.*expected: the default; found: 1"),
    )
    def test_another_run_is_refused_by_its_flag(self, changes, message):
        self._started()

        with self.assertRaisesRegex(UserError, message):
            self.workdir.claim("search", {**_SETTINGS, **changes}, "")

        self.assertEqual(self.workdir.flags_file.read_text(), "--channels=16\n")

    def test_another_tool_s_run_is_refused(self):
        self._started()

        with self.assertRaisesRegex(UserError, "run of train; found: one of s"):
            self.workdir.claim("train", _SETTINGS, "")

    def test_run_without_an_epoch_may_start_again_as_another(self):
        self.workdir.claim("search", _SETTINGS, "")

        self.workdir.claim("search", {"channels": 32}, "")

        self.assertEqual(self._settings(), {"channels": 32})

    def test_new_run_that_is_refused_leaves_nothing(self):
        workdir = Workdir(self.path / "k_4" / "run")
        for is_there in (False, True):
            if is_there:
                workdir.path.mkdir(parents=True)
            with self.assertRaisesRegex(UserError, "no batch"):
                with workdir.hold():
                    workdir.claim("search", _SETTINGS, "--channels=16\n")
                    raise UserError("no batch")

            self.assertEqual(workdir.path.exists(), is_there)
            self.assertEqual(self.path.exists(), is_there)
        self.assertEmpty(list(workdir.path.iterdir()))

    def test_run_that_is_refused_later_keeps_what_it_saved(self):
        for saves in (True, False):
            with self.assertRaises(UserError):
                with self.workdir.hold():
                    self.workdir.claim("search", _SETTINGS, "--channels=16\n")
                    if saves:
                        self.workdir.checkpoints.mkdir()
                    raise UserError("no batch")

            self.assertEqual(self.workdir.settings()["channels"], 16)

    def test_folder_with_other_things_is_refused(self):
        self.path.mkdir()
        (self.path / "thesis.txt").write_text("valuable")

        with self.assertRaisesRegex(UserError, "not empty and not a run"):
            self.workdir.claim("search", _SETTINGS, "")

        self.assertEqual(len(list(self.path.iterdir())), 1)

    @parameterized.named_parameters(
        ("no_json", "{", "not JSON"),
        ("deep", "[" * 100_000, "JSON is nested"),
        ("list", "[]", "not an object"),
        (
            "other_format",
            json.dumps({"format": "x", "version": 1}),
            "another format or version",
        ),
        (
            "no_settings",
            json.dumps(
                {"format": "nppnet_tf.run", "version": 1, "tool": "search"}
            ),
            "settings is not an object",
        ),
    )
    def test_damaged_run_file_is_an_error(self, text, message):
        self._started()
        (self.path / "run.json").write_text(text)

        with self.assertRaisesRegex(UserError, rf"{message}.*run\.json"):
            self.workdir.claim("search", _SETTINGS, "")

    def test_counts_complete_epochs(self):
        self.assertEqual(self.workdir.completed_epochs(), 0)
        self._started()
        # What is cut off is no record.
        self.workdir.metrics_file.write_text('{}\n{"ended_because": "x"}\n{"a')

        self.assertEqual(self.workdir.completed_epochs(), 2)


if __name__ == "__main__":
    absltest.main()
