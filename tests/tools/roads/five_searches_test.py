"""Tests of tools.roads.five_searches."""

import contextlib
import dataclasses
import io
import json
import pathlib
from unittest import mock

import numpy as np
from absl.testing import absltest
from absl.testing import parameterized

from nppnet_tf.errors import UserError
from nppnet_tf.search_space import genotype as genotypes
from nppnet_tf.search_space import published
from nppnet_tf.search_space import random_genotype
from nppnet_tf.search_space import stages
from tests import shared
from tools.command_line import phases
from tools.roads import five_searches

# mIoU and PCKh of three candidates; the means are 0.375, 0.5 and 0.5.
_SCORES = ((0.5, 0.25), (0.25, 0.75), (0.5, 0.5))


def _genotype(seed):
    """A genotype that another seed does not have."""
    return random_genotype.draw(
        stages.start(stages.INTERACTION_FUSION, published.released()),
        np.random.default_rng(seed),
    )


class SearchesTest(parameterized.TestCase):
    def setUp(self):
        super().setUp()
        self.folder = pathlib.Path(self.create_tempdir().full_path)
        self.searches = five_searches.Searches(
            self.folder / "five",
            "records/train",
            "records/val",
            shared.REPOSITORY / "flags" / "lip",
            str(shared.REPOSITORY / "flags" / "lip" / "train_candidate.txt"),
            3,
        )

    def _stand_in(self, runner, command, log, beat):
        """Writes what a tool would have written."""
        del runner, log, beat
        flags = dict(a.lstrip("-").split("=", 1) for a in command.arguments)
        self.commands.append((command.tool, flags))
        if command.tool == "search":
            path = pathlib.Path(flags["workdir"]) / "genotype.json"
        elif command.tool == "train":
            path = pathlib.Path(flags["workdir"]) / "network.json"
        else:
            path = pathlib.Path(flags["output"])
        seed = int(str(path).rpartition("seed_")[2][0])
        path.parent.mkdir(parents=True, exist_ok=True)
        miou, pckh = _SCORES[seed]
        result = {"parsing": {"mean_iou": miou}, "pose": {"pckh": pckh}}
        is_result = command.tool == "evaluate"
        text = json.dumps(result)
        path.write_text(text if is_result else _genotype(seed).to_json())
        return 0, ""

    def _run(self):
        self.commands = []
        stand_in = lambda *arguments: self._stand_in(*arguments)  # noqa: E731
        with (
            mock.patch.object(phases.PhaseRunner, "_stream", stand_in),
            contextlib.redirect_stdout(io.StringIO()) as output,
        ):
            self.searches.run()
        return output.getvalue()

    def test_every_command_is_understood_by_its_tool(self):
        for phase in self.searches.phases():
            for command in phase.commands:
                with self.subTest(phase.name):
                    result = shared.run_tool(
                        command.tool, *command.arguments, "--only_check_args"
                    )
                    self.assertEqual((result.exit_code, result.stderr), (0, ""))

    def test_searches_differ_in_the_seed_and_trainings_in_nothing(self):
        self._run()

        searches = [f for tool, f in self.commands if tool == "search"]
        self.assertEqual(
            [flags["seed"] for flags in searches],
            ["0", "0", "1", "1", "2", "2"],
        )
        for first, second in zip(searches[::2], searches[1::2], strict=True):
            self.assertEqual(
                second["genotype"], f"{first['workdir']}/genotype.json"
            )
        trainings = [f for tool, f in self.commands if tool == "train"]
        self.assertLen(trainings, 3)
        for flags in trainings:
            self.assertNotIn("seed", flags)
            self.assertEqual(flags["flagfile"], trainings[0]["flagfile"])

    def test_highest_mean_wins_and_of_equal_ones_the_first(self):
        output = self._run()

        selection = json.loads(self.searches.selection_path.read_text())
        self.assertEqual(selection["selected"], 1)
        scores = [row["score"] for row in selection["candidates"]]
        self.assertEqual(scores, [0.375, 0.5, 0.5])
        self.assertEqual(
            genotypes.load(self.folder / "five" / "genotype.json"),
            _genotype(1),
        )
        self.assertIn(
            "seed 1: mIoU 0.2500, PCKh 0.7500, mean 0.5000  <-", output
        )

    def test_the_same_command_again_runs_nothing_again(self):
        self._run()
        self._run()

        self.assertEmpty(self.commands)

    def test_more_searches_are_added_to_what_is_there(self):
        three = self.searches
        self.searches = dataclasses.replace(three, count=1)
        self._run()
        self.searches = three

        self._run()

        seeds = [f["seed"] for tool, f in self.commands if tool == "search"]
        self.assertEqual(seeds, ["1", "1", "2", "2"])
        selection = json.loads(three.selection_path.read_text())
        self.assertEqual(selection["selected"], 1)

    def test_a_candidate_without_poses_is_one_line(self):
        path = self.folder / "five" / "seed_0" / "result.json"
        path.parent.mkdir(parents=True)
        path.write_text(
            json.dumps({"parsing": {"mean_iou": 0.1}, "pose": None})
        )

        with self.assertRaisesRegex(UserError, r"lacks a score.*result\.json"):
            self.searches.select()

    @parameterized.parameters("[]", "{}", '{"parsing": {"mean_iou": "1"}}')
    def test_a_damaged_result_is_one_line(self, text):
        self._run()
        (self.folder / "five" / "seed_1" / "result.json").write_text(text)

        with self.assertRaisesRegex(UserError, r"seed_1/result\.json"):
            self._run()

    def test_a_damaged_genotype_is_not_handed_on(self):
        self._run()
        (self.folder / "five" / "seed_1" / "genotype.json").write_text("")
        before = (self.folder / "five" / "genotype.json").read_text()

        with self.assertRaisesRegex(UserError, r"seed_1/genotype\.json"):
            self._run()

        self.assertEqual(
            (self.folder / "five" / "genotype.json").read_text(), before
        )


if __name__ == "__main__":
    absltest.main()
