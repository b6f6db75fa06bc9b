"""A run whose batches other processes make, whatever ends one of them.

A stand-in takes the network's place: the batches are the real ones.
"""

import json
import os
import pathlib
import shutil
import signal
import time

import numpy as np
from absl.testing import absltest

from nppnet_tf.data.records.record_set import RecordSet
from tests import processes
from tests.data import sample_records
from tests.user_paths import user_path

_FLAGS = (
    *user_path.TINY,
    "--genotype=unet",
    "--epochs=4",
    "--checkpoint_every=1",
    "--max_bad_records=1",
)
_WORKER = "input_worker"


class InputWorkersTest(absltest.TestCase):
    def setUp(self):
        super().setUp()
        self.folder = pathlib.Path(self.create_tempdir().full_path)
        self.records = self.folder / "records"
        shutil.copytree(user_path.drawn().train, self.records)
        record_set = RecordSet.open(self.records)
        sample_records.flip_byte(
            record_set.shard_of(2), record_set._index[2].offset + 50
        )
        self.damaged = record_set.ids[2]

    def _start(self, name, workers):
        process = user_path.start_tiny(
            "train",
            f"--records={self.records}",
            f"--workdir={self.folder / name}",
            f"--input_workers={workers}",
            *_FLAGS,
        )
        # Whatever fails, nothing goes on after the test.
        self.addCleanup(user_path.end, process)
        return process

    def _workers_at_work(self, process, name):
        """Waits for a checkpoint of this process; returns its workers."""
        path = self.folder / name / "checkpoints" / "last.npz"
        before = path.stat().st_mtime_ns if path.exists() else 0
        while not path.exists() or path.stat().st_mtime_ns == before:
            self.assertIsNone(process.poll(), "ended before it saved")
            time.sleep(0.02)
        found = processes.children(_WORKER, process.pid)
        self.assertLen(found, 2)
        return found

    def _assert_end(self, numbers):
        end = time.monotonic() + user_path.PATIENCE_SECONDS
        while any(map(processes.is_running, numbers)):
            self.assertLess(time.monotonic(), end, "workers live on")
            time.sleep(0.02)

    def test_run_that_was_stopped_equals_that_of_threads(self):
        whole = user_path.finish(self._start("whole", 0))
        self.assertEqual(whole.exit_code, 0, whole.stderr)

        process = self._start("stopped", 2)
        workers = self._workers_at_work(process, "stopped")
        os.kill(workers[0], signal.SIGKILL)
        bereft = user_path.finish(process)
        self._assert_end(workers)

        process = self._start("stopped", 2)
        workers = self._workers_at_work(process, "stopped")
        # As a cluster ends a job: every process of it is told.
        for number in (*workers, process.pid):
            os.kill(number, signal.SIGTERM)
        stopped = user_path.finish(process)
        self._assert_end(workers)

        ended = user_path.finish(self._start("stopped", 2))

        self.assertEqual(bereft.exit_code, 2)
        *_, line = bereft.stderr.splitlines()
        self.assertRegex(line, "a worker process was killed.*--input_workers=2")
        self.assertEqual(stopped.exit_code, 143, stopped.stderr)
        self.assertEqual(ended.exit_code, 0, ended.stderr)
        for result in (whole, bereft, stopped, ended):
            self.assertNotIn("Traceback", result.stderr)
            # Each process names it once, where it meets it.
            named = f"skipped record {self.damaged}"
            self.assertLessEqual(result.stderr.count(named), 1)
        self.assertIn(named, whole.stderr)
        self.assertEqual(self._arrays("whole"), self._arrays("stopped"))
        self.assertEqual(self._losses("whole"), self._losses("stopped"))

    def test_workers_end_with_a_process_that_is_killed(self):
        process = user_path.start(
            "benchmark",
            "--what=input_pipeline",
            f"--records={user_path.drawn().train}",
            "--input_workers=2",
            "--repeats=1000",
        )
        self.addCleanup(user_path.end, process)
        while len(workers := processes.children(_WORKER, process.pid)) < 2:
            self.assertIsNone(process.poll(), "ended without workers")
            time.sleep(0.02)

        user_path.end(process)

        self._assert_end(workers)

    def _arrays(self, name):
        path = self.folder / name / "checkpoints" / "last.npz"
        with np.load(path, allow_pickle=False) as file:
            # What is told of the run holds seconds.
            return {n: file[n].tobytes() for n in file.files if n != "metadata"}

    def _losses(self, name):
        text = (self.folder / name / "metrics.jsonl").read_text()
        return [json.loads(line)["losses"] for line in text.splitlines()]


if __name__ == "__main__":
    absltest.main()
