"""Tests of tests.user_paths.user_path: what all others here rest on."""

import os
from unittest import mock

from absl.testing import absltest

from tests.user_paths import user_path


class RunTest(absltest.TestCase):
    def test_a_tool_says_its_help_in_a_plain_shell(self):
        result = user_path.run_well("derive", "--help")

        self.assertIn("usage: nppnet-derive", result.stdout)

    def test_nothing_of_the_test_runner_reaches_a_tool(self):
        with mock.patch.dict(os.environ, TF_NUM_INTRAOP_THREADS="1"):
            found = user_path.environment(TF_NUM_INTEROP_THREADS="8")

        self.assertEqual(
            {n: v for n, v in found.items() if n.startswith("TF_NUM_")},
            {"TF_NUM_INTEROP_THREADS": "8"},
        )

    def test_what_stands_still_ends_with_its_stacks(self):
        process = user_path.start(
            "train",
            "--genotype=baseline",
            f"--records={user_path.drawn().train}",
            f"--workdir={self.create_tempdir().full_path}",
            is_real=True,
        )

        with self.assertRaisesRegex(
            AssertionError, "not ended(.|\n)*most recent"
        ):
            # TensorFlow alone takes longer to import.
            user_path.finish(process, seconds=1)


class DrawnTest(absltest.TestCase):
    def test_drawn_people_are_records(self):
        drawn = user_path.drawn()

        for folder, count in ((drawn.train, 8), (drawn.validation, 4)):
            lines = (folder / "index.jsonl").read_text().splitlines()
            self.assertLen(lines, count)


if __name__ == "__main__":
    absltest.main()
