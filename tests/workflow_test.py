"""Continuous integration tests what setup.py promises, with pinned tools."""

import re

from absl.testing import absltest

from tests import shared

_WORKFLOWS = ".github/workflows"


class WorkflowTest(absltest.TestCase):
    def test_it_runs_on_every_python_of_setup(self):
        stated = re.search(
            r"^ +python: \[(.+)\]$", _text(f"{_WORKFLOWS}/ci.yml"), re.MULTILINE
        )
        least, beyond = map(
            int,
            re.search(
                r'python_requires=">=3\.(\d+),<3\.(\d+)"', _text("setup.py")
            ).groups(),
        )

        self.assertEqual(
            re.findall(r'"([\d.]+)"', stated[1]),
            [f"3.{minor}" for minor in range(least, beyond)],
        )

    def test_it_runs_what_a_change_must_pass(self):
        self.assertRegex(_text(f"{_WORKFLOWS}/ci.yml"), r"- run: \.ci/run\n")

    def test_actions_are_pinned_by_commit_and_name_their_tag(self):
        used = [
            line.strip()
            for path in (shared.REPOSITORY / _WORKFLOWS).iterdir()
            for line in path.read_text().splitlines()
            if "uses:" in line
        ]

        self.assertNotEmpty(used)
        for line in used:
            self.assertRegex(
                line, r"uses: [\w-]+/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$"
            )

    def test_it_may_only_read(self):
        for path in (shared.REPOSITORY / _WORKFLOWS).iterdir():
            text = path.read_text()

            self.assertIn("\npermissions:\n  contents: read\n", text)
            self.assertNotIn(": write", text)


class PreCommitTest(absltest.TestCase):
    def test_versions_are_those_of_the_constraints(self):
        asked = re.findall(
            r"additional_dependencies: \[(.+)\]",
            _text(".pre-commit-config.yaml"),
        )
        locked = _text("constraints.txt").splitlines()

        self.assertLen(asked, 3)
        self.assertContainsSubset(asked, locked)


def _text(path):
    return (shared.REPOSITORY / path).read_text()


if __name__ == "__main__":
    absltest.main()
