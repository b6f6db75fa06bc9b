"""Tests of tools.report."""

import pathlib

from absl.testing import absltest

from tests import shared
from tests.reports import search_run


class ReportTest(absltest.TestCase):
    def setUp(self):
        super().setUp()
        self.folder = pathlib.Path(self.create_tempdir().full_path, "run")
        search_run.write(self.folder)

    def test_the_page_lies_in_the_run_and_is_made_anew(self):
        for _ in range(2):
            result = shared.run_tool("report", f"--workdir={self.folder}")

            self.assertEqual((result.exit_code, result.stderr), (0, ""))
            self.assertIn(str(self.folder / "report.html"), result.stdout)
        self.assertTrue((self.folder / "report.html").is_file())

    def test_what_is_read_is_not_written_over(self):
        metrics = self.folder / "metrics.jsonl"

        result = shared.run_tool(
            "report", f"--workdir={self.folder}", f"--output={metrics}"
        )

        self.assertEqual(result.exit_code, 2)
        self.assertStartsWith(metrics.read_text(), "{")


if __name__ == "__main__":
    absltest.main()
