"""Tests of tools.search_five; its road is in roads/five_searches_test."""

from absl.testing import absltest

from tests import shared


class CommandLineTest(absltest.TestCase):
    def test_missing_records_are_one_line(self):
        result = shared.run_tool("search_five", "--workdir=somewhere")

        self.assertEqual(result.exit_code, 2)
        self.assertRegex(result.stderr, "^nppnet-search_five: .*--records")
        self.assertEqual(result.stderr.count("\n"), 1)


if __name__ == "__main__":
    absltest.main()
