"""Training and search on several replicas, from the first step to the last.

Tracing a network for every replica takes long: it is done once for training
and once for search. Where a run is stopped or meets damage, which
needs several processes, a stand-in takes the network's place, and only that.
"""

import json
import pathlib
import shutil
import signal
import time

import numpy as np
from absl.testing import absltest

from tests.user_paths import user_path

_SIZES = ("--image_size=64", "--picture_every=0", "--report_every=0")


def _flags(replicas):
    """Flags of so many replicas, two samples for each."""
    return (
        *("--strategy=mirrored", "--genotype=unet", "--steps_per_epoch=2"),
        *(f"--num_replicas={replicas}", f"--batch_size={2 * replicas}"),
    )


def _start(replicas, *arguments):
    """Starts the training of a stand-in on so many replicas."""
    return user_path.start_tiny("train", *_flags(replicas), *_SIZES, *arguments)


def _records(workdir):
    lines = (workdir / "metrics.jsonl").read_text().splitlines()
    return [json.loads(line) for line in lines]


def _with_damage(records, copy):
    """Copies records with one that cannot be read."""
    shutil.copytree(records, copy)
    shard = next(copy.glob("*.tfrecord"))
    content = bytearray(shard.read_bytes())
    content[200] ^= 255
    shard.write_bytes(content)
    return copy


class MirroredTest(absltest.TestCase):
    def setUp(self):
        super().setUp()
        self.folder = pathlib.Path(self.create_tempdir().full_path)
        self.drawn = user_path.drawn()

    def _arguments(self, name, validation=None):
        return (
            f"--records={self.drawn.train}",
            f"--validation_records={validation or self.drawn.validation}",
            f"--workdir={self.folder / name}",
        )

    def _train(self, name, replicas, *arguments, validation=None):
        return _start(replicas, *self._arguments(name, validation), *arguments)

    def _assert_ends_well(self, process):
        result = user_path.finish(process)
        self.assertEqual((result.exit_code, result.stderr), (0, ""))
        return result.stdout

    def test_training_ends_after_three_epochs(self):
        user_path.run_well(
            "train",
            *user_path.TINY,
            *_flags(replicas=2),
            *self._arguments("run"),
            "--epochs=3",
        )

        records = _records(self.folder / "run")
        self.assertEqual([each["epoch"] for each in records], [0, 1, 2])
        for record in records:
            self.assertIn("mean_iou", record["validation"])

    def test_search_ends_after_three_epochs(self):
        workdir = self.folder / "run"

        user_path.run_well(
            "search",
            *user_path.TINY,
            *_flags(replicas=2),
            "--stage=interaction_fusion",
            # Two of eight operations in one part: less to trace.
            "--primitives=std_conv_3x3,skip_connect",
            "--interaction=omit",
            "--warmup_epochs=1",
            "--epochs=3",
            f"--records={self.drawn.train}",
            f"--workdir={workdir}",
        )

        moves = [each["architecture_moves"] for each in _records(workdir)]
        self.assertEqual(moves, [False, True, True])

    def test_training_that_was_stopped_ends_as_if_it_never_was(self):
        epochs = self._stop("stopped") + 3

        stdout = self._assert_ends_well(
            self._train("stopped", 3, f"--epochs={epochs}")
        )
        self._assert_ends_well(self._train("straight", 3, f"--epochs={epochs}"))

        self.assertIn("resuming after", stdout)
        records = _records(self.folder / "stopped")
        self.assertLen(records, epochs)
        for record in records:
            self.assertIn("mean_iou", record["validation"])
        stopped, straight = (
            np.load(self.folder / name / "checkpoints" / "last.npz")
            for name in ("stopped", "straight")
        )
        variables = [n for n in stopped.files if stopped[n].dtype == np.float32]
        self.assertNotEmpty(variables)
        for name in variables:
            np.testing.assert_array_equal(stopped[name], straight[name], name)

    def _stop(self, name):
        """Stops a run some steps after its first; returns its epochs."""
        checkpoint = self.folder / name / "checkpoints" / "last.npz"
        process = self._train(name, 3, "--epochs=9999", "--checkpoint_every=1")
        end = time.monotonic() + user_path.PATIENCE_SECONDS
        while process.poll() is None and time.monotonic() < end:
            if checkpoint.exists():
                process.send_signal(signal.SIGTERM)
                break
            time.sleep(0.05)
        result = user_path.finish(process)
        self.assertEqual((result.exit_code, result.stderr), (143, ""))
        self.assertIn("stopped by SIGTERM", result.stdout)
        path = self.folder / name / "metrics.jsonl"
        return len(_records(path.parent)) if path.exists() else 0

    def test_damaged_records_end_it_in_one_line(self):
        damaged = {
            "records": _with_damage(self.drawn.train, self.folder / "train"),
            "validation": _with_damage(
                self.drawn.validation, self.folder / "validation"
            ),
        }

        processes = {
            "records": self._train(
                "a", 2, "--epochs=9", f"--records={damaged['records']}"
            ),
            "validation": self._train(
                "b", 2, "--epochs=9", validation=damaged["validation"]
            ),
        }

        for name, process in processes.items():
            result = user_path.finish(process)
            self.assertEqual(result.exit_code, 2, result.stderr)
            self.assertRegex(
                result.stderr, r"^nppnet-train: damaged record.*\n$"
            )
            self.assertIn(str(damaged[name]), result.stderr)


if __name__ == "__main__":
    absltest.main()
