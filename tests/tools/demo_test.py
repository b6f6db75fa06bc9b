"""Tests of tools.demo; the road itself is in roads/demo_road_test."""

import os
import pathlib
from unittest import mock

from absl.testing import absltest

from tests import shared


class BadInputTest(absltest.TestCase):
    def setUp(self):
        super().setUp()
        self.folder = pathlib.Path(self.create_tempdir().full_path)

    def test_absent_pictures_are_one_line(self):
        with mock.patch.dict(os.environ, NPPNET_SHARED=str(self.folder)):
            result = shared.run_tool(
                "demo", "--what=real", f"--demo_dir={self.folder / 'real'}"
            )

        self.assertEqual(result.exit_code, 2)
        self.assertEqual(result.stderr.count("\n"), 1)
        self.assertRegex(result.stderr, "real pictures are absent.*lip_mmseg")
        self.assertFalse((self.folder / "real").exists())

    def test_a_file_in_place_of_the_folder_is_one_line(self):
        path = self.folder / "file"
        path.write_text("")

        result = shared.run_tool("demo", f"--demo_dir={path}")

        self.assertEqual(result.exit_code, 2)
        self.assertEqual(result.stderr.count("\n"), 1)
        self.assertIn("--demo_dir", result.stderr)


if __name__ == "__main__":
    absltest.main()
