"""Batches divided among replicas, and the end of their reading."""

from tests import two_replicas  # isort: skip  (before any operation)

import threading
import time

import numpy as np
import tensorflow as tf
from absl.testing import absltest
from absl.testing import parameterized

from nppnet_tf.training.replica_batches import ReplicaBatches


class _SlowSamples:
    """A dataset whose samples are made in Python, some waiting for a word.

    Args:
        free: Number of the first that waits for `go_on`.
        broken: Number of one that cannot be made, once another waits.

    Attributes:
        dataset: Data set of 100 batches.
        is_waiting: Set as soon as one does.
        go_on: Lets all go on.
        running: Samples that are being made.
    """

    def __init__(self, free, broken=None):
        self.is_waiting = threading.Event()
        self.go_on = threading.Event()
        self.running = set()
        self._free = free
        self._broken = broken
        options = tf.data.Options()
        options.autotune.enabled = False
        self.dataset = (
            tf.data.Dataset.range(100)
            .map(self._make, num_parallel_calls=2)
            .prefetch(2)
            .with_options(options)
        )

    def let_go_on_soon(self):
        """Lets all go on half a second after one began to wait.

        By another thread: were Python's lock held by the one that waits for
        the end meanwhile, both would stand still for ever.
        """

        def go_on():
            self.is_waiting.wait()
            time.sleep(0.5)
            self.go_on.set()

        threading.Thread(target=go_on, daemon=True).start()

    def _load(self, number):
        if number == self._broken:
            self.is_waiting.wait()
            raise ValueError("a broken sample")
        self.running.add(int(number))
        if number >= self._free:
            self.is_waiting.set()
            self.go_on.wait()
        self.running.remove(int(number))
        return np.float32([number, number + 0.5])

    def _make(self, number):
        value = tf.numpy_function(self._load, [number], tf.float32)
        value.set_shape([2])
        return {"value": value}


class ReplicaBatchesTest(parameterized.TestCase):
    def test_one_replica_gets_the_batch_itself(self):
        dataset = tf.data.Dataset.range(3).batch(1)

        with ReplicaBatches(dataset, tf.distribute.get_strategy()) as batches:
            values = [int(batch[0]) for batch in batches]

        self.assertEqual(batches.steps, 3)
        self.assertEqual(values, [0, 1, 2])

    def test_replicas_get_what_tensorflow_would_give_them(self):
        strategy = two_replicas.strategy()
        dataset = tf.data.Dataset.range(24).batch(4)
        dataset = dataset.map(lambda n: {"a": n, "b": {"c": -n}})

        def shares(distributed):
            return [
                [
                    x.numpy().tolist()
                    for x in strategy.experimental_local_results(v)
                ]
                for batch in distributed
                for v in (batch["a"], batch["b"]["c"])
            ]

        with ReplicaBatches(dataset, strategy) as batches:
            ours = shares(batches)

        theirs = shares(strategy.experimental_distribute_dataset(dataset))
        self.assertEqual(ours, theirs)
        self.assertEqual(ours[0], [[0, 1], [2, 3]])

    def test_shares_lie_where_their_replica_computes(self):
        strategy = two_replicas.strategy()

        with ReplicaBatches(
            tf.data.Dataset.range(2).batch(2), strategy
        ) as batches:
            shares = strategy.experimental_local_results(next(batches))

        self.assertEqual(
            [tf.DeviceSpec.from_string(s.device).device_index for s in shares],
            [0, 1],
        )

    @parameterized.named_parameters(
        ("one_replica", tf.distribute.get_strategy),
        ("two_replicas", two_replicas.strategy),
    )
    def test_ends_with_the_block_though_a_sample_is_being_made(self, strategy):
        samples = _SlowSamples(free=1)

        with ReplicaBatches(samples.dataset, strategy()) as batches:
            next(batches)
            samples.is_waiting.wait()
            samples.let_go_on_soon()

        self.assertEmpty(samples.running)

    @parameterized.parameters(ValueError, KeyboardInterrupt)
    def test_ends_with_the_block_whatever_ends_that(self, kind):
        samples = _SlowSamples(free=1)

        with self.assertRaises(kind) as caught:  # noqa: SIM117
            with ReplicaBatches(
                samples.dataset, tf.distribute.get_strategy()
            ) as batches:
                next(batches)
                samples.is_waiting.wait()
                samples.let_go_on_soon()
                raise kind

        self.assertIsNotNone(caught.exception)
        self.assertEmpty(samples.running)

    def test_error_of_the_input_does_not_keep_the_reading_alive(self):
        samples = _SlowSamples(free=1, broken=0)
        strategy = tf.distribute.get_strategy()

        try:
            with ReplicaBatches(samples.dataset, strategy) as batches:
                samples.let_go_on_soon()
                next(batches)
        except tf.errors.OpError as error:
            # It is held until the test ends.
            caught = error
            running = set(samples.running)

        self.assertIn("a broken sample", str(caught))
        self.assertTrue(samples.go_on.is_set())
        self.assertEmpty(running)


if __name__ == "__main__":
    absltest.main()
