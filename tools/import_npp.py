r"""Turns a checkpoint of the authors' PyTorch release into a run of ours.

    python -m tools.import_npp --checkpoint=FILE.pth --output=runs/authors
    python -m tools.import_npp --checkpoint=FILE.pth --output=runs/authors \
        --export --compare=ARRAYS.npz

Needs no PyTorch and executes nothing in the file. Says what it found: sizes,
epoch, measured values, keys that nobody uses. The output is a folder that
evaluate, predict, export and export_npp take as a run; import.json in it is
the report. A file that is damaged, foreign or does not fit the network ends
with one line and status 2, and nothing is written.

--compare runs the imported network on the inputs of an .npz file, "<tag>/x"
[N, 3, H, W], and compares with PyTorch's outputs beside them, joints in the
authors' order: "<tag>/pose_0_map", "<tag>/pose_0_aux", "<tag>/par_0_map" and
"<tag>/par_0_edge", and the same of stage 1. All that it prints is one JSON
object with the largest difference of every output; the status is 1 where one is
above --tolerance. Without --output it only compares.
"""

import json
import pathlib
import sys
from typing import Any

from nppnet_tf.data import descriptors
from nppnet_tf.errors import UserError
from nppnet_tf.inference import model_folders
from nppnet_tf.search_space import published

from .command_line import app
from .command_line import console
from .command_line import paths
from .command_line.tool_flags import ToolFlags

FLAGS = ToolFlags()


def _check_compare(path: str, flag: str) -> None:
    """Refuses what holds no arrays; importing a network first takes long."""
    # Here, so that --help needs no NumPy.
    from nppnet_tf.files import array_archives

    array_archives.read(paths.require_file(path, flag))


def _check_output(path: str, flag: str) -> None:
    """Refuses a folder with files; an empty one that is there gives way."""
    output = paths.require_place(path, flag)
    if output.exists() and (not output.is_dir() or any(output.iterdir())):
        raise UserError(
            "output is already there",
            f"{flag}={output}",
            "a new or empty folder",
            "a folder with files" if output.is_dir() else "a file",
        )


CHECKPOINT = FLAGS.define_path(
    "checkpoint",
    None,
    "File of torch.save: .pth, .pth.tar.",
    paths.require_file,
)
OUTPUT = FLAGS.define_output(
    "output", None, "Folder of the run to make.", _check_output
)
WEIGHTS = FLAGS.define_choice(
    "weights",
    "best",
    ("best", "last"),
    "Which of a training checkpoint: best_state_dict, where it has one, or "
    "state_dict.",
)
NUM_REFINEMENTS = FLAGS.define_count(
    "num_refinements",
    None,
    "1 for an initial and a refined prediction, 0 for the initial one alone; "
    "by default what the file has.",
    0,
    1,
)
GENOTYPE = FLAGS.define_path(
    "genotype",
    None,
    "Another genotype than the published one: a JSON file, or one of "
    f"{', '.join(published.NAMES)}.",
    paths.require_genotype,
)
DESCRIPTOR = FLAGS.define_path(
    "descriptor",
    None,
    f"Names of classes and joints: a JSON file, or one of "
    f"{', '.join(descriptors.names())}. By "
    "default by their numbers: 20 and 16 are lip's, 7 and 14 those of "
    "pascal_person_part, others get numbers for names.",
    paths.require_descriptor,
)
IMAGE_SIZE = FLAGS.define_size(
    "image_size",
    (384, 384),
    "Size of the network's input, height and width in pixels.",
)
EXPORT = FLAGS.define_switch(
    "export", False, "Also write a SavedModel, to <output>/savedmodels."
)
NAME = FLAGS.define_text("name", "nppnet", "Name of the SavedModel.")
COMPARE = FLAGS.define_path(
    "compare",
    None,
    "File .npz of inputs and of PyTorch's outputs for them.",
    _check_compare,
)
TOLERANCE = FLAGS.define_number(
    "tolerance", 1e-4, "Largest difference of outputs that is none.", 0, 1e6
)


def _run(argv: list[str]) -> None:
    del argv
    _check_flags()

    from nppnet_tf.importing import imported_run
    from nppnet_tf.importing import parity

    imported = imported_run.read(
        CHECKPOINT.value,
        WEIGHTS.value,
        GENOTYPE.value,
        NUM_REFINEMENTS.value,
        DESCRIPTOR.value,
        console.say,
    )
    if COMPARE.value:
        imported.report["parity"] = parity.compare(
            imported.network,
            COMPARE.value,
            TOLERANCE.value,
            imported.keypoint_order,
        )
    if OUTPUT.value:
        imported_run.write(
            pathlib.Path(OUTPUT.value),
            imported,
            IMAGE_SIZE.value,
            NAME.value if EXPORT.value else None,
        )
    _finish(imported.report)


def _check_flags() -> None:
    if not OUTPUT.value and (EXPORT.value or not COMPARE.value):
        raise UserError("flag is missing", "--output", "a folder", "nothing")
    if not OUTPUT.value:
        FLAGS.refuse_idle("--output", "image_size")
    if not COMPARE.value:
        FLAGS.refuse_idle("--compare", "tolerance")
    if not EXPORT.value:
        FLAGS.refuse_idle("--export", "name")
    else:
        model_folders.checked_name(NAME.value)


def _finish(report: dict[str, Any]) -> None:
    """Prints the comparison as JSON, or what was found as text."""
    if "parity" in report:
        console.say(json.dumps(report["parity"], indent=2))
        if not report["parity"]["within_tolerance"]:
            sys.exit(1)
        return

    from nppnet_tf.importing import import_report

    for line in import_report.lines(report):
        console.say(line)
    console.say(f"written to {OUTPUT.value}")


def main() -> None:
    """Entry of the console script."""
    app.run(_run, FLAGS, required=("checkpoint",))


if __name__ == "__main__":
    main()
