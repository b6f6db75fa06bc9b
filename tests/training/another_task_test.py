"""Runs what docs/another_task.md shows: a search of another task."""

import os
import re
import subprocess
import sys

from absl.testing import absltest

from tests import pages
from tests import shared

PAGE = "docs/another_task.md"


class AnotherTaskTest(absltest.TestCase):
    def setUp(self):
        super().setUp()
        (block,) = [b for b in pages.blocks(PAGE) if b.language == "python"]
        self.code = block.text

    def test_it_takes_a_page(self):
        lines = [line for line in self.code.splitlines() if line.strip()]

        self.assertLessEqual(len(lines), 80)

    def test_shapes_are_told_apart_by_what_is_found(self):
        result = subprocess.run(
            [sys.executable, "-c", self.code],
            cwd=self.create_tempdir().full_path,
            env={
                **os.environ,
                "PYTHONPATH": str(shared.REPOSITORY),
                "TF_CPP_MIN_LOG_LEVEL": "3",
            },
            capture_output=True,
            text=True,
            check=False,
        )

        self.assertEqual(result.returncode, 0, result.stderr[-2000:])
        accuracy = re.search(r"\)\)\) (0\.\d+|1\.0)$", result.stdout.strip())
        self.assertIsNotNone(accuracy, result.stdout)
        # Chance is a third.
        self.assertGreater(float(accuracy[1]), 0.8)


if __name__ == "__main__":
    absltest.main()
