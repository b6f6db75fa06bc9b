"""Writes the page of one search or one training: curves, pictures, alarms.

    python -m tools.report --workdir=runs/second

Of a search the page shows the shares of all operations and the genotype over
the epochs, what changed, alarms and rollbacks. The run may still be going on.
The page needs no other file.
"""

import pathlib

from nppnet_tf.reports import search_report

from .command_line import app
from .command_line import console
from .command_line import paths
from .command_line.tool_flags import ToolFlags

FLAGS = ToolFlags()

WORKDIR = FLAGS.define_path(
    "workdir", None, "Folder of a search or a training.", paths.require_folder
)
OUTPUT = FLAGS.define_output(
    "output",
    None,
    "HTML file to write; if absent, report.html in the folder of the run.",
    paths.new_file,
)


def _run(argv: list[str]) -> None:
    del argv
    workdir = pathlib.Path(WORKDIR.value)
    output = OUTPUT.value or workdir / "report.html"
    if OUTPUT.value is not None:
        read = (workdir / "metrics.jsonl", workdir / "genotype.json")
        output = paths.new_file(output, "--output", read)
    search_report.write(workdir, output)
    console.say(f"report: {output}")


def main() -> None:
    """Runs the tool."""
    app.run(_run, FLAGS, required=("workdir",))


if __name__ == "__main__":
    main()
