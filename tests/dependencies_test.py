"""docs/dependencies.md speaks of what setup.py asks for, and of tests."""

import re
import runpy
from unittest import mock

from absl.testing import absltest
from absl.testing import parameterized

from tests import build_file
from tests import shared

# Of what setup.py asks for, all that takes longer to import than abseil.
_SLOW = {
    "jinja2",
    "keras",
    "matplotlib",
    "scipy",
    "tensorboard",
    "tensorflow",
    "tqdm",
}

_PAGE = "docs/dependencies.md"


def _rows(heading: str) -> dict[str, list[str]]:
    """Cells of every row of the table below a heading, by the first cell."""
    page = (shared.REPOSITORY / _PAGE).read_text()
    section = page.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    rows = [
        [cell.strip() for cell in line.strip("|").split(" | ")]
        for line in section.splitlines()
        if line.startswith("| ")
    ]
    return {first: rest for first, *rest in rows[1:]}


def _names(requirements: list[str]) -> list[str]:
    return [re.match(r"[\w-]+", text)[0] for text in requirements]


class DependenciesTest(absltest.TestCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        with mock.patch("setuptools.setup") as set_up:
            runpy.run_path(str(shared.REPOSITORY / "setup.py"))
        cls.arguments = set_up.call_args.kwargs

    def test_every_dependency_has_its_row(self):
        self.assertCountEqual(
            _rows("Always installed"),
            _names(self.arguments["install_requires"]),
        )

    def test_every_extra_has_its_row_with_its_packages(self):
        rows = _rows("Extras")
        extras = self.arguments["extras_require"]

        self.assertCountEqual(rows, [f"`{name}`" for name in extras])
        for name, requirements in extras.items():
            self.assertCountEqual(
                rows[f"`{name}`"][0].split(", "), _names(requirements)
            )

    def test_every_dependency_is_pinned(self):
        lines = (shared.REPOSITORY / "constraints.txt").read_text().splitlines()
        pinned = {line.partition("==")[0].lower() for line in lines}
        wanted = [
            *self.arguments["install_requires"],
            *self.arguments["extras_require"]["test"],
        ]

        self.assertContainsSubset(map(str.lower, _names(wanted)), pinned)

    def test_modules_on_the_page_are_there(self):
        page = (shared.REPOSITORY / _PAGE).read_text()

        modules = re.findall(r"`(\w+/[\w/]+\.py)`", page)

        self.assertGreater(len(modules), 5)
        for module in modules:
            if module != "utils/types.py":  # Of tensorflow-addons.
                path = shared.REPOSITORY / "nppnet_tf" / module
                self.assertTrue(path.is_file(), module)

    def test_what_replaces_addons_is_held_by_a_test(self):
        rows = _rows("Not installed: tensorflow-addons")

        self.assertGreater(len(rows), 5)
        for name, cells in rows.items():
            with self.subTest(name):
                self.assertTrue(build_file.is_test(cells[-1]), cells[-1])


class HelpTest(parameterized.TestCase):
    """A fresh process for each tool: what one imports, the next would have."""

    @parameterized.parameters(*build_file.tool_names())
    def test_help_loads_nothing_that_takes_time(self, tool):
        code = f"""
import runpy, sys
sys.argv = ["{tool}", "--help"]
try:
    runpy.run_module("tools.{tool}", run_name="__main__")
finally:
    print(*{_SLOW} & sys.modules.keys())
"""
        result = shared.run_program(code)

        *_, last = result.stdout.split("\n")[:-1]
        self.assertEqual(last, "")


if __name__ == "__main__":
    absltest.main()
