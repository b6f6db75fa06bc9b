r"""Finds parts and joints of the person in your pictures.

Writes for every picture <stem>:

    <stem>.png            label map, palette PNG, at the picture's size
    <stem>.json           joints with names, scores and whether they were found,
                          parts with their shares
    <stem>_openpose.json  the same pose as OpenPose writes it
    <stem>_overlay.png    parts and pose drawn over the picture

Where outputs of two pictures would meet (a.jpg and a.png; a.jpg and
a_overlay.jpg; a.jpg and A.jpg), these are called by the whole name of their
picture, dots replaced: a_jpg.png, a_jpg.json, ...; where even that meets, with
a number behind it. Names too long for a file are cut and end in a hash. A line
tells of every such name. Called again, the tool replaces what it wrote of a
picture of the same name, and no other file.

Pictures that cannot be read are named, the others go on; the exit status is 2
only if there was none that could be read. Hidden files are not looked at. EXIF
orientation is applied: all output belongs to the upright picture. The four
files of a picture appear together or not at all. A name that is not UTF-8
stays as it is in names of files; in <stem>.json its bytes are written \xb2.

Joints of low scores, which a picture mostly does not show, were not found: they
are not drawn, 0, 0, 0 in the OpenPose file and "visible": false in ours. The
least score stands in the model's description; --score_threshold overrides it.

--coco=FILE also writes the poses of all pictures as annotations of COCO, v = 0
for joints that were not found: for tools that annotate, and for build_records.
"""

import pathlib
from collections.abc import Iterable
from typing import TYPE_CHECKING

from nppnet_tf import errors
from nppnet_tf.errors import UserError
from nppnet_tf.files import output_names
from nppnet_tf.pictures import picture_names

from .command_line import app
from .command_line import console
from .command_line import paths
from .command_line import scale_list
from .command_line.progress import Progress
from .command_line.tool_flags import ToolFlags

if TYPE_CHECKING:
    from nppnet_tf.evaluation.picture_outputs import PictureWriter

FLAGS = ToolFlags()

MODEL = FLAGS.define_path(
    "model",
    None,
    "Working directory of a run, or a SavedModel.",
    paths.require_model,
)
OUTPUT = FLAGS.define_output(
    "output", None, "Folder to write to.", paths.require_new_folder
)
FLIP = FLAGS.define_switch("flip", False, "Average over the mirrored picture.")
SCALES = scale_list.define(
    FLAGS, "Factors of the network's input to average over."
)
OPACITY = FLAGS.define_number(
    "opacity", 0.5, "Opacity of the parts in the overlay.", 0, 1
)
OPENPOSE = FLAGS.define_choice(
    "openpose",
    "body_25",
    ["body_25", "coco_18"],
    "Layout of the OpenPose file: 25 or 18 keypoints.",
)
SCORE_THRESHOLD = FLAGS.define_number(
    "score_threshold",
    None,
    "Least score of a joint that was found; by default the model's.",
    0,
    1,
)
COCO = FLAGS.define_output(
    "coco",
    None,
    "JSON file to write poses of all pictures to, as COCO's.",
    paths.new_file,
)


def _run(argv: list[str]) -> None:
    # A path of nothing would be the working directory.
    if len(argv) != 2 or not argv[1].strip():
        raise UserError(
            "wrong number of arguments",
            expected="one picture or one folder",
            found=" ".join(argv[1:]) or "nothing",
        )

    from nppnet_tf.evaluation import picture_outputs

    pictures, others = _find_pictures(pathlib.Path(argv[1]))
    output = paths.new_folder(OUTPUT.value, "--output")
    starts = picture_outputs.plan(pictures, output)
    coco = _coco_file(pictures, output, starts.values())
    writer = _load(output)
    for line in (
        output_names.changed_line(starts),
        others and picture_names.unsupported_line(others),
    ):
        if line:
            console.say(line)
    poses, failures = writer.write_all(
        {path: starts[path.name] for path in pictures},
        Progress(len(pictures), "predicting").over,
        console.say,
    )
    failures += others
    _summarize(len(pictures) + len(others), failures, argv[1], output)
    if coco is not None:
        writer.write_coco(coco, poses)
        console.say(f"{len(poses)} poses as COCO's, in {coco}")


def _load(output: pathlib.Path) -> "PictureWriter":
    from nppnet_tf.evaluation import picture_outputs
    from nppnet_tf.inference import predictor as predictors

    predictor = predictors.Predictor.from_directory(
        MODEL.value, FLIP.value, SCALES.value
    )
    return picture_outputs.PictureWriter(
        predictor, output, OPACITY.value, OPENPOSE.value, SCORE_THRESHOLD.value
    )


def _find_pictures(
    path: pathlib.Path,
) -> tuple[list[pathlib.Path], list[pathlib.Path]]:
    """Returns pictures, and those that are of other kinds by their names."""
    if path.is_file():
        return [path], []
    if not path.is_dir():
        raise UserError("not found", path, "a picture or a folder")
    pictures = picture_names.pictures_in(path)
    others = picture_names.unsupported_pictures(path)
    if not pictures:
        found = picture_names.unsupported_line(others) if others else "none"
        raise UserError("no pictures", path, "JPEG or PNG files", found)
    return pictures, others


def _coco_file(
    pictures: Iterable[pathlib.Path],
    output: pathlib.Path,
    starts: Iterable[str],
) -> pathlib.Path | None:
    """Returns the file of --coco, which is none of the other outputs."""
    from nppnet_tf.evaluation import picture_outputs

    if COCO.value is None:
        return None
    coco = paths.new_file(
        COCO.value, "--coco", (*pictures, MODEL.value), picture_outputs.is_coco
    )
    picture_outputs.refuse_planned(coco, output, starts)
    return coco


def _summarize(
    count: int,
    failures: list[pathlib.Path],
    source: str,
    output: pathlib.Path,
) -> None:
    if len(failures) == count:
        raise UserError(
            "no picture could be read",
            source,
            "JPEG or PNG pictures",
            f"{count} that are not",
        )
    console.say(
        f"{count - len(failures)} of {count} pictures predicted, in {output}"
    )
    if failures:
        names = ", ".join(
            errors.printable(path.name) for path in sorted(failures)
        )
        console.say(f"not read: {names}")


def main() -> None:
    """Entry of the console script."""
    app.run(_run, FLAGS, "IMAGE_OR_FOLDER", required=("model", "output"))


if __name__ == "__main__":
    main()
