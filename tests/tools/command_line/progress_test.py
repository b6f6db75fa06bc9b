"""Tests of tools.command_line.progress."""

from absl.testing import absltest

from tools.command_line import console
from tools.command_line.progress import Progress
from tools.command_line.progress import format_seconds


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
            progress.advance(note="loss 1.5")

        self.assertEqual(
            self.lines[1], "drawing: 1/2 (10 s gone, 10 s left) loss 1.5"
        )

    def test_unknown_total_has_no_time_left(self):
        with self._progress(None) as progress:
            self.now += 10.0
            progress.advance(5)

        self.assertEqual(self.lines[1], "drawing: 5 (10 s gone)")

    def test_over_yields_and_counts_every_item(self):
        progress = self._progress(3)

        self.assertEqual(list(progress.over("abc")), ["a", "b", "c"])
        self.assertEqual(progress.count, 3)

    def test_failure_writes_no_last_line(self):
        with self.assertRaisesRegex(ValueError, "stop"), self._progress(3):
            raise ValueError("stop")

        self.assertLen(self.lines, 1)

    def test_seconds_read_as_hours_and_minutes(self):
        self.assertEqual(format_seconds(3723), "1:02:03 h")

    def _progress(self, total):
        return Progress(total, "drawing", clock=lambda: self.now)


if __name__ == "__main__":
    absltest.main()
