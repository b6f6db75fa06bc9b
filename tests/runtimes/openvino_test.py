"""Tests of runtimes.openvino; what it writes and answers is in table_test."""

import os
import pathlib
import subprocess
import sys

from absl.testing import absltest

from tests import shared

_CONVERT = """
import pathlib
from nppnet_tf.runtimes import table
from tests.runtimes import toy_form
toy_form.write(pathlib.Path(FOLDER), "openvino", "float32")
"""


class LibraryTest(absltest.TestCase):
    def test_nobody_is_told_of_a_conversion(self):
        home = pathlib.Path(self.create_tempdir().full_path)
        folder = self.create_tempdir().full_path
        # Of these the library knows a machine that only tests.
        signs = {"CI", "TF_BUILD", "JENKINS_URL"}
        environment = {
            name: value
            for name, value in os.environ.items()
            if name not in signs
        }

        subprocess.run(
            [sys.executable, "-c", f"FOLDER = {folder!r}\n{_CONVERT}"],
            cwd=shared.REPOSITORY,
            env={**environment, "HOME": str(home)},
            check=True,
        )

        # Where it would keep the number that it sends along.
        self.assertFalse((home / "intel").exists())


if __name__ == "__main__":
    absltest.main()
