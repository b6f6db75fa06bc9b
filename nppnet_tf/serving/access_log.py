"""One line of JSON for every request: what was asked, not what was sent.

No content of pictures, no names of files, no addresses of clients.
"""

import contextlib
import dataclasses
import datetime
import json
import logging
import logging.handlers
import sys
import time
from collections.abc import Iterator

from nppnet_tf.serving import failures
from nppnet_tf.serving.failures import RequestError
from nppnet_tf.serving.metrics import Metrics

STANDARD_OUTPUT = "-"


@dataclasses.dataclass
class Record:
    """What is known of one request; filled in as it is learned.

    Attributes:
        protocol: "rest" or "grpc".
        call: "predict", "metadata", "status", "reload" or "other".
        model: Name of the model, once it is found.
        version: Number of its version.
        signature: Name of the signature, once it is found.
        pictures: Rows of the request.
        request_bytes: Bytes of the request.
        answer_bytes: Bytes of the answer.
        code: gRPC's name of the code.
    """

    protocol: str
    call: str
    model: str = ""
    version: int = 0
    signature: str = ""
    pictures: int = 0
    request_bytes: int = 0
    answer_bytes: int = 0
    code: str = failures.OK


class AccessLog:
    """Writes records as JSON lines.

    Args:
        path: File to append to, which may be moved away at any time;
            `STANDARD_OUTPUT`; or None for no log.
    """

    def __init__(self, path: str | None) -> None:
        self._handler: logging.Handler = logging.NullHandler()
        if path == STANDARD_OUTPUT:
            self._handler = logging.StreamHandler(sys.stdout)
        elif path is not None:
            self._handler = logging.handlers.WatchedFileHandler(
                path, encoding="utf-8"
            )
        self._handler.handleError = self._complain
        self._path = path
        # Whether this line, and the one before, could not be written.
        self._has_failed = self._had_failed = False

    def write(self, record: Record, seconds: float) -> None:
        """Writes one record.

        Args:
            record: The request.
            seconds: Time that it took.
        """
        now = datetime.datetime.now(datetime.UTC)
        values = {
            "time": now.isoformat(timespec="milliseconds"),
            **dataclasses.asdict(record),
            "milliseconds": round(seconds * 1e3, 1),
        }
        self._had_failed, self._has_failed = self._has_failed, False
        self._handler.handle(
            logging.makeLogRecord({"msg": "%s", "args": (json.dumps(values),)})
        )

    def close(self) -> None:
        """Writes what is left."""
        # What cannot be written was told of.
        with contextlib.suppress(OSError):
            self._handler.close()

    def _complain(self, record: logging.LogRecord) -> None:
        """Says that lines are lost; once, until one can be written."""
        del record
        self._has_failed = True
        if not self._had_failed:
            logging.error(
                "requests are answered and not recorded, %s: %s",
                self._path,
                sys.exception(),
            )


class Recorder:
    """Tells metrics and log of every request.

    Args:
        metrics: Figures of the server.
        log: The access log.
    """

    def __init__(self, metrics: Metrics, log: AccessLog) -> None:
        self._metrics = metrics
        self._log = log

    @contextlib.contextmanager
    def recorded(self, protocol: str, call: str) -> Iterator[Record]:
        """Yields the record of a request and takes it down at the end.

        A `RequestError` becomes its code; anything else a fault of the server,
        which is written to the log of the program.

        Raises:
            RequestError: The one that was raised, or that of a fault.
        """
        record = Record(protocol, call)
        before = time.monotonic()
        try:
            yield record
        except RequestError as error:
            record.code = error.code
            raise
        except Exception:
            logging.exception("a request failed")
            record.code = failures.INTERNAL
            raise failures.internal() from None
        except BaseException:
            record.code = failures.CANCELLED
            raise
        finally:
            seconds = time.monotonic() - before
            self._metrics.count_request(
                protocol, call, record.model, record.code, seconds
            )
            self._log.write(record, seconds)
