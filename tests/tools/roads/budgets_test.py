"""Tests of tools.roads.budgets."""

import contextlib
import dataclasses
import io
import json
import pathlib
from unittest import mock

import numpy as np
from absl.testing import absltest

from nppnet_tf.config import NetworkConfig
from nppnet_tf.errors import UserError
from nppnet_tf.models import equal_cost
from nppnet_tf.search_space import genotype as genotypes
from nppnet_tf.search_space import published
from tests import shared
from tools.command_line import phases
from tools.roads import budgets

_SIZE = NetworkConfig(channels=16, cells=4)


def _row(system, target, seed, miou, channels=16):
    gmac = channels**2 / 4000 if target is None else target * 1.01
    return {
        "system": system,
        "seed": seed,
        "target_gmac": target,
        "gmac": gmac,
        "parameters": 1000,
        "channels": channels,
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
        def row(road, of, seed):
            del road
            channels = of.channels or 16
            return _row(of.system, of.target, seed, 0.2, channels)

        widths = mock.Mock(return_value=[12, 16, 20])
        stand_in = lambda *arguments: self._stand_in(*arguments)  # noqa: E731
        with (
            mock.patch.object(phases.PhaseRunner, "_stream", stand_in),
            mock.patch.object(equal_cost, "channels_around", widths),
            mock.patch.object(budgets.Budgets, "_row", row),
            contextlib.redirect_stdout(io.StringIO()) as output,
        ):
            self.road.run()
        for called in widths.call_args_list:
            self.assertEqual(called.args[1:], (_SIZE, (96, 64), 5e7, 8e7))
        return output.getvalue()

    def test_each_budget_is_searched_and_enclosed_by_widths(self):
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
                ("search_0.08_gmac", None),
                ("search_free", "12"),
                ("search_free", "16"),
                ("search_free", "20"),
            ],
        )
        self.assertIn("searched for the budget", text)
        self.assertLen(json.loads((self.folder / "pareto.json").read_text()), 5)
        self.assertTrue((self.folder / "pareto_miou.svg").is_file())
        self.assertIn("other C", (self.folder / "report.html").read_text())

    def test_what_is_done_is_not_done_again(self):
        self._run()
        self.commands = []

        self._run()

        self.assertEmpty(self.commands)

    def test_more_seeds_are_added_to_what_is_there(self):
        self._run()
        self.commands = []
        self.road = dataclasses.replace(self.road, seeds=2)

        self._run()

        seeds = {flags.get("seed") for tool, flags in self.commands}
        self.assertEqual(seeds, {"1", None})
        self.assertLen(
            json.loads((self.folder / "pareto.json").read_text()), 10
        )

    def test_widths_of_another_form_are_one_line(self):
        self._run()
        path = self.folder / "seed_0" / "channels.json"
        for text in ("", "{}", "[]", '["../x"]', "[0]", "[1e3]", "[NaN]"):
            path.write_text(text)

            with (
                self.subTest(text),
                self.assertRaisesRegex(UserError, "channels.json"),
            ):
                self._run()

    def test_tables_and_curves_are_means_over_seeds(self):
        rows = [
            _row(*place, seed, miou + 0.1 * seed, channels)
            for *place, miou, channels in (
                (budgets.SEARCHED, 0.08, 0.3, 16),
                (budgets.SEARCHED, 0.05, 0.3, 16),
                (budgets.WIDTH, None, 0.1, 16),
                (budgets.WIDTH, None, 0.2, 20),
            )
            for seed in (0, 1)
        ]

        table = budgets.table_of(rows)
        miou, _ = budgets.charts_of(rows)

        self.assertEqual(
            [row[:4] for row in table.rows],
            [
                (budgets.SEARCHED, "0.05", "16", "0.0505 +- 0.0000"),
                (budgets.WIDTH, "", "16", "0.0640 +- 0.0000"),
                (budgets.SEARCHED, "0.08", "16", "0.0808 +- 0.0000"),
                (budgets.WIDTH, "", "20", "0.1000 +- 0.0000"),
            ],
        )
        self.assertEqual(table.rows[0][4], "0.350 +- 0.071")
        searched, widths = miou.curves
        np.testing.assert_allclose(
            searched.points, ((50.5, 0.35), (80.8, 0.35))
        )
        np.testing.assert_allclose(widths.points, ((64, 0.15), (100, 0.25)))


if __name__ == "__main__":
    absltest.main()
