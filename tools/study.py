r"""Trains systems by seeds alike, at equal cost, and compares them.

    python -m tools.study --flagfile=flags/study/small.txt

Searches, draws random genotypes of equal cost, and trains them beside two
baselines of equal cost, the released genotype and the rows of Table 5, all on
drawn people and with the same learning rates to choose from. Every system is
compared twice: after equal steps, and after as many steps as the same seconds
buy. What is chosen is chosen on people of its own; others are measured once.

Each finished unit is a line of --results. Stopped or killed, the same command
goes on where it was; with more --seeds, --strategies or --systems it adds to
what is there. Lines of other settings are kept and not looked at. The figures
are written beside the lines, *.json in place of *.jsonl, and shown on
<workdir>/report.html.
"""

import pathlib
import signal
from types import FrameType
from typing import TYPE_CHECKING

from nppnet_tf.errors import UserError
from nppnet_tf.files import folder_lock
from nppnet_tf.study.settings import StudyConfig

from .command_line import app
from .command_line import config_flags
from .command_line import console
from .command_line import paths
from .command_line import worker_flags
from .command_line.tool_flags import ToolFlags

if TYPE_CHECKING:
    from nppnet_tf.study.plan import Plan
    from nppnet_tf.study.results import Results

FLAGS = ToolFlags()

NUM_WORKERS = worker_flags.define(FLAGS)

STRATEGIES = FLAGS.define_text(
    "strategies",
    "nppnet",
    "Searches to compare, names of --search_strategy of tools.search with "
    "commas between them. The first is what others are held against and cost.",
)
SYSTEMS = FLAGS.define_text(
    "systems",
    "random,unet,resnet,released,samples,rows",
    "Systems beside the searches, with commas between them: random genotypes, "
    "a U-Net and ResNet-50 + FPN of equal cost, the released genotype, samples "
    "of the first supernet, rows of Table 5.",
)
config_flags.define(FLAGS, StudyConfig())
WORKDIR = FLAGS.define_output(
    "workdir",
    None,
    "Folder of drawn people and of searches.",
    paths.require_new_folder,
)
RESULTS = FLAGS.define_output(
    "results", None, "File of finished units, *.jsonl.", paths.new_file
)
MOST_UNITS = FLAGS.define_count(
    "most_units",
    None,
    "Units after which to end, of those that are left; 0 for none, which only "
    "makes figures and page of what is finished, beside a study that runs.",
)


def _run(argv: list[str]) -> None:
    del argv
    config = config_flags.read(FLAGS, StudyConfig())
    lines = pathlib.Path(RESULTS.value)
    if lines.suffix != ".jsonl":
        raise UserError(
            "unknown kind of file",
            f"--results={lines}",
            "*.jsonl",
            lines.suffix,
        )
    # A service that stops us sends SIGTERM: like an interrupt, it ends the
    # unit that is under way.
    signal.signal(signal.SIGTERM, _interrupt)
    folder = pathlib.Path(WORKDIR.value, config.digest())

    from nppnet_tf.study import plan
    from nppnet_tf.study import results
    from nppnet_tf.study import searches

    strategies = _words(STRATEGIES.value)
    for name in strategies:
        searches.check_strategy(name, config)
    found = results.Results(lines, config.digest())
    units = plan.Plan(config, strategies, _words(SYSTEMS.value), found)
    if found.num_others:
        console.say(f"{lines}: {found.num_others} lines of other settings")
    console.say(f"{lines}: {len(found)} units are finished")
    _finish(units, found, folder)


def _finish(units: "Plan", found: "Results", folder: pathlib.Path) -> None:
    from nppnet_tf.study import report
    from nppnet_tf.study import summary
    from nppnet_tf.study.study import Study
    from nppnet_tf.training import run

    class Lines(run.Report):
        """Says what searches and units say."""

        def say(self, line: str) -> None:
            console.say(line)

    people = units.config.train_people + units.config.test_people
    study = Study(
        units,
        found,
        folder,
        Lines(),
        FLAGS.resolved(),
        worker_flags.num_workers(NUM_WORKERS.value, people),
    )
    is_complete = True
    try:
        if MOST_UNITS.value != 0:
            folder.mkdir(parents=True, exist_ok=True)
            with folder_lock.hold(folder, f"--workdir={WORKDIR.value}"):
                is_complete = study.run(MOST_UNITS.value)
    finally:
        # Also of what is finished where an interrupt ends the rest.
        figures = summary.of(units, found)
        summary.write(figures, found.path.with_suffix(".json"))
        page = folder.parent / "report.html"
        report.write(figures, page)
        console.say(f"{found.path.with_suffix('.json')}, {page}")
    if not is_complete:
        console.say("the same command goes on from there")


def _words(text: str) -> tuple[str, ...]:
    """Returns the words between commas, each once."""
    words = (word.strip() for word in text.split(","))
    return tuple(dict.fromkeys(word for word in words if word))


def _interrupt(number: int, frame: FrameType | None) -> None:
    del number, frame
    raise KeyboardInterrupt


def main() -> None:
    """Entry of the console script."""
    app.run(_run, FLAGS, required=("workdir", "results"))


if __name__ == "__main__":
    main()
