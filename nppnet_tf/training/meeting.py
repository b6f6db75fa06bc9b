"""What the workers of a run say to each other, beside TensorFlow.

Before TensorFlow connects them, which it does without a look at what they are
about to compute, they compare what they were asked for. While they compute,
each learns when another one ends, which TensorFlow notices late or never: sums
would be waited for without end.

All talk to the chief, at the address that TensorFlow uses afterwards.
"""

import contextlib
import json
import queue
import socket
import threading
import time
from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Mapping
from multiprocessing.connection import Connection

from nppnet_tf import durations
from nppnet_tf.cluster import Cluster
from nppnet_tf.cluster import listen
from nppnet_tf.errors import UserError

_FORMAT = "nppnet_tf.meeting"

# Machines of a job start minutes apart.
PATIENCE_SECONDS = 600.0
_SECONDS_BETWEEN_LINES = 60.0
_SECONDS_BETWEEN_CALLS = 0.2

# Within which whoever connects has to say who it is, in how many bytes.
_SECONDS_TO_GREET = 5.0
_MOST_GREETING = 1 << 16

# In which a worker may end by itself once another has ended.
_GRACE_SECONDS = 10.0

# Kinds of messages.
_MESSAGE, _END = b"message", b"end"


# Of this process, by cluster: TensorFlow has one server for all its runs, at
# the port that the first meeting took.
_meetings: dict[Cluster, "Meeting"] = {}


def join(cluster: Cluster, say: Callable[[str], None]) -> "Meeting":
    """Returns this process' meeting with the others, the same for every run.

    Arguments and errors as of `Meeting`.
    """
    if cluster not in _meetings:
        _meetings[cluster] = Meeting(cluster, say)
    return _meetings[cluster]


class Meeting:
    """The connections of this worker to the others.

    Args:
        cluster: Who takes part.
        say: Takes a line now and then while others are waited for.
        patience_seconds: How long to wait for them.

    Raises:
        UserError: Not all have come, or this worker's port cannot be had.
    """

    def __init__(
        self,
        cluster: Cluster,
        say: Callable[[str], None],
        patience_seconds: float = PATIENCE_SECONDS,
    ) -> None:
        self.cluster = cluster
        self._waiting = _Waiting(say, patience_seconds)
        self._lost: str | None = None
        self._is_lost = threading.Event()
        # Between two runs any worker may leave.
        self._is_over = False
        self._abandon: Callable[[UserError], None] | None = None
        connections = self._receive() if cluster.is_chief else self._call()
        self._others = {
            index: _Other(connection, index, self._lose)
            for index, connection in connections.items()
        }
        for other in self._others.values():
            other.begin()

    def agree(self, document: Mapping[str, object]) -> None:
        """Lets all go on if they hold the same; refuses on each otherwise.

        Args:
            document: What has to be equal, by the words for it; values that
                JSON can hold.

        Raises:
            UserError: A worker holds another value, or has ended.
        """
        self._is_over = False
        self._agree(document)

    def _agree(self, document: Mapping[str, object], is_last=False) -> None:
        content = json.dumps(document, sort_keys=True).encode()
        if not self.cluster.is_chief:
            self._send(0, content)
            verdict = json.loads(self._take(0))
        else:
            theirs = {i: json.loads(self._take(i)) for i in self._others}
            verdict = self._verdict(json.loads(content), theirs)
            # Whoever has its answer may go.
            self._is_over = is_last
            for index in self._others:
                self._send(index, json.dumps(verdict).encode())
        self._is_over = is_last
        if verdict is not None:
            raise UserError(**verdict)

    def share(self, content: bytes | None) -> bytes:
        """Returns what the chief gives, on every worker.

        Args:
            content: What it is; of the chief alone.
        """
        if not self.cluster.is_chief:
            return self._take(0)
        for index in self._others:
            self._send(index, content)
        return content

    @contextlib.contextmanager
    def watching(self, abandon: Callable[[UserError], None]) -> Iterator[None]:
        """Ends a block, or this process, when another worker ends.

        At the end of the block all wait for each other.

        Args:
            abandon: Ends the process; called from another thread, where the
                block has not ended by itself some seconds after another worker.

        Raises:
            UserError: A worker has ended, in the place of what the block
                raises for it.
        """
        self._abandon = abandon
        if self._is_lost.is_set():
            raise self._error()
        try:
            yield
            self._agree({"end of the run": True}, is_last=True)
        except (UserError, KeyboardInterrupt):
            raise
        except Exception as error:
            # The connection may end a moment after TensorFlow's.
            if self._is_lost.wait(_GRACE_SECONDS / 2):
                raise self._error() from error
            raise
        finally:
            self._abandon = None

    def close(self) -> None:
        """Ends the connections."""
        self._is_lost.set()
        for other in self._others.values():
            other.close()

    def _receive(self) -> dict[int, Connection]:
        """Waits, as the chief, until all others have called."""
        found: dict[int, Connection] = {}
        with listen(self.cluster) as server:
            server.settimeout(_SECONDS_BETWEEN_CALLS)
            while len(found) + 1 < len(self.cluster.workers):
                with contextlib.suppress(TimeoutError):
                    self._greet(server.accept()[0], found)
                absent = [
                    self.cluster.name(index)
                    for index in range(1, len(self.cluster.workers))
                    if index not in found
                ]
                if absent:
                    self._waiting.look(absent)
        return found

    def _greet(self, client: socket.socket, found: dict) -> None:
        """Learns who calls; hangs up on whoever is none of the workers."""
        client.settimeout(None)
        connection = Connection(client.detach())
        try:
            if not connection.poll(_SECONDS_TO_GREET):
                raise OSError("no word")
            greeting = json.loads(connection.recv_bytes(_MOST_GREETING))
            index = greeting["index"]
            is_right = greeting["format"] == _FORMAT and index in range(
                1, len(self.cluster.workers)
            )
        except (OSError, EOFError, ValueError, KeyError, TypeError):
            connection.close()
            return
        answer = None
        if not is_right or greeting["workers"] != list(self.cluster.workers):
            answer = "another cluster in TF_CONFIG than the chief has"
        elif index in found:
            answer = f"two processes that are worker {index}"
        connection.send_bytes(json.dumps(answer).encode())
        if answer is None:
            found[index] = connection
        else:
            connection.close()

    def _call(self) -> dict[int, Connection]:
        """Calls the chief until it answers."""
        # TensorFlow's server will want the port, and fail at length.
        listen(self.cluster).close()
        own = {
            "format": _FORMAT,
            "index": self.cluster.index,
            "workers": self.cluster.workers,
        }
        while True:
            reason = None
            try:
                client = socket.create_connection(
                    self.cluster.chief, _SECONDS_TO_GREET
                )
                client.settimeout(None)
                connection = Connection(client.detach())
                connection.send_bytes(json.dumps(own).encode())
                # The chief takes one after the other.
                if connection.poll(self._waiting.seconds_left):
                    answer = json.loads(connection.recv_bytes(_MOST_GREETING))
                    if answer is not None:
                        raise UserError(
                            "workers do not fit", "TF_CONFIG", found=answer
                        )
                    return {0: connection}
            except (OSError, EOFError, ValueError) as error:
                # Such as a name that no machine has.
                reason = getattr(error, "strerror", None)
            self._waiting.look([self.cluster.name(0)], reason)
            time.sleep(_SECONDS_BETWEEN_CALLS)

    def _verdict(self, ours: Mapping, theirs: Mapping[int, Mapping]):
        """Returns what differs first, as a UserError takes it, or None."""
        for index, document in sorted(theirs.items()):
            for name in sorted({*ours, *document}):
                expected = ours.get(name, "nothing")
                found = document.get(name, "nothing")
                if expected != found:
                    return {
                        "problem": "workers were asked for different runs",
                        "where": f"{name}, {self.cluster.name(index)}",
                        "expected": f"{expected}, as {self.cluster.name(0)}",
                        "found": found,
                    }
        return None

    def _send(self, index: int, content: bytes) -> None:
        try:
            self._others[index].send(content)
        except OSError as error:
            self._lose(index)
            raise self._error() from error

    def _take(self, index: int) -> bytes:
        """Returns the next message of a worker."""
        content = self._others[index].messages.get()
        if content is None:
            # Also for whoever asks next.
            self._others[index].messages.put(None)
            raise self._error()
        return content

    def _lose(self, index: int) -> None:
        """Notes that a worker has ended; sees to it that all do.

        The chief alone is connected to all, and tells the others.
        """
        if self._is_lost.is_set():
            return
        self._lost = self.cluster.name(index)
        self._is_lost.set()
        for other in self._others.values():
            other.messages.put(None)
            if self.cluster.is_chief and not self._is_over:
                with contextlib.suppress(OSError):
                    other.tell_of_end(index)
        if self._abandon is not None:
            threading.Thread(target=self._end_late, daemon=True).start()

    def _end_late(self) -> None:
        time.sleep(_GRACE_SECONDS)
        abandon = self._abandon
        if abandon is not None:
            abandon(self._error())

    def _error(self) -> UserError:
        return UserError(
            "another worker has ended",
            self._lost,
            "all workers until the end of the run; start them again, and they "
            "go on from the last checkpoint",
            "no connection any more",
        )


class _Other:
    """The connection to another worker, read by a thread of its own.

    Args:
        connection: The connection.
        index: Number of the worker.
        lose: Called with the number of a worker that has ended.
    """

    def __init__(
        self,
        connection: Connection,
        index: int,
        lose: Callable[[int], None],
    ) -> None:
        self._connection = connection
        self._index = index
        self._lose = lose
        self._lock = threading.Lock()
        # None where there will be no more.
        self.messages: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        _keep_alive(connection)

    def begin(self) -> None:
        """Begins to read."""
        threading.Thread(target=self._read, name="meeting", daemon=True).start()

    def send(self, content: bytes) -> None:
        """Sends a message."""
        self._send(_MESSAGE, content)

    def tell_of_end(self, index: int) -> None:
        """Tells that a third worker has ended."""
        self._send(_END, str(index).encode())

    def close(self) -> None:
        """Ends the connection, also for the thread that reads it."""
        with contextlib.suppress(OSError), _raw(self._connection) as raw:
            raw.shutdown(socket.SHUT_RDWR)

    def _send(self, kind: bytes, content: bytes) -> None:
        with self._lock:
            self._connection.send_bytes(kind)
            self._connection.send_bytes(content)

    def _read(self) -> None:
        try:
            while True:
                kind = self._connection.recv_bytes()
                content = self._connection.recv_bytes()
                if kind == _END:
                    self._lose(int(content))
                else:
                    self.messages.put(content)
        except (OSError, EOFError):
            self._lose(self._index)


class _Waiting:
    """Says now and then who is waited for, and ends it.

    Args:
        say: Takes a line.
        patience_seconds: How long to wait.
    """

    def __init__(
        self, say: Callable[[str], None], patience_seconds: float
    ) -> None:
        self._say = say
        self._start = time.monotonic()
        self._patience = patience_seconds
        self._next_line = 1.0

    @property
    def seconds_left(self) -> float:
        """Seconds until nobody is waited for any more."""
        return max(0.0, self._start + self._patience - time.monotonic())

    def look(self, absent: list[str], reason: str | None = None) -> None:
        """Says who is absent, where it is time to.

        Args:
            absent: Names of workers.
            reason: Why they cannot be reached, if known.

        Raises:
            UserError: Waiting took long enough.
        """
        waited = time.monotonic() - self._start
        names = ", ".join(absent)
        if waited >= self._patience:
            raise UserError(
                "other workers have not come",
                "TF_CONFIG",
                f"{names} within {durations.in_words(self._patience)}",
                reason or "no connection",
            )
        if waited >= self._next_line:
            self._next_line = waited + _SECONDS_BETWEEN_LINES
            self._say(f"waits for {names}" + (f": {reason}" if reason else ""))


def _keep_alive(connection: Connection) -> None:
    """Lets the system notice a machine that is gone without a word."""
    settings = {
        "SO_KEEPALIVE": (socket.SOL_SOCKET, 1),
        "TCP_KEEPIDLE": (socket.IPPROTO_TCP, 10),
        "TCP_KEEPINTVL": (socket.IPPROTO_TCP, 5),
        "TCP_KEEPCNT": (socket.IPPROTO_TCP, 4),
    }
    with _raw(connection) as raw:
        for name, (level, value) in settings.items():
            if hasattr(socket, name):
                raw.setsockopt(level, getattr(socket, name), value)


@contextlib.contextmanager
def _raw(connection: Connection) -> Iterator[socket.socket]:
    """Lends the socket of a connection, which stays the connection's."""
    raw = socket.socket(fileno=connection.fileno())
    try:
        yield raw
    finally:
        raw.detach()
