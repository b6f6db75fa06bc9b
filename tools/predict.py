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

import os
import pathlib
from collections.abc import Iterable
from typing import Any

from nppnet_tf import errors
from nppnet_tf.errors import UserError
from nppnet_tf.files import atomic
from nppnet_tf.files import file_names
from nppnet_tf.files import json_documents
from nppnet_tf.files import output_names
from nppnet_tf.pictures import picture_names

from .command_line import app
from .command_line import console
from .command_line import paths
from .command_line import scale_list
from .command_line.progress import Progress
from .command_line.tool_flags import ToolFlags

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

# The last one appears first; it says whose the others are.
_ENDINGS = (".png", "_openpose.json", "_overlay.png", ".json")
_DOCUMENT = _ENDINGS[-1]

# A document has some kilobytes.
_MAX_DOCUMENT_BYTES = 1 << 20


def _run(argv: list[str]) -> None:
    # A path of nothing would be the working directory.
    if len(argv) != 2 or not argv[1].strip():
        raise UserError(
            "wrong number of arguments",
            expected="one picture or one folder",
            found=" ".join(argv[1:]) or "nothing",
        )
    pictures, others = _find_pictures(pathlib.Path(argv[1]))
    output = paths.new_folder(OUTPUT.value, "--output")
    _refuse_input_folder(output, pictures)
    starts = output_names.plan([path.name for path in pictures], _ENDINGS)
    for name, start in starts.items():
        _refuse_foreign_files(output, start, name)
    coco = _coco_file(pictures, output, starts.values())

    from nppnet_tf.inference import predictor as predictors

    predictor = predictors.Predictor.from_directory(
        MODEL.value, FLIP.value, SCALES.value
    )
    for line in (
        output_names.changed_line(starts),
        others and picture_names.unsupported_line(others),
    ):
        if line:
            console.say(line)
    failures = list(others)
    poses = []
    with Progress(len(pictures), "predicting") as progress:
        for path in pictures:
            try:
                pose = _predict(predictor, path, output, starts[path.name])
                poses.append(pose)
            except UserError as error:
                failures.append(path)
                console.say(f"skipped: {error}")
            progress.advance()
    _summarize(len(pictures) + len(others), failures, argv[1], output)
    if coco is not None:
        _write_coco(coco, poses, predictor)


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


def _refuse_input_folder(
    output: pathlib.Path, pictures: list[pathlib.Path]
) -> None:
    """A label map <stem>.png would replace the picture of that name."""
    folder = output.resolve()
    for path in pictures:
        if folder in (path.parent.resolve(), path.resolve().parent):
            raise UserError(
                "output would be written among the pictures",
                f"--output={output}",
                "another folder",
                f"the folder of {path}",
            )


def _refuse_foreign_files(output: pathlib.Path, start: str, name: str) -> None:
    """Refuses to replace what is no earlier prediction of the picture."""
    there = [
        output / f"{start}{ending}"
        for ending in _ENDINGS
        if os.path.lexists(output / f"{start}{ending}")
    ]
    if not there:
        return
    try:
        document = json_documents.read(
            output / f"{start}{_DOCUMENT}", _MAX_DOCUMENT_BYTES
        )
        found = document["image"]
    except (UserError, TypeError, KeyError, IndexError):
        found = "another file"
    if found != file_names.as_text(name):
        raise UserError(
            "output would replace what is there",
            there[0],
            f"nothing, or an earlier prediction of {name}",
            found,
        )


def _coco_file(
    pictures: Iterable[pathlib.Path],
    output: pathlib.Path,
    starts: Iterable[str],
) -> pathlib.Path | None:
    """Returns the file of --coco, which is none of the other outputs."""
    if COCO.value is None:
        return None
    coco = paths.new_file(
        COCO.value, "--coco", (*pictures, MODEL.value), _is_coco
    )
    planned = {
        file_names.meeting_key(f"{start}{ending}")
        for start in starts
        for ending in _ENDINGS
    }
    is_inside = coco.resolve().parent == output.resolve()
    if is_inside and file_names.meeting_key(coco.name) in planned:
        raise UserError(
            "two outputs of one name",
            f"--coco={coco}",
            "another name than those of the predictions",
            coco.name,
        )
    return coco


def _is_coco(path: pathlib.Path) -> bool:
    try:
        document = json_documents.read(path)
    except UserError:
        return False
    return isinstance(document, dict) and "annotations" in document


def _threshold(predictor: Any) -> float:
    if SCORE_THRESHOLD.value is None:
        return predictor.description.score_threshold
    return SCORE_THRESHOLD.value


def _write_coco(coco: pathlib.Path, poses: list, predictor: Any) -> None:
    from nppnet_tf.evaluation import prediction_files

    coco.parent.mkdir(parents=True, exist_ok=True)
    document = prediction_files.coco_document(
        poses, predictor.descriptor, _threshold(predictor)
    )
    prediction_files.write_json(coco, document)
    console.say(f"{len(poses)} poses as COCO's, in {coco}")


def _predict(
    predictor: Any, path: pathlib.Path, output: pathlib.Path, start: str
) -> Any:
    """Writes the files of one picture; returns its pose, for --coco."""
    from nppnet_tf.drawing import rendering
    from nppnet_tf.evaluation import prediction_files
    from nppnet_tf.inference import predictor as predictors

    if not path.is_file():
        raise UserError("not a file", path, "a JPEG or PNG file", "none")
    image = predictors.read_picture(path)
    prediction = predictor.predict([image])[0]
    descriptor = predictor.descriptor
    label_map = prediction.label_map
    pose = (prediction.keypoints_xy, prediction.scores)
    threshold = _threshold(predictor)
    name = file_names.as_text(path.name)
    document = prediction_files.prediction_document(
        label_map, *pose, name, descriptor, threshold
    )
    openpose = prediction_files.openpose_document(
        *pose, descriptor, OPENPOSE.value, threshold
    )
    overlay = rendering.overlay(
        image, label_map, *pose, descriptor, OPACITY.value, threshold
    )
    with atomic.atomic_paths(
        [output / f"{start}{ending}" for ending in _ENDINGS]
    ) as files:
        prediction_files.write_label_map(files[0], label_map, descriptor)
        prediction_files.write_json(files[1], openpose)
        prediction_files.write_picture(files[2], overlay)
        prediction_files.write_json(files[3], document)
    return prediction_files.CocoPrediction(name, label_map.shape, *pose)


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
