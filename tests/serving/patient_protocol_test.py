"""Tests of serving.patient_protocol."""

import asyncio
import socket
import threading
import time

import uvicorn
from absl.testing import absltest

from nppnet_tf.serving import patient_protocol

_SECONDS = 0.25
# A server that ends nothing is noticed after so long.
_PATIENCE = 60
_LARGE = 32 << 20
_failures = []
_is_over = threading.Event()
_REQUEST = b"GET / HTTP/1.1\r\nHost: a\r\n"


async def _application(scope, receive, send):
    """Answers much; whoever asks for /slow waits longer than idlers may."""
    del receive
    if scope["path"] == "/slow":
        await asyncio.sleep(3 * _SECONDS)
    size = _LARGE if scope["path"] == "/large" else 2
    headers = [(b"content-length", str(size).encode())]
    try:
        await send(
            {"type": "http.response.start", "status": 200, "headers": headers}
        )
        await send({"type": "http.response.body", "body": b"x" * size})
    except Exception as error:
        _failures.append(error)
    if scope["path"] == "/broken":
        _is_over.set()


class PatientProtocolTest(absltest.TestCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        config = uvicorn.Config(
            _application,
            log_config=None,
            lifespan="off",
            ws="none",
            http=patient_protocol.protocol(_SECONDS),
            timeout_keep_alive=_PATIENCE,
        )
        listener = socket.create_server(("127.0.0.1", 0))
        cls.address = listener.getsockname()
        cls.server = uvicorn.Server(config)
        thread = threading.Thread(target=cls.server.run, args=([listener],))
        thread.start()
        cls.addClassCleanup(thread.join)
        cls.addClassCleanup(setattr, cls.server, "should_exit", True)

    def _connect(self):
        client = socket.create_connection(self.address, _PATIENCE)
        return self.enterContext(client)

    def assert_ended(self, client, piece=b""):
        """Sends pieces until the server has ended the connection."""
        end = time.monotonic() + _PATIENCE
        client.settimeout(0.02)
        while time.monotonic() < end:
            try:
                if piece:
                    client.sendall(piece)
                if not client.recv(1 << 16):
                    return
            except TimeoutError:
                continue
            except ConnectionError:
                return
        self.fail("the server goes on waiting")

    def test_requests_that_are_none_are_answered_once(self):
        client = self._connect()
        client.sendall(
            b"GET /broken HTTP/1.1\r\nHost: a\r\n"
            b"Transfer-Encoding: chunked\r\n\r\nZZ\r\n"
        )

        self.assertStartsWith(client.recv(1 << 16), b"HTTP/1.1 400 ")

        self.assert_ended(client)
        self.assertTrue(_is_over.wait(_PATIENCE))
        self.assertEmpty(_failures)

    def test_connections_without_a_request_are_ended(self):
        self.assert_ended(self._connect())

    def test_headers_letter_by_letter_are_not_waited_for(self):
        client = self._connect()
        client.sendall(_REQUEST)

        self.assert_ended(client, b"X")

    def test_bodies_that_nobody_reads_are_not_waited_for(self):
        client = self._connect()
        client.sendall(_REQUEST + b"Content-Length: 100000\r\n\r\n")

        self.assert_ended(client, b"X")

    def test_second_request_letter_by_letter_is_not_waited_for(self):
        client = self._connect()
        client.sendall(_REQUEST + b"\r\n")
        self.assertIn(b"200", client.recv(1 << 16))

        self.assert_ended(client, b"G")

    def test_answers_that_nobody_takes_are_dropped(self):
        client = self._connect()
        client.sendall(_REQUEST.replace(b"/", b"/large", 1) + b"\r\n")
        time.sleep(4 * _SECONDS)

        received = 0
        try:
            while piece := client.recv(1 << 20):
                received += len(piece)
        except ConnectionError:
            pass

        self.assertLess(received, _LARGE)

    def test_answers_that_are_taken_slowly_arrive(self):
        client = self._connect()
        client.sendall(_REQUEST.replace(b"/", b"/large", 1) + b"\r\n")
        received = b""
        begun = time.monotonic()
        while len(received) < _LARGE:
            piece = client.recv(1 << 20)
            self.assertNotEmpty(piece)
            received += piece
            # Longer than idlers may take, for the whole of it.
            if time.monotonic() - begun < 3 * _SECONDS:
                time.sleep(_SECONDS / 16)

    def test_requests_under_way_are_waited_for(self):
        client = self._connect()
        client.sendall(_REQUEST.replace(b"/", b"/slow", 1) + b"\r\n")

        self.assertIn(b"200 OK", client.recv(1 << 16))


if __name__ == "__main__":
    absltest.main()
