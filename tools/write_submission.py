r"""Turns predictions into the two files that LIP's test server takes.

    python -m tools.predict LIP/testing_images --model=RUN --output=predictions
    python -m tools.write_submission --predictions=predictions \
        --ids=LIP/test_id.txt --output=submission

Writes, in the order of the ids:

    pose.csv      <id>.jpg, then x and y of LIP's 16 joints, whole pixels
    parsing.zip   <id>.png for every id, one gray PNG of class ids each

Nothing is written unless every id has both predictions.
"""

import pathlib

from nppnet_tf.data.descriptors import LIP
from nppnet_tf.data.readers import id_list
from nppnet_tf.errors import UserError
from nppnet_tf.evaluation import submission

from .command_line import app
from .command_line import console
from .command_line import paths
from .command_line.progress import Progress
from .command_line.tool_flags import ToolFlags

FLAGS = ToolFlags()

PREDICTIONS = FLAGS.define_path(
    "predictions",
    None,
    "Folder that tools.predict wrote.",
    paths.require_folder,
)
IDS = FLAGS.define_path(
    "ids",
    None,
    "Text file with an id on every line: what to submit, in order.",
    paths.require_file,
)
OUTPUT = FLAGS.define_output(
    "output", None, "Folder to write to.", paths.require_new_folder
)

_NAMED = 5


def main() -> None:
    """Entry of the console script."""
    app.run(_run, FLAGS, required=("predictions", "ids", "output"))


def _run(argv: list[str]) -> None:
    del argv
    predictions = pathlib.Path(PREDICTIONS.value)
    ids = id_list.read(IDS.value)
    _require_all(predictions, ids)
    output = paths.new_folder(OUTPUT.value, "--output")
    for name in (submission.POSE_FILE, submission.PARSING_FILE):
        paths.new_file(output / name, "--output", (IDS.value,))

    progress = Progress(len(ids), "packing")
    submission.write(predictions, progress.over(ids), output, LIP)
    console.say(f"{len(ids)} people: pose.csv and parsing.zip in {output}")


def _require_all(folder: pathlib.Path, ids: list[str]) -> None:
    missing = [
        f"{name}{suffix}"
        for name in ids
        for suffix in (".png", ".json")
        if not (folder / f"{name}{suffix}").is_file()
    ]
    if missing:
        rest = f" and {len(missing) - _NAMED} more" * (len(missing) > _NAMED)
        raise UserError(
            "predictions are missing",
            folder,
            "a label map and joints for every id",
            ", ".join(missing[:_NAMED]) + rest,
        )


if __name__ == "__main__":
    main()
