"""Disk, memory and cluster are judged, with what to do."""

import collections
import errno
import json
import os
import shutil
import socket
from unittest import mock

from absl.testing import absltest
from absl.testing import parameterized

from nppnet_tf.machine_check import finding
from nppnet_tf.machine_check import machine

_Usage = collections.namedtuple("_Usage", "total used free")


class RoomTest(parameterized.TestCase):
    @parameterized.parameters(
        (1 << 20, finding.MEND), (1 << 31, finding.NOTE), (1 << 40, "well")
    )
    def test_disk_of_the_nearest_folder(self, free, state):
        folder = self.create_tempdir().full_path
        usage = _Usage(free, 0, free)

        with mock.patch.object(shutil, "disk_usage", lambda place: usage):
            found = machine.disk(os.path.join(folder, "a", "b"))

        self.assertEqual(found.state, state)
        self.assertIn(folder, found.found)

    @parameterized.parameters(
        ("1048576", finding.MEND), ("3221225472", finding.NOTE)
    )
    def test_a_container_s_limit_counts(self, limit, state):
        path = self.create_tempfile(content=f"{limit}\n").full_path

        found = machine.memory((path,))

        self.assertEqual(found.state, state)
        self.assertIn(path, found.found)

    def test_no_limit_is_none(self):
        path = self.create_tempfile(content="max\n").full_path

        self.assertNotIn(path, machine.memory((path,)).found)

    def test_without_shared_memory_threads_make_batches(self):
        self.assertEqual(machine.shared_memory().state, finding.WELL)
        refused = OSError(errno.EPERM, "not permitted")

        with mock.patch.object(os, "memfd_create", side_effect=refused):
            found = machine.shared_memory()

        self.assertEqual(found.state, finding.MEND)
        self.assertIn("--input_workers=0", found.remedy)


class OtherMachinesTest(absltest.TestCase):
    def _found(self, *workers):
        document = {
            "cluster": {"worker": workers},
            "task": {"type": "worker", "index": 0},
        }
        return machine.other_machines({"TF_CONFIG": json.dumps(document)})

    def _port(self):
        with socket.create_server(("", 0)) as server:
            return server.getsockname()[1]

    def test_none_is_well(self):
        self.assertEqual(machine.other_machines({}).state, finding.WELL)

    def test_names_and_port_are_tried(self):
        port = self._port()
        with socket.create_server(("", 0)) as server:
            taken = server.getsockname()[1]

            self.assertIn("in use", self._found(f"127.0.0.1:{taken}").found)
        self.assertIn(
            "no address of absent.invalid:1",
            self._found(f"127.0.0.1:{port}", "absent.invalid:1").found,
        )
        self.assertEqual(self._found(f"127.0.0.1:{port}").state, finding.WELL)

    def test_malformed_is_to_be_mended(self):
        found = machine.other_machines({"TF_CONFIG": "{"})

        self.assertEqual(found.state, finding.MEND)
        self.assertIn("no JSON", found.found)


if __name__ == "__main__":
    absltest.main()
