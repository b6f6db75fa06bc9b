r"""Searches five times with other halves and seeds, and keeps the best.

    python -m tools.search_five --records=runs/lip/train \
        --validation_records=runs/lip/val --workdir=runs/lip/search_five

Sec. 4.2 repeats the search five times, divides the training set anew each time,
and keeps "the best performing architecture", without saying by what. The rule
here: each derived network is trained by one short schedule
(--train_flagfile, the same seed for all) and measured on the validation
records; the highest mean of mIoU and PCKh@0.5 wins, of equal ones the first.

Each search is two stages of tools.search with --seed=0 to 4, then tools.derive,
tools.train and tools.evaluate, all printed as they run. Stopped, the same
command goes on where it was. The folder gets selection.json (every score, and
the winner) and genotype.json (the winner's).
"""

import dataclasses
import json
import pathlib
from typing import Any

from nppnet_tf.errors import UserError
from nppnet_tf.files import atomic
from nppnet_tf.files import json_documents
from nppnet_tf.search_space import stages

from .command_line import app
from .command_line import console
from .command_line import paths
from .command_line import phases
from .command_line.phases import Command
from .command_line.phases import Phase
from .command_line.tool_flags import ToolFlags

_TOOLS = pathlib.Path(__file__).absolute().parent


def _check_search_flags(path: str, flag: str) -> None:
    """Refuses a folder that lacks the flag file of a stage."""
    paths.require_folder(path, flag)
    for stage in stages.NAMES:
        paths.require_file(_flag_file(path, stage), flag)


def _flag_file(folder: str, stage: str) -> pathlib.Path:
    return pathlib.Path(folder, f"search_{stage}.txt")


FLAGS = ToolFlags()

RECORDS = FLAGS.define_path(
    "records",
    None,
    "Folder of build_records to search and train on.",
    paths.require_records,
)
VALIDATION_RECORDS = FLAGS.define_path(
    "validation_records",
    None,
    "Folder of build_records to select by.",
    paths.require_records,
)
WORKDIR = FLAGS.define_output(
    "workdir",
    None,
    "Folder of all searches.",
    paths.require_new_folder,
)
SEARCHES = FLAGS.define_count("searches", 5, "How often to search.", 1, 1000)
SEARCH_FLAGS = FLAGS.define_path(
    "search_flags",
    "flags/lip",
    "Folder with search_encoder_decoder.txt and search_interaction_fusion.txt.",
    _check_search_flags,
)
TRAIN_FLAGFILE = FLAGS.define_path(
    "train_flagfile",
    "flags/lip/train_candidate.txt",
    "Flag file of tools.train by which every candidate is trained.",
    paths.require_file,
)


def main() -> None:
    """Entry of the console script."""
    app.run(_run, FLAGS, required=("records", "validation_records", "workdir"))


def _run(argv: list[str]) -> None:
    del argv
    folder = paths.new_folder(WORKDIR.value, "--workdir").absolute()
    searches = Searches(
        folder,
        RECORDS.value,
        VALIDATION_RECORDS.value,
        SEARCH_FLAGS.value,
        TRAIN_FLAGFILE.value,
        SEARCHES.value,
    )
    searches.run()


@dataclasses.dataclass(frozen=True)
class Searches:
    """Several searches in one folder.

    Attributes:
        folder: Folder of all searches, absolute.
        records: To search and to train on.
        validation_records: To select by.
        search_flags: Folder of the flag files of both stages.
        train_flagfile: Flag file of the short training.
        count: How many.
    """

    folder: pathlib.Path
    records: str
    validation_records: str
    search_flags: str
    train_flagfile: str
    count: int

    def run(self) -> None:
        """Runs what is not done yet and prints the selection."""
        package = __package__ or "tools"
        root = _TOOLS.parents[package.count(".")]
        phases.PhaseRunner(self.folder, package, root).run(self.phases())
        for line in _selection_lines(self.selection_path):
            console.say(line)
        console.say(f"genotype: {self.folder / 'genotype.json'}")

    @property
    def selection_path(self) -> pathlib.Path:
        """File with the scores and the winner."""
        return self.folder / "selection.json"

    def phases(self) -> tuple[Phase, ...]:
        """Returns every step of every search, and the selection."""
        steps = [
            phase
            for seed in range(self.count)
            for phase in self._search_phases(seed)
        ]
        selection = Phase(
            "select",
            "Select the best",
            function=self.select,
            settings={"searches": self.count},
            outputs=(self.selection_path, self.folder / "genotype.json"),
            expected_seconds=1,
        )
        return (*steps, selection)

    def select(self) -> None:
        """Writes the scores of all candidates and the winner's genotype."""
        rows = [self._scores(seed) for seed in range(self.count)]
        best = max(rows, key=lambda row: row["score"])
        genotype = self._candidate(best["seed"]) / "genotype.json"
        atomic.write_text(
            self.folder / "genotype.json", genotype.read_text(encoding="utf-8")
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
        path = self._candidate(seed) / "result.json"
        result = json_documents.read(path)
        try:
            miou = float(result["parsing"]["mean_iou"])
            pckh = float(result["pose"]["pckh"])
        except (KeyError, TypeError, ValueError) as error:
            raise UserError(
                "a candidate lacks a score",
                path,
                "validation records with label maps and poses",
                error,
            ) from error
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
        title = f"Search {seed + 1} of {self.count}"
        return [
            *(self._stage(seed, stage, title) for stage in stages.NAMES),
            Phase(
                f"derive_{seed}",
                f"{title}: derive",
                (
                    Command(
                        "derive",
                        (
                            f"--workdir={candidate / stages.NAMES[-1]}",
                            f"--output={candidate / 'genotype.json'}",
                        ),
                    ),
                ),
                outputs=(candidate / "genotype.json",),
            ),
            Phase(
                f"train_{seed}",
                f"{title}: short training",
                (
                    Command(
                        "train",
                        (
                            f"--flagfile={self.train_flagfile}",
                            f"--genotype={candidate / 'genotype.json'}",
                            f"--records={self.records}",
                            f"--workdir={candidate / 'trained'}",
                        ),
                    ),
                ),
                outputs=(candidate / "trained" / "network.json",),
            ),
            Phase(
                f"evaluate_{seed}",
                f"{title}: measure",
                (
                    Command(
                        "evaluate",
                        (
                            f"--model={candidate / 'trained'}",
                            f"--records={self.validation_records}",
                            f"--output={candidate / 'result.json'}",
                        ),
                    ),
                ),
                outputs=(candidate / "result.json",),
            ),
        ]

    def _stage(self, seed: int, stage: str, title: str) -> Phase:
        workdir = self._candidate(seed) / stage
        arguments = (
            f"--flagfile={_flag_file(self.search_flags, stage)}",
            f"--records={self.records}",
            f"--workdir={workdir}",
            f"--seed={seed}",
        )
        if stage != stages.NAMES[0]:
            before = self._candidate(seed) / stages.NAMES[0] / "genotype.json"
            arguments += (f"--genotype={before}",)
        return Phase(
            f"{stage}_{seed}",
            f"{title}: {stage.replace('_', ' and ')}",
            (Command("search", arguments),),
            outputs=(workdir / "genotype.json",),
        )


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
    except (KeyError, TypeError, ValueError) as error:
        raise UserError(
            "not a selection", path, "seed, miou, pckh and score of each", error
        ) from error


if __name__ == "__main__":
    main()
