"""Serves models by REST and gRPC as TensorFlow Serving does, and a page.

    python -m tools.serve --models=savedmodels

New versions in the folder are noticed, loaded, warmed and swapped in; removing
a version's folder goes back to the one before. SIGTERM answers what is under
way and ends with status 0. docs/serving.md says more. Needs the extra `serve`.
"""

import os
import pathlib
from typing import TYPE_CHECKING

from nppnet_tf.errors import UserError
from nppnet_tf.files import text_files

from .command_line import app
from .command_line import console
from .command_line import extras
from .command_line import paths
from .command_line import servers
from .command_line.limit_flags import LimitFlags
from .command_line.tool_flags import ToolFlags

if TYPE_CHECKING:
    from nppnet_tf.serving.server import ServerSettings

_MOST_PORT = (1 << 16) - 1
# What a file as TensorFlow Serving's --model_config_file begins with.
_MODEL_LIST = "model_config_list"
_STANDARD_OUTPUT = "-"

FLAGS = ToolFlags()

# What a server in front of another one does not do.
_OF_MODELS = (
    "grpc_port",
    "poll_seconds",
    "batching_parameters_file",
    "max_pictures",
    "grpc_connection_seconds",
)


def _require_models(path: str, flag: str) -> None:
    # In front of another server it only helps, and nobody need have it.
    if BACKEND.value is not None and path == MODELS.default:
        return
    if not os.path.isfile(path):
        paths.require_folder(path, flag)
    elif _MODEL_LIST not in text_files.read(path):
        raise UserError(
            "no list of models", f"{flag}={path}", _MODEL_LIST, "something else"
        )


def _require_log(path: str, flag: str) -> None:
    if path != _STANDARD_OUTPUT:
        paths.new_file(path, flag)


MODELS = FLAGS.define_path(
    "models",
    "savedmodels",
    "Folder that holds models, each in its own; or a file as TensorFlow "
    "Serving's --model_config_file.",
    _require_models,
)
HOST = FLAGS.define_text(
    "host", "127.0.0.1", "Address to listen at; by default of this machine."
)
REST_PORT = FLAGS.define_count(
    "rest_port",
    8501,
    "Port of REST and of the page; 0 for a free one.",
    0,
    _MOST_PORT,
)
GRPC_PORT = FLAGS.define_count(
    "grpc_port", 8500, "Port of gRPC; 0 for a free one.", 0, _MOST_PORT
)
POLL_SECONDS = FLAGS.define_number(
    "poll_seconds", 1, "How often folders are looked at.", 0.05, 3600
)
TOKEN_FILE = FLAGS.define_path(
    "token_file",
    None,
    "File of a secret that clients must send as `Authorization: Bearer`.",
    paths.require_file,
)
ACCESS_LOG = FLAGS.define_output(
    "access_log",
    None,
    "File to which a line of JSON for every request is appended; - for stdout.",
    _require_log,
)
BATCHING = FLAGS.define_path(
    "batching_parameters_file",
    None,
    "How requests are put together, as TensorFlow Serving reads it; by default "
    "8 pictures within 2 ms.",
    paths.require_file,
)
LIMITS = LimitFlags(FLAGS)
BACKEND = FLAGS.define_text(
    "backend",
    None,
    "URL of another server of the same REST interface, as TensorFlow "
    "Serving's: the page and REST pass on to it, and no model is loaded. "
    "--models then only tells the names of parts and joints.",
)
DRAIN_SECONDS = FLAGS.define_count(
    "drain_seconds", 30, "How long requests may take after SIGTERM.", 1, 3600
)


def _run(argv: list[str]) -> None:
    del argv
    extras.require(extras.SERVE)

    from nppnet_tf.serving import backend
    from nppnet_tf.serving import descriptions
    from nppnet_tf.serving import model_sources
    from nppnet_tf.serving import server
    from nppnet_tf.serving.versions import ModelStore

    models = pathlib.Path(MODELS.value)
    if BACKEND.value is None:
        model_sources.read(models)
    else:
        FLAGS.refuse_idle("no --backend", *_OF_MODELS)
        url = backend.checked_url(BACKEND.value, "--backend")
        for line in descriptions.damaged(backend.described_folders(models)):
            console.say(f"without its names: {line}")
    settings = _settings()
    with server.listen(settings.host, settings.rest_port) as rest_socket:
        if BACKEND.value is not None:
            servers.pass_on(settings, url, models, rest_socket)
            return
        store = ModelStore(lambda: model_sources.read(models), say=console.say)
        store.update(is_first=True)
        if not store.is_ready():
            raise UserError(
                "no model can be served",
                f"--models={models}",
                "one that can be loaded",
                "; ".join(store.broken()) or "none",
            )
        if TOKEN_FILE.value is None and HOST.value not in server.LOOPBACK:
            console.say("whoever reaches it may ask: there is no --token_file")
        servers.serve(settings, store, rest_socket)


def _settings() -> "ServerSettings":
    from nppnet_tf.serving import server
    from nppnet_tf.serving import text_protos
    from nppnet_tf.serving.batching import BatchSettings
    from nppnet_tf.serving.token import Token

    batching = BatchSettings()
    if BATCHING.value is not None:
        batching = text_protos.read_batching(BATCHING.value)
    models = pathlib.Path(MODELS.value)
    return server.ServerSettings(
        HOST.value,
        REST_PORT.value,
        GRPC_PORT.value,
        models if models.is_dir() else models.parent,
        LIMITS.limits(),
        batching,
        token=Token.read(TOKEN_FILE.value),
        access_log=ACCESS_LOG.value,
        poll_seconds=POLL_SECONDS.value,
        drain_seconds=DRAIN_SECONDS.value,
    )


def main() -> None:
    """Entry of the console script."""
    app.run(_run, FLAGS)


if __name__ == "__main__":
    main()
