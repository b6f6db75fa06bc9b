"""Tests of nppnet_tf.benchmarks.figures."""

import os
import pathlib
import sys
from unittest import mock

from absl.testing import absltest

from nppnet_tf.benchmarks import figures
from nppnet_tf.benchmarks import subjects
from nppnet_tf.errors import UserError
from nppnet_tf.search_space import stages
from tests import performance_page
from tests import shared

# Writes its words to where it is told to; fails if it is told to.
_PROGRAM = """
import sys
*words, output = sys.argv[1:]
assert words != ["fail"]
open(output.removeprefix("--output="), "w").write(" ".join(words))
"""


class TableTest(absltest.TestCase):
    def test_the_tool_takes_the_arguments_of_every_figure(self):
        for name, figure in figures.TABLE.items():
            with self.subTest(name):
                result = shared.run_tool(
                    "benchmark", *figure.arguments, "--only_check_args"
                )

                self.assertEqual(result.exit_code, 0, result.stderr)
                given = dict(
                    word.removeprefix("--").split("=", 1)
                    for word in figure.arguments
                )
                idle = subjects.idle_settings(
                    given["what"],
                    given.get("stage", stages.INTERACTION_FUSION),
                    given.get("preset"),
                )
                self.assertNoCommonElements(given, [name for name, _ in idle])

    def test_growth_starts_at_one_figure_that_all_share(self):
        what = subjects.INFERENCE

        base = figures.growth_name(what, channels=32)

        self.assertEqual(base, "growth_inference")
        self.assertEqual(figures.growth_name(what, cells=8), base)
        self.assertIn(figures.growth_name(what, cells=4), figures.TABLE)

    def test_one_core_is_held(self):
        figure = figures.Figure("a", ("--b",), has_one_core=True)
        first = str(min(os.sched_getaffinity(0)))

        self.assertEqual(
            figure.words(["c"]), ["taskset", "-c", first, "c", "--b"]
        )

    def test_a_peer_is_measured_where_it_is_installed(self):
        figure = figures.Figure("a", ("--b",), peer=subjects.TORCH)
        for installed, words in ((True, ["--peer=torch"]), (False, [])):
            with mock.patch.object(
                subjects, "has_peer", lambda _, found=installed: found
            ):
                self.assertEqual(figure.words(["c"]), ["c", "--b", *words])

    def test_every_step_of_the_page_has_its_peer(self):
        beside = [name for name, x in figures.TABLE.items() if x.peer]

        self.assertCountEqual(beside, performance_page.STEPS)


class MakeTest(absltest.TestCase):
    def setUp(self):
        super().setUp()
        self.folder = pathlib.Path(self.create_tempdir().full_path)
        self.program = [sys.executable, "-c", _PROGRAM]

    def test_others_are_made_behind_one_that_fails(self):
        table = [figures.Figure(name, (name,)) for name in ("fail", "go")]
        said = []

        with self.assertRaisesRegex(UserError, "could not be made.*fail"):
            figures.make(table, self.folder, self.program, said.append)

        self.assertEqual(said, ["fail: fail", "go: go"])
        self.assertEqual(os.listdir(self.folder), ["go.json"])
        self.assertEqual((self.folder / "go.json").read_text(), "go")

    def test_figures_that_are_there_are_made_if_they_are_named(self):
        figures.TABLE["reading"].file_in(self.folder).write_text("")

        rest = figures.wanted(self.folder, None)
        named = figures.wanted(self.folder, ["reading"])

        self.assertLen(rest, len(figures.TABLE) - 1)
        self.assertEqual(named, [figures.TABLE["reading"]])
        with self.assertRaisesRegex(UserError, "no such figure.*riding"):
            figures.wanted(self.folder, ["riding"])


if __name__ == "__main__":
    absltest.main()
