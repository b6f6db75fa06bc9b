"""Tests of nppnet_tf.files.folder_lock."""

import os
import pathlib
import signal
import subprocess
import sys

from absl.testing import absltest

from nppnet_tf.errors import UserError
from nppnet_tf.files import folder_lock
from tests import shared

_HOLD = """
import sys, time
from nppnet_tf.files import folder_lock
with folder_lock.hold(sys.argv[1], "--workdir=" + sys.argv[1]):
    print("held", flush=True)
    time.sleep(600)
"""


class HoldTest(absltest.TestCase):
    def setUp(self):
        super().setUp()
        self.folder = pathlib.Path(self.create_tempdir().full_path)
        self.where = f"--workdir={self.folder}"

    def _holder(self):
        process = subprocess.Popen(
            [sys.executable, "-c", _HOLD, str(self.folder)],
            cwd=shared.REPOSITORY,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.addCleanup(process.communicate)
        self.addCleanup(process.kill)
        self.assertEqual(process.stdout.readline(), "held\n")
        return process

    def test_a_second_process_is_refused_and_told_the_first(self):
        process = self._holder()

        with self.assertRaisesRegex(
            UserError, f"--workdir=.*found: process {process.pid}"
        ):
            with folder_lock.hold(self.folder, self.where):
                self.fail("held by two")

    def test_what_was_written_over_is_told_as_unknown_bytes(self):
        process = self._holder()
        (self.folder / folder_lock.LOCK_NAME).write_bytes(b"\xff\xfe")

        with self.assertRaisesRegex(UserError, "found: process "):
            with folder_lock.hold(self.folder, self.where):
                self.fail("held by two")
        process.kill()

    def test_what_is_no_file_is_refused_and_stays(self):
        lock = self.folder / folder_lock.LOCK_NAME
        mine = self.folder / "mine"
        mine.write_text("mine")
        for make in (
            lock.mkdir,
            lambda: os.mkfifo(lock),
            lambda: lock.symlink_to(mine),
            lambda: lock.symlink_to("nothing"),
        ):
            make()
            with (
                self.subTest(str(make)),
                self.assertRaisesRegex(UserError, "not a file.*lock"),
                folder_lock.hold(self.folder, self.where),
            ):
                self.fail("held")
            (lock.rmdir if lock.is_dir() else lock.unlink)()
        self.assertEqual(mine.read_text(), "mine")

    def test_a_killed_process_lets_go(self):
        process = self._holder()
        process.send_signal(signal.SIGKILL)
        process.wait()

        with folder_lock.hold(self.folder, self.where):
            text = (self.folder / folder_lock.LOCK_NAME).read_text()
        self.assertEqual(text, f"{os.getpid()}\n")

    def test_the_end_of_the_block_lets_go(self):
        for _ in range(2):
            with folder_lock.hold(self.folder, self.where):
                with self.assertRaisesRegex(UserError, "in use"):
                    with folder_lock.hold(
                        self.folder, f"--workdir={self.folder}"
                    ):
                        self.fail("held twice")


if __name__ == "__main__":
    absltest.main()
