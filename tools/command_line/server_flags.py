"""Flags that say where a model is served."""

from typing import TYPE_CHECKING

from nppnet_tf.errors import UserError
from nppnet_tf.files import text_files

from . import paths
from .tool_flags import ToolFlags

if TYPE_CHECKING:
    from nppnet_tf.serving.peer import GrpcPeer
    from nppnet_tf.serving.peer import Place
    from nppnet_tf.serving.peer import RestPeer

_MOST_VERSION = (1 << 63) - 1
_MAX_TOKEN_BYTES = 4096

_PROTOCOLS = REST, GRPC = ("rest", "grpc")


class ServerFlags:
    """A server, and the model that it is asked for.

    Args:
        flags: Flags of the tool.
    """

    def __init__(self, flags: ToolFlags) -> None:
        self._rest = flags.define_text(
            "rest",
            "http://127.0.0.1:8501",
            "URL of the server's REST interface.",
        )
        self._grpc = flags.define_text(
            "grpc",
            "127.0.0.1:8500",
            "Host and port of the server's gRPC interface.",
        )
        self._protocol = flags.define_choice(
            "protocol", REST, _PROTOCOLS, "Interface that is asked."
        )
        self._name = flags.define_text("name", "nppnet", "Name of the model.")
        self._version = flags.define_count(
            "version",
            None,
            "Version of the model; the newest if absent.",
            0,
            _MOST_VERSION,
        )
        self._label = flags.define_text(
            "label", None, "Label of the version, instead of its number."
        )
        self._token_file = flags.define_path(
            "token_file",
            None,
            "File of the secret that the server wants to be shown.",
            paths.require_file,
        )
        self._seconds = flags.define_number(
            "timeout_seconds",
            60,
            "How long to wait for an answer.",
            0.001,
            3600,
        )

    @property
    def is_rest(self) -> bool:
        """Whether REST is asked."""
        return self._protocol.value == REST

    def place(self) -> "Place":
        """Returns where the model is; UserError for a secret that is none."""
        from nppnet_tf.serving.peer import Place

        token = None
        if self._token_file.value is not None:
            path = self._token_file.value
            token = text_files.read(path, _MAX_TOKEN_BYTES).strip()
            # Never the secret itself.
            if not (token and token.isascii() and token.isprintable()):
                raise UserError(
                    "secret that no request can hold",
                    f"--{self._token_file.name}={path}",
                    "a line of ASCII",
                    "other characters" if token else "nothing",
                )
        return Place(
            self._rest.value,
            self._grpc.value,
            self._name.value,
            self._version.value,
            self._label.value or "",
            token,
            self._seconds.value,
        )

    def peer(self) -> "RestPeer | GrpcPeer":
        """Returns what asks it, a context."""
        from nppnet_tf.serving import peer

        kind = peer.RestPeer if self.is_rest else peer.GrpcPeer
        return kind(self.place())
