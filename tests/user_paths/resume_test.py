"""The same run twice is the same run, and so is one that was stopped."""

import json
import pathlib
import random
import signal
import time

import numpy as np
from absl.testing import absltest

from nppnet_tf.search_space import genotype as genotypes
from nppnet_tf.search_space import published
from tests.user_paths import user_path

_STEPS = ("--epochs=2", "--steps_per_epoch=2", "--checkpoint_every=1")
_TRAIN = (*user_path.TINY, *_STEPS)
_SEARCH = (
    *user_path.TINY,
    *_STEPS,
    "--stage=interaction_fusion",
    "--genotype=unet",
    "--interaction=omit",
    "--warmup_epochs=1",
)
# Fewer operations, less to trace.
_FEW = "--primitives=std_conv_3x3,skip_connect"


def _arrays(path):
    with np.load(path, allow_pickle=False) as file:
        # What is told of the run holds seconds.
        return {n: file[n].tobytes() for n in file.files if n != "metadata"}


def _records(workdir):
    lines = (workdir / "metrics.jsonl").read_text().splitlines()
    clocks = {"seconds": None, "input_wait": None}
    return [{**json.loads(line), **clocks} for line in lines]


class ResumeTest(absltest.TestCase):
    def setUp(self):
        super().setUp()
        self.folder = pathlib.Path(self.create_tempdir().full_path)
        self.records = f"--records={user_path.drawn().train}"
        self.random = random.Random(0)

    def _start(self, tool, name, *flags, is_real=False):
        workdir = f"--workdir={self.folder / name}"
        process = user_path.start(
            tool, self.records, workdir, *flags, is_real=is_real
        )
        # Whatever fails, nothing goes on after the test.
        self.addCleanup(user_path.end, process)
        return process

    def _start_tiny(self, tool, name, *flags, **variables):
        """With a stand-in of the network."""
        workdir = f"--workdir={self.folder / name}"
        process = user_path.start_tiny(
            tool, self.records, workdir, *flags, **variables
        )
        self.addCleanup(user_path.end, process)
        return process

    def _whole(self, tool, *flags):
        """Of an interpreter of its own: strings have other hashes there."""
        process = self._start(tool, "whole", *flags, is_real=True)
        return user_path.finish(process)

    def _stop(self, process, name, number):
        """Sends a signal at any moment behind the next checkpoint."""
        path = self.folder / name / "checkpoints" / "last.npz"
        before = path.stat().st_mtime_ns if path.exists() else 0
        self._wait_for(path, process)
        while path.stat().st_mtime_ns == before:
            self.assertIsNone(process.poll(), "ended before it saved")
            time.sleep(0.02)
        # Within a step, or while what follows it is written.
        time.sleep(self.random.uniform(0, 0.2))
        process.send_signal(number)
        return user_path.finish(process)

    def _wait_for(self, path, process):
        while not path.exists():
            self.assertIsNone(process.poll(), f"ended without {path}")
            time.sleep(0.02)

    def _assert_equal_runs(self, first, second):
        first, second = self.folder / first, self.folder / second
        self.assertEqual(_records(first), _records(second))
        for name in ("checkpoints/last.npz", "weights.npz"):
            if (first / name).exists():
                self.assertEqual(_arrays(first / name), _arrays(second / name))
        for name in ("genotype.json", "network.json"):
            if (first / name).exists():
                self.assertEqual(
                    (first / name).read_text(), (second / name).read_text()
                )
        self.assertEmpty(list(second.rglob("*.tmp-*")))

    def test_a_killed_training_ends_like_an_uninterrupted_one(self):
        flags = (*_TRAIN, f"--genotype={self._fused()}")
        whole = self._whole("train", *flags)
        self.assertEqual((whole.exit_code, whole.stderr), (0, ""))

        process = self._start("train", "stopped", *flags)
        killed = self._stop(process, "stopped", signal.SIGKILL)
        self.assertEqual(killed.exit_code, -signal.SIGKILL)
        # As if it had been killed while it wrote.
        (self.folder / "stopped" / "weights.npz.tmp-1").write_bytes(b"half")
        ended = user_path.finish(self._start("train", "stopped", *flags))

        self.assertEqual((ended.exit_code, ended.stderr), (0, ""))
        self.assertIn("resuming after", ended.stdout)
        self.assertNotIn("rounding", ended.stdout)
        self._assert_equal_runs("whole", "stopped")

    def _fused(self):
        """Cells whose nodes add up several operations, and little else."""
        path = self.folder / "genotype.json"
        gene = genotypes.Genotype(
            genotypes.UNET, genotypes.OMIT, published.released().fusion
        )
        genotypes.save(gene, path)
        return path

    def test_a_terminated_training_goes_on_and_tells_of_other_threads(self):
        flags = (*_TRAIN, "--genotype=unet")
        process = self._start_tiny("train", "run", *flags, "--epochs=9999")

        stopped = self._stop(process, "run", signal.SIGTERM)

        self.assertEqual((stopped.exit_code, stopped.stderr), (143, ""))
        self.assertIn("the same command goes on", stopped.stdout)
        epochs = f"--epochs={self._epochs('run') + 1}"
        further = self._start_tiny(
            "train", "run", *flags, epochs, TF_NUM_INTRAOP_THREADS="3"
        )
        ended = user_path.finish(further)
        self.assertEqual((ended.exit_code, ended.stderr), (0, ""))
        self.assertIn("resuming after", ended.stdout)
        self.assertIn("threads of an operation 3 in place of", ended.stdout)
        self.assertIn("to rounding, not to the bit", ended.stdout)

    def _epochs(self, name):
        """Epochs that a run has ended."""
        path = self.folder / name / "metrics.jsonl"
        return len(_records(path.parent)) if path.exists() else 0

    def test_a_killed_search_ends_like_an_uninterrupted_one(self):
        flags = (*_SEARCH, _FEW)
        whole = self._whole("search", *flags)
        self.assertEqual((whole.exit_code, whole.stderr), (0, ""))

        process = self._start("search", "stopped", *flags)
        self._wait_for(self.folder / "stopped" / "run.json", process)
        other = user_path.finish(self._start("search", "stopped", *flags))
        killed = self._stop(process, "stopped", signal.SIGKILL)
        self.assertEqual(killed.exit_code, -signal.SIGKILL)
        ended = user_path.finish(self._start("search", "stopped", *flags))

        self.assertEqual((ended.exit_code, ended.stderr), (0, ""))
        self.assertIn("resuming after", ended.stdout)
        self._assert_equal_runs("whole", "stopped")
        self.assertEqual(other.exit_code, 2)
        self.assertRegex(
            other.stderr, f"^[^\n]*in use; .*process {process.pid}\n$"
        )

    def test_a_prolonged_search_draws_what_a_long_one_drew(self):
        flags = (
            *_SEARCH,
            "--steps_per_epoch=1",
            "--warmup_epochs=0",
            "--relaxation=gumbel",
        )
        for name, epochs in (("long", 2), ("short", 1), ("short", 2)):
            process = self._start_tiny(
                "search", name, *flags, f"--epochs={epochs}"
            )
            ended = user_path.finish(process)
            self.assertEqual((ended.exit_code, ended.stderr), (0, ""))

        self._assert_equal_runs("long", "short")
        document = json.loads((self.folder / "long" / "run.json").read_text())
        self.assertEqual(document["settings"]["relaxation"], "gumbel")

    def test_a_step_that_ruins_the_weights_is_not_saved(self):
        flags = (
            *_TRAIN,
            "--genotype=unet",
            "--learning_rate=1e6",
            "--task_weight_learning_rate=1e6",
        )

        process = self._start_tiny("train", "run", *flags, "--epochs=8")
        ruined = user_path.finish(process)

        self.assertEqual(ruined.exit_code, 2)
        self.assertRegex(ruined.stderr, "^[^\n]*not finite[^\n]*\n$")
        last = self.folder / "run" / "checkpoints" / "last.npz"
        self.assertIn(
            f"kept {last}" if last.exists() else "nothing was saved",
            ruined.stderr,
        )
        if last.exists():
            with np.load(last) as file:
                numbers = [a for a in file.values() if a.dtype.kind == "f"]
            self.assertTrue(all(np.isfinite(a).all() for a in numbers))
        self._go_back("again", *flags)

    def _go_back(self, name, *flags):
        """Until the rates are such that the run ends well."""
        rollback = ("--on_nonfinite=rollback", "--max_rollbacks=60")

        process = self._start_tiny("train", name, *flags, *rollback)
        ended = user_path.finish(process)

        self.assertEqual((ended.exit_code, ended.stderr), (0, ""))
        self.assertIn("rollback 1 of at most 60, back to", ended.stdout)
        records = _records(self.folder / name)
        told = [r for record in records for r in record.get("rollbacks", [])]
        self.assertNotEmpty(told)
        self.assertIn("not finite", told[0]["reason"])
        self.assertEqual(
            records[-1]["learning_rates"]["weight_optimizer"],
            1e6 / 2 ** len(told),
        )
        self.assertLen(records, 2)


if __name__ == "__main__":
    absltest.main()
