"""Batches of a dataset, divided among the replicas of a strategy."""

import traceback
from types import TracebackType
from typing import Any
from typing import Self

import tensorflow as tf


class ReplicaBatches:
    """Hands out batches, divided among the replicas, until it is closed.

    `tf.distribute` would make an iterator for every device and functions for
    each, anew in every epoch, all of which Python's garbage collector ends some
    day, in whatever thread it runs. Here samples are made in Python by threads
    of the dataset, so that where the reading ends matters: it waits for samples
    that are being made. So the dataset is read once, on the host; each batch is
    divided here (replica i of n gets the i-th n-th of its samples, as
    `tf.distribute` gives it); and the reading ends where the `with` block does,
    in the same thread and without Python's lock, whatever ends the block.

    Args:
        dataset: Data set of this process' shares of batches, whose every tensor
            has one first axis, of a length that its replicas divide.
        strategy: Strategy of the run.
        parts: Parts that each batch comes in, as a list, where there are
            several: the i-th of them holds the i-th n-th of the samples.

    Example:
        with ReplicaBatches(dataset, strategy) as batches:
            for batch in batches:
                strategy.run(step, args=(batch,))
    """

    def __init__(
        self,
        dataset: tf.data.Dataset,
        strategy: tf.distribute.Strategy,
        parts: int = 1,
    ) -> None:
        self.steps = int(dataset.cardinality())
        self._strategy = strategy
        self._parts = parts
        self._batches = iter(dataset)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        while error is not None:
            # Frames that are over hold the iterator as long as their error.
            traceback.clear_frames(error.__traceback__)
            error = error.__context__
        self.close()

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> Any:
        """Returns the next batch; of several replicas a value for each."""
        batch = next(self._batches)
        if self._parts == 1:
            return self._on_replicas(batch)
        return [self._on_replicas(part) for part in _divide(batch, self._parts)]

    def close(self) -> None:
        """Ends the reading; waits for samples that are being made."""
        self._batches = iter(())

    def _on_replicas(self, batch: Any) -> Any:
        """Gives each replica of this process its share of some samples."""
        if self._strategy.num_replicas_in_sync == 1:
            return batch
        devices = self._strategy.extended.worker_devices
        shares = _divide(batch, len(devices))

        def share(context: Any) -> Any:
            # Replicas are counted through all processes.
            number = context.replica_id_in_sync_group % len(devices)
            with tf.device(devices[number]):
                return tf.nest.map_structure(tf.identity, shares[number])

        return self._strategy.experimental_distribute_values_from_function(
            share
        )


def _divide(batch: Any, replicas: int) -> list[Any]:
    """Splits the first axis of every tensor of a structure."""
    parts = [tf.split(value, replicas) for value in tf.nest.flatten(batch)]
    return [
        tf.nest.pack_sequence_as(batch, share)
        for share in zip(*parts, strict=True)
    ]
