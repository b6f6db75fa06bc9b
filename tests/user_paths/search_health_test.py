"""A search says that it goes wrong, and what to do; it stops where asked to.

A stand-in takes the network's place: alpha and beta are the real ones.
"""

import json
import pathlib

import numpy as np
from absl.testing import absltest

from tests.user_paths import user_path

_SEARCH = (
    *user_path.TINY,
    "--steps_per_epoch=1",
    "--stage=interaction_fusion",
    "--genotype=unet",
    "--interaction=omit",
    "--warmup_epochs=0",
    # Sick on purpose: alpha cannot move.
    "--architecture_learning_rate=0",
    "--epochs=4",
)


class SearchHealthTest(absltest.TestCase):
    def test_an_alarm_stops_a_search_that_then_goes_on(self):
        workdir = pathlib.Path(self.create_tempdir().full_path, "run")
        flags = (
            *_SEARCH,
            f"--records={user_path.drawn().train}",
            f"--workdir={workdir}",
            "--on_alarm=stop",
            "--report_every=2",
        )

        stopped = user_path.finish(user_path.start_tiny("search", *flags))

        self.assertEqual((stopped.exit_code, stopped.stderr), (3, ""))
        self.assertIn("alarm in epoch 3, frozen: alpha has", stopped.stdout)
        self.assertIn("; raise --architecture_learning_rate", stopped.stdout)
        self.assertIn(
            "stopped by an alarm after 3 epochs; the same command goes on",
            stopped.stdout,
        )

        # Its last epoch was not due, and is on the page that it leaves.
        page = workdir / "report.html"
        self.assertIn("3 epochs are complete", page.read_text())
        self.assertIn("Alarm in epoch 3, frozen", page.read_text())
        page.unlink()
        page.mkdir()

        ended = user_path.finish(user_path.start_tiny("search", *flags))

        self.assertEqual((ended.exit_code, ended.stderr), (0, ""))
        self.assertIn(
            "resuming after 3 epochs, where an alarm had stopped the run",
            ended.stdout,
        )
        self.assertIn("the page of epoch 4 is not drawn: ", ended.stdout)
        self.assertNotIn("alarm in epoch", ended.stdout)
        lines = (workdir / "metrics.jsonl").read_text().splitlines()
        records = [json.loads(line) for line in lines]
        self.assertEqual(
            [list(record.get("alarms", {})) for record in records],
            [[], [], ["frozen"], ["frozen"]],
        )
        self.assertEqual(records[-1]["agreement"], {"1_ago": 1.0})
        self.assertEqual(
            [record.get("stopped_by_alarm") for record in records],
            [None, None, True, None],
        )
        self.assertGreater(records[-1]["gradient_norms"]["ratio"], 0)

    def test_a_kill_before_the_stop_does_not_lose_it(self):
        workdir = pathlib.Path(self.create_tempdir().full_path, "run")
        flags = (
            *_SEARCH,
            f"--records={user_path.drawn().train}",
            f"--workdir={workdir}",
            "--on_alarm=stop",
        )
        killed = user_path.start_tiny("search", *flags)
        self.addCleanup(user_path.end, killed)
        checkpoint = workdir / "checkpoints" / "last.npz"
        while not _has_alarm(checkpoint):
            self.assertIsNone(killed.poll(), "ended before the alarm")
        killed.kill()
        before = user_path.finish(killed).stdout

        stopped = user_path.finish(user_path.start_tiny("search", *flags))

        if "stopped by an alarm" in before:
            # It was said: who goes on from there has read it.
            self.assertEqual((stopped.exit_code, stopped.stderr), (0, ""))
            return
        self.assertEqual((stopped.exit_code, stopped.stderr), (3, ""))
        self.assertIn("alarm in epoch 3, frozen: alpha has", stopped.stdout)
        self.assertNotIn("tracing", stopped.stdout)


def _has_alarm(path):
    if not path.exists():
        return False
    with np.load(path, allow_pickle=False) as file:
        metadata = json.loads(str(file["metadata"]))
    return any(
        record.get("alarms") for record in metadata["progress"]["history"]
    )


if __name__ == "__main__":
    absltest.main()
