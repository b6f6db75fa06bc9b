"""Tests of tools.roads.budgets."""

import contextlib
import io
import json
import pathlib
from unittest import mock

from absl.testing import absltest

from nppnet_tf.config import NetworkConfig
from nppnet_tf.models import equal_cost
from nppnet_tf.search_space import genotype as genotypes
from nppnet_tf.search_space import published
from tests import shared
from tools.command_line import phases
from tools.roads import budgets

_SIZE = NetworkConfig(channels=16, cells=4)


def _row(system, target, seed, miou):
    return {
        "system": system,
        "seed": seed,
        "target_gmac": target,
        "gmac": target * 1.01,
        "parameters": 1000,
        "channels": 16,
        "miou": miou,
        "pckh": 2 * miou,
    }


class BudgetsTest(absltest.TestCase):
    def setUp(self):
        super().setUp()
        self.folder = pathlib.Path(self.create_tempdir().full_path) / "road"
        flags = shared.REPOSITORY / "flags" / "budgets"
        self.road = budgets.Budgets(
            self.folder,
            "records/train",
            "records/val",
            str(flags / "search.txt"),
            str(flags / "train.txt"),
            (0.05, 0.08),
            1,
            _SIZE,
            (96, 64),
        )
        self.commands = []

    def _stand_in(self, runner, command, log, beat):
        """Writes what a tool would have written."""
        del runner, log, beat
        flags = dict(a.lstrip("-").split("=", 1) for a in command.arguments)
        self.commands.append((command.tool, flags))
        if command.tool == "evaluate":
            path = pathlib.Path(flags["output"])
            path.write_text("{}")
            return 0, ""
        folder = pathlib.Path(flags["workdir"])
        folder.mkdir(parents=True, exist_ok=True)
        genotypes.save(published.released(), folder / "genotype.json")
        (folder / "network.json").write_text("{}")
        return 0, ""

    def _run(self):
        def widths(genotype, config, image_size, macs, tolerance):
            del genotype, image_size, tolerance
            return NetworkConfig(channels=12 if macs < 6e7 else 20)

        rows = lambda road, *place: _row(*place, 0.2)  # noqa: E731
        stand_in = lambda *arguments: self._stand_in(*arguments)  # noqa: E731
        with (
            mock.patch.object(phases.PhaseRunner, "_stream", stand_in),
            mock.patch.object(equal_cost, "of_equal_cost", widths),
            mock.patch.object(budgets.Budgets, "_row", rows),
            contextlib.redirect_stdout(io.StringIO()) as output,
        ):
            self.road.run()
        return output.getvalue()

    def test_each_budget_is_searched_and_reached_by_width(self):
        text = self._run()

        searches = [f for tool, f in self.commands if tool == "search"]
        self.assertEqual(
            [flags.get("target_gmac") for flags in searches],
            [None, "0.05", "0.08"],
        )
        trained = [
            (
                pathlib.Path(flags["genotype"]).parent.name,
                flags.get("channels"),
            )
            for tool, flags in self.commands
            if tool == "train"
        ]
        self.assertEqual(
            trained,
            [
                ("search_0.05_gmac", None),
                ("search_free", "12"),
                ("search_0.08_gmac", None),
                ("search_free", "20"),
            ],
        )
        self.assertIn("searched for the budget", text)
        self.assertLen(json.loads((self.folder / "pareto.json").read_text()), 4)
        self.assertTrue((self.folder / "pareto_miou.svg").is_file())
        self.assertIn("other C", (self.folder / "report.html").read_text())

    def test_what_is_done_is_not_done_again(self):
        self._run()
        self.commands = []

        self._run()

        self.assertEmpty(self.commands)

    def test_tables_and_curves_are_means_over_seeds(self):
        rows = [
            _row(system, target, seed, miou + 0.1 * seed)
            for system, miou in ((budgets.SEARCHED, 0.3), (budgets.WIDTH, 0.1))
            for target in (0.08, 0.05)
            for seed in (0, 1)
        ]

        table = budgets.table_of(rows)
        miou, _ = budgets.charts_of(rows)

        self.assertEqual(
            [row[:2] for row in table.rows],
            [
                ("0.05", budgets.SEARCHED),
                ("0.05", budgets.WIDTH),
                ("0.08", budgets.SEARCHED),
                ("0.08", budgets.WIDTH),
            ],
        )
        self.assertEqual(table.rows[0][4], "0.350 +- 0.071")
        searched, _ = miou.curves
        for found, wanted in zip(
            searched.points, ((50.5, 0.35), (80.8, 0.35)), strict=True
        ):
            self.assertAlmostEqual(found[0], wanted[0])
            self.assertAlmostEqual(found[1], wanted[1])


if __name__ == "__main__":
    absltest.main()
