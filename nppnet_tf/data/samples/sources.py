"""Samples by their place: a source knows what stands where in every epoch.

A source takes no TensorFlow and can be pickled, so that other processes make
batches of it. Everything is a function of (seed, epoch, position in the epoch):
what a batch holds does not depend on who makes it.
"""

import abc
import functools

import numpy as np

from nppnet_tf import keys
from nppnet_tf.config import InputConfig
from nppnet_tf.data.damage import BadRecordError
from nppnet_tf.data.records.record_set import RecordSet
from nppnet_tf.data.samples import augmentation
from nppnet_tf.data.samples import random_streams
from nppnet_tf.data.samples.augmentation import Transform
from nppnet_tf.data.samples.lent_arrays import ArrayForm
from nppnet_tf.data.samples.sample import augmented_sample
from nppnet_tf.data.samples.sample import empty_sample
from nppnet_tf.errors import UserError
from nppnet_tf.pictures import pixels

# What a batch holds of entries that samples hold as bytes.
_BATCH_DTYPES = {
    keys.IMAGE: np.float32,
    keys.LABEL_MAP: np.int32,
    keys.BOUNDARY_MAP: np.int32,
}


class Source(abc.ABC):
    """Makes the sample of every (epoch, position); called by many threads.

    Args:
        record_set: What to read.
        config: How.
    """

    def __init__(self, record_set: RecordSet, config: InputConfig) -> None:
        self.record_set = record_set
        self.config = config
        self.template = empty_sample(record_set.descriptor, config)
        self._places = config.share.places(config.batch_size)

    @abc.abstractmethod
    def __call__(self, epoch: int, position: int) -> dict[str, np.ndarray]:
        """Makes the sample at one place of one epoch."""

    @property
    def batch_form(self) -> dict[str, ArrayForm]:
        """Shapes and types of the arrays of this process' share of a batch."""
        size = len(self._places)
        return {
            name: ArrayForm(
                (size, *value.shape),
                np.dtype(_BATCH_DTYPES.get(name, value.dtype)),
            )
            for name, value in self.template.items()
        }

    def fill(self, batch: dict[str, np.ndarray], epoch: int, step: int) -> None:
        """Writes this process' share of a batch.

        A whole batch at a time: what TensorFlow would stack and cast afterwards
        costs half as much again as the samples themselves.

        Args:
            batch: Arrays of `batch_form` to write into.
            epoch: Which epoch.
            step: Which batch of it, counted from 0.
        """
        first = step * self.config.batch_size
        for place, of_batch in enumerate(self._places):
            sample = self(epoch, first + of_batch)
            for name in batch.keys() - {keys.IMAGE}:
                batch[name][place] = sample[name]
            pixels.normalize(sample[keys.IMAGE], batch[keys.IMAGE][place])

    def sample(self, index: int, transform: Transform) -> dict[str, np.ndarray]:
        """Makes one sample; BadRecordError names a record it cannot use."""
        record = self.record_set.read(index)
        try:
            return augmented_sample(
                record, transform, self.record_set.descriptor, self.config
            )
        except UserError as error:
            raise self.record_set.bad_record(index, error) from error


class TrainingSource(Source):
    """Shuffled, with drawn transforms; damaged records are replaced.

    Args:
        record_set: What to read.
        config: How.
        indices: The records to use.
        purpose: Keeps the draws of the halves apart.
    """

    def __init__(
        self,
        record_set: RecordSet,
        config: InputConfig,
        indices: np.ndarray,
        purpose: str,
    ) -> None:
        super().__init__(record_set, config)
        self._indices = indices
        self._purpose = purpose
        # Two epochs meet where prefetching crosses from one to the next.
        self._order = functools.lru_cache(maxsize=4)(self._draw_order)

    def __reduce__(self) -> tuple[type, tuple[object, ...]]:
        """Lets other processes have it, without its orders."""
        return type(self), (
            self.record_set,
            self.config,
            self._indices,
            self._purpose,
        )

    def __call__(self, epoch: int, position: int) -> dict[str, np.ndarray]:
        transform = augmentation.draw(
            self.config, self._generator("transform", epoch, position)
        )
        order = self._order(epoch)
        for step in range(len(order)):
            index = int(order[(position + step) % len(order)])
            try:
                return self.sample(index, transform)
            except BadRecordError as bad:
                self.record_set.damage.skip(bad, self.config.max_bad_records)
        self.record_set.damage.fail(
            UserError(
                "no record can be read",
                self.record_set.directory,
                "at least one good record",
                f"{len(order)} damaged ones",
            )
        )

    def _draw_order(self, epoch: int) -> np.ndarray:
        return self._generator("order", epoch).permutation(self._indices)

    def _generator(self, draw: str, *numbers: int) -> np.random.Generator:
        return random_streams.generator(
            self.config.seed, f"{self._purpose} {draw}", *numbers
        )


class ValidationSource(Source):
    """In order and fitted; damaged records and the rest are empty samples."""

    def __reduce__(self) -> tuple[type, tuple[object, ...]]:
        """Lets other processes have it."""
        return type(self), (self.record_set, self.config)

    def __call__(self, epoch: int, position: int) -> dict[str, np.ndarray]:
        if position >= self.record_set.count:
            return self.template
        try:
            return self.sample(position, Transform())
        except BadRecordError as bad:
            self.record_set.damage.skip(bad, self.config.max_bad_records)
            return self.template
