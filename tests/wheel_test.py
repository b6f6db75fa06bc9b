"""A wheel works outside the repository."""

import pathlib
import shutil
import subprocess
import sys
import zipfile

from absl.testing import absltest

from tests import build_file
from tests import shared

_PARTS = (
    "LICENSE",
    "README.md",
    "flags",
    "nppnet_tf",
    "pyproject.toml",
    "savedmodels/serving",
    "setup.py",
    "tools",
)


# Files that modules read beside themselves.
_DATA = (".css", ".html", ".js", ".json", ".mplstyle", ".svg")


class WheelTest(absltest.TestCase):
    """The wheel, unpacked as pip would into an empty folder."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        folder = pathlib.Path(absltest.get_default_test_tmpdir()) / "wheel_test"
        shutil.rmtree(folder, ignore_errors=True)
        cls.addClassCleanup(shutil.rmtree, folder)
        cls.wheel = _build_wheel(folder)
        cls.site = folder / "site"
        with zipfile.ZipFile(cls.wheel) as archive:
            cls.names = archive.namelist()
            archive.extractall(cls.site)
        cls.elsewhere = folder / "elsewhere"
        cls.elsewhere.mkdir()

    def test_it_takes_no_common_name(self):
        top = {name.partition("/")[0] for name in self.names}

        self.assertLen(top, 2)
        self.assertIn("nppnet_tf", top)

    def test_it_holds_every_module_flag_file_and_file_of_data(self):
        expected = build_file.python_files("nppnet_tf") + [
            f"nppnet_tf/{path.relative_to(shared.REPOSITORY).as_posix()}"
            for pattern in (
                "tools/**/*.py",
                "flags/**/*.txt",
                "savedmodels/serving/**/*.*",
            )
            for path in shared.REPOSITORY.glob(pattern)
        ]
        expected += [
            path.relative_to(shared.REPOSITORY).as_posix()
            for path in (shared.REPOSITORY / "nppnet_tf").rglob("*")
            if path.suffix in _DATA
        ]

        self.assertContainsSubset(expected, self.names)

    def test_every_tool_is_a_console_script(self):
        self.assertCountEqual(
            self._scripts(),
            [f"nppnet-{name}" for name in build_file.tool_names()],
        )

    def test_a_console_script_runs_from_there(self):
        output = self.elsewhere / "released.svg"

        result = self._call(
            "nppnet-draw_genotype", "--genotype=released", f"--output={output}"
        )

        self.assertEqual((result.returncode, result.stderr), (0, ""))
        self.assertTrue(output.is_file())

    def test_every_console_script_has_help(self):
        for script in self._scripts():
            with self.subTest(script):
                result = self._call(script, "--help")

                self.assertEqual((result.returncode, result.stderr), (0, ""))
                self.assertIn(f"usage: {script} [flags]", result.stdout)

    def _scripts(self):
        (entry_points,) = self.site.glob("*.dist-info/entry_points.txt")
        lines = entry_points.read_text().splitlines()
        return dict(line.split(" = ") for line in lines if " = " in line)

    def _call(self, script, *arguments):
        """Does what the script that pip writes does."""
        module, function = self._scripts()[script].split(":")
        code = f"""
import sys
from {module} import {function}
import nppnet_tf
if not nppnet_tf.__file__.startswith({str(self.site)!r}):
    raise SystemExit(nppnet_tf.__file__)
sys.argv[0] = {script!r}
sys.exit({function}())
"""
        return subprocess.run(
            [sys.executable, "-c", code, *arguments],
            cwd=self.elsewhere,
            env={"PYTHONPATH": str(self.site), "PATH": "/usr/bin:/bin"},
            capture_output=True,
            text=True,
            check=False,
        )


def _build_wheel(folder):
    """Builds it from a copy: setuptools writes beside its sources."""
    sources = folder / "sources"
    sources.mkdir(parents=True)
    for part in _PARTS:
        path = shared.REPOSITORY / part
        if path.is_dir():
            shutil.copytree(
                path,
                sources / part,
                ignore=shutil.ignore_patterns("__pycache__"),
            )
        else:
            shutil.copy(path, sources / part)
    subprocess.run(
        [
            sys.executable,
            *("-m", "pip", "wheel", "--quiet", "--no-deps", "--no-index"),
            *("--no-build-isolation", "--wheel-dir", folder, sources),
        ],
        check=True,
        capture_output=True,
    )
    (wheel,) = folder.glob("*.whl")
    return wheel


if __name__ == "__main__":
    absltest.main()
