"""What one client may ask for, and what all may have waiting together."""

import contextlib
import dataclasses
from collections.abc import Iterator

from nppnet_tf.serving import failures
from nppnet_tf.serving.failures import RequestError


@dataclasses.dataclass(frozen=True)
class Limits:
    """Bounds of requests.

    Attributes:
        request_bytes: Bytes of the body of one request.
        answer_bytes: Bytes of the tensors of one answer.
        pictures: Pictures of one request.
        waiting_bytes: Bytes of all requests that are being answered.
        connections: Connections, and calls of gRPC, at once.
        seconds: Longest time that a request is worked on; what a client asks
            for beyond is cut to it.
        idle_seconds: How long a connection may be without a request, a client
            may take for the headers of one, and for each piece of an answer.
        connection_seconds: Longest life of a connection of gRPC; calls that
            are under way then have `seconds` more, whatever they wait for.
    """

    request_bytes: int = 64 << 20
    answer_bytes: int = 64 << 20
    pictures: int = 64
    waiting_bytes: int = 512 << 20
    connections: int = 256
    seconds: float = 60.0
    idle_seconds: float = 30.0
    connection_seconds: float = 600.0

    def seconds_for(self, asked: float | None) -> float:
        """Returns how long a request may take, by what its client asks for."""
        return self.seconds if asked is None else min(asked, self.seconds)


class Room:
    """Counts the bytes of requests that are being answered.

    Args:
        capacity: Bytes that may wait together.
    """

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self.used = 0

    @contextlib.contextmanager
    def holder(self) -> Iterator["Holder"]:
        """Yields what one request takes of the room, and gives it back."""
        holder = Holder(self)
        try:
            yield holder
        finally:
            self.used -= holder.used

    def take(self, count: int) -> None:
        """Takes bytes.

        Raises:
            RequestError: There is no room for them.
        """
        if self.used + count > self._capacity:
            raise RequestError(
                failures.RESOURCE_EXHAUSTED,
                "too many bytes of requests are waiting",
                retry_after=1,
            )
        self.used += count


class Holder:
    """The bytes of one request."""

    def __init__(self, room: Room) -> None:
        self._room = room
        self.used = 0

    def take(self, count: int) -> None:
        """Takes bytes; errors as of `Room.take`."""
        self._room.take(count)
        self.used += count
