"""Asks a server of models: ours, or TensorFlow Serving.

    python -m tools.query_serving --output=DIR PICTURES
    python -m tools.query_serving --what=metadata
    python -m tools.query_serving --what=measure --clients=4 PICTURES
    python -m tools.query_serving --what=contract PICTURES

`predict` writes the files of tools.predict. With --compare=MODEL it also says
how far the answers are from those of the same model here. `measure` asks again
and again: each client as soon as it has its answer, or --rate requests in a
second. `contract` checks what clients rely on, and ends with status 1 where
the server does otherwise; --extras adds what only tools.serve does. Needs the
extra `serve`.
"""

import json
import pathlib
import sys
from collections.abc import Sequence

from nppnet_tf.data import visibility
from nppnet_tf.errors import UserError

from .command_line import app
from .command_line import console
from .command_line import extras
from .command_line import inputs
from .command_line import paths
from .command_line.progress import Progress
from .command_line.server_flags import ServerFlags
from .command_line.tool_flags import ToolFlags

_BROKEN = 1

PREDICT, METADATA, MEASURE, CONTRACT = _WHATS = (
    "predict",
    "metadata",
    "measure",
    "contract",
)

FLAGS = ToolFlags()

WHAT = FLAGS.define_choice("what", PREDICT, _WHATS, "What is asked.")
SERVER = ServerFlags(FLAGS)
OUTPUT = FLAGS.define_output(
    "output", None, "Folder to write to.", paths.require_new_folder
)
DESCRIPTOR = FLAGS.define_path(
    "descriptor",
    "lip",
    "What the numbers of the answers mean: name of a data set or a file. By "
    "default, and where --compare is given, that of the model.",
    paths.require_descriptor,
)
SCORE_THRESHOLD = FLAGS.define_number(
    "score_threshold",
    visibility.SCORE_THRESHOLD,
    "Least score of a joint that was found.",
    0,
    1,
)
COMPARE = FLAGS.define_path(
    "compare",
    None,
    "The same model here: working directory of a run, or a SavedModel.",
    paths.require_model,
)
SECONDS = FLAGS.define_number("seconds", 10, "How long to measure.", 0.1, 86400)
CLIENTS = FLAGS.define_count(
    "clients", 1, "Requests that are under way at once.", 1, 1024
)
RATE = FLAGS.define_number(
    "rate", None, "Requests in a second; without it, as many as go.", 0.001, 1e5
)
EXTRAS = FLAGS.define_switch(
    "extras", False, "Check what only tools.serve does, too."
)

_FLAGS_OF = {
    PREDICT: ("output", "descriptor", "score_threshold", "compare"),
    MEASURE: ("seconds", "clients", "rate"),
    CONTRACT: ("extras",),
}


def _run(argv: list[str]) -> None:
    for what, names in _FLAGS_OF.items():
        if WHAT.value != what:
            FLAGS.refuse_idle(f"--what={what}", *names)
    if COMPARE.value is not None:
        FLAGS.refuse_idle("no --compare", "descriptor", "score_threshold")
    extras.require(extras.SERVE)
    words = argv[1:]
    if WHAT.value == METADATA:
        if words:
            raise UserError("argument that is no flag", words[0], "only flags")
        _show_metadata()
        return
    if not words:
        raise UserError("picture is missing", None, "pictures", "nothing")
    if WHAT.value == PREDICT:
        _predict(words)
    elif WHAT.value == MEASURE:
        _measure(_contents(words))
    else:
        _check(_contents(words)[0])


def _contents(words: Sequence[str]) -> list[bytes]:
    from nppnet_tf.pictures import picture_files

    found = inputs.find(words).pictures
    return [picture_files.read_bytes(path) for path in found]


def _show_metadata() -> None:
    with SERVER.peer() as peer:
        document = peer.metadata()
    if SERVER.is_rest:
        document = json.dumps(document, indent=1)
    console.say(str(document).rstrip())


def _predict(words: Sequence[str]) -> None:
    from nppnet_tf.data import descriptors
    from nppnet_tf.inference.predictor import Predictor
    from nppnet_tf.outputs.own_files import OwnFiles
    from nppnet_tf.outputs.picture_run import PictureRun
    from nppnet_tf.outputs.writer import Names
    from nppnet_tf.outputs.writer import Settings
    from nppnet_tf.serving.remote_model import RemoteModel

    FLAGS.require_given("output")
    found = inputs.find(words)
    writer = OwnFiles(Settings(pathlib.Path(OUTPUT.value)))
    starts = writer.plan(found.pictures)
    names = Names(descriptors.resolve(DESCRIPTOR.value), SCORE_THRESHOLD.value)
    local = None
    if COMPARE.value is not None:
        local = Predictor.from_directory(COMPARE.value)
        threshold = local.description.score_threshold
        names = Names(local.descriptor, threshold)
    with SERVER.peer() as peer:
        # What is wrong with the server is wrong with no picture.
        peer.metadata()
        output = paths.new_folder(OUTPUT.value, "--output")
        model = RemoteModel(peer, local)
        run = PictureRun(model, writer, names, console.say)
        run.run(starts, Progress(len(starts), "asking").over)
    run.require_some(found.others, ", ".join(words))
    for line in run.summary(found.others):
        console.say(f"{output}: {line}")
    if local is not None:
        for line in model.summary():
            console.say(line)


def _measure(pictures: Sequence[bytes]) -> None:
    from nppnet_tf.inference import serving_graph
    from nppnet_tf.serving import load

    with SERVER.peer() as peer:
        peer.metadata()
    signature = serving_graph.PNG_SIGNATURE
    asked = load.Load(SECONDS.value, CLIENTS.value, RATE.value)
    figures = load.run(
        lambda: load.picture_asker(SERVER.peer(), pictures, signature), asked
    )
    console.say(json.dumps(figures, indent=1))


def _check(picture: bytes) -> None:
    from nppnet_tf.serving import contract
    from nppnet_tf.serving.peer import GrpcPeer
    from nppnet_tf.serving.peer import RestPeer

    checks = dict(contract.CONTRACT)
    if EXTRAS.value:
        checks |= contract.EXTRAS
    place = SERVER.place()
    with RestPeer(place) as rest, GrpcPeer(place) as grpc:
        rest.metadata()
        results = contract.run(contract.Subject(rest, grpc, picture), checks)
    for result in results:
        state = f"BROKEN {result.problem}" if result.problem else "ok"
        console.say(f"{result.name.replace('_', ' ')}: {state}")
    broken = sum(bool(result.problem) for result in results)
    console.say(f"{len(results) - broken} of {len(results)} are kept")
    if broken:
        sys.exit(_BROKEN)


def main() -> None:
    """Entry of the console script."""
    app.run(_run, FLAGS, "PICTURES")


if __name__ == "__main__":
    main()
