"""`make` creates .venv with a fit Python, once, or says what is missing.

Python is played by shell scripts that write down what they are asked to do.
"""

import os
import pathlib
import shutil
import subprocess

from absl.testing import absltest

from tests import shared

_PYTHON = """#!/bin/sh
echo "{name} $*" >> {log}
case "$*" in
    *platform*) echo {version} ;;
    *ensurepip*) exit {ensurepip} ;;
    *"import pip"*) exit {pip} ;;
    *sys.version_info*) echo python3.11 ;;
    *"-m venv"*)
        mkdir -p .venv/bin
        cp "$0" .venv/bin/python ;;
esac
"""


class SetUpTest(absltest.TestCase):
    def setUp(self):
        super().setUp()
        if shutil.which("make") is None:
            self.skipTest("make is absent")
        self.folder = pathlib.Path(self.create_tempdir().full_path)
        self.log = self.folder / "log"
        self.programs = self.folder / "programs"
        self.programs.mkdir()
        (self.folder / "tools").mkdir()
        for name in ("Makefile", "setup.py", "constraints.txt"):
            shutil.copy(shared.REPOSITORY / name, self.folder)
        shutil.copy(
            shared.REPOSITORY / "tools" / "create_venv.sh",
            self.folder / "tools",
        )

    def test_first_run_creates_installs_and_says_so(self):
        self._write_python("python3", "3.11.2")

        result = self._make("test")

        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertIn("creating .venv with python3", result.stdout)
        self.assertIn("installing the versions of constraints", result.stdout)
        calls = self.log.read_text()
        self.assertIn("--constraint constraints.txt", calls)
        self.assertIn("-m pytest", calls)

    def test_second_run_installs_nothing(self):
        self._write_python("python3", "3.11.2")
        self._make("test")
        self.log.write_text("")

        result = self._make("test")

        self.assertNotIn("installing", result.stdout)
        self.assertNotIn("pip", self.log.read_text())
        self.assertIn("-m pytest", self.log.read_text())

    def test_changed_versions_are_installed_into_the_same_venv(self):
        self._write_python("python3", "3.11.2")
        self._make("test")
        newer = (self.folder / ".venv" / "installed").stat().st_mtime + 10
        os.utime(self.folder / "constraints.txt", (newer, newer))

        result = self._make("test")

        self.assertIn("updating .venv", result.stdout)
        self.assertNotIn("creating", result.stdout)

    def test_interrupted_installation_is_repeated(self):
        self._write_python("python3", "3.11.2")
        self._make("test")
        (self.folder / ".venv" / "installed").unlink()

        result = self._make("test")

        self.assertIn("installing", result.stdout)

    def test_another_python_is_found_where_python3_is_too_old(self):
        self._write_python("python3", "3.9.2")
        self._write_python("python3.12", "3.12.1")

        result = self._make("test")

        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertIn("creating .venv with python3.12", result.stdout)

    def test_no_fit_python_is_one_line(self):
        self._write_python("python3", "3.14.0")

        result = self._make("test")

        self.assertEqual(result.returncode, 2)
        self.assertEqual(
            self._own_lines(result),
            [
                "create_venv: needs Python 3.11, 3.12 or 3.13; python3 is "
                "3.14.0; name another with PYTHON=/path/to/python3.11"
            ],
        )
        self.assertFalse((self.folder / ".venv").exists())

    def test_unfit_chosen_python_is_one_line(self):
        self._write_python("python3", "3.11.2")
        self._write_python("old", "3.8.1")

        result = self._make("test", "PYTHON=old")

        self.assertEqual(
            self._own_lines(result),
            [
                "create_venv: needs Python 3.11, 3.12 or 3.13; "
                "PYTHON=old is 3.8.1"
            ],
        )

    def test_missing_chosen_python_is_one_line(self):
        result = self._make("test", "PYTHON=none")

        self.assertEqual(
            self._own_lines(result),
            [
                "create_venv: needs Python 3.11, 3.12 or 3.13; "
                "PYTHON=none is no Python"
            ],
        )

    def test_missing_ensurepip_names_the_package(self):
        self._write_python("python3", "3.11.2", ensurepip=1, pip=1)

        result = self._make("test")

        self.assertEqual(
            self._own_lines(result),
            [
                "create_venv: python3 cannot create a virtual environment; "
                "install the package python3.11-venv "
                "(apt-get install python3.11-venv)"
            ],
        )

    def test_root_installs_the_package_that_debian_left_out(self):
        self._write_python("python3", "3.11.2", ensurepip=1, pip=1)
        self._write_program("id", "echo 0")
        self._write_program("apt-get", f'echo "apt-get $*" >> {self.log}')

        result = self._make("test")

        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertIn("installing python3.11-venv", result.stdout)
        self.assertIn("-y python3.11-venv", self.log.read_text())

    def test_pip_of_the_system_stands_in_for_ensurepip(self):
        self._write_python("python3", "3.11.2", ensurepip=1)

        result = self._make("test")

        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertIn("--without-pip", self.log.read_text())

    def _write_python(self, name, version, ensurepip=0, pip=0):
        text = _PYTHON.format(
            name=name,
            log=self.log,
            version=version,
            ensurepip=ensurepip,
            pip=pip,
        )
        self._write_program(name, text.removeprefix("#!/bin/sh\n"))

    def _write_program(self, name, text):
        path = self.programs / name
        path.write_text(f"#!/bin/sh\n{text}\n")
        path.chmod(0o755)

    def _make(self, *arguments):
        """Runs make where no other Python than the written ones is found."""
        for name in ("sh", "make", "dirname", "grep", "mkdir", "cp", "touch"):
            link = self.programs / name
            if not link.exists():
                link.symlink_to(shutil.which(name))
        return subprocess.run(
            ["make", *arguments],
            cwd=self.folder,
            env={"PATH": str(self.programs)},
            capture_output=True,
            text=True,
            check=False,
        )

    def _own_lines(self, result):
        """What is on stderr but for make's own last word."""
        return [
            line
            for line in result.stderr.splitlines()
            if not line.startswith("make")
        ]


if __name__ == "__main__":
    absltest.main()
