"""Says what this machine has for runs, what it lacks, and what to do.

    python -m tools.doctor --workdir=runs

Looks at Python and its packages, TensorFlow, GPUs and their libraries, the
profiler's plugin, TF_CONFIG, disk, memory and shared memory. Ends with status 0
where all is well, and with 1 where something has to be mended; what only some
people need is noted. Works, and says so, where TensorFlow cannot be imported.
"""

import os
import sys

from nppnet_tf.machine_check import examination
from nppnet_tf.machine_check import finding

from .command_line import app
from .command_line import console
from .command_line import paths
from .command_line.tool_flags import ToolFlags

FLAGS = ToolFlags()

WORKDIR = FLAGS.define_output(
    "workdir",
    None,
    "Folder in which runs will be, whose disk is looked at; if absent, the "
    "present one.",
    paths.require_new_folder,
)

# 2 is for flags that are wrong.
_HAS_TO_BE_MENDED = 1

_SIGNS = {finding.WELL: "ok  ", finding.NOTE: "note", finding.MEND: "MEND"}


def _run(argv: list[str]) -> None:
    del argv
    to_mend = []
    for found in examination.examine(WORKDIR.value or os.curdir):
        console.say(f"{_SIGNS[found.state]} {found.subject}: {found.found}")
        if found.remedy:
            console.say(f"     -> {found.remedy}")
        if found.state == finding.MEND:
            to_mend.append(found.subject)
    if to_mend:
        console.say(f"to be mended: {', '.join(to_mend)}")
        sys.exit(_HAS_TO_BE_MENDED)
    console.say("all is well")


def main() -> None:
    """Entry of the console script."""
    app.run(_run, FLAGS)


if __name__ == "__main__":
    main()
