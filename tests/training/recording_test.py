"""What an epoch leaves behind; which epoch is best."""

import json
import pathlib
from unittest import mock

import numpy as np
import tensorflow as tf
from absl.testing import absltest
from tensorflow.core.util import event_pb2

from nppnet_tf.errors import UserError
from nppnet_tf.search_space import genotype as genotypes
from nppnet_tf.search_space import pruning
from nppnet_tf.training import recording
from nppnet_tf.training.workdir import Workdir
from tests.training import tiny_network

_SEARCH_LOGS = {"loss": 2.0, "architecture_loss": 3.0}


def _events(folder):
    return [
        event_pb2.Event.FromString(record.numpy())
        for path in sorted(pathlib.Path(folder).glob("events*"))
        for record in tf.data.TFRecordDataset(str(path))
    ]


def _tags(folder):
    return {value.tag for e in _events(folder) for value in e.summary.value}


class _Case(absltest.TestCase):
    def setUp(self):
        super().setUp()
        self.workdir = Workdir(self.create_tempdir().full_path)

    def _lines(self):
        text = self.workdir.metrics_file.read_text()
        return [json.loads(line) for line in text.splitlines()]


class SearchRecorderTest(_Case):
    def setUp(self):
        super().setUp()
        self.model = tiny_network.search_model()
        self.recorder = recording.SearchRecorder(self.model, self.workdir)

    def test_writes_genotype_shares_and_metrics_of_every_epoch(self):
        self.recorder.record(0, _SEARCH_LOGS, 1.5)
        self.recorder.record(1, _SEARCH_LOGS, 1.5, 0.25)

        lines = self._lines()
        self.assertLen(lines, 2)
        record = lines[1]
        self.assertEqual(record["epoch"], 1)
        self.assertEqual(record["seconds"], 1.5)
        self.assertEqual(record["input_wait"], 0.25)
        self.assertEqual(record["losses"], _SEARCH_LOGS)
        self.assertIn("architecture_optimizer", record["learning_rates"])
        self.assertIn("pose_stage_0", record["task_weights"])
        self.assertGreater(record["entropy_mean"], 2.0)
        self.assertIn("skip_share", record["parts"]["pose/interaction"])
        self.assertEqual(record["agreement"], {"1_ago": 1.0})
        self.assertEqual(record["loss_gap"], {})
        # Nothing has moved yet.
        self.assertEqual(record["gradient_norms"], {})
        latest = genotypes.load(self.workdir.genotype_file)
        of_epoch = genotypes.load(self.workdir.path / record["genotype"])
        self.assertEqual(latest, of_epoch)
        self.assertFalse(latest.is_searched)

    def test_describing_an_epoch_writes_nothing(self):
        described = self.recorder.describe({"epoch": 0, "losses": {}})

        self.assertEqual(described["genotype"], "genotypes/epoch_0000.json")
        self.assertEmpty(
            [p for p in self.workdir.path.rglob("*") if p.is_file()]
        )

    def test_an_epoch_is_derived_once(self):
        """Also where a rule looks at what is kept, and where costs are told."""
        self.model = tiny_network.search_model(stop_rule="darts_plus")
        recorder = recording.SearchRecorder(self.model, self.workdir)
        derive = self.enterContext(
            mock.patch.object(pruning, "derive", wraps=pruning.derive)
        )

        record = recorder.record(0, _SEARCH_LOGS, 1.0)

        derive.assert_called_once()
        self.assertIn("stop_rule", record)
        self.assertEqual(
            genotypes.load(self.workdir.genotype_file),
            pruning.derive(*derive.call_args.args),
        )

    def test_best_is_the_lowest_loss_on_the_architecture_half(self):
        for epoch, loss in enumerate([3.0, 1.0, 2.0]):
            self.recorder.record(epoch, {"architecture_loss": loss}, 1.0)

        self.assertEqual(self.recorder.progress.best_epoch, 1)

    def test_warmup_is_best_only_while_there_is_nothing_else(self):
        self.recorder.record(0, {"loss": 0.1}, 1.0)
        self.assertEqual(self.recorder.progress.best_epoch, 0)

        self.recorder.record(1, {"architecture_loss": 9.0}, 1.0)

        self.assertEqual(self.recorder.progress.best_epoch, 1)

    def test_tensorboard_gets_every_number(self):
        self.recorder.record(0, _SEARCH_LOGS, 1.0)

        tags = _tags(self.workdir.tensorboard)
        self.assertContainsSubset(
            {
                "losses/architecture_loss",
                "learning_rates/weight_optimizer",
                "task_weights/pose_stage_0",
                "entropy_mean",
                "parts/pose/interaction/largest_share",
                "parts/pose/interaction/skip_share",
            },
            tags,
        )

    def test_resumes_after_the_epoch_that_is_complete(self):
        self.recorder.record(0, _SEARCH_LOGS, 1.0)
        # A run that was killed after its metrics and before its checkpoint.
        with self.workdir.metrics_file.open("a") as file:
            file.write('{"epoch": 1}\n')
        other = recording.SearchRecorder(
            tiny_network.search_model(), self.workdir
        )

        self.assertEqual(other.resume(), 1)

        self.assertEqual([line["epoch"] for line in self._lines()], [0])
        self.assertEqual(other.progress, self.recorder.progress)

    def test_starts_at_zero_without_a_checkpoint(self):
        self.assertEqual(self.recorder.resume(), 0)
        # As of a run that was killed before its first.
        self.workdir.path.mkdir(exist_ok=True)
        self.workdir.metrics_file.write_text('{"epoch": 0}\n')
        self.assertEqual(self.recorder.resume(), 0)

    def test_a_checkpoint_that_is_gone_is_missed(self):
        self.workdir.path.mkdir(exist_ok=True)
        self.workdir.metrics_file.write_text('{"epoch": 0}\n{"epoch": 1}\n')

        with self.assertRaisesRegex(UserError, "missing.*last.npz.*2 epochs"):
            self.recorder.resume()


class RetrainRecorderTest(_Case):
    def setUp(self):
        super().setUp()
        self.saved = []
        metrics = [tf.keras.metrics.Mean("mean_iou")]
        self.recorder = recording.RetrainRecorder(
            tiny_network.retrain_model(metrics), self.workdir, self.saved.append
        )

    def test_network_of_the_best_epoch_is_kept(self):
        for epoch, score in enumerate([0.2, 0.5, 0.4]):
            self.recorder.record(
                epoch, {"loss": 1.0, "val_mean_iou": score}, 1.0
            )

        self.assertEqual([extra["epoch"] for extra in self.saved], [0, 1])
        self.assertEqual(self.saved[-1]["validation"], {"mean_iou": 0.5})
        self.assertEqual(self.recorder.progress.best_epoch, 1)

    def test_without_validation_the_last_is_best(self):
        for epoch in range(3):
            self.recorder.record(epoch, {"loss": 1.0}, 1.0)

        self.assertEqual([extra["epoch"] for extra in self.saved], [0, 1, 2])

    def test_epochs_between_validations_are_not_best(self):
        logs = [{"val_mean_iou": 0.1}, {}, {"val_mean_iou": 0.2}]
        for epoch, log in enumerate(logs):
            self.recorder.record(epoch, {"loss": 1.0, **log}, 1.0)

        self.assertEqual([extra["epoch"] for extra in self.saved], [0, 2])


class EventWriterTest(absltest.TestCase):
    def test_a_file_in_the_place_of_its_folder_is_named(self):
        path = self.create_tempfile().full_path

        with self.assertRaisesRegex(FileExistsError, path):
            recording.EventWriter(path).write_picture(
                "people", np.zeros((8, 8, 3), np.uint8), 3
            )

    def test_writes_a_picture(self):
        folder = self.create_tempdir().full_path
        picture = np.zeros((8, 8, 3), np.uint8)

        recording.EventWriter(folder).write_picture("predictions", picture, 3)

        events = [e for e in _events(folder) if e.summary.value]
        self.assertEqual(events[0].step, 3)
        self.assertEqual(events[0].summary.value[0].tag, "predictions")


if __name__ == "__main__":
    absltest.main()
