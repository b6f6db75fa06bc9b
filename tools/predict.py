"""Finds parts and joints of the person in your pictures.

Writes for every picture <stem>:

    <stem>.png            label map, palette PNG, at the picture's size
    <stem>.json           joints with names, scores and whether they were found,
                          parts with their shares
    <stem>_openpose.json  the same pose as OpenPose writes it
    <stem>_overlay.png    parts and pose drawn over the picture

Pictures that cannot be read are named, the others go on; the exit status is 2
only if there was none that could be read. EXIF orientation is applied: all
output belongs to the upright picture.

Joints of low scores, which a picture mostly does not show, were not found: they
are not drawn, 0, 0, 0 in the OpenPose file and "visible": false in ours. The
least score stands in the model's description; --score_threshold overrides it.
"""

import collections
import pathlib
from typing import Any

from absl import flags

from nppnet_tf.errors import UserError
from nppnet_tf.inference import visibility

from . import command_line
from . import scale_list

MODEL = flags.DEFINE_string(
    "model", None, "Working directory of a run, or a SavedModel."
)
OUTPUT = flags.DEFINE_string("output", None, "Folder to write to.")
FLIP = flags.DEFINE_bool("flip", False, "Average over the mirrored picture.")
SCALES = flags.DEFINE_list(
    "scales", ["1"], "Factors of the network's input to average over."
)
OPACITY = flags.DEFINE_float(
    "opacity", 0.5, "Of the parts in the overlay.", 0.0, 1.0
)
OPENPOSE = flags.DEFINE_enum(
    "openpose",
    "body_25",
    ["body_25", "coco_18"],
    "Layout of the OpenPose file: 25 or 18 keypoints.",
)

SCORE_THRESHOLD = flags.DEFINE_float(
    "score_threshold",
    None,
    "Least score of a joint that was found, 0 to 1; by default the model's.",
    0.0,
    1.0,
)

# Files of these are taken for pictures. Only JPEG and PNG can be read; the
# others are named instead of being passed over in silence.
_SUFFIXES = frozenset(
    ".jpg .jpeg .jpe .png .gif .bmp .webp .tif .tiff .heic .avif".split()
)


def _run(argv: list[str]) -> None:
    if len(argv) != 2:
        raise UserError(
            "wrong number of arguments",
            expected="one picture or one folder",
            found=" ".join(argv[1:]) or "nothing",
        )
    paths = _find_pictures(pathlib.Path(argv[1]))
    if MODEL.value is None:
        raise UserError("flag is missing", "--model", "a run or a SavedModel")
    output = command_line.new_folder(OUTPUT.value, "--output")
    _refuse_input_folder(output, paths)
    scales = scale_list.parse(SCALES.value)
    if SCORE_THRESHOLD.value is not None:
        visibility.checked_threshold(SCORE_THRESHOLD.value, "--score_threshold")

    from nppnet_tf.inference import predictor as predictors

    predictor = predictors.Predictor.from_directory(
        MODEL.value, FLIP.value, scales
    )
    failures = []
    stems = _stems(paths)
    with command_line.Progress(len(paths), "predicting") as progress:
        for path in paths:
            try:
                _predict(predictor, path, output, stems[path])
            except UserError as error:
                failures.append(path)
                command_line.say(f"skipped: {error}")
            progress.advance()
    _summarize(paths, failures, output)


def _find_pictures(path: pathlib.Path) -> list[pathlib.Path]:
    if path.is_file():
        return [path]
    if not path.is_dir():
        raise UserError("not found", path, "a picture or a folder")
    pictures = [
        child
        for child in sorted(path.iterdir())
        if child.is_file() and child.suffix.lower() in _SUFFIXES
    ]
    if not pictures:
        raise UserError("no pictures", path, "JPEG or PNG files", "none")
    return pictures


def _refuse_input_folder(
    output: pathlib.Path, paths: list[pathlib.Path]
) -> None:
    """A label map <stem>.png would replace the picture of that name."""
    if any(path.resolve().parent == output.resolve() for path in paths):
        raise UserError(
            "output would be written among the pictures",
            f"--output={output}",
            "another folder",
        )


def _stems(paths: list[pathlib.Path]) -> dict[pathlib.Path, str]:
    """Names of outputs; a.jpg and a.png of one folder must not meet."""
    count = collections.Counter(path.stem for path in paths)
    return {
        path: path.stem
        if count[path.stem] == 1
        else path.name.replace(".", "_")
        for path in paths
    }


def _predict(
    predictor: Any, path: pathlib.Path, output: pathlib.Path, stem: str
) -> None:
    from nppnet_tf.inference import prediction_files
    from nppnet_tf.inference import predictor as predictors
    from nppnet_tf.inference import rendering

    image = predictors.read_picture(path)
    prediction = predictor.predict([image])[0]
    descriptor = predictor.descriptor
    pose = (prediction.keypoints_xy, prediction.scores)
    threshold = SCORE_THRESHOLD.value
    if threshold is None:
        threshold = predictor.description.score_threshold
    prediction_files.write_label_map(
        output / f"{stem}.png", prediction.label_map, descriptor
    )
    prediction_files.write_json(
        output / f"{stem}.json",
        prediction_files.prediction_document(
            prediction.label_map, *pose, path.name, descriptor, threshold
        ),
    )
    prediction_files.write_json(
        output / f"{stem}_openpose.json",
        prediction_files.openpose_document(
            *pose, descriptor, OPENPOSE.value, threshold
        ),
    )
    prediction_files.write_picture(
        output / f"{stem}_overlay.png",
        rendering.overlay(
            image,
            prediction.label_map,
            *pose,
            descriptor,
            OPACITY.value,
            threshold,
        ),
    )


def _summarize(
    paths: list[pathlib.Path],
    failures: list[pathlib.Path],
    output: pathlib.Path,
) -> None:
    if len(failures) == len(paths):
        raise UserError(
            "no picture could be read",
            paths[0] if len(paths) == 1 else paths[0].parent,
            "JPEG or PNG pictures",
            f"{len(failures)} that are not",
        )
    command_line.say(
        f"{len(paths) - len(failures)} of {len(paths)} pictures predicted, "
        f"in {output}"
    )
    if failures:
        names = ", ".join(path.name for path in failures)
        command_line.say(f"not read: {names}")


def main() -> None:
    """Entry of the console script."""
    command_line.run(_run, "IMAGE_OR_FOLDER")


if __name__ == "__main__":
    main()
