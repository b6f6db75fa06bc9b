"""Epochs one after the other, stopped and resumed."""

import functools
import threading

import keras
import numpy as np
import tensorflow as tf
from absl.testing import absltest

from nppnet_tf import keys
from nppnet_tf.errors import UserError
from nppnet_tf.training import callbacks
from nppnet_tf.training import checkpoints
from nppnet_tf.training import loop
from nppnet_tf.training import recording
from nppnet_tf.training import stall
from nppnet_tf.training.workdir import Workdir
from tests import two_replicas
from tests.training import tiny_network


class EpochLoopTest(absltest.TestCase):
    def _run(
        self, folder, epochs, make_dataset=None, strategy=None, **settings
    ):
        with (strategy or tf.distribute.get_strategy()).scope():
            model = tiny_network.search_model(
                warmup_epochs=1, entropy_ramp_epochs=2, drop_epochs=(1,)
            )
        recorder = recording.SearchRecorder(model, Workdir(folder))
        first = recorder.resume()
        loop.EpochLoop(
            model,
            recorder,
            make_dataset
            or (
                lambda epoch, step: tiny_network.search_dataset(2, epoch).skip(
                    step
                )
            ),
            epochs,
            **settings,
        ).run(first)
        return recorder

    def test_stopping_changes_nothing(self):
        straight = self.create_tempdir().full_path
        stopped = self.create_tempdir().full_path

        self._run(straight, 2)
        for epochs in (1, 2):
            self._run(stopped, epochs)

        self._assert_same(straight, stopped)

    def test_stopping_within_an_epoch_changes_nothing_on_two_replicas(self):
        straight = self.create_tempdir().full_path
        stopped = self.create_tempdir().full_path
        settings = {
            "make_dataset": lambda epoch, step: tiny_network.search_dataset(
                3, epoch
            ).skip(step),
            "strategy": two_replicas.strategy(),
        }

        self._run(straight, 1, **settings)
        # Asked before the epoch and after its steps.
        asked = iter([False, False, True])
        self._run(
            stopped, 1, should_stop=functools.partial(next, asked), **settings
        )
        self._run(stopped, 1, **settings)

        self._assert_same(straight, stopped)

    def test_two_replicas_end_where_one_does(self):
        one, two = (
            self._run(self.create_tempdir().full_path, 2, strategy=strategy)
            for strategy in (None, two_replicas.strategy())
        )

        # Equal global batches: what differs is the order of sums.
        for left, right in zip(
            one.model.network.variables,
            two.model.network.variables,
            strict=True,
        ):
            np.testing.assert_allclose(
                keras.ops.convert_to_numpy(left),
                keras.ops.convert_to_numpy(right),
                atol=1e-5,
                err_msg=left.path,
            )
        for ours, theirs in zip(
            one.progress.history, two.progress.history, strict=True
        ):
            self.assertEqual(set(ours["losses"]), set(theirs["losses"]))
            for name, loss in ours["losses"].items():
                self.assertAlmostEqual(loss, theirs["losses"][name], places=4)

    def _assert_same(self, straight, stopped):
        left, right = (
            checkpoints.CheckpointFolder(f"{folder}/checkpoints").last()
            for folder in (straight, stopped)
        )
        self.assertEqual(set(left.arrays), set(right.arrays))
        for name, values in left.arrays.items():
            np.testing.assert_array_equal(values, right.arrays[name], name)
        for ours, theirs in zip(
            left.progress.history, right.progress.history, strict=True
        ):
            clocks = {"seconds": 0, "input_wait": 0}
            self.assertEqual({**ours, **clocks}, {**theirs, **clocks})

    def test_checkpoint_of_the_epoch_before_a_bad_loss_is_kept(self):
        folder = self.create_tempdir().full_path

        def make_dataset(epoch, step):
            del step
            poison = np.float32(np.nan if epoch == 1 else 0.0)
            return tiny_network.search_dataset(2, epoch).map(
                lambda pair: {
                    **pair,
                    keys.WEIGHT_SPLIT: {
                        **pair[keys.WEIGHT_SPLIT],
                        keys.IMAGE: pair[keys.WEIGHT_SPLIT][keys.IMAGE]
                        + poison,
                    },
                }
            )

        with self.assertRaisesRegex(UserError, "epoch 1, step 1"):
            self._run(
                folder, 3, make_dataset, callbacks=[callbacks.FiniteLossGuard()]
            )

        kept = checkpoints.CheckpointFolder(f"{folder}/checkpoints").last()
        self.assertEqual(kept.progress.epoch, 1)
        for values in kept.arrays.values():
            self.assertTrue(np.isfinite(values).all())

    def test_tells_the_watch_what_each_step_waits_for(self):
        heard = []
        watch = stall.silent()
        watch.waits = heard.append
        watch.is_done = lambda: heard.append("done")
        model = tiny_network.retrain_model()
        recorder = recording.RetrainRecorder(
            model, Workdir(self.create_tempdir().full_path), lambda facts: None
        )

        loop.EpochLoop(
            model,
            recorder,
            lambda epoch, step: tiny_network.dataset(2, epoch),
            epochs=1,
            make_validation=lambda: tiny_network.dataset(1),
            watch=watch,
        ).run()

        first, second = (
            [stall.TRAINING_INPUT, step, stall.CHECKPOINT, "done"]
            for step in (stall.TRACING, stall.STEP)
        )
        self.assertEqual(
            heard,
            [
                *(stall.TRAINING_INPUT, *first, *second),
                *(stall.VALIDATION_INPUT, stall.TRACING, "done"),
                *(stall.VALIDATION_INPUT, stall.RECORD, "done"),
            ],
        )

    def test_input_that_stands_still_is_named(self):
        told = []
        is_waiting, goes_on = threading.Event(), threading.Event()

        def tell(seconds, what):
            if is_waiting.is_set() and not goes_on.is_set():
                told.append(what)
                goes_on.set()

        def wait(number):
            is_waiting.set()
            goes_on.wait()
            return number

        watch = stall.StallWatch(tell, patience_seconds=0.01)
        with watch.watching():
            self._run(
                self.create_tempdir().full_path,
                1,
                lambda epoch, step: tf.data.Dataset.zip(
                    tiny_network.search_dataset(1, epoch),
                    tf.data.Dataset.range(1).map(
                        lambda n: tf.numpy_function(wait, [n], tf.int64)
                    ),
                ).map(lambda pair, n: pair),
                watch=watch,
            )

        self.assertEqual(told, [stall.TRAINING_INPUT])

    def test_validates_every_few_epochs_and_in_the_last(self):
        told = []
        model = tiny_network.retrain_model()
        recorder = recording.RetrainRecorder(
            model, Workdir(self.create_tempdir().full_path), lambda facts: None
        )

        loop.EpochLoop(
            model,
            recorder,
            lambda epoch, step: tiny_network.dataset(1, epoch),
            epochs=4,
            make_validation=lambda: tiny_network.dataset(1),
            validate_every=3,
            on_epoch=told.append,
        ).run()

        validated = [
            "validation" in record for record in recorder.progress.history
        ]
        self.assertEqual(validated, [False, False, True, True])
        self.assertEqual(tuple(told), recorder.progress.history)


if __name__ == "__main__":
    absltest.main()
