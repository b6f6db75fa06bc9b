"""Records to batches: order, draws, damage, and what tf.data makes of it.

Everything is a function of (seed, epoch, position in the epoch): a run resumed
at any step, or a second run, sees the same batches. Batches are made by NumPy
and PIL, where they cost less than half of what the same work costs as
TensorFlow operations (`geometry`): in threads of this process, which share
Python's lock, or in processes (`input_workers`). `docs/scale.md` tells how far
each carries.
"""

import contextlib
import dataclasses
import os
from collections.abc import Callable
from collections.abc import Iterator

import numpy as np
import tensorflow as tf

from nppnet_tf import keys
from nppnet_tf.config import SIDE_MULTIPLE
from nppnet_tf.config import InputConfig
from nppnet_tf.data.records.record_set import RecordSet
from nppnet_tf.data.samples import input_workers
from nppnet_tf.data.samples import random_streams
from nppnet_tf.data.samples import released_sampling
from nppnet_tf.data.samples import sources
from nppnet_tf.data.samples.lent_arrays import LentArrays
from nppnet_tf.data.samples.lent_arrays import PrivateMemory
from nppnet_tf.data.samples.sample import SAMPLINGS
from nppnet_tf.errors import UserError

Batch = dict[str, tf.Tensor]

_ALL = "all"

# Makes the batch of an epoch and a step.
_MakeBatch = Callable[[int, int], dict[str, np.ndarray]]

# Threads that make batches at once, where there are as many cores; batches that
# wait for a process; and those that lie ready besides.
_MOST_THREADS = 16
_WAITING_BATCHES = 2
_READY_BATCHES = 2


def make_dataset(
    record_set: RecordSet,
    config: InputConfig,
    training: bool,
    first_epoch: int = 0,
    num_epochs: int = 1,
    num_replicas: int = 1,
    first_step: int = 0,
) -> tf.data.Dataset:
    """Makes batches of samples with all targets.

    In training every epoch has an order of its own, a transform is drawn for
    every sample, and the rest that fills no batch is left out (another rest in
    every epoch). A damaged record is replaced by the next good one of the
    order, so that steps and shapes stay what they are.

    Otherwise the order is that of the records, pictures are fitted into the
    input, and the last batch is filled up with empty samples, in which both
    `keys.HAS_LABEL_MAP` and `keys.HAS_KEYPOINTS` are 0; a damaged record
    becomes such a sample as well.

    Args:
        record_set: What to read.
        config: How; `batch_size` counts over all replicas.
        training: Whether to shuffle and draw transforms.
        first_epoch: Number of the first epoch, for resuming.
        num_epochs: Epochs, one after the other in one dataset.
        num_replicas: Must divide the batch.
        first_step: Steps of the first epoch to leave out, for resuming within
            it. Nothing is read of them, and what follows is the same to the
            bit as without them.

    Returns:
        Dataset of `num_epochs * steps_per_epoch - first_step` dictionaries
        with the keys and static shapes that `nppnet_tf.keys` lists.

    Raises:
        UserError: Sizes that do not fit, or fewer records than a batch.
        ValueError: The first epoch has no such step.
    """
    _check(config, num_replicas)
    if training:
        steps = steps_per_epoch(record_set, config)
        indices = np.arange(record_set.count)
        source = sources.TrainingSource(record_set, config, indices, _ALL)
    else:
        steps = steps_per_epoch(record_set, config, training=False)
        # Metrics undo the letterbox of the one warp.
        one_warp = dataclasses.replace(config, sampling="one_warp")
        source = sources.ValidationSource(record_set, one_warp)
    numbers = _running_numbers(steps, first_epoch, num_epochs, first_step)
    return _batches(source, steps, numbers)


def make_search_dataset(
    record_set: RecordSet,
    config: InputConfig,
    first_epoch: int = 0,
    num_epochs: int = 1,
    num_replicas: int = 1,
    first_step: int = 0,
) -> tf.data.Dataset:
    """Makes pairs of batches from two random halves of the records (Eq. 7).

    The halves are drawn by the seed and stay the same over the epochs; order
    and transforms within each, and the arguments, are as in `make_dataset` for
    training.

    Returns:
        Dataset of `num_epochs * steps_per_epoch(search=True) - first_step`
        dictionaries {`keys.WEIGHT_SPLIT`: batch, `keys.ARCHITECTURE_SPLIT`:
        batch}, each batch of `config.batch_size` samples.

    Raises:
        UserError: Sizes that do not fit, or a half smaller than a batch.
        ValueError: The first epoch has no such step.
    """
    _check(config, num_replicas)
    steps = steps_per_epoch(record_set, config, search=True)
    halves = random_streams.random_halves(record_set.count, config.seed)
    names = (keys.WEIGHT_SPLIT, keys.ARCHITECTURE_SPLIT)
    numbers = _running_numbers(steps, first_epoch, num_epochs, first_step)
    datasets = {
        name: _batches(
            sources.TrainingSource(record_set, config, indices, name),
            steps,
            numbers,
        )
        for name, indices in zip(names, halves, strict=True)
    }
    return tf.data.Dataset.zip(datasets)


def steps_per_epoch(
    record_set: RecordSet,
    config: InputConfig,
    search: bool = False,
    training: bool = True,
) -> int:
    """Batches of one epoch: of each half in the search.

    Args:
        record_set: What is read.
        config: Gives the size of a batch.
        search: Whether the records are halved.
        training: Whether the rest that fills no batch is left out; otherwise
            it makes one more batch.

    Raises:
        UserError: There is not one full batch in training.
    """
    if not training:
        return -(-record_set.count // config.batch_size)
    count = record_set.count // 2 if search else record_set.count
    if count < config.batch_size:
        raise UserError(
            "too few records for one batch",
            record_set.directory,
            f"at least {config.batch_size * (2 if search else 1)} "
            f"for batches of {config.batch_size}",
            record_set.count,
        )
    return count // config.batch_size


def worker_count(config: InputConfig) -> int:
    """Returns how many processes make batches; 0 for threads of this one."""
    if config.input_workers is None:
        return input_workers.default_count(_cores())
    return config.input_workers


@contextlib.contextmanager
def report_damage(*record_sets: RecordSet) -> Iterator[None]:
    """Gives a block that reads datasets their own errors back.

    What is raised while a sample is made reaches the reader of the dataset as
    an error of TensorFlow. Around `fit` this raises the `UserError` instead.

    Raises:
        UserError: Reading stopped at damaged records of one of the sets.
    """
    try:
        yield
    except tf.errors.OpError:
        for record_set in record_sets:
            record_set.raise_pending()
        raise


def _running_numbers(
    steps: int, first_epoch: int, num_epochs: int, first_step: int
) -> range:
    """Numbers of the batches to make, counted through all epochs."""
    if not 0 <= first_step <= steps:
        raise ValueError(
            f"an epoch has steps 0..{steps}. Received: {first_step=}"
        )
    start = first_epoch * steps
    return range(start + first_step, start + num_epochs * steps)


def _batches(
    source: sources.Source, steps: int, numbers: range
) -> tf.data.Dataset:
    count = worker_count(source.config)
    if count:
        make_batch = input_workers.shared(count).batches(source)
        # While one waits for its turn, no process waits for it.
        at_once = count + _WAITING_BATCHES
    else:
        make_batch = _ThreadBatches(source)
        at_once = min(_cores(), _MOST_THREADS)
    dataset = tf.data.Dataset.range(numbers.start, numbers.stop)
    dataset = dataset.map(
        _numbered(source, make_batch, steps), num_parallel_calls=at_once
    )
    options = tf.data.Options()
    # The thread that tunes the number of parallel calls sleeps for up to a
    # minute. An iterator that ends wakes it before it says that it ends, and
    # where the thread sees the first and not yet the second, it sleeps on:
    # whoever ends an epoch waits for it (TensorFlow 2.20).
    options.autotune.enabled = False
    options.deterministic = True
    # Numbers, not files, are read here: there is nothing to divide by file.
    options.experimental_distribute.auto_shard_policy = (
        tf.data.experimental.AutoShardPolicy.OFF
    )
    return dataset.prefetch(_READY_BATCHES).with_options(options)


class _ThreadBatches:
    """Makes the batches of a source in the thread that asks.

    Args:
        source: What knows the batches.
    """

    def __init__(self, source: sources.Source) -> None:
        self._source = source
        self._lender = LentArrays(source.batch_form, PrivateMemory)

    def __call__(self, epoch: int, step: int) -> dict[str, np.ndarray]:
        _, batch = self._lender.lend()
        self._source.fill(batch, epoch, step)
        return batch


def _numbered(
    source: sources.Source, make_batch: _MakeBatch, steps: int
) -> Callable[[tf.Tensor], Batch]:
    """Wraps a source for tf.data: the batch of one running number."""
    form = source.batch_form

    def load(number: np.ndarray) -> list[np.ndarray]:
        return list(make_batch(*divmod(int(number), steps)).values())

    # AutoGraph of TensorFlow 2.20 cannot read it on Python 3.13, and says so.
    @tf.autograph.experimental.do_not_convert
    def make(number: tf.Tensor) -> Batch:
        dtypes = [each.dtype for each in form.values()]
        values = tf.numpy_function(load, [number], dtypes)
        for value, each in zip(values, form.values(), strict=True):
            value.set_shape(each.shape)
        return dict(zip(form, values, strict=True))

    return make


def _cores() -> int:
    return len(os.sched_getaffinity(0))


def _check(config: InputConfig, num_replicas: int) -> None:
    if any(size < 1 or size % SIDE_MULTIPLE for size in config.image_size):
        raise UserError(
            "input size does not fit the network",
            expected=f"multiples of {SIDE_MULTIPLE}",
            found="{} x {}".format(*config.image_size),
        )
    if config.batch_size < 1 or config.batch_size % num_replicas:
        raise UserError(
            "batch cannot be divided among the replicas",
            expected=f"a multiple of {num_replicas}",
            found=config.batch_size,
        )
    if config.sampling not in SAMPLINGS:
        raise UserError(
            "unknown sampling",
            expected=" or ".join(SAMPLINGS),
            found=config.sampling,
        )
    if config.sampling == "released":
        released_sampling.require_opencv()
