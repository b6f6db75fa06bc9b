"""Workers meet, agree or refuse, and notice each other's end."""

import concurrent.futures
import contextlib
import socket
import threading
import time
from unittest import mock

from absl.testing import absltest

from nppnet_tf.cluster import Cluster
from nppnet_tf.errors import UserError
from nppnet_tf.training import meeting


def _free_ports(count):
    servers = [socket.create_server(("", 0)) for _ in range(count)]
    ports = [server.getsockname()[1] for server in servers]
    for server in servers:
        server.close()
    return ports


class MeetingTest(absltest.TestCase):
    def setUp(self):
        super().setUp()
        self.addresses = tuple(f"127.0.0.1:{p}" for p in _free_ports(3))
        self.pool = concurrent.futures.ThreadPoolExecutor(3)
        self.addCleanup(self.pool.shutdown)
        self.lines = []

    def _meet(self, index):
        return meeting.Meeting(
            Cluster(self.addresses, index), self.lines.append, 20
        )

    def _all_meet(self):
        met = list(self.pool.map(self._meet, range(3)))
        for each in met:
            self.addCleanup(each.close)
        return met

    def _called(self):
        """Calls the chief as soon as it listens."""
        host, port = self.addresses[0].split(":")
        while True:
            with contextlib.suppress(ConnectionRefusedError):
                return socket.create_connection((host, port))
            time.sleep(0.01)

    def _errors(self, function, met):
        """What each of them raises, in the same words."""
        futures = [self.pool.submit(function, each) for each in met]
        return [future.exception(timeout=20) for future in futures]

    def test_equal_documents_let_all_go_on(self):
        met = self._all_meet()

        errors = self._errors(lambda each: each.agree({"a": [1.5]}), met)
        shared = self.pool.map(
            lambda each: each.share(b"all" if each.cluster.is_chief else None),
            met,
        )

        self.assertEqual(errors, [None] * 3)
        self.assertEqual(list(shared), [b"all"] * 3)

    def test_another_document_is_refused_on_every_worker(self):
        met = self._all_meet()

        errors = self._errors(
            lambda each: each.agree(
                {"a": 1, "`epochs`": 2 + (each.cluster.index == 2)}
            ),
            met,
        )

        self.assertLen({str(error) for error in errors}, 1)
        self.assertRegex(
            str(errors[0]),
            r"different runs; where: `epochs`, worker 2 .*: 2.*found: 3",
        )

    def test_a_stranger_s_call_changes_nothing(self):
        future = self.pool.submit(self._meet, 0)
        for words in (b"", b"GET / HTTP/1.1\r\n\r\n", b"\0\0\0\2{}"):
            with self._called() as stranger:
                stranger.sendall(words)

        others = list(self.pool.map(self._meet, (1, 2)))

        for each in (*others, future.result(timeout=20)):
            each.close()

    def test_who_does_not_come_is_named(self):
        with self.assertRaisesRegex(
            UserError, "have not come.*worker 1 .*worker 2 "
        ):
            meeting.Meeting(Cluster(self.addresses, 0), self.lines.append, 0.3)

    def test_a_chief_of_no_machine_is_told(self):
        addresses = ("no-machine.invalid:1", *self.addresses[1:])
        with self.assertRaisesRegex(
            UserError, "have not come.*no-machine.*found: .*(name|Name)"
        ):
            meeting.Meeting(Cluster(addresses, 1), self.lines.append, 0.3)

    def test_a_number_of_two_processes_is_refused(self):
        future = self.pool.submit(self._meet, 0)
        first = self._meet(1)
        self.addCleanup(first.close)

        # It cannot have the port, but may have lied about its host.
        with (
            mock.patch.object(meeting, "listen"),
            self.assertRaisesRegex(UserError, "two processes.*worker 1"),
        ):
            self._meet(1)
        last = self._meet(2)

        for each in (last, future.result(timeout=20)):
            each.close()

    def test_an_end_is_said_in_the_place_of_tensorflow_s_error(self):
        met = self._all_meet()

        def run(each):
            with each.watching(self.fail):
                if each.cluster.index == 1:
                    each.close()
                    raise UserError("damaged record")
                each._is_lost.wait(20)
                raise RuntimeError("Connection reset by peer")

        errors = self._errors(run, met)

        for index in (0, 2):
            # The chief tells the third, which it is not connected with.
            self.assertRegex(
                str(errors[index]), "another worker has ended.*worker 1"
            )
        self.assertRegex(str(errors[1]), "damaged record")

    def test_who_is_done_may_go_before_the_others_know(self):
        met = self._all_meet()

        def run(each):
            for _ in range(2):
                each.agree({"run": 1})
                with each.watching(self.fail):
                    pass
            each.close()

        self.assertEqual(self._errors(run, met), [None] * 3)

    def test_who_stands_still_is_ended(self):
        met = self._all_meet()
        said, is_said = [], threading.Event()

        def abandon(error):
            said.append(str(error))
            is_said.set()

        with mock.patch.object(meeting, "_GRACE_SECONDS", 0.1):
            with self.assertRaisesRegex(UserError, "has ended"):
                with met[0].watching(abandon):
                    met[2].close()
                    # TensorFlow, which waits for a sum.
                    self.assertTrue(is_said.wait(20))

        self.assertRegex(said[0], "another worker has ended.*worker 2")


if __name__ == "__main__":
    absltest.main()
