"""HTTP connections that do not wait without end for clients that are slow.

uvicorn gives up a connection that is idle between two requests. It would wait
for one that never begins, for headers that come letter by letter, for a body
that nobody reads any more, and for a client that takes no answer.
"""

import asyncio
from typing import Any

from uvicorn.protocols.http import h11_impl
from uvicorn.protocols.http.h11_impl import H11Protocol

# Bytes of an answer that a client has to take in that time, if there are more.
_LEAST_PIECE = 64 << 10

# States of a connection in which an answer may begin.
_BEFORE_AN_ANSWER = (h11_impl.h11.IDLE, h11_impl.h11.SEND_RESPONSE)


class PatientProtocol(H11Protocol):
    """A connection that is ended where its client is too slow.

    Attributes:
        idle_seconds: How long a client may take for the headers of a request,
            to begin the next one, and for each piece of an answer.
    """

    idle_seconds: float

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._expecting: asyncio.TimerHandle | None = None
        self._sending: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self._expect()

    def connection_lost(self, exc: Exception | None) -> None:
        self._expecting = _cancelled(self._expecting)
        self._sending = _cancelled(self._sending)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        self._look()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        self._look()

    def send_400_response(self, msg: str) -> None:
        if self.cycle is not None and not self.cycle.response_complete:
            # What would answer the request need not: nobody may speak twice.
            self.cycle.disconnected = True
            self.cycle.message_event.set()
        if self.conn.our_state in _BEFORE_AN_ANSWER:
            super().send_400_response(msg)
        else:
            self.transport.close()

    def pause_writing(self) -> None:
        super().pause_writing()
        if self._sending is None:
            self._watch_sending()

    def resume_writing(self) -> None:
        super().resume_writing()
        self._sending = _cancelled(self._sending)

    def _look(self) -> None:
        """Waits for a request where none is under way."""
        if self.cycle is not None and not self.cycle.response_complete:
            self._expecting = _cancelled(self._expecting)
        elif self._expecting is None:
            self._expect()

    def _expect(self) -> None:
        self._expecting = self.loop.call_later(self.idle_seconds, self._give_up)

    def _give_up(self) -> None:
        # While an answer is taken nobody begins another request.
        if self.transport.get_write_buffer_size():
            self._expect()
        else:
            self.transport.abort()

    def _watch_sending(self) -> None:
        self._sending = self.loop.call_later(
            self.idle_seconds,
            self._require_less,
            self.transport.get_write_buffer_size(),
        )

    def _require_less(self, before: int) -> None:
        if self.transport.get_write_buffer_size() > before - _LEAST_PIECE:
            self.transport.abort()
        else:
            self._watch_sending()


def protocol(seconds: float) -> type[PatientProtocol]:
    """Returns a class of connections, for `uvicorn.Config`.

    Args:
        seconds: What `PatientProtocol.idle_seconds` is.
    """
    return type("Connection", (PatientProtocol,), {"idle_seconds": seconds})


def _cancelled(timer: asyncio.TimerHandle | None) -> None:
    if timer is not None:
        timer.cancel()
