"""Epochs one after the other, stopped and resumed."""

import functools
import math
import pathlib
import tempfile
import threading

import keras
import numpy as np
import tensorflow as tf
from absl.testing import absltest

from nppnet_tf import keys
from nppnet_tf.errors import UserError
from nppnet_tf.models import budget as budgets
from nppnet_tf.models import choice_costs
from nppnet_tf.search_space import genotype as genotypes
from nppnet_tf.search_space import primitives
from nppnet_tf.training import callbacks
from nppnet_tf.training import checkpoints
from nppnet_tf.training import loop
from nppnet_tf.training import recording
from nppnet_tf.training import stall
from nppnet_tf.training.workdir import Workdir
from tests import two_replicas
from tests.training import tiny_network


def _budget():
    """One of the stand-in, far from what pruning finds at first."""
    random = np.random.default_rng(0)
    tables = {
        part.name: random.uniform(size=(len(part.edges), 8))
        for part in genotypes.searched_parts(tiny_network.FUSION)
    }
    costs = choice_costs.ChoiceCosts(1.0, tables, primitives.PAPER)
    return budgets.Budget(4.0, costs, budgets.MILLISECONDS)


class EpochLoopTest(absltest.TestCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.straight = tempfile.mkdtemp(dir=absltest.TEST_TMPDIR.value)
        cls.whole = cls._run(cls.straight, 2, budget=_budget())

    @staticmethod
    def _run(
        folder,
        epochs,
        make_dataset=None,
        strategy=None,
        budget=None,
        **settings,
    ):
        with (strategy or tf.distribute.get_strategy()).scope():
            model = tiny_network.search_model(
                genotype=tiny_network.FUSION,
                warmup_epochs=1,
                entropy_ramp_epochs=2,
                drop_epochs=(1,),
            )
        if budget is not None:
            model.keep_to(budget)
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
        stopped = self.create_tempdir().full_path
        budget = _budget()

        for epochs in (1, 2):
            self._run(stopped, epochs, budget=budget)

        self._assert_same(self.straight, stopped)
        cost = self.whole.progress.history[-1]["cost"]
        self.assertNotAlmostEqual(
            cost["pruned"], budget.target, delta=0.05 * budget.target
        )
        self.assertAlmostEqual(
            cost["derived"], budget.target, delta=0.05 * budget.target
        )
        self.assertNotEqual(cost["pull"], 0.0)
        # Who derives from the checkpoint finds what the search has found.
        last = checkpoints.CheckpointFolder(f"{stopped}/checkpoints").last()
        self.assertEqual(
            last.derive(), genotypes.load(f"{stopped}/genotype.json")
        )

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
        one = self.whole
        two = self._run(
            self.create_tempdir().full_path,
            2,
            strategy=two_replicas.strategy(),
            budget=_budget(),
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
        costs = [run.progress.history[-1]["cost"] for run in (one, two)]
        self.assertAlmostEqual(costs[0]["pull"], costs[1]["pull"], places=4)

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


def _spoil(pair, is_bad):
    """Makes the pictures of a step no numbers, where it is bad."""
    half = pair[keys.WEIGHT_SPLIT]
    bad = tf.where(is_bad, np.float32(np.nan), np.float32(0))
    spoiled = {**half, keys.IMAGE: half[keys.IMAGE] + bad}
    return {**pair, keys.WEIGHT_SPLIT: spoiled}


class RollbackTest(absltest.TestCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        # Traced once for all runs, each of which begins with its start.
        cls.model = tiny_network.search_model(genotype=tiny_network.FUSION)
        folder = tempfile.mkdtemp(dir=absltest.TEST_TMPDIR.value)
        cls.start = pathlib.Path(folder) / "start.npz"
        checkpoints.save(cls.start, cls.model, checkpoints.Progress())

    def setUp(self):
        super().setUp()
        self.folder = self.create_tempdir().full_path

    def _run(self, folder, spoiled, most=3, epochs=2, model=None):
        """Runs epochs of three steps; returns the recorder.

        Args:
            folder: Folder of the run.
            spoiled: Epoch and step that are no numbers, each once.
            most: Rollbacks at most.
            epochs: Epochs of the run.
            model: A model that has never run; else the common one.
        """
        if model is None:
            model = self.model
            checkpoints.restore(model, checkpoints.load(self.start))
            model.rate_factor = 1.0
        recorder = recording.SearchRecorder(model, Workdir(folder))
        first = recorder.resume()
        recorder.save_start()
        guard = callbacks.FiniteLossGuard(
            first_step=recorder.progress.part.step
        )

        def make_dataset(epoch, first_step):
            here = [step for place, step in spoiled if place == epoch][:1]
            bad = [step in here for step in range(3)]
            for place in [each for each in spoiled if each[0] == epoch][:1]:
                spoiled.remove(place)
            data = tf.data.Dataset.zip(
                tiny_network.search_dataset(3, epoch),
                tf.data.Dataset.from_tensor_slices(bad),
            )
            return data.map(_spoil).skip(first_step)

        def goes_back(error):
            if len(recorder.progress.rollbacks) == most:
                raise error
            recorder.roll_back(error.problem)
            guard.goes_on_from(recorder.progress.part.step)

        loop.EpochLoop(
            model,
            recorder,
            make_dataset,
            epochs,
            [guard],
            save_every=2,
            goes_back=goes_back,
        ).run(first)
        return recorder

    def test_goes_on_from_the_checkpoint_at_half_the_rates(self):
        recorder = self._run(self.folder, [(1, 2)])

        (rollback,) = recorder.progress.rollbacks
        self.assertEqual(
            rollback,
            {"epoch": 1, "step": 2, "reason": "loss is not finite"},
        )
        before, after = recorder.progress.history
        self.assertNotIn("rollbacks", before)
        self.assertEqual(after["rollbacks"], [rollback])
        for name, rate in before["learning_rates"].items():
            self.assertEqual(after["learning_rates"][name], rate / 2, name)
        self.assertTrue(all(map(math.isfinite, after["losses"].values())))

    def test_a_first_step_has_a_checkpoint_to_go_back_to(self):
        recorder = self._run(self.folder, [(0, 0)], epochs=1)

        (rollback,) = recorder.progress.rollbacks
        self.assertEqual((rollback["epoch"], rollback["step"]), (0, 0))
        # As if the rate had been the lower one from the start.
        self.assertLen(recorder.progress.history, 1)

    def test_a_run_resumed_behind_a_rollback_equals_one_that_was_not(self):
        whole = self._run(self.folder, [(0, 2)])
        expected = checkpoints.arrays_of(whole.model)
        stopped = self.create_tempdir().full_path
        self._run(stopped, [(0, 2)], epochs=1)
        fresh = tiny_network.search_model(genotype=tiny_network.FUSION)
        resumed = self._run(stopped, [], model=fresh)

        found = checkpoints.arrays_of(resumed.model)
        for name, values in expected.items():
            np.testing.assert_array_equal(values, found[name], name)
        self.assertEqual(whole.progress.rollbacks, resumed.progress.rollbacks)

    def test_the_last_checkpoint_knows_of_a_rollback_at_once(self):
        recorder = self._run(self.folder, [], epochs=1)

        recorder.roll_back("ruined")

        again = recording.SearchRecorder(
            tiny_network.search_model(genotype=tiny_network.FUSION),
            Workdir(self.folder),
        )
        again.resume()
        self.assertLen(again.progress.rollbacks, 1)
        self.assertEqual(again.model.rate_factor, 0.5)

    def test_a_checkpoint_that_did_not_help_is_not_taken_again(self):
        recorder = self._run(self.folder, [(1, 2), (1, 2), (1, 2)])

        places = [
            (rollback["epoch"], rollback["step"])
            for rollback in recorder.progress.rollbacks
        ]
        # The last, the best, which is of the end of epoch 0, and the start.
        self.assertEqual(places, [(1, 2), (1, 0), (0, 0)])
        self.assertEqual(recorder.model.rate_factor, 1 / 8)
        self.assertLen(recorder.progress.history, 2)

    def test_ends_after_so_many(self):
        with self.assertRaisesRegex(UserError, "loss is not finite"):
            self._run(self.folder, [(0, 0), (1, 1)], most=1)


if __name__ == "__main__":
    absltest.main()
