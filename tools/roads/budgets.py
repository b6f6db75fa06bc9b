"""Searches at several budgets, beside one genotype at several widths."""

import dataclasses
import json
import pathlib
import statistics
from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any

from nppnet_tf.config import NetworkConfig
from nppnet_tf.drawing import line_chart
from nppnet_tf.errors import UserError
from nppnet_tf.files import atomic
from nppnet_tf.files import json_documents
from nppnet_tf.reports import page
from nppnet_tf.reports import run_report
from nppnet_tf.search_space import genotype as genotypes

from ..command_line import console
from ..command_line import phases
from ..command_line.phases import Command
from ..command_line.phases import Phase

SEARCHED = "searched for the budget"
WIDTH = "one search, other C"

_FREE = "free"
_SCORES = {"miou": "mIoU", "pckh": "PCKh@0.5"}


@dataclasses.dataclass(frozen=True)
class Budgets:
    """Everything in one folder.

    Attributes:
        folder: Folder of the road, absolute.
        records: Records to search and to train on.
        validation_records: Records that are measured on.
        search_flagfile: Flag file of the searches.
        train_flagfile: Flag file of the trainings.
        targets: GMAC of the derived networks.
        seeds: How often all of it is done.
        size: C, L and the rest of the network that is trained.
        image_size: (height, width) of its input.
    """

    folder: pathlib.Path
    records: str
    validation_records: str
    search_flagfile: str
    train_flagfile: str
    targets: tuple[float, ...]
    seeds: int
    size: NetworkConfig
    image_size: tuple[int, int]

    def run(self) -> None:
        """Runs what is not done yet, and prints the table."""
        runner = phases.runner_of_tools(self.folder)
        searches = [p for s in range(self.seeds) for p in self._searches(s)]
        runner.run(searches)
        # Which widths there are follows from what the free search has found.
        systems = [p for s in range(self.seeds) for p in self._systems(s)]
        summary = Phase(
            "summary",
            "Table and curves",
            function=self.summarize,
            settings={"targets": list(self.targets), "seeds": self.seeds},
            outputs=(self.folder / "pareto.json", self.folder / "report.html"),
        )
        runner.run([*searches, *systems, summary])
        for line in text_lines(json_documents.read(summary.outputs[0])):
            console.say(line)
        console.say(f"report: {self.folder / 'report.html'}")

    def summarize(self) -> None:
        """Writes the scores of all networks, and the page."""
        rows = [
            self._row(system, target, seed)
            for seed in range(self.seeds)
            for system in (SEARCHED, WIDTH)
            for target in self.targets
        ]
        atomic.write_text(
            self.folder / "pareto.json", json.dumps(rows, indent=1) + "\n"
        )
        charts = charts_of(rows)
        for score, chart in zip(_SCORES, charts, strict=True):
            atomic.write_text(
                self.folder / f"pareto_{score}.svg", line_chart.to_svg(chart)
            )
        data = page.ReportData(
            "Searches for a budget",
            (
                "Networks that were searched for a cost, beside the network of "
                "one search without a target, made as costly by C alone. All "
                "are trained alike and measured on people never trained on.",
            ),
            table_of(rows),
            {"seeds": str(self.seeds)},
            charts=(page.ChartGroup("Score over cost", charts),),
            environment=run_report.environment(),
        )
        page.write(data, self.folder / "report.html")

    def _searches(self, seed: int) -> list[Phase]:
        goals = {_FREE: (), **{_name(t): (_flag(t),) for t in self.targets}}
        found = []
        for name, goal in goals.items():
            workdir = self._search(seed, name)
            arguments = (
                f"--flagfile={self.search_flagfile}",
                f"--records={self.records}",
                f"--workdir={workdir}",
                f"--seed={seed}",
                *goal,
            )
            found.append(
                Phase(
                    f"search_{name}_{seed}",
                    f"Seed {seed}: search, {name}",
                    (Command("search", arguments),),
                    outputs=(workdir / "genotype.json",),
                    expected_seconds=60,
                )
            )
        widths = Phase(
            f"widths_{seed}",
            f"Seed {seed}: C of every budget",
            function=lambda: self._write_widths(seed),
            settings={"targets": list(self.targets)},
            outputs=(self._widths(seed),),
        )
        return [*found, widths]

    def _write_widths(self, seed: int) -> None:
        """Finds the C at which the free genotype comes closest to each cost."""
        from nppnet_tf.models import equal_cost

        path = self._search(seed, _FREE) / "genotype.json"
        genotype = genotypes.load(path)
        widths = {
            _name(target): equal_cost.of_equal_cost(
                genotype,
                self.size,
                self.image_size,
                1e9 * target,
                # C goes in steps; what it costs is what is drawn.
                tolerance=1.0,
            ).channels
            for target in self.targets
        }
        atomic.write_text(self._widths(seed), json.dumps(widths) + "\n")

    def _systems(self, seed: int) -> list[Phase]:
        widths = json_documents.read(self._widths(seed))
        found = []
        for target in self.targets:
            name = _name(target)
            found += self._train_and_measure(
                SEARCHED, target, seed, self._search(seed, name), ()
            )
            found += self._train_and_measure(
                WIDTH,
                target,
                seed,
                self._search(seed, _FREE),
                (f"--channels={widths[name]}",),
            )
        return found

    def _train_and_measure(
        self,
        system: str,
        target: float,
        seed: int,
        search: pathlib.Path,
        sizes: tuple[str, ...],
    ) -> list[Phase]:
        trained = self._trained(system, target, seed)
        name = trained.name
        train = Command(
            "train",
            (
                f"--flagfile={self.train_flagfile}",
                f"--genotype={search / 'genotype.json'}",
                f"--records={self.records}",
                f"--workdir={trained}",
                f"--seed={seed}",
                *sizes,
            ),
        )
        result = trained / "result.json"
        measure = Command(
            "evaluate",
            (
                f"--model={trained}",
                f"--records={self.validation_records}",
                f"--output={result}",
            ),
        )
        title = f"Seed {seed}: {system}, {target:g} GMAC"
        return [
            Phase(
                f"train_{name}_{seed}",
                f"{title}: train",
                (train,),
                outputs=(trained / "network.json",),
                expected_seconds=150,
            ),
            Phase(
                f"measure_{name}_{seed}",
                f"{title}: measure",
                (measure,),
                outputs=(result,),
            ),
        ]

    def _row(self, system: str, target: float, seed: int) -> dict[str, Any]:
        from nppnet_tf.inference import predictor
        from nppnet_tf.models import cost

        trained = self._trained(system, target, seed)
        network, _, image_size = predictor.load_run(trained)
        result = json_documents.read(trained / "result.json")
        scores = run_report.scores(result)
        if None in scores.values():
            raise UserError(
                "a network lacks a score",
                trained / "result.json",
                "validation records with label maps and poses",
                scores,
            )
        found = cost.cost(network, image_size)
        return {
            "system": system,
            "seed": seed,
            "target_gmac": target,
            "gmac": found.macs / 1e9,
            "parameters": found.parameters,
            "channels": network.config.channels,
            **scores,
        }

    def _search(self, seed: int, name: str) -> pathlib.Path:
        return self.folder / f"seed_{seed}" / f"search_{name}"

    def _widths(self, seed: int) -> pathlib.Path:
        return self.folder / f"seed_{seed}" / "widths.json"

    def _trained(self, system: str, target: float, seed: int) -> pathlib.Path:
        kind = "searched" if system == SEARCHED else "width"
        return self.folder / f"seed_{seed}" / f"{kind}_{_name(target)}"


def table_of(rows: Sequence[Mapping[str, Any]]) -> page.Table:
    """Returns means over the seeds, budget by budget.

    Args:
        rows: What `Budgets.summarize` writes, one network each.
    """
    found: dict[tuple, list[Mapping[str, Any]]] = {}
    for row in sorted(rows, key=lambda row: row["target_gmac"]):
        found.setdefault((row["target_gmac"], row["system"]), []).append(row)
    return page.Table(
        ("budget", "network", "C", "GMAC", *_SCORES.values()),
        tuple(
            (
                f"{target:g}",
                system,
                ", ".join(str(c) for c in sorted({r["channels"] for r in of})),
                _mean(of, "gmac", 4),
                *(_mean(of, score, 3) for score in _SCORES),
            )
            for (target, system), of in found.items()
        ),
        note="Means over the seeds, with standard deviations where there are "
        "several.",
    )


def charts_of(
    rows: Sequence[Mapping[str, Any]],
) -> tuple[line_chart.Chart, ...]:
    """Returns every score over the cost: means of each budget.

    Args:
        rows: What `Budgets.summarize` writes.
    """
    charts = []
    for score, title in _SCORES.items():
        curves = []
        for system in (SEARCHED, WIDTH):
            points = sorted(
                (
                    1e3 * statistics.mean(r["gmac"] for r in of),
                    statistics.mean(r[score] for r in of),
                )
                for of in _by_target(rows, system)
            )
            curves.append(line_chart.Curve(system, tuple(points)))
        charts.append(
            line_chart.Chart(
                title, tuple(curves), "million multiply-accumulates"
            )
        )
    return tuple(charts)


def text_lines(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """Returns the table as lines of a screen.

    Args:
        rows: What `Budgets.summarize` writes.
    """
    return run_report.text_table(table_of(rows)).splitlines()


def _by_target(
    rows: Sequence[Mapping[str, Any]], system: str
) -> list[list[Mapping[str, Any]]]:
    targets = sorted({row["target_gmac"] for row in rows})
    return [
        [
            row
            for row in rows
            if row["system"] == system and row["target_gmac"] == target
        ]
        for target in targets
    ]


def _mean(rows: Sequence[Mapping[str, Any]], name: str, digits: int) -> str:
    values = [row[name] for row in rows]
    mean = f"{statistics.mean(values):.{digits}f}"
    if len(values) < 2:
        return mean
    return f"{mean} +- {statistics.stdev(values):.{digits}f}"


def _name(target: float) -> str:
    return f"{target:g}_gmac"


def _flag(target: float) -> str:
    return f"--target_gmac={target:g}"
