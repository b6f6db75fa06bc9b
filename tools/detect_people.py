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

import json
import os
import pathlib
from collections.abc import Iterator
from typing import TYPE_CHECKING
from typing import Any

from nppnet_tf.errors import UserError
from nppnet_tf.files import file_names
from nppnet_tf.pictures import picture_names

from .command_line import app
from .command_line import console
from .command_line import paths
from .command_line.progress import Progress
from .command_line.tool_flags import ToolFlags

if TYPE_CHECKING:
    import numpy as np

    from nppnet_tf.data.damage import BadRecordError
    from nppnet_tf.data.people.person_detector import PersonDetector

FLAGS = ToolFlags()

DETECTOR = "detector.json"
SKIPPED = "skipped.txt"

# Of a batch; memory ends before.
_MOST_PICTURES = 1024


def _check_model(path: str, flag: str) -> None:
    """Refuses a folder without a SavedModel, whatever else it holds."""
    folder = paths.require_folder(path, flag)
    places = (folder, folder / "saved_model")
    if not any((place / "saved_model.pb").is_file() for place in places):
        raise UserError(
            "no SavedModel",
            f"{flag}={path}",
            "saved_model.pb, or a folder saved_model with it",
            "neither",
        )


MODEL = FLAGS.define_path(
    "model",
    None,
    "Folder of the SavedModel, or that which export_saved_model was given.",
    _check_model,
)
SIGNATURE = FLAGS.define_text(
    "signature", "serving_default", "Which function of the SavedModel to run."
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
    "min_score", 0.5, "Less certain people are left out.", 0, 1
)
PERSON_CLASS = FLAGS.define_count(
    "person_class", 1, "What the detector calls a person; 1 in COCO."
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
    _refuse_foreign_files(pictures, output)
    if others:
        console.say(picture_names.unsupported_line(others))

    from nppnet_tf.data.people import person_detector

    detector = person_detector.PersonDetector.from_directory(
        model, SIGNATURE.value
    )
    batch_size = _batch_size(detector)
    _keep_facts(output / DETECTOR, model)
    if not detector.has_masks:
        console.say(
            f"note: {model} makes no masks; files of boxes alone are written"
        )
    with Progress(len(pictures), "detecting people") as progress:
        work = _Work(detector, pictures, output, progress)
        for batch in person_detector.same_sized(work.pictures(), batch_size):
            work.detect(batch)
    _write_skipped(output / SKIPPED, work.failures)
    _summarize(work, output)


class _Work:
    """Detects and counts.

    Args:
        detector: What finds people.
        pictures: Pictures by id.
        output: Folder of the files.
        progress: Advanced with every picture.

    Attributes:
        pictures: Pictures by id.
        failures: Pictures that were left out.
        num_kept: Whole files that were there already.
        num_people: Found in the others.
    """

    def __init__(
        self,
        detector: "PersonDetector",
        pictures: dict[str, pathlib.Path],
        output: pathlib.Path,
        progress: Progress,
    ) -> None:
        self.files = pictures
        self.failures: list[BadRecordError] = []
        self.num_kept = 0
        self.num_people = 0
        self._detector = detector
        self._output = output
        self._progress = progress

    def pictures(self) -> "Iterator[tuple[str, np.ndarray]]":
        """Yields id and pixels of the pictures that are still to be done."""
        from nppnet_tf.data import raw
        from nppnet_tf.pictures import picture_files

        for name, path in self.files.items():
            try:
                data = raw.read_bytes(path, name)
                if self._is_done(name, data):
                    self.num_kept += 1
                    self._progress.advance()
                    continue
                picture = picture_files.decode(data)
            except UserError as error:
                self._fail(name, error)
                continue
            yield name, picture

    def detect(self, batch: "list[tuple[str, np.ndarray]]") -> None:
        """Writes the files of pictures of one size."""
        from nppnet_tf.data.people import detections

        try:
            found = self._detector.detect(
                [picture for _, picture in batch],
                MIN_SCORE.value,
                PERSON_CLASS.value,
            )
        except UserError as error:
            for name, _ in batch:
                self._fail(name, error)
            return
        for (name, _), people in zip(batch, found, strict=True):
            detections.write(self._path(name), people)
            self.num_people += len(people.boxes)
            self._progress.advance()

    def _is_done(self, name: str, data: bytes) -> bool:
        from nppnet_tf.data.people import detections
        from nppnet_tf.pictures import picture_files

        path = self._path(name)
        if not path.exists():
            return False
        size = picture_files.picture_size(data)
        try:
            found = detections.read(path)
        except UserError:
            return False
        if found.masks is None:
            return not self._detector.has_masks
        return self._detector.has_masks and found.masks.shape[1:] == size

    def _path(self, name: str) -> pathlib.Path:
        return self._output / f"{name}.npz"

    def _fail(self, name: str, error: UserError) -> None:
        from nppnet_tf.data.damage import BadRecordError

        if not isinstance(error, BadRecordError):
            error = BadRecordError(name, error, self.files[name])
        self.failures.append(error)
        console.say(f"skipped: {error}")
        self._progress.advance()


def _find_pictures() -> tuple[dict[str, pathlib.Path], list[pathlib.Path]]:
    """Paths by id, and pictures of other kinds by their names.

    The pictures are those of the lists, or all of the folders.
    """
    from nppnet_tf.data.readers import id_list

    folders = [pathlib.Path(folder) for folder in IMAGES.value]
    if IDS.value:
        names = [name for path in IDS.value for name in id_list.read(path)]
        return {name: _find(folders, name) for name in names}, []
    pictures = [
        path for folder in folders for path in picture_names.pictures_in(folder)
    ]
    others = [
        path
        for folder in folders
        for path in picture_names.unsupported_pictures(folder)
    ]
    if not pictures:
        raise UserError(
            "no pictures",
            ", ".join(map(str, folders)),
            f"files that end in {', '.join(picture_names.ENDINGS)}",
            picture_names.unsupported_line(others) if others else "none",
        )
    file_names.refuse_meeting(
        [(path, pathlib.Path(f"{path.stem}.npz")) for path in pictures],
        "two pictures of one name",
    )
    return {path.stem: path for path in pictures}, others


def _refuse_foreign_files(
    pictures: dict[str, pathlib.Path], output: pathlib.Path
) -> None:
    """Refuses to replace files of a folder that this tool has not begun."""
    if os.path.lexists(output / DETECTOR):
        return
    for name, path in pictures.items():
        if os.path.lexists(output / f"{name}.npz"):
            raise UserError(
                "output would replace what is there",
                output / f"{name}.npz",
                f"a folder that this tool began, with {DETECTOR}",
                f"a file that would be that of {path}",
            )


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


def _keep_facts(path: pathlib.Path, model: pathlib.Path) -> None:
    """Writes what the files are made with; refuses others'."""
    from nppnet_tf.data.people import person_detector
    from nppnet_tf.files import atomic

    facts = {
        "format": "nppnet_tf.detector",
        "model_sha256": person_detector.sha256(model),
        "signature": SIGNATURE.value,
        "min_score": MIN_SCORE.value,
        "person_class": PERSON_CLASS.value,
    }
    if path.exists():
        made = _read_facts(path)
        for name, value in facts.items():
            if made.get(name) != value:
                raise UserError(
                    "output was made in another way",
                    f"{path}, {name}",
                    f"{value}, or another --output",
                    made.get(name),
                )
    atomic.write_text(path, json.dumps(facts, indent=1) + "\n")


def _read_facts(path: pathlib.Path) -> dict[str, Any]:
    try:
        facts = json.loads(path.read_text("utf-8"))
    except ValueError:
        facts = None
    if not isinstance(facts, dict):
        raise UserError(
            "cannot be read", path, "what this tool wrote", "something else"
        )
    return facts


def _write_skipped(
    path: pathlib.Path, failures: "list[BadRecordError]"
) -> None:
    from nppnet_tf.files import atomic

    if failures:
        text = "".join(f"{bad.line}\n" for bad in failures)
        atomic.write_text(path, file_names.as_text(text))
    else:
        path.unlink(missing_ok=True)


def _summarize(work: _Work, output: pathlib.Path) -> None:
    count = len(work.files) - len(work.failures)
    if not count:
        raise UserError(
            "no picture could be read or detected",
            ", ".join(IMAGES.value),
            "JPEG or PNG pictures",
            f"{len(work.failures)} failures; see {output / SKIPPED}",
        )
    text = (
        f"{output}: {count} of {len(work.files)} pictures, "
        f"{work.num_kept} of them done before; "
        f"{work.num_people} people in the {count - work.num_kept} others"
    )
    if work.failures:
        text += f"; {len(work.failures)} skipped: {SKIPPED}"
    console.say(text)


if __name__ == "__main__":
    main()
