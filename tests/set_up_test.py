"""`make` creates .venv with a fit Python, once, or says what is missing.

Python is played by a shell script that writes down what it is asked to do.
"""

import pathlib
import shutil
import subprocess

from absl.testing import absltest

from tests import shared

_PYTHON = """#!/bin/sh
echo "{name} $*" >> log
case "$*" in
    *platform*) echo {version} ;;
    *"import ensurepip"* | *"import pip"*) exit {missing} ;;
    *sys.version_info*) echo python3.11 ;;
    *"-m venv"*) mkdir -p .venv/bin && cp "$0" .venv/bin/python ;;
esac
"""
_PROGRAMS = ("sh", "make", "dirname", "grep", "mkdir", "cp", "touch")


class SetUpTest(absltest.TestCase):
    def setUp(self):
        super().setUp()
        if shutil.which("make") is None:
            self.skipTest("make is absent")
        self.folder = pathlib.Path(self.create_tempdir().full_path)
        for name in ("programs", "tools"):
            (self.folder / name).mkdir()
        for name in ("Makefile", "setup.py", "constraints.txt"):
            shutil.copy(shared.REPOSITORY / name, self.folder)
        script = "tools/create_venv.sh"
        shutil.copy(shared.REPOSITORY / script, self.folder / script)
        for name in _PROGRAMS:
            (self.folder / "programs" / name).symlink_to(shutil.which(name))

    def test_first_run_creates_and_installs_and_the_second_does_not(self):
        self._write_python("python3", "3.9.2")
        self._write_python("python3.12", "3.12.1")

        result = self._make()

        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertIn("creating .venv with python3.12", result.stdout)
        calls = (self.folder / "log").read_text()
        self.assertIn("--constraint constraints.txt", calls)
        self.assertIn("-m pytest", calls)
        self.assertNotIn("installing", self._make().stdout)
        # As where an installation was interrupted.
        (self.folder / ".venv" / "installed").unlink()
        self.assertIn("updating .venv", self._make().stdout)

    def test_no_fit_python_is_one_line(self):
        self._write_python("python3", "3.14.0")

        self._assert_refused("needs Python 3.11, .* or 3.13; python3 is 3.14.0")

    def test_missing_ensurepip_names_the_package(self):
        self._write_python("python3", "3.11.2", missing=1)

        self._assert_refused("install the package python3.11-venv")

    def _assert_refused(self, words):
        result = self._make()

        line, makes_own = result.stderr.splitlines()
        self.assertRegex(line, f"^create_venv: .*{words}")
        self.assertStartsWith(makes_own, "make")
        self.assertEqual(result.returncode, 2)
        self.assertFalse((self.folder / ".venv").exists())

    def _write_python(self, name, version, missing=0):
        path = self.folder / "programs" / name
        path.write_text(
            _PYTHON.format(name=name, version=version, missing=missing)
        )
        path.chmod(0o755)

    def _make(self):
        """Runs make where no other Python than the written ones is found."""
        return subprocess.run(
            ["make", "test"],
            cwd=self.folder,
            env={"PATH": str(self.folder / "programs")},
            capture_output=True,
            text=True,
            check=False,
        )


if __name__ == "__main__":
    absltest.main()
