"""What a client is told when it gets no answer: a code and a sentence.

Codes are those of gRPC; REST has TensorFlow Serving's HTTP status for each.
What is told holds no path and no traceback of the server.
"""

import re

from nppnet_tf import errors

INVALID_ARGUMENT = "INVALID_ARGUMENT"
NOT_FOUND = "NOT_FOUND"
FAILED_PRECONDITION = "FAILED_PRECONDITION"
RESOURCE_EXHAUSTED = "RESOURCE_EXHAUSTED"
DEADLINE_EXCEEDED = "DEADLINE_EXCEEDED"
CANCELLED = "CANCELLED"
OUT_OF_RANGE = "OUT_OF_RANGE"
UNAUTHENTICATED = "UNAUTHENTICATED"
UNAVAILABLE = "UNAVAILABLE"
INTERNAL = "INTERNAL"
UNKNOWN = "UNKNOWN"
OK = "OK"

# As `ToHTTPStatusCode` of TensorFlow Serving maps them.
_HTTP_STATUS = {
    OK: 200,
    CANCELLED: 499,
    INVALID_ARGUMENT: 400,
    FAILED_PRECONDITION: 400,
    OUT_OF_RANGE: 400,
    UNAUTHENTICATED: 401,
    NOT_FOUND: 404,
    RESOURCE_EXHAUSTED: 429,
    INTERNAL: 500,
    UNKNOWN: 500,
    UNAVAILABLE: 503,
    DEADLINE_EXCEEDED: 504,
}

_MOST_LETTERS = 400
# A path from the root with at least one folder, as messages write it.
_PATH = re.compile(r"(?<![\w<.:/])/(?:[^\s/:;,'\"\[\]()<>]+/)+")
# What TensorFlow appends about nodes of the graph.
_NODES = re.compile(r"\s*\[\[.*|\s*\[Op:.*", re.DOTALL)


class RequestError(Exception):
    """One request gets no answer; others do.

    Attributes:
        code: Name of gRPC's code.
        message: What the client is told.
        retry_after: Seconds after which to try again, where that helps.
        http_status: Status of HTTP, where it is another than the code's.
    """

    def __init__(
        self,
        code: str,
        message: str,
        retry_after: int | None = None,
        http_status: int | None = None,
    ) -> None:
        # What a client sent stands in it: of any length, and any characters.
        message = errors.shorten(errors.printable(message), _MOST_LETTERS)
        super().__init__(message)
        self.code = code
        self.message = message
        self.retry_after = retry_after
        self.http_status = http_status or _HTTP_STATUS[code]


def invalid(message: str) -> RequestError:
    """Returns the error of a request that is wrong in itself."""
    return RequestError(INVALID_ARGUMENT, message)


def internal() -> RequestError:
    """Returns the error of a fault of the server, of which no more is told."""
    return RequestError(INTERNAL, "the server failed; its log says why")


def told(error: BaseException) -> str:
    """Returns what may be told of an error: one line without paths or nodes."""
    text = _NODES.sub("", str(error)) or type(error).__name__
    return errors.shorten(_PATH.sub("", errors.printable(text)), _MOST_LETTERS)
