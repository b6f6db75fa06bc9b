r"""Finds the people in pictures, for cutting them out: boxes and masks.

Runs a Mask R-CNN of the TensorFlow Model Garden, the paper's detector, from
its SavedModel. Exporting it from a checkpoint takes the extra `official`;
running it does not. The checkpoint is named by its file, without extension:
of a folder that lacks the file `checkpoint` the export would take nothing, and
say nothing.

    pip install '.[official]'
    python -m official.vision.serving.export_saved_model \
        --experiment=maskrcnn_resnetfpn_coco \
        --config_file=CHECKPOINT/params.yaml \
        --checkpoint_path=CHECKPOINT/ckpt-22500 \
        --input_image_size=1024,1024 --export_dir=mask_rcnn

The way of the extended PASCAL-Person-Part:

    python -m tools.detect_people --model=mask_rcnn \
        --images=PASCAL/JPEGImages \
        --ids=PASCAL/train_id.txt,PASCAL/val_id.txt --output=PASCAL/Mask
    python -m tools.build_records --dataset=pascal_person_part --root=PASCAL \
        --split=train --people=detections --output=records/train

Writes <id>.npz for every picture, also for one without people; see
nppnet_tf/data/people/detections.py. Boxes and masks are of the upright picture.
Pictures that cannot be read are named and listed in skipped.txt, the others go
on; the exit status is 2 only if there was none that could be read. A tool that
was stopped goes on where it was: whole files of the same model are kept.
"""

import pathlib
from typing import TYPE_CHECKING

from nppnet_tf.data.people import detection_folder
from nppnet_tf.errors import UserError
from nppnet_tf.pictures import picture_names

from .command_line import app
from .command_line import console
from .command_line import paths
from .command_line import people_flags
from .command_line.progress import Progress
from .command_line.tool_flags import ToolFlags

if TYPE_CHECKING:
    from nppnet_tf.data.people.person_detector import PersonDetector

FLAGS = ToolFlags()

# Memory ends before a batch of more.
_MOST_PICTURES = 1024


MODEL = FLAGS.define_path(
    "model",
    None,
    "Folder of the SavedModel, or that which export_saved_model was given.",
    people_flags.require_detector,
)
SIGNATURE = FLAGS.define_text(
    "signature", "serving_default", "Function of the SavedModel to run."
)
IMAGES = FLAGS.define_paths(
    "images", "Folder of pictures, or several.", paths.require_folder
)
IDS = FLAGS.define_paths(
    "ids",
    "Files with the names of the pictures, one in a line; all pictures of "
    "--images if absent.",
    paths.require_file,
)
OUTPUT = FLAGS.define_output(
    "output", None, "Folder to write to.", paths.require_new_folder
)
MIN_SCORE = FLAGS.define_number(
    "min_score", 0.5, "Least score of a person; others are left out.", 0, 1
)
PERSON_CLASS = FLAGS.define_count(
    "person_class", 1, "Number of the class of people; 1 in COCO."
)
BATCH = FLAGS.define_count(
    "batch",
    None,
    "Pictures, all of one size, that the detector is given at once; 1 if "
    "absent, or what the SavedModel was made for.",
    1,
    _MOST_PICTURES,
)


def main() -> None:
    """Entry point of the console script."""
    app.run(_run, FLAGS, required=("images", "model", "output"))


def _run(argv: list[str]) -> None:
    del argv
    pictures, others = _find_pictures()
    model = pathlib.Path(MODEL.value)
    output = paths.new_folder(OUTPUT.value, "--output")
    detection_folder.refuse_foreign_files(pictures, output)
    if others:
        console.say(picture_names.unsupported_line(others))
    for folder in [] if IDS.value else IMAGES.value:
        if line := picture_names.line_of_folders(folder):
            console.say(f"{folder}: {line}")

    from nppnet_tf.data.people import detected_files
    from nppnet_tf.data.people import person_detector

    detector = person_detector.PersonDetector.from_directory(
        model, SIGNATURE.value
    )
    batch_size = _batch_size(detector)
    _keep_facts(output, model)
    if not detector.has_masks:
        console.say(
            f"note: {model} makes no masks; files of boxes alone are written"
        )
    with Progress(len(pictures), "detecting people") as progress:
        files = detected_files.DetectedFiles(
            detector,
            output,
            MIN_SCORE.value,
            PERSON_CLASS.value,
            progress.advance,
            console.say,
        )
        files.detect(pictures, batch_size)
    files.require_some(len(pictures), ", ".join(IMAGES.value))
    console.say(files.summary(len(pictures)))


def _find_pictures() -> tuple[dict[str, pathlib.Path], list[pathlib.Path]]:
    """Pictures of the lists or of the folders by id; those of other kinds."""
    from nppnet_tf.data.readers import id_list

    folders = [pathlib.Path(folder) for folder in IMAGES.value]
    if IDS.value:
        names = [name for path in IDS.value for name in id_list.read(path)]
        return {name: _find(folders, name) for name in names}, []
    pictures, others = [], []
    for folder in folders:
        pictures += picture_names.pictures_in(folder)
        others += picture_names.unsupported_pictures(folder)
    if not pictures:
        raise UserError(
            "no pictures",
            ", ".join(map(str, folders)),
            f"files that end in {', '.join(picture_names.ENDINGS)}",
            picture_names.unsupported_line(others) if others else "none",
        )
    return detection_folder.by_id(pictures), others


def _find(folders: list[pathlib.Path], name: str) -> pathlib.Path:
    from nppnet_tf.data import raw

    pictures = [raw.find_image(folder, name) for folder in folders]
    return next((path for path in pictures if path.is_file()), pictures[0])


def _batch_size(detector: "PersonDetector") -> int:
    fixed = detector.batch_size
    if fixed is not None and BATCH.value not in (None, fixed):
        raise UserError(
            "the SavedModel was made for another batch",
            "--batch",
            fixed,
            BATCH.value,
        )
    return fixed or BATCH.value or 1


def _keep_facts(output: pathlib.Path, model: pathlib.Path) -> None:
    from nppnet_tf.data.people import person_detector

    facts = {
        "model_sha256": person_detector.sha256(model),
        "signature": SIGNATURE.value,
        "min_score": MIN_SCORE.value,
        "person_class": PERSON_CLASS.value,
    }
    detection_folder.keep_facts(output, facts)


if __name__ == "__main__":
    main()
