"""The whole road of NPPNet in one folder, from pictures to a report."""

import os
import pathlib

from nppnet_tf.errors import UserError

from ..command_line import console
from ..command_line import phases
from ..command_line.phases import Command
from ..command_line.phases import Phase
from ..command_line.progress import Progress
from .demo_settings import Road

SEARCHED = "searched"

# What the searched network is measured beside: of its cost, trained alike. The
# title of each by its name, which is that of its genotype.
_BASELINES = {"baseline": "ResNet-50 + FPN", "unet": "U-Net"}
_TITLES = {SEARCHED: SEARCHED, **_BASELINES}
_MODEL_NAME = "nppnet"
# Folder that holds `tools` and `flags`.
_ROOT = pathlib.Path(__file__).absolute().parents[2]
_SEARCH_TITLES = {
    "encoder_decoder": "Search, stage 1: encoder and decoder",
    "interaction_fusion": "Search, stage 2: interaction and fusion",
}
_SAMPLES = ("lip_mmseg", "lip_alexis97", "lip_jppnet")

# Sizes of the trained networks in the flag files, to tell the cost.
_COST_SIZES = (
    "--channels=16",
    "--cells=4",
    "--head_channels=64",
    "--image_size=128",
)


class Demo:
    """The phases of a road in one folder.

    Args:
        road: What tells this road from another.
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
        self.runner = phases.runner_of_tools(folder)

    def run(self) -> None:
        """Runs what is not done yet and prints the result."""
        self.runner.run(self.phases())
        self._say_result()

    def phases(self) -> tuple[Phase, ...]:
        """Returns the steps of the road in order."""
        road = [
            *self._data_phases(),
            self._search_phase("encoder_decoder"),
            self._search_phase("interaction_fusion"),
            self._derive_phase(),
            *map(self._train_phase, _TITLES),
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

    def _derive_phase(self) -> Phase:
        arguments = (
            f"--workdir={self._run('search_interaction_fusion')}",
            f"--output={self._genotype}",
            # Those of a miniature ask for no cost, of which the sizes are.
            *(self._extra("derive") or _COST_SIZES),
        )
        return self._phase(
            "derive",
            "Derive the network from the search",
            [Command("derive", arguments)],
            [self._genotype],
        )

    def _train_phase(self, system: str) -> Phase:
        title, genotype, cost = "Train the searched network", self._genotype, ()
        if system in _BASELINES:
            title = f"Train {_BASELINES[system]} of the same cost"
            genotype, cost = system, (f"--equal_cost={self._genotype}",)
        arguments = (
            self._flag_file("train"),
            f"--records={self._training_records}",
            f"--genotype={genotype}",
            *cost,
            f"--workdir={self._run(system)}",
        )
        return self._phase(
            f"train_{system}",
            title,
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
            for system in _TITLES
        ]
        outputs = [self._result(system) for system in _TITLES]
        return self._phase(
            "evaluate", "Measure all networks", commands, outputs
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
            **{system: self._run(system) for system in _BASELINES},
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
            "Predict with the SavedModel, and with the baselines",
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
            runs={title: self._run(name) for name, title in _TITLES.items()},
            results={
                title: self._result(name) for name, title in _TITLES.items()
            },
            summary_names={title: name for name, title in _TITLES.items()},
            searches={
                title: self._run(f"search_{stage}")
                for stage, title in _SEARCH_TITLES.items()
            },
            pictures=self._pictures,
            columns={
                "truth": self._truth,
                **{
                    title: self._predictions(name)
                    for name, title in _TITLES.items()
                },
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

    def _say_result(self) -> None:
        from nppnet_tf.reports import demo_report

        table, minutes = demo_report.read_summary(self.summary_path)
        console.say()
        console.say(table)
        console.say()
        console.say(f"minutes: {minutes}")
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
        folder = _ROOT / "flags" / self.road.flags
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
    default = _ROOT.parent / "shared"
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
