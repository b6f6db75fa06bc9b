"""Flags that bound what one client of a server may take."""

from typing import TYPE_CHECKING

from .tool_flags import ToolFlags

if TYPE_CHECKING:
    from nppnet_tf.serving.limits import Limits

# How many of the largest requests may be in memory at once.
_WAITING = 8
_MOST_PICTURES = 64


class LimitFlags:
    """What a request may hold, and how long clients may take.

    Args:
        tool: Flags of the tool.
    """

    def __init__(self, tool: ToolFlags) -> None:
        self._request_megabytes = tool.define_count(
            "max_request_megabytes",
            64,
            "Bytes of one request, in 2^20.",
            1,
            1024,
        )
        self._pictures = tool.define_count(
            "max_pictures", 64, "Pictures of one request.", 1, _MOST_PICTURES
        )
        self._connections = tool.define_count(
            "max_connections",
            256,
            "Connections, and calls of gRPC, at once.",
            2,
            65536,
        )
        self._seconds = tool.define_number(
            "timeout_seconds",
            60,
            "Longest time that a request is worked on; a client may ask for "
            "less.",
            0.001,
            3600,
        )
        self._idle_seconds = tool.define_number(
            "idle_seconds",
            30,
            "How long a connection may be without a request, and a client may "
            "take for the headers of one and for each piece of an answer.",
            0.05,
            3600,
        )
        self._connection_seconds = tool.define_number(
            "grpc_connection_seconds",
            600,
            "Longest life of a connection of gRPC; what is under way then has "
            "--timeout_seconds more.",
            0.05,
            86400,
        )

    def limits(self) -> "Limits":
        """Returns the bounds."""
        from nppnet_tf.serving.limits import Limits

        request_bytes = self._request_megabytes.value << 20
        return Limits(
            request_bytes=request_bytes,
            pictures=self._pictures.value,
            waiting_bytes=_WAITING * request_bytes,
            connections=self._connections.value,
            seconds=self._seconds.value,
            idle_seconds=self._idle_seconds.value,
            connection_seconds=self._connection_seconds.value,
        )
