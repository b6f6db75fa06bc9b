"""Tests of the command line of a study."""

import pathlib

from absl.testing import absltest
from absl.testing import parameterized

from tests import shared


class StudyToolTest(parameterized.TestCase):
    @parameterized.parameters(
        (["--systems=other"], "unknown system.*--systems.*random.*other"),
        (["--strategies=other"], "unknown strategy.*--strategies.*other"),
        (["--learning_rates=0.1"], "--learning_rates"),
        (["--seeds=0"], "--seeds"),
        (["--results=r.json"], r"--results=r.json.*\*\.jsonl"),
        (["--strategies=,", "--systems=rows"], "nothing to compare"),
    )
    def test_what_is_wrong_is_said_in_one_line(self, words, message):
        folder = pathlib.Path(self.create_tempdir().full_path)

        result = shared.run_tool(
            "study",
            f"--workdir={folder / 'work'}",
            f"--results={folder / 'r.jsonl'}",
            *words,
        )

        self.assertEqual(result.exit_code, 2)
        self.assertRegex(result.stderr, message)
        self.assertLen(result.stderr.strip().splitlines(), 1)
        self.assertEmpty(list(folder.iterdir()))

    def test_results_that_are_none_are_refused_and_kept(self):
        folder = pathlib.Path(self.create_tempdir().full_path)
        results = folder / "r.jsonl"
        results.write_text("my notes\n")

        result = shared.run_tool(
            "study", f"--workdir={folder / 'work'}", f"--results={results}"
        )

        self.assertEqual(result.exit_code, 2)
        self.assertRegex(result.stderr, "r.jsonl, line 1")
        self.assertEqual(results.read_text(), "my notes\n")


if __name__ == "__main__":
    absltest.main()
