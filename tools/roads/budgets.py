"""Searches at several budgets, beside one genotype at several widths."""

import dataclasses
import json
import pathlib
import statistics
from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any

from nppnet_tf import config as configuration
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
        runner.run([*searches, *systems])
        # Anew whenever it is asked for: there may be more seeds than before.
        for line in text_lines(self.summarize()):
            console.say(line)
        console.say(f"report: {self.folder / 'report.html'}")

    def summarize(self) -> list[dict[str, Any]]:
        """Writes and returns the scores of all networks; writes the page."""
        rows = [
            self._row(network, seed)
            for seed in range(self.seeds)
            for network in self._networks(seed)
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
        return rows

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
        """Finds every C of the free genotype from below to above all costs."""
        from nppnet_tf.models import equal_cost

        path = self._search(seed, _FREE) / "genotype.json"
        widths = equal_cost.channels_around(
            genotypes.load(path),
            self.size,
            self.image_size,
            1e9 * min(self.targets),
            1e9 * max(self.targets),
        )
        atomic.write_text(self._widths(seed), json.dumps(widths) + "\n")

    def _networks(self, seed: int) -> "list[_Network]":
        """Returns all networks of a seed."""
        of_seed = self.folder / f"seed_{seed}"
        searched = [
            _Network(
                of_seed / f"searched_{_name(target)}",
                self._search(seed, _name(target)),
                target=target,
            )
            for target in self.targets
        ]
        widths = [
            _Network(
                of_seed / f"width_{channels}",
                self._search(seed, _FREE),
                channels=channels,
            )
            for channels in _read_widths(self._widths(seed))
        ]
        return [*searched, *widths]

    def _systems(self, seed: int) -> list[Phase]:
        return [
            phase
            for network in self._networks(seed)
            for phase in self._train_and_measure(network, seed)
        ]

    def _train_and_measure(self, network: "_Network", seed: int) -> list[Phase]:
        trained = network.trained
        title = f"Seed {seed}: {network.title}"
        train = Command(
            "train",
            (
                f"--flagfile={self.train_flagfile}",
                f"--genotype={network.search / 'genotype.json'}",
                f"--records={self.records}",
                f"--workdir={trained}",
                f"--seed={seed}",
                *network.sizes,
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
        return [
            Phase(
                f"train_{trained.name}_{seed}",
                f"{title}: train",
                (train,),
                outputs=(trained / "network.json",),
                expected_seconds=150,
            ),
            Phase(
                f"measure_{trained.name}_{seed}",
                f"{title}: measure",
                (measure,),
                outputs=(result,),
            ),
        ]

    def _row(self, of: "_Network", seed: int) -> dict[str, Any]:
        from nppnet_tf.inference import predictor
        from nppnet_tf.models import cost

        network, _, image_size = predictor.load_run(of.trained)
        scores = run_report.read_scores(of.trained / "result.json")
        found = cost.cost(network, image_size)
        return {
            "system": of.system,
            "seed": seed,
            "target_gmac": of.target,
            "gmac": found.macs / 1e9,
            "parameters": found.parameters,
            "channels": network.config.channels,
            **scores,
        }

    def _search(self, seed: int, name: str) -> pathlib.Path:
        return self.folder / f"seed_{seed}" / f"search_{name}"

    def _widths(self, seed: int) -> pathlib.Path:
        return self.folder / f"seed_{seed}" / "channels.json"


@dataclasses.dataclass(frozen=True)
class _Network:
    """One that is trained: searched for a target, or of a width.

    Attributes:
        trained: Folder of its training.
        search: Folder of the search that found its genotype.
        target: GMAC that it was searched for, or None.
        channels: C that it is given, or None for that of the flag file.
    """

    trained: pathlib.Path
    search: pathlib.Path
    target: float | None = None
    channels: int | None = None

    @property
    def system(self) -> str:
        return WIDTH if self.target is None else SEARCHED

    @property
    def title(self) -> str:
        if self.target is None:
            return f"C = {self.channels}"
        return f"{self.target:g} GMAC"

    @property
    def sizes(self) -> tuple[str, ...]:
        """Flags of `train` beside those of the flag file."""
        if self.channels is None:
            return ()
        return (f"--channels={self.channels}",)


def table_of(rows: Sequence[Mapping[str, Any]]) -> page.Table:
    """Returns means over the seeds, network by network, the cheapest first.

    Args:
        rows: What `Budgets.summarize` writes, one network each.
    """
    groups = [
        of for system in (SEARCHED, WIDTH) for of in _groups(rows, system)
    ]
    groups.sort(key=_gmac)
    return page.Table(
        ("network", "budget", "C", "GMAC", *_SCORES.values()),
        tuple(
            (
                of[0]["system"],
                ""
                if of[0]["target_gmac"] is None
                else f"{of[0]['target_gmac']:g}",
                str(of[0]["channels"]),
                _mean(of, "gmac", 4),
                *(_mean(of, score, 3) for score in _SCORES),
            )
            for of in groups
        ),
        note="Means over the seeds, with standard deviations where there are "
        "several.",
    )


def charts_of(
    rows: Sequence[Mapping[str, Any]],
) -> tuple[line_chart.Chart, ...]:
    """Returns every score over the cost: means of each budget and each C.

    Args:
        rows: What `Budgets.summarize` writes.
    """
    return tuple(
        line_chart.Chart(
            title,
            tuple(
                line_chart.Curve(
                    system,
                    tuple(
                        (1e3 * _gmac(of), statistics.mean(r[score] for r in of))
                        for of in _groups(rows, system)
                    ),
                )
                for system in (SEARCHED, WIDTH)
            ),
            "million multiply-accumulates",
        )
        for score, title in _SCORES.items()
    )


def text_lines(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """Returns the table as lines of a screen.

    Args:
        rows: What `Budgets.summarize` writes.
    """
    return run_report.text_table(table_of(rows)).splitlines()


def _read_widths(path: pathlib.Path) -> list[int]:
    """Returns what `Budgets._write_widths` wrote."""
    widths = json_documents.require_form(
        json_documents.read(path), ["an integer"], path, "C"
    )
    if not widths or not all(
        1 <= channels <= configuration.MOST_CHANNELS for channels in widths
    ):
        raise UserError(
            "no widths of networks",
            path,
            f"C from 1 to {configuration.MOST_CHANNELS}",
            json_documents.described(widths),
        )
    return widths


def _groups(
    rows: Sequence[Mapping[str, Any]], system: str
) -> list[list[Mapping[str, Any]]]:
    """Rows of one network of a system and of all seeds, the cheapest first."""
    groups: dict[tuple, list[Mapping[str, Any]]] = {}
    for row in rows:
        if row["system"] == system:
            key = (row["target_gmac"], row["channels"])
            groups.setdefault(key, []).append(row)
    return sorted(groups.values(), key=_gmac)


def _gmac(rows: Sequence[Mapping[str, Any]]) -> float:
    return statistics.mean(row["gmac"] for row in rows)


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
