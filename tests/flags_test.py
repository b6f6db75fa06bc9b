"""Every flag file is the record of an experiment that its tool understands."""

import re
import shlex

from absl.testing import absltest

from tests import build_file
from tests import shared


class FlagFileTest(absltest.TestCase):
    def setUp(self):
        super().setUp()
        folder = shared.REPOSITORY / "flags"
        self.paths = sorted(folder.rglob("*.txt"))

    def test_there_are_flag_files_of_both_stages_and_of_retraining(self):
        commands = " ".join(_header(path) for path in self.paths)

        self.assertIn("tools.search", commands)
        self.assertIn("tools.train", commands)

    def test_each_names_its_command_and_what_to_expect(self):
        for path in self._experiments():
            with self.subTest(str(path)):
                header = _header(path)

                self.assertRegex(header, r"python -m tools\.\w+ ")
                self.assertIn(f"--flagfile={_relative(path)}", header)
                self.assertRegex(header, r"Expected:\s+\S")

    def test_each_is_understood_by_the_tool_of_its_command(self):
        for path in self._experiments():
            with self.subTest(str(path)):
                name, arguments = _command(path)
                self.assertIn(name, build_file.tool_names())

                result = shared.run_tool(name, *arguments, "--only_check_args")

                self.assertEqual((result.exit_code, result.stderr), (0, ""))

    def test_each_part_is_taken_in_by_a_flag_file_that_it_names(self):
        for path in set(self.paths) - set(self._experiments()):
            with self.subTest(str(path)):
                users = re.findall(
                    r"flags/\S+\.txt", _header(path).partition("Included by")[2]
                )
                self.assertNotEmpty(users)
                for user in users:
                    self.assertIn(
                        f"--flagfile={_relative(path)}",
                        (shared.REPOSITORY / user).read_text(),
                    )

    def test_every_file_of_the_folder_is_a_flag_file_or_the_readme(self):
        strangers = [
            _relative(path)
            for path in (shared.REPOSITORY / "flags").rglob("*")
            if path.is_file() and path.suffix not in (".txt", ".md")
        ]

        self.assertEmpty(strangers)

    def _experiments(self):
        return [
            path for path in self.paths if "Included by" not in _header(path)
        ]


def _relative(path):
    return path.relative_to(shared.REPOSITORY).as_posix()


def _header(path):
    """The comment on top, without its signs."""
    lines = []
    for line in path.read_text().splitlines():
        if not line.startswith("#"):
            break
        lines.append(line.removeprefix("#").strip())
    return "\n".join(lines)


def _command(path):
    """Tool and arguments of the command in the comment."""
    text = _header(path).replace("\\\n", " ")
    line = re.search(r"python -m tools\.(\w+) (.*)", text)
    return line[1], shlex.split(line[2])


if __name__ == "__main__":
    absltest.main()
