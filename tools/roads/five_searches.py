"""Several searches of other halves and seeds, of which the best is kept."""

import dataclasses
import json
import pathlib
from typing import Any

from nppnet_tf.errors import UserError
from nppnet_tf.files import atomic
from nppnet_tf.files import json_documents
from nppnet_tf.reports import run_report
from nppnet_tf.search_space import genotype as genotypes
from nppnet_tf.search_space import stages

from ..command_line import console
from ..command_line import phases
from ..command_line.phases import Command
from ..command_line.phases import Phase


@dataclasses.dataclass(frozen=True)
class Searches:
    """Several searches in one folder.

    Attributes:
        folder: Folder of all searches, absolute.
        records: Records to search and to train on.
        validation_records: Records to select by.
        search_flags: Folder of the flag files of both stages.
        train_flagfile: Flag file of the short training.
        count: How many searches.
    """

    folder: pathlib.Path
    records: str
    validation_records: str
    search_flags: str
    train_flagfile: str
    count: int

    def run(self) -> None:
        """Runs what is not done yet and prints the selection."""
        phases.runner_of_tools(self.folder).run(self.phases())
        # Anew whenever it is asked for: there may be more searches than before.
        self.select()
        for line in _selection_lines(self.selection_path):
            console.say(line)
        console.say(f"genotype: {self.folder / 'genotype.json'}")

    @property
    def selection_path(self) -> pathlib.Path:
        """File with the scores and the winner."""
        return self.folder / "selection.json"

    def phases(self) -> tuple[Phase, ...]:
        """Returns every step of every search."""
        return tuple(
            phase
            for seed in range(self.count)
            for phase in self._search_phases(seed)
        )

    def select(self) -> None:
        """Writes the scores of all candidates and the winner's genotype."""
        rows = [self._scores(seed) for seed in range(self.count)]
        best = max(rows, key=lambda row: row["score"])
        genotypes.save(
            genotypes.load(self._candidate(best["seed"]) / "genotype.json"),
            self.folder / "genotype.json",
        )
        selection = {
            "rule": "highest mean of mIoU and PCKh@0.5 on the validation "
            "records after the same short training; of equal ones the first",
            "selected": best["seed"],
            "candidates": rows,
        }
        atomic.write_text(
            self.selection_path, json.dumps(selection, indent=1) + "\n"
        )

    def _scores(self, seed: int) -> dict[str, Any]:
        scores = run_report.read_scores(self._candidate(seed) / "result.json")
        miou, pckh = scores["miou"], scores["pckh"]
        return {
            "seed": seed,
            "miou": miou,
            "pckh": pckh,
            "score": (miou + pckh) / 2,
        }

    def _candidate(self, seed: int) -> pathlib.Path:
        return self.folder / f"seed_{seed}"

    def _search_phases(self, seed: int) -> list[Phase]:
        candidate = self._candidate(seed)
        genotype = candidate / "genotype.json"
        trained = candidate / "trained"
        result = candidate / "result.json"
        title = f"Search {seed + 1} of {self.count}"
        derive = Command(
            "derive",
            (
                f"--workdir={candidate / stages.NAMES[-1]}",
                f"--output={genotype}",
            ),
        )
        train = Command(
            "train",
            (
                f"--flagfile={self.train_flagfile}",
                f"--genotype={genotype}",
                f"--records={self.records}",
                f"--workdir={trained}",
            ),
        )
        evaluate = Command(
            "evaluate",
            (
                f"--model={trained}",
                f"--records={self.validation_records}",
                f"--output={result}",
            ),
        )
        network = trained / "network.json"
        return [
            *(self._stage(seed, stage, title) for stage in stages.NAMES),
            _phase(f"derive_{seed}", f"{title}: derive", derive, genotype),
            _phase(f"train_{seed}", f"{title}: short training", train, network),
            _phase(f"evaluate_{seed}", f"{title}: measure", evaluate, result),
        ]

    def _stage(self, seed: int, stage: str, title: str) -> Phase:
        workdir = self._candidate(seed) / stage
        arguments = (
            f"--flagfile={flag_file(self.search_flags, stage)}",
            f"--records={self.records}",
            f"--workdir={workdir}",
            f"--seed={seed}",
        )
        if stage != stages.NAMES[0]:
            before = self._candidate(seed) / stages.NAMES[0] / "genotype.json"
            arguments += (f"--genotype={before}",)
        return _phase(
            f"{stage}_{seed}",
            f"{title}: {stage.replace('_', ' and ')}",
            Command("search", arguments),
            workdir / "genotype.json",
        )


def flag_file(folder: str, stage: str) -> pathlib.Path:
    """Returns the flag file of a stage of the search, in its folder."""
    return pathlib.Path(folder, f"search_{stage}.txt")


def _phase(
    name: str, title: str, command: Command, output: pathlib.Path
) -> Phase:
    return Phase(name, title, (command,), outputs=(output,))


def _selection_lines(path: pathlib.Path) -> list[str]:
    """Returns a line for every candidate that `Searches.select` wrote."""
    selection = json_documents.require(
        json_documents.read(path), "an object", path, "selection"
    )
    try:
        return [
            f"seed {row['seed']}: mIoU {row['miou']:.4f}, "
            f"PCKh {row['pckh']:.4f}, mean {row['score']:.4f}"
            + "  <- selected"
            * (row["seed"] == selection["selected"])
            for row in selection["candidates"]
        ]
    except json_documents.FORM_ERRORS as error:
        raise UserError(
            "not a selection", path, "seed, miou, pckh and score of each", error
        ) from error
