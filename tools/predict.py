r"""Finds parts and joints of people in your pictures and videos.

Takes pictures, videos, folders and patterns ('holiday/*.jpg'). By default a
picture is one person's; --detector or --boxes say where several are: each is
cut out and predicted alone, and the answers are laid together, the more
confident one over the other (docs/several-people.md). For every picture:

    <stem>.png            label map, palette PNG, at the picture's size
    <stem>.json           joints with names, scores and whether they were found,
                          parts with their shares; of every person
    <stem>_openpose.json  the same poses as OpenPose writes them
    <stem>_overlay.png    parts and poses drawn over the picture
    <stem>_instances.png  with several people: who is where, counted from 1

or, by --format, what other programs read (docs/several-people.md; tryon:
docs/try-on.md). Where outputs of two pictures would
meet (a.jpg and a.png; a.jpg and a_overlay.jpg; a.jpg and A.jpg), these are
called by the whole name of their picture, dots replaced: a_jpg.png, ...; where
even that meets, with a number behind it. Names too long for a file are cut and
end in a hash. A line tells of every such name. Called again, the tool replaces
what it wrote of a picture of the same name, and no other file.

Pictures that cannot be read, that show nobody or have no boxes are named, the
others go on; the exit status is 2 only if there was none that could be read.
Hidden files are not looked at. EXIF orientation is applied: all output belongs
to the upright picture. The four files of a picture appear together or not at
all. So do the five of several people. A name that is not UTF-8 stays as it is
in names of files; in JSON its bytes are written \xb2. In folders of other
formats, which list their files, "_" stands for what a list does not hold.

Joints of low scores, which a picture mostly does not show, were not found: they
are not drawn, 0, 0, 0 in the OpenPose file and "visible": false in ours. The
least score stands in the model's description; --score_threshold overrides it.

Of a video, <stem>.jsonl has a line for each frame and <stem>_overlay.mp4 shows
them; the same command goes on with one that was stopped (docs/video.md).

--coco=FILE also writes the people of all pictures as annotations of COCO, v = 0
for joints that were not found: for tools that annotate, and for build_records.
"""

import pathlib
from collections.abc import Mapping
from typing import TYPE_CHECKING

from nppnet_tf.files import output_names
from nppnet_tf.outputs import formats
from nppnet_tf.outputs import writer as writers
from nppnet_tf.outputs.picture_run import PictureRun
from nppnet_tf.pictures import picture_names

from .command_line import app
from .command_line import console
from .command_line import inputs
from .command_line import paths
from .command_line import scale_list
from .command_line.coco_flag import CocoFlag
from .command_line.people_flags import PeopleFlags
from .command_line.progress import Progress
from .command_line.tool_flags import ToolFlags
from .command_line.video_flags import VideoFlags

if TYPE_CHECKING:
    from nppnet_tf.inference.people_model import PeopleModel

FLAGS = ToolFlags()

MODEL = FLAGS.define_path(
    "model",
    None,
    "Working directory of a run, a SavedModel, or a model of another runtime.",
    paths.require_model,
)
OUTPUT = FLAGS.define_output(
    "output", None, "Folder to write to.", paths.require_new_folder
)
FORMAT = FLAGS.define_choice(
    "format", formats.FILES, list(formats.FORMATS), "What is written."
)
PEOPLE = PeopleFlags(FLAGS)
VIDEOS = VideoFlags(FLAGS)
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
QUALITY = FLAGS.define_switch(
    "quality", False, "Also write how good each answer is, without truth."
)
COCO = CocoFlag(FLAGS)


def _run(argv: list[str]) -> None:
    found = inputs.find(argv[1:])
    _refuse_idle(found)
    output = paths.require_new_folder(OUTPUT.value, "--output")
    writer = formats.FORMATS[FORMAT.value](
        writers.Settings(
            output, PEOPLE.are_given, OPACITY.value, OPENPOSE.value
        )
    )
    videos = VIDEOS.plan(found.videos, output, FORMAT.value)
    starts = writer.plan(found.pictures)
    asked = PEOPLE.facts() if videos else {}
    coco = COCO.file(
        found.pictures,
        (MODEL.value, *PEOPLE.inputs),
        output,
        starts.values(),
    )
    paths.new_folder(OUTPUT.value, "--output")
    model, names = _load()
    if starts or found.others:
        run = PictureRun(model, writer, names, console.say)
        _predict_pictures(run, found, starts, coco)
    if videos:
        asked |= model.facts
        VIDEOS.run(model, names, output, OPACITY.value, asked, videos)


def _refuse_idle(found: inputs.Inputs) -> None:
    if not found.pictures:
        FLAGS.refuse_idle("a picture", "quality", "openpose")
    own = f"--format={formats.FILES}"
    if FORMAT.value != formats.FILES:
        FLAGS.refuse_idle(own, "opacity", "quality")
    if FORMAT.value not in (formats.FILES, "openpose"):
        FLAGS.refuse_idle(f"{own} or openpose", "openpose")


def _predict_pictures(
    run: PictureRun,
    found: inputs.Inputs,
    starts: Mapping[pathlib.Path, str],
    coco: pathlib.Path | None,
) -> None:
    for line in (
        output_names.changed_line({p.name: s for p, s in starts.items()}),
        found.others and picture_names.unsupported_line(found.others),
        *found.notes,
    ):
        if line:
            console.say(line)
    run.run(starts, Progress(len(starts), "predicting").over)
    run.require_some(found.others, OUTPUT.value)
    for line in run.summary(found.others):
        console.say(f"{OUTPUT.value}: {line}")
    if coco is not None:
        run.write_coco(coco)
        console.say(f"{run.num_people} poses as COCO's, in {coco}")


def _load() -> "tuple[PeopleModel, writers.Names]":
    from nppnet_tf.inference import people_model
    from nppnet_tf.inference import predictor as predictors

    predictor = predictors.Predictor.from_directory(
        MODEL.value, FLIP.value, SCALES.value
    )
    threshold = SCORE_THRESHOLD.value
    if threshold is None:
        threshold = predictor.description.score_threshold
    judge = None
    if QUALITY.value:
        judge = people_model.judge_of(predictor, threshold)
    model = people_model.PeopleModel(
        predictor, PEOPLE.find(), PEOPLE.padding, judge
    )
    return model, writers.Names(predictor.descriptor, threshold)


def main() -> None:
    """Entry of the console script."""
    app.run(_run, FLAGS, "PICTURES", required=("model", "output"))


if __name__ == "__main__":
    main()
