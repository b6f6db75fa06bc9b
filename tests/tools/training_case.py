"""What tests of search, derive and train share: records, and a small network.

The tools run whole, but for `NPPNet`, whose tracing would take a minute a run;
`tests/training/tiny_network.py` stands for it.
"""

import contextlib
import io
import json
import os
import pathlib
import signal
from unittest import mock

import numpy as np
from absl.testing import parameterized
from PIL import Image

from nppnet_tf.data import descriptors
from nppnet_tf.data.record import Record
from nppnet_tf.data.records import record_writer
from nppnet_tf.models import weights_file
from nppnet_tf.training import callbacks
from tests import shared
from tests.training import tiny_network

SIZES = ("--image_size=32", "--batch_size=2", "--channels=16", "--cells=4")


def write_records(folder, count, seed=0, descriptor=descriptors.LIP):
    """Writes records of noise."""
    random = np.random.default_rng(seed)
    records = []
    for number in range(count):
        buffer = io.BytesIO()
        pixels = random.integers(0, 256, (40, 32, 3), np.uint8)
        Image.fromarray(pixels).save(buffer, "PNG")
        size = (descriptor.num_keypoints, 2)
        records.append(
            Record(
                f"person_{number}",
                buffer.getvalue(),
                random.integers(0, 7, (40, 32)).astype(np.uint8),
                random.uniform(0, 30, size).astype(np.float32),
                np.full(size[0], 2, np.int32),
            )
        )
    record_writer.write_records(records, folder, descriptor)


@contextlib.contextmanager
def terminated(step):
    """Sends this process SIGTERM within a step of a tool, counted from 1."""

    def on_train_batch_end(callback, batch, logs=None):
        del callback, logs
        if batch + 1 == step:
            os.kill(os.getpid(), signal.SIGTERM)

    with mock.patch.object(
        callbacks.StepReport, "on_train_batch_end", on_train_batch_end
    ):
        yield


class TrainingCase(parameterized.TestCase):
    """Gives a folder with records, and the small network to the tools."""

    def setUp(self):
        super().setUp()
        self.folder = pathlib.Path(self.create_tempdir().full_path)
        self.records = self.folder / "records"
        write_records(self.records, 8)
        for module in ("search", "retrain"):
            patch = mock.patch(
                f"nppnet_tf.training.{module}.NPPNet", tiny_network.TinyNetwork
            )
            patch.start()
            self.addCleanup(patch.stop)

    def run_tool(self, name, *arguments):
        """Runs a tool on the records, with the sizes of these tests."""
        return shared.run_tool(
            name,
            f"--records={self.records}",
            "--report_every=0",
            *SIZES,
            *arguments,
        )

    def assert_ends_well(self, result):
        self.assertEqual((result.exit_code, result.stderr), (0, ""))

    def assert_user_error(self, result, pattern):
        self.assertEqual(result.exit_code, 2, result)
        self.assertRegex(result.stderr, rf"^nppnet-\w+: .*{pattern}.*\n$")
        self.assertEqual(result.stderr.count("\n"), 1)

    def assert_terminated(self, result, place):
        self.assertEqual((result.exit_code, result.stderr), (143, ""))
        self.assertRegex(
            result.stdout.splitlines()[-1],
            f"^stopped by SIGTERM after {place}; the same command goes on",
        )

    def assert_same_runs(self, left, right):
        """Compares checkpoints and records, bit by bit but for the seconds."""
        for name in ("last.npz", "best.npz"):
            self._assert_same_arrays(
                left / "checkpoints" / name, right / "checkpoints" / name
            )
        ours, theirs = (_records(folder) for folder in (left, right))
        self.assertEqual(ours, theirs)

    def _assert_same_arrays(self, left, right):
        ours, theirs = (
            weights_file.read_arrays(path) for path in (left, right)
        )
        documents = [
            json.loads(str(arrays.pop("metadata"))) for arrays in (ours, theirs)
        ]
        for document in documents:
            for record in document["progress"]["history"]:
                del record["seconds"], record["input_wait"]
        self.assertEqual(*documents)
        self.assertEqual(set(ours), set(theirs))
        for name, values in ours.items():
            np.testing.assert_array_equal(values, theirs[name], name)


def _records(folder):
    lines = (folder / "metrics.jsonl").read_text().splitlines()
    clocks = {"seconds": 0, "input_wait": 0}
    return [{**json.loads(line), **clocks} for line in lines]
