"""Tests of what tests share."""

import unittest

from absl.testing import absltest

from tests import shared


class RunToolTest(absltest.TestCase):
    def test_tool_that_the_test_has_imported_runs(self):
        result = shared.run_tool("draw_genotype", "--only_check_args")

        self.assertEqual((result.exit_code, result.stderr), (0, ""))

    def test_runs_follow_one_another(self):
        for _ in range(2):
            result = shared.run_tool("draw_genotype", "--help")

            self.assertEqual(result.exit_code, 0)
            self.assertIn("--genotype", result.stdout)

    def test_fresh_process_says_the_same(self):
        words = ("draw_genotype", "--genotype=none.json", "--output=a.svg")

        result = shared.run_tool(*words)

        self.assertEqual(result, shared.run_tool(*words, fresh_process=True))
        self.assertEqual(result.exit_code, 2)


class SharedPathTest(absltest.TestCase):
    def test_absent_path_skips_and_says_where_it_was_looked_for(self):
        with self.assertRaisesRegex(
            unittest.SkipTest, "no/such is absent: no such file in .*shared"
        ):
            shared.shared_path("no/such")


if __name__ == "__main__":
    absltest.main()
