"""What a run says on the screen; the rest is tested with its tools."""

import contextlib

from absl import flags
from absl.testing import absltest
from absl.testing import parameterized

from tests import shared
from tools.command_line import run_loop


class RunLoopTest(parameterized.TestCase):
    def setUp(self):
        super().setUp()
        # Another test in this process may have imported a tool.
        self.enterContext(shared.forget_tools())
        flags.DEFINE_integer("epochs", 4, "As the tools define it.")
        flags.DEFINE_string("workdir", None, "As the tools define it.")
        for name in ("epochs", "workdir"):
            self.addCleanup(delattr, flags.FLAGS, name)
        flags.FLAGS(["tool"])

    def test_line_of_an_epoch_says_what_is_left(self):
        record = {
            "epoch": 1,
            "seconds": 30.0,
            "losses": {"loss": 1.25, "architecture_loss": 2.5},
            "entropy_mean": 2.0,
        }

        line = run_loop._epoch_line(record, ({}, record))

        self.assertEqual(
            line,
            "epoch 2/4: loss 1.2500, architecture loss 2.5000, entropy 2.0000, "
            "30 s, about 1:00 min left",
        )

    def test_first_epoch_promises_nothing(self):
        record = {"epoch": 0, "seconds": 90.0, "losses": {"loss": 1.0}}

        line = run_loop._epoch_line(record, (record,))

        self.assertEqual(line, "epoch 1/4: loss 1.0000, 1:30 min")

    def test_scores_say_at_which_size_they_were_measured(self):
        record = {
            "epoch": 3,
            "seconds": 1.0,
            "losses": {"loss": 1.0},
            "validation": {"mean_iou": 0.5, "pckh": 0.25, "loss": 2.0},
        }

        line = run_loop._epoch_line(record, (record,) * 4)

        self.assertEqual(
            line,
            "epoch 4/4: loss 1.0000, validation mean_iou 0.5000 (network's "
            "size), validation pckh 0.2500 (network's size), 1 s",
        )

    def test_clock_starts_behind_the_traced_step(self):
        with contextlib.ExitStack() as stack:
            progress = run_loop._StepProgress(3, stack)

            for _ in range(3):
                progress.report("loss 1.0")

            self.assertEqual(progress._progress.count, 2)
            self.assertEqual(progress._progress.total, 2)


if __name__ == "__main__":
    absltest.main()
