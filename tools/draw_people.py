"""Draws people with label maps and joints into a folder of LIP's layout.

The pictures follow from the seed alone. Called again, the tool keeps what
lies there and draws the rest.
"""

import pathlib
from typing import TYPE_CHECKING

from nppnet_tf.errors import UserError
from nppnet_tf.files import file_names

from .command_line import app
from .command_line import console
from .command_line import paths
from .command_line import worker_flags
from .command_line.progress import Progress
from .command_line.tool_flags import ToolFlags

if TYPE_CHECKING:
    from nppnet_tf.drawing.contact_sheet import Tile

FLAGS = ToolFlags()

NUM_WORKERS = worker_flags.define(FLAGS)

# Drawing takes the time of its pixels.
_MOST_SIDE = 4096

# A sheet shows the first people of a seed, of one size.
_SHEET_PEOPLE = 64
_SHEET_COLUMNS = 8
_SHEET_SIZE = (256, 192)

ROOT = FLAGS.define_output(
    "root", None, "Folder to draw into.", paths.require_new_folder
)
TRAIN = FLAGS.define_count("train", 512, "Pictures of the train split.")
VAL = FLAGS.define_count("val", 64, "Pictures of the val split.")
SEED = FLAGS.define_seed("seed", 0, "Seed of the whole set of pictures.")
FLAGS.define_count(
    "height",
    None,
    "Median height of the pictures, in pixels; LIP's where missing.",
    1,
    _MOST_SIDE,
)
FLAGS.define_count(
    "width",
    None,
    "Median width of the pictures, in pixels; LIP's where missing.",
    1,
    _MOST_SIDE,
)
CONTACT_SHEET = FLAGS.define_output(
    "contact_sheet",
    None,
    "PNG or JPEG file that shows 64 people of the seed; with it, --root may "
    "be missing.",
    paths.new_file,
)
LABEL_SHEET = FLAGS.define_output(
    "label_sheet",
    None,
    "PNG or JPEG file that shows the label maps and joints of those people.",
    paths.new_file,
)


def _run(argv: list[str]) -> None:
    del argv
    sheets = {
        "--contact_sheet": CONTACT_SHEET.value,
        "--label_sheet": LABEL_SHEET.value,
    }
    if not ROOT.value and not any(sheets.values()):
        raise UserError(
            "flag is missing", "--root", "a folder to draw into", "nothing"
        )
    file_names.refuse_meeting(
        [
            (flag, _check_sheet(flag, path))
            for flag, path in sheets.items()
            if path
        ],
        "two sheets write one file",
    )
    size = _median_size()
    if ROOT.value:
        _draw(size)
    else:
        FLAGS.refuse_idle("--root", "train", "val")
    for flag, path in sheets.items():
        if path:
            _write_sheet(pathlib.Path(path), size, flag == "--label_sheet")


def _median_size() -> tuple[int, int] | None:
    size = FLAGS.values_together("height", "width")
    if size is None:
        return None
    # Here, so that --help needs neither NumPy nor Pillow.
    from nppnet_tf.drawn_people import person

    person.check_size(size, "--height, --width")
    return size


def _check_sheet(flag: str, name: str) -> pathlib.Path:
    path = pathlib.Path(name)
    if path.suffix.lower() not in (".png", ".jpg", ".jpeg"):
        raise UserError(
            "unknown kind of picture", f"{flag}={path}", ".png or .jpg",
            path.suffix or "no ending",
        )  # fmt: skip
    return paths.new_file(
        path, flag, (ROOT.value,), lambda path: _lies_in(ROOT.value, path)
    )


def _lies_in(folder: str, path: pathlib.Path) -> bool:
    """Whether a file lies in a folder itself, as nothing drawn does."""
    return (
        path.resolve().parent == pathlib.Path(folder).resolve()
        and path.suffix != ".json"
    )


def _draw(size: tuple[int, int] | None) -> None:
    from nppnet_tf.drawn_people import lip_folder

    counts = {"train": TRAIN.value, "val": VAL.value}
    total = sum(max(count, 0) for count in counts.values())
    with Progress(total, "drawing people") as progress:
        lip_folder.write_lip(
            ROOT.value,
            counts,
            SEED.value,
            size,
            progress.advance,
            worker_flags.num_workers(NUM_WORKERS.value, total),
        )
    console.say(
        f"{TRAIN.value} train and {VAL.value} val pictures in {ROOT.value}"
    )


def _write_sheet(
    path: pathlib.Path, size: tuple[int, int] | None, labels: bool
) -> None:
    from PIL import Image

    from nppnet_tf.data.descriptors import LIP
    from nppnet_tf.drawing import contact_sheet
    from nppnet_tf.files import atomic

    shown = "Label maps and joints" if labels else "People"
    sheet = contact_sheet.contact_sheet(
        [_tile(index, size, labels) for index in range(_SHEET_PEOPLE)],
        LIP,
        f"{shown} of the seed {SEED.value}",
        _SHEET_COLUMNS,
    )
    kind = "PNG" if path.suffix.lower() == ".png" else "JPEG"
    with atomic.atomic_path(path) as temporary:
        Image.fromarray(sheet).save(temporary, kind)
    console.say(path)


def _tile(index: int, size: tuple[int, int] | None, labels: bool) -> "Tile":
    """One person as drawn, or its label map under its joints."""
    from nppnet_tf.data.descriptors import LIP
    from nppnet_tf.drawing import rendering
    from nppnet_tf.drawing.contact_sheet import Tile
    from nppnet_tf.drawn_people import person

    drawn = person.draw_person(SEED.value, index, size or _SHEET_SIZE)
    title = f"{index}: {drawn.pose}, {drawn.view}"
    if not labels:
        return Tile(title, image=drawn.image)
    return Tile(
        title,
        image=rendering.color_label_map(drawn.label_map, LIP),
        keypoints_xy=drawn.keypoints_xy,
        visibility=drawn.visibility,
    )


def main() -> None:
    """Runs the tool."""
    app.run(_run, FLAGS)


if __name__ == "__main__":
    main()
