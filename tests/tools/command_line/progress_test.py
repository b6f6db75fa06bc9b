"""Tests of tools.command_line.progress."""

import contextlib
import os
import pty
import subprocess
import sys

from absl.testing import absltest

from tests import shared
from tools.command_line import console
from tools.command_line.progress import Progress


def _on_a_terminal(code: str, **environment: str) -> str:
    """What a program writes to a terminal."""
    ours, theirs = pty.openpty()
    with os.fdopen(ours, "rb", buffering=0) as terminal:
        process = subprocess.Popen(
            [sys.executable, "-c", code],
            stdout=theirs,
            cwd=shared.REPOSITORY,
            env={"PATH": os.environ["PATH"], **environment},
        )
        os.close(theirs)
        pieces = []
        # Linux ends a terminal without a writer by an error.
        with contextlib.suppress(OSError):
            while piece := terminal.read(1 << 16):
                pieces.append(piece)
    process.wait()
    return b"".join(pieces).decode()


class ProgressTest(absltest.TestCase):
    def setUp(self):
        super().setUp()
        self.now = 0.0
        self.lines = []
        self.enter_context(
            absltest.mock.patch.object(console, "say", self.lines.append)
        )

    def test_lines_come_at_the_start_each_interval_and_at_the_end(self):
        with self._progress(100) as progress:
            for _ in range(100):
                self.now += 1.0
                progress.advance()

        self.assertLen(self.lines, 1 + 10 + 1)
        self.assertEqual(self.lines[0], "drawing: 0/100 (0 s gone)")
        self.assertEqual(
            self.lines[1], "drawing: 10/100 (10 s gone, 1:30 min left)"
        )
        self.assertEqual(self.lines[-1], "drawing: 100/100 (1:40 min gone)")

    def test_note_stands_behind_the_time(self):
        with self._progress(2) as progress:
            self.now += 10.0
            progress.advance(note=lambda: "loss 1.5")

        self.assertEqual(
            self.lines[1], "drawing: 1/2 (10 s gone, 10 s left) loss 1.5"
        )

    def test_note_is_asked_for_where_a_line_is_due(self):
        asked = []
        with self._progress(30) as progress:
            for step in range(30):
                self.now += 1.0
                progress.advance(
                    note=lambda step=step: asked.append(step) or "loss 1.5"
                )

        self.assertEqual(asked, [9, 19, 29])

    def test_unknown_total_has_no_time_left(self):
        with self._progress(None) as progress:
            self.now += 10.0
            progress.advance(5)

        self.assertEqual(self.lines[1], "drawing: 5 (10 s gone)")

    def test_over_yields_and_counts_every_item(self):
        progress = self._progress(3)

        self.assertEqual(list(progress.over("abc")), ["a", "b", "c"])
        self.assertEqual(progress.count, 3)

    def test_a_terminal_shows_a_bar_with_the_time_left(self):
        code = """
import threading, time
from tools.command_line.progress import Progress
with Progress(4, "drawing") as progress:
    for _ in range(3):
        time.sleep(0.3)
        progress.advance(note=lambda: "loss 1.5")
with Progress(None, "reading") as progress:
    progress.advance(7)
print("threads", threading.active_count())
"""
        for environment in ({}, {"NO_COLOR": "1"}):
            shown = _on_a_terminal(code, TERM="xterm", **environment)

            self.assertRegex(shown, r"\rdrawing: 0/4 \|.*0 gone, \? left\)")
            self.assertRegex(
                shown, r"drawing: 3/4 \|.+\| \(.+ gone, .+ left, loss 1\.5\)"
            )
            self.assertRegex(shown, r"reading: 7 \(00:0\d gone\)")
            # Neither colors nor a hidden cursor.
            self.assertNotIn("\x1b", shown)
            self.assertIn("threads 1", shown)

    def test_failure_writes_no_last_line(self):
        with self.assertRaisesRegex(ValueError, "stop"), self._progress(3):
            raise ValueError("stop")

        self.assertLen(self.lines, 1)

    def _progress(self, total):
        return Progress(total, "drawing", clock=lambda: self.now)


if __name__ == "__main__":
    absltest.main()
