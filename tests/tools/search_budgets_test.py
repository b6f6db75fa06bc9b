"""Tests of tools.search_budgets; its road is in roads/budgets_test."""

from absl.testing import absltest

from tests import shared


class CommandLineTest(absltest.TestCase):
    def test_missing_records_are_one_line(self):
        result = shared.run_tool("search_budgets", "--workdir=somewhere")

        self.assertEqual(result.exit_code, 2)
        self.assertRegex(result.stderr, "^nppnet-search_budgets: .*--records")
        self.assertEqual(result.stderr.count("\n"), 1)

    def test_flag_files_that_are_missing_are_named(self):
        result = shared.run_tool(
            "search_budgets", "--workdir=somewhere", "--train_flagfile=none.txt"
        )

        self.assertEqual(result.exit_code, 2)
        self.assertEqual(result.stderr.count("\n"), 1)


if __name__ == "__main__":
    absltest.main()
