"""A process that makes batches.

`input_workers` starts it, at `main`, with the numbers of two open files: a
connection, by which jobs come and replies go, and the memory that both
processes share. It imports no TensorFlow. When the other end of the connection
closes, whatever ended that, it ends.
"""

import dataclasses
import mmap
import pickle
import sys
import traceback
from multiprocessing.connection import Connection
from typing import Any

import numpy as np

from nppnet_tf.data.damage import BadRecordError
from nppnet_tf.data.damage import DamageLog
from nppnet_tf.data.samples import lent_arrays
from nppnet_tf.data.samples.sources import Source
from nppnet_tf.errors import UserError

# Of which a process keeps the last: for training or each half of the search,
# validation and pictures, and their like.
MOST_SOURCES = 8


@dataclasses.dataclass(frozen=True)
class Job:
    """One batch to make.

    Attributes:
        source: Number of the source.
        pickled: The source itself, where it is sent for the first time.
        epoch: Which epoch.
        step: Which batch of it.
        place: First byte of the batch in the shared memory.
        size: Bytes of the batch there.
    """

    source: int
    pickled: bytes | None
    epoch: int
    step: int
    place: int
    size: int


@dataclasses.dataclass(frozen=True)
class Reply:
    """What became of a job.

    Attributes:
        bad_records: Damaged records that were met.
        error: What stopped it; then there is no batch.
        bug: A traceback, where what stopped it is no fault of the data.
    """

    bad_records: tuple[BadRecordError, ...] = ()
    error: UserError | None = None
    bug: str | None = None


class _Worker:
    """Makes the batches of jobs.

    Args:
        memory_file: Number of the open file of the shared memory.
    """

    def __init__(self, memory_file: int) -> None:
        self._memory_file = memory_file
        self._sources: dict[int, Source] = {}
        self._memories: dict[tuple[int, int], np.ndarray] = {}

    def do(self, job: Job) -> Reply:
        """Makes one batch where the job says."""
        if job.pickled is not None:
            self._sources[job.source] = pickle.loads(job.pickled)
            forget_first(self._sources)
        source = self._sources[job.source]
        # Whether it is too much is for the first process to say.
        damage = DamageLog(source.record_set.directory, is_silent=True)
        source.record_set.damage = damage
        error = None
        try:
            batch = lent_arrays.lay_out(source.batch_form, self._memory(job))
            source.fill(batch, job.epoch, job.step)
        except UserError as raised:
            error = raised
        return Reply(damage.bad_records, error)

    def _memory(self, job: Job) -> np.ndarray:
        place = job.place, job.size
        if place not in self._memories:
            mapped = mmap.mmap(self._memory_file, job.size, offset=job.place)
            self._memories[place] = np.frombuffer(mapped, np.uint8)
        return self._memories[place]


def forget_first(sources: dict[int, Any]) -> None:
    """Forgets the source that came first, where there are too many."""
    if len(sources) > MOST_SOURCES:
        del sources[next(iter(sources))]


def serve(connection: Connection, memory_file: int) -> None:
    """Does jobs until nobody is left to send one.

    Args:
        connection: Where they come from.
        memory_file: Number of the open file of the shared memory.
    """
    worker = _Worker(memory_file)
    try:
        while True:
            job = connection.recv()
            try:
                reply = worker.do(job)
            except Exception:
                reply = Reply(bug=traceback.format_exc())
            connection.send(reply)
    except (EOFError, OSError):
        pass  # The first process has ended, or wants no more.


def main() -> None:
    """Begins the process."""
    connection, memory_file = map(int, sys.argv[1:])
    serve(Connection(connection), memory_file)
