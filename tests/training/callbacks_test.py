"""The guard, the report of steps and the profile window."""

import pathlib
from unittest import mock

import numpy as np
import tensorflow as tf
from absl.testing import absltest
from absl.testing import parameterized
from tensorflow.tsl.profiler.protobuf import xplane_pb2

from nppnet_tf import keys
from nppnet_tf.errors import UserError
from nppnet_tf.training import callbacks
from nppnet_tf.training import checkpoints
from nppnet_tf.training import recording
from nppnet_tf.training.workdir import Workdir
from tests.training import tiny_network


def _poisoned(steps, bad_step):
    """Batches, one of which, counted from 1, holds a heatmap of NaN."""

    def poison(number, batch):
        factor = tf.where(number == bad_step - 1, np.nan, 0.0)
        heatmaps = batch[keys.HEATMAPS] + tf.cast(factor, tf.float32)
        return {**batch, keys.HEATMAPS: heatmaps}

    return tiny_network.dataset(steps).enumerate().map(poison)


class FiniteLossGuardTest(absltest.TestCase):
    def test_names_epoch_step_and_loss(self):
        model = tiny_network.retrain_model()

        with self.assertRaisesRegex(
            UserError,
            "epoch 7, step 2;.*pose_loss nan.*nothing was saved",
        ):
            model.fit(
                _poisoned(4, bad_step=2),
                initial_epoch=7,
                epochs=8,
                shuffle=False,
                verbose=0,
                callbacks=[callbacks.FiniteLossGuard()],
            )

    def test_names_the_steps_between_two_looks(self):
        guard = callbacks.FiniteLossGuard(check_every=3)
        guard.on_epoch_begin(0)
        guard.on_train_batch_end(0, {"loss": 1.0})
        guard.on_train_batch_end(2, {"loss": 1.0})
        guard.on_train_batch_end(3, {"loss": np.inf})

        with self.assertRaisesRegex(UserError, "step 4 to 6;.*loss inf"):
            guard.on_train_batch_end(5, {"loss": np.inf})

    def test_looks_at_the_end_of_an_epoch(self):
        guard = callbacks.FiniteLossGuard(check_every=10)
        guard.on_epoch_begin(0)
        guard.on_train_batch_end(0, {"loss": np.nan})

        with self.assertRaisesRegex(UserError, "step 1 or later"):
            guard.on_epoch_end(0, {"loss": np.nan})

    def test_names_the_checkpoint_that_is_left(self):
        path = self.create_tempfile("last.npz").full_path
        guard = callbacks.FiniteLossGuard(checkpoint_path=path)
        guard.on_epoch_begin(1)

        with self.assertRaisesRegex(UserError, "kept .*last.npz"):
            guard.on_train_batch_end(0, {"loss": np.nan})

    def test_counts_the_steps_of_an_epoch_that_is_resumed(self):
        guard = callbacks.FiniteLossGuard(first_step=5)
        guard.on_epoch_begin(0)
        guard.on_train_batch_end(0, {"loss": 1.0})

        with self.assertRaisesRegex(UserError, "epoch 0, step 7;"):
            guard.on_train_batch_end(1, {"loss": np.nan})
        guard.on_epoch_begin(1)
        with self.assertRaisesRegex(UserError, "epoch 1, step 1;"):
            guard.on_train_batch_end(0, {"loss": np.nan})

    def test_finite_losses_pass(self):
        guard = callbacks.FiniteLossGuard()
        guard.on_epoch_begin(0)

        guard.on_train_batch_end(0, {"loss": 1e30})
        guard.on_epoch_end(0, {"loss": 1e30})

    def test_interval_must_be_positive(self):
        with self.assertRaisesRegex(ValueError, "check_every=0"):
            callbacks.FiniteLossGuard(0)


class EpochPartSaverTest(absltest.TestCase):
    def setUp(self):
        super().setUp()
        self.recorder = recording.RetrainRecorder(
            tiny_network.retrain_model(),
            Workdir(self.create_tempdir().full_path),
            lambda facts: None,
        )

    def _fit(self, dataset, **settings):
        saver = callbacks.EpochPartSaver(self.recorder, **settings)
        self.recorder.model.fit(
            dataset, shuffle=False, verbose=0, callbacks=[saver]
        )
        return saver

    def test_saves_every_few_steps(self):
        saved = []
        self.recorder.record_part = lambda part: saved.append(part.step)

        self._fit(tiny_network.dataset(5), save_every=2)

        self.assertEqual(saved, [2, 4])

    def test_saves_nothing_that_is_not_finite(self):
        saved = []
        self.recorder.record_part = lambda part: saved.append(part.step)

        self._fit(_poisoned(4, bad_step=3), save_every=1)

        self.assertEqual(saved, [1, 2])

    def test_stops_where_it_should_and_saves(self):
        asked = iter([False, True])

        self._fit(tiny_network.dataset(5), should_stop=lambda: next(asked))

        kept = self.recorder.checkpoints.last().progress
        self.assertEqual((kept.epoch, kept.part.step), (0, 2))

    def test_seconds_add_up_over_the_parts(self):
        self.recorder.progress = checkpoints.Progress(
            part=checkpoints.EpochPart(step=3, seconds=100.0)
        )

        with mock.patch.object(callbacks, "time") as clock:
            clock.monotonic.side_effect = [5.0, 7.0]
            saver = callbacks.EpochPartSaver(self.recorder)

            self.assertEqual(saver.seconds, 102.0)


class StepReportTest(absltest.TestCase):
    def test_tells_the_loss_of_every_step(self):
        notes = []
        model = tiny_network.retrain_model()

        model.fit(
            tiny_network.dataset(3),
            shuffle=False,
            verbose=0,
            callbacks=[callbacks.StepReport(notes.append)],
        )

        self.assertLen(notes, 3)
        self.assertRegex(notes[0](), r"^loss \d+\.\d{4}$")

    def test_step_waits_for_no_loss(self):
        numbers = []
        model = tiny_network.retrain_model()
        steps = [
            callbacks.StepReport(lambda note: None),
            callbacks.FiniteLossGuard(check_every=2),
        ]

        with mock.patch.object(
            callbacks.keras.ops,
            "convert_to_numpy",
            side_effect=lambda value: numbers.append(1) or np.asarray(value),
        ):
            for callback in steps:
                callback.set_model(model)
                callback.on_epoch_begin(0)
                for step in range(4):
                    callback.on_train_batch_end(step, {"loss": np.float32(1)})

        # The guard looks after the second and the fourth step.
        self.assertLen(numbers, 2)


class ProfileWindowTest(parameterized.TestCase):
    def test_writes_a_trace(self):
        folder = pathlib.Path(self.create_tempdir().full_path) / "tensorboard"
        window = callbacks.ProfileWindow(2, 3, folder)

        tiny_network.retrain_model().fit(
            tiny_network.dataset(4),
            shuffle=False,
            verbose=0,
            callbacks=[window],
        )

        traces = list(folder.glob("plugins/profile/*/*.xplane.pb"))
        self.assertLen(traces, 1)
        self.assertTrue(window.is_complete)
        # The profile page takes these for steps.
        self.assertEqual(_marked_steps(traces[0]), [2, 3])

    def test_window_that_is_cut_short_is_closed(self):
        folder = pathlib.Path(self.create_tempdir().full_path)
        window = callbacks.ProfileWindow(1, 9, folder)
        window.on_train_batch_begin(0)

        window.close()

        self.assertLen(list(folder.rglob("*.xplane.pb")), 1)
        self.assertFalse(window.is_complete)

    def test_impossible_window_is_an_error(self):
        with self.assertRaisesRegex(ValueError, "first_step=3, last_step=2"):
            callbacks.ProfileWindow(3, 2, "folder")


def _marked_steps(path):
    """Numbers of the steps that a trace marks as steps of training."""
    space = xplane_pb2.XSpace.FromString(path.read_bytes())
    return sorted(
        stat.int64_value
        for plane in space.planes
        for line in plane.lines
        for event in line.events
        if plane.event_metadata[event.metadata_id].name == "train"
        for stat in event.stats
        if plane.stat_metadata[stat.metadata_id].name == "step_num"
    )


if __name__ == "__main__":
    absltest.main()
