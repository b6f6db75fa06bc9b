"""Runs the whole road of NPPNet on a CPU and shows it in pictures.

    python -m tools.demo
    python -m tools.demo --what=real --demo_dir=runs/real

Draws people (or takes the real pictures beside the repository), searches in two
stages, derives the network, trains it and a fixed ResNet-50 and FPN with the
same budget, measures both, exports a SavedModel, predicts with it, and writes
<demo_dir>/report.html and summary.json. Every step is a tool that you can run
yourself: the demo prints its commands. Stopped, it goes on where it was; done,
it prints the result.
"""

import dataclasses
import json
import os
import pathlib
import signal
from collections.abc import Mapping
from types import FrameType

from nppnet_tf.errors import UserError

from .command_line import app
from .command_line import console
from .command_line import paths
from .command_line import phases
from .command_line.phases import Command
from .command_line.phases import Phase
from .command_line.progress import Progress
from .command_line.tool_flags import ToolFlags

FLAGS = ToolFlags()

WHAT = FLAGS.define_choice(
    "what",
    "demo",
    ("demo", "real"),
    "People that the demo draws, or the real pictures of the folder "
    "../shared/samples (the variable NPPNET_SHARED names another ../shared).",
)
DEMO_DIR = FLAGS.define_output(
    "demo_dir",
    None,
    "Folder of everything that is made. Default: runs/demo or runs/real.",
    paths.require_new_folder,
)
TINY = FLAGS.define_switch(
    "tiny", False, "A road of a minute that learns nothing, to test the tools."
)

SEARCHED = "searched"
BASELINE = "baseline"

_BASELINE_TITLE = "ResNet-50 + FPN"
_MODEL_NAME = "nppnet"
_TOOLS = pathlib.Path(__file__).absolute().parent
_SEARCH_TITLES = {
    "encoder_decoder": "Search, stage 1: encoder and decoder",
    "interaction_fusion": "Search, stage 2: interaction and fusion",
}
_SAMPLES = ("lip_mmseg", "lip_alexis97", "lip_jppnet")


@dataclasses.dataclass(frozen=True)
class Road:
    """What tells one road from another; networks and epochs are flag files.

    Attributes:
        flags: Folder of the flag files, below `flags`.
        title: Title of the report.
        introduction: Paragraphs of the report.
        num_train: People to draw for training; 0 takes real pictures.
        num_validation: People to draw for measuring.
        picture_size: Median (height, width) of the drawn pictures.
        num_pictures: Pictures that are predicted and shown.
        rule: How these were picked.
        measured_on: Which pictures the scores belong to.
        extra: More arguments of tools that train, by phase.
        seconds: Usual time of a phase on two cores, by its name.
    """

    flags: str
    title: str
    introduction: tuple[str, ...]
    num_train: int = 0
    num_validation: int = 0
    picture_size: tuple[int, int] = (192, 144)
    num_pictures: int = 16
    rule: str = ""
    measured_on: str = ""
    extra: Mapping[str, tuple[str, ...]] = dataclasses.field(
        default_factory=dict
    )
    seconds: Mapping[str, float] = dataclasses.field(default_factory=dict)


_DEMO = Road(
    flags="demo",
    title="NPPNet in small: from drawn people to a SavedModel",
    introduction=(
        "NPPNet finds the parts (parsing) and the joints (pose) of a person "
        "with one network, and searches the form of that network itself. "
        "This page shows the whole road at a size that a laptop does in "
        "minutes: people were drawn, a network was searched in two stages, "
        "derived, trained, measured, exported as a SavedModel, and that "
        "SavedModel predicted the pictures below.",
        "The people are drawn by the program, so labels are exact and no "
        "data set is needed. The numbers say that every step works and "
        "learns; they are not to be compared with numbers on LIP.",
    ),
    num_train=2400,
    num_validation=64,
    num_pictures=16,
    rule="The first people of the validation split, whatever they look like; "
    "none of them was trained on.",
    measured_on="people drawn for it and used for nothing else; of each "
    "training the last epoch",
    seconds={
        "draw_people": 25,
        "build_records": 25,
        "search_encoder_decoder": 55,
        "search_interaction_fusion": 60,
        "derive": 15,
        "train_searched": 320,
        "train_baseline": 250,
        "evaluate": 25,
        "export": 25,
        "pictures": 5,
        "predict": 30,
        "draw_genotype": 5,
        "report": 20,
    },
)

_REAL = Road(
    flags="real",
    title="NPPNet on real pictures: the same road, end to end",
    introduction=(
        "The road of the demo on the real pictures of LIP that lie beside "
        "the repository: some have a label map, some a pose, one has both. "
        "What a picture lacks is left out of its losses and its scores.",
        "The network was trained on these very pictures, far too few to "
        "learn from. That its predictions fit them shows that reading, "
        "training, measuring and exporting work on real input; it says "
        "nothing about other pictures.",
    ),
    num_pictures=16,
    rule="All pictures, in the order of the records. All were trained on.",
    measured_on="the very pictures that both networks were trained on: how "
    "well they fit, not how good they are",
    seconds={
        "build_records": 10,
        "search_encoder_decoder": 90,
        "search_interaction_fusion": 90,
        "derive": 15,
        "train_searched": 300,
        "train_baseline": 200,
        "evaluate": 25,
        "export": 25,
        "pictures": 5,
        "predict": 30,
        "draw_genotype": 5,
        "report": 20,
    },
)

# Of the trained networks, in the flag files; only to tell the cost.
_COST_SIZES = ("--channels=16", "--cells=4", "--image_size=128")

_TINY_SIZES = (
    "--image_size=64",
    "--channels=16",
    "--cells=4",
    "--batch_size=2",
    "--epochs=1",
    "--steps_per_epoch=2",
)
_TINY = {
    "derive": ("--nocost",),
    "search_encoder_decoder": (*_TINY_SIZES, "--warmup_epochs=0"),
    "search_interaction_fusion": (
        *_TINY_SIZES,
        "--warmup_epochs=0",
        "--interaction=omit",
    ),
    "train": _TINY_SIZES,
}


class Demo:
    """The phases of a road in one folder.

    Args:
        road: Which road.
        folder: Folder of everything that is made.
        samples: Folders of real pictures; empty where people are drawn.
    """

    def __init__(
        self, road: Road, folder: pathlib.Path, samples: tuple[str, ...] = ()
    ) -> None:
        self.road = road
        self.folder = folder
        self.samples = samples
        self.summary_path = folder / "summary.json"
        self.report_path = folder / "report.html"
        self._genotype = folder / "genotype.json"
        package = __package__ or "tools"
        root = _TOOLS.parents[package.count(".")]
        self.runner = phases.PhaseRunner(folder, package, root)

    def run(self) -> None:
        """Runs what is not done yet and prints the result."""
        self.runner.run(self.phases())
        summary = json.loads(self.summary_path.read_text(encoding="utf-8"))
        self._say_result(summary)

    def phases(self) -> tuple[Phase, ...]:
        """Returns the steps of the road in order."""
        road = [
            *self._data_phases(),
            self._search_phase("encoder_decoder"),
            self._search_phase("interaction_fusion"),
            self._phase(
                "derive",
                "Derive the network from the search",
                [
                    Command(
                        "derive",
                        (
                            f"--workdir={self._run('search_interaction_fusion')}",
                            f"--output={self._genotype}",
                            *_COST_SIZES,
                            *self._extra("derive"),
                        ),
                    )
                ],
                [self._genotype],
            ),
            self._train_phase(SEARCHED, str(self._genotype)),
            self._train_phase(BASELINE, "baseline"),
            self._evaluate_phase(),
            self._export_phase(),
            self._pictures_phase(),
            self._predict_phase(),
            self._drawing_phase(),
        ]
        return (*road, self._report_phase(tuple(road)))

    def _data_phases(self) -> list[Phase]:
        title = "Write records"
        if self.samples:
            roots = ",".join(self.samples)
            command = self._records_command("all", "folder", roots)
            return [
                self._phase(
                    "build_records", title, [command], [self._records("all")]
                )
            ]
        people = self.folder / "people"
        height, width = self.road.picture_size
        draw = Command(
            "draw_people",
            (
                f"--root={people}",
                f"--train={self.road.num_train}",
                f"--val={self.road.num_validation}",
                f"--height={height}",
                f"--width={width}",
            ),
        )
        return [
            self._phase("draw_people", "Draw people", [draw], [people]),
            self._phase(
                "build_records",
                title,
                [
                    self._records_command("train", "lip", people),
                    self._records_command("val", "lip", people),
                ],
                [self._records("train"), self._records("val")],
            ),
        ]

    def _records_command(
        self, split: str, dataset: str, root: object
    ) -> Command:
        arguments = (f"--dataset={dataset}", f"--root={root}")
        if dataset == "lip":
            arguments += (f"--split={split}",)
        return Command(
            "build_records", (*arguments, f"--output={self._records(split)}")
        )

    def _search_phase(self, stage: str) -> Phase:
        name = f"search_{stage}"
        arguments = (
            self._flag_file(name),
            f"--records={self._training_records}",
            f"--workdir={self._run(name)}",
        )
        if stage == "interaction_fusion":
            before = self._run("search_encoder_decoder") / "genotype.json"
            arguments += (f"--genotype={before}",)
        return self._phase(
            name,
            _SEARCH_TITLES[stage],
            [Command("search", (*arguments, *self._extra(name)))],
            [self._run(name) / "genotype.json"],
        )

    def _train_phase(self, system: str, genotype: str) -> Phase:
        titles = {
            SEARCHED: "Train the searched network",
            BASELINE: f"Train {_BASELINE_TITLE} with the same budget",
        }
        arguments = (
            self._flag_file("train"),
            f"--records={self._training_records}",
            f"--genotype={genotype}",
            f"--workdir={self._run(system)}",
        )
        return self._phase(
            f"train_{system}",
            titles[system],
            [Command("train", (*arguments, *self._extra("train")))],
            [self._run(system) / "network.json"],
        )

    def _evaluate_phase(self) -> Phase:
        commands = [
            Command(
                "evaluate",
                (
                    f"--model={self._run(system)}",
                    f"--records={self._validation_records}",
                    f"--output={self._result(system)}",
                    # As the paper measures (Sec. 4.2).
                    "--flip",
                ),
            )
            for system in (SEARCHED, BASELINE)
        ]
        outputs = [self._result(system) for system in (SEARCHED, BASELINE)]
        return self._phase(
            "evaluate", "Measure both networks", commands, outputs
        )

    def _export_phase(self) -> Phase:
        arguments = (
            f"--model={self._run(SEARCHED)}",
            f"--output={self.folder / 'savedmodels'}",
            f"--name={_MODEL_NAME}",
        )
        return self._phase(
            "export",
            "Export a SavedModel",
            [Command("export", arguments)],
            [self._saved_model],
        )

    def _pictures_phase(self) -> Phase:
        return Phase(
            "pictures",
            "Lay out the pictures to predict, and their truth",
            function=self._lay_out_pictures,
            settings={"num_pictures": self.road.num_pictures},
            outputs=(self._pictures, self._truth),
            expected_seconds=self.road.seconds.get("pictures", 10),
        )

    def _predict_phase(self) -> Phase:
        models = {
            SEARCHED: self._saved_model,
            BASELINE: self._run(BASELINE),
        }
        commands = [
            Command(
                "predict",
                (
                    f"--model={model}",
                    f"--output={self._predictions(system)}",
                    str(self._pictures),
                ),
            )
            for system, model in models.items()
        ]
        return self._phase(
            "predict",
            "Predict with the SavedModel, and with the baseline",
            commands,
            [self._predictions(system) for system in models],
        )

    def _drawing_phase(self) -> Phase:
        outputs = [self.folder / f"genotype{s}" for s in (".svg", ".png")]
        commands = [
            Command(
                "draw_genotype",
                (
                    f"--genotype={self._genotype}",
                    f"--output={output}",
                    "--title=The network that the search found",
                ),
            )
            for output in outputs
        ]
        return self._phase(
            "draw_genotype", "Draw the genotype", commands, outputs
        )

    def _report_phase(self, before: tuple[Phase, ...]) -> Phase:
        def write() -> None:
            from nppnet_tf.reports import demo_report

            demo_report.write(self._report_sources(before))

        return Phase(
            "report",
            "Write the report",
            function=write,
            outputs=(self.report_path, self.summary_path),
            expected_seconds=self.road.seconds.get("report", 10),
        )

    def _report_sources(self, before: tuple[Phase, ...]) -> object:
        from nppnet_tf.reports import demo_report
        from nppnet_tf.reports import page

        return demo_report.Sources(
            title=self.road.title,
            introduction=self.road.introduction,
            runs={
                SEARCHED: self._run(SEARCHED),
                _BASELINE_TITLE: self._run(BASELINE),
            },
            results={
                SEARCHED: self._result(SEARCHED),
                _BASELINE_TITLE: self._result(BASELINE),
            },
            summary_names={SEARCHED: SEARCHED, _BASELINE_TITLE: BASELINE},
            searches={
                title: self._run(f"search_{stage}")
                for stage, title in _SEARCH_TITLES.items()
            },
            pictures=self._pictures,
            columns={
                "truth": self._truth,
                SEARCHED: self._predictions(SEARCHED),
                BASELINE: self._predictions(BASELINE),
            },
            rule=self.road.rule,
            measured_on=self.road.measured_on,
            genotype=self._genotype,
            phases=tuple(
                page.Phase(
                    phase.title,
                    self.runner.seconds(phase),
                    tuple(map(self.runner.shown, phase.commands)),
                )
                for phase in before
            ),
            report=self.report_path,
            summary=self.summary_path,
        )

    def _lay_out_pictures(self) -> None:
        from nppnet_tf.reports import demo_report

        demo_report.lay_out_pictures(
            self._validation_records,
            self.road.num_pictures,
            self._pictures,
            self._truth,
            Progress(None, "laying out pictures").over,
        )

    def _say_result(self, summary: Mapping[str, object]) -> None:
        from nppnet_tf.reports import demo_report

        console.say()
        console.say(demo_report.screen_table(summary))
        console.say()
        console.say(f"minutes: {summary['minutes']}")
        console.say(f"report:  {self.report_path}")

    def _phase(
        self,
        name: str,
        title: str,
        commands: list[Command],
        outputs: list[pathlib.Path],
    ) -> Phase:
        return Phase(
            name,
            title,
            tuple(commands),
            outputs=tuple(outputs),
            expected_seconds=self.road.seconds.get(name, 10),
        )

    def _flag_file(self, name: str) -> str:
        folder = _TOOLS.parent / "flags" / self.road.flags
        return f"--flagfile={folder / f'{name}.txt'}"

    def _extra(self, name: str) -> tuple[str, ...]:
        return self.road.extra.get(name, ())

    def _records(self, split: str) -> pathlib.Path:
        return self.folder / "records" / split

    @property
    def _training_records(self) -> pathlib.Path:
        return self._records("all" if self.samples else "train")

    @property
    def _validation_records(self) -> pathlib.Path:
        return self._records("all" if self.samples else "val")

    def _run(self, name: str) -> pathlib.Path:
        return self.folder / "runs" / name

    def _result(self, system: str) -> pathlib.Path:
        return self.folder / "results" / f"{system}.json"

    def _predictions(self, system: str) -> pathlib.Path:
        return self.folder / "predictions" / system

    @property
    def _pictures(self) -> pathlib.Path:
        return self.folder / "pictures"

    @property
    def _truth(self) -> pathlib.Path:
        return self.folder / "truth"

    @property
    def _saved_model(self) -> pathlib.Path:
        return self.folder / "savedmodels" / _MODEL_NAME


def sample_folders() -> tuple[str, ...]:
    """Returns the folders of real pictures.

    Raises:
        UserError: If they are not there.
    """
    default = _TOOLS.parent.parent / "shared"
    folder = pathlib.Path(os.environ.get("NPPNET_SHARED") or default)
    found = [folder / "samples" / name for name in _SAMPLES]
    for path in found:
        if not path.is_dir():
            raise UserError(
                "real pictures are absent",
                path,
                f"{', '.join(_SAMPLES)} in {folder / 'samples'}; the variable "
                "NPPNET_SHARED names another folder",
                "nothing",
            )
    return tuple(map(str, found))


def miniature(road: Road) -> Road:
    """Returns the road with a minute's worth of data and steps."""
    return dataclasses.replace(
        road,
        num_train=8 if road.num_train else 0,
        num_validation=4 if road.num_validation else 0,
        num_pictures=4 if road.num_train else road.num_pictures,
        extra=_TINY,
        seconds={},
    )


def _run(argv: list[str]) -> None:
    del argv
    # A service that stops us sends SIGTERM: like an interrupt, it must end
    # the tool that runs and keep the time it took.
    before = signal.signal(signal.SIGTERM, _interrupt)
    road = _REAL if WHAT.value == "real" else _DEMO
    if TINY.value:
        road = miniature(road)
    samples = sample_folders() if WHAT.value == "real" else ()
    name = DEMO_DIR.value or f"runs/{WHAT.value}"
    folder = paths.new_folder(name, "--demo_dir").absolute()
    try:
        Demo(road, folder, samples).run()
    finally:
        signal.signal(signal.SIGTERM, before)


def _interrupt(number: int, frame: FrameType | None) -> None:
    del number, frame
    raise KeyboardInterrupt


def main() -> None:
    """Entry of the console script."""
    app.run(_run, FLAGS)


if __name__ == "__main__":
    main()
