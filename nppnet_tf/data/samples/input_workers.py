"""Processes that make batches, where threads would wait for Python's lock.

Each (`input_worker`) is sent a job, writes the batch into memory that it shares
with this process, and replies. TensorFlow takes the
arrays where they lie: nothing of a batch goes through a pipe or is copied.

The memory has no name: no folder such as /dev/shm limits it or keeps it when
the processes are killed. They are not started by Python's `multiprocessing`,
which would import the program's main module, TensorFlow and all, in each.
"""

import atexit
import contextlib
import dataclasses
import hashlib
import mmap
import os
import pickle
import queue
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from multiprocessing.connection import Connection

import numpy as np

from nppnet_tf.data.samples import input_worker
from nppnet_tf.data.samples.input_worker import Job
from nppnet_tf.data.samples.input_worker import Reply
from nppnet_tf.data.samples.lent_arrays import LentArrays
from nppnet_tf.data.samples.sources import Source
from nppnet_tf.workers import WorkerDiedError

# Where there are fewer cores, threads make what is needed of samples.
_CORES_FOR_WORKERS = 4
_MOST_BY_DEFAULT = 8

_SECONDS_TO_END = 5

# Not `-m`, which would name the module otherwise than this process does.
_PROGRAM = f"from {__package__} import input_worker; input_worker.main()"

# They tell the first process to end, which wants batches until it has saved.
_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def default_count(cores: int) -> int:
    """Returns how many processes make batches where nobody says.

    Args:
        cores: Cores that this process may use.

    Returns:
        Half of them, which leaves the other half to what feeds accelerators;
        none where they are few; never more than any step has needed so far.
    """
    if cores < _CORES_FOR_WORKERS:
        return 0
    return min(cores // 2, _MOST_BY_DEFAULT)


@dataclasses.dataclass(frozen=True)
class _SharedMemory:
    """A part of the memory that processes share.

    Attributes:
        place: First byte.
        content: Uint8 [n].
    """

    place: int
    content: np.ndarray


class _MemoryFile:
    """Memory without a name that other processes can be given.

    Attributes:
        number: Number of the open file.
    """

    def __init__(self) -> None:
        self.number = os.memfd_create("nppnet_tf batches")
        self._lock = threading.Lock()
        self._size = 0

    def add(self, num_bytes: int) -> _SharedMemory:
        """Makes more memory."""
        pages = -(-num_bytes // mmap.ALLOCATIONGRANULARITY)
        with self._lock:
            place = self._size
            self._size += pages * mmap.ALLOCATIONGRANULARITY
            os.ftruncate(self.number, self._size)
        mapped = mmap.mmap(self.number, num_bytes, offset=place)
        return _SharedMemory(place, np.frombuffer(mapped, np.uint8))

    def close(self) -> None:
        """Closes the file; what is mapped stays until nobody holds it."""
        os.close(self.number)


class _Process:
    """One process and what it has been sent.

    Args:
        memory_file: Number of the open file of the shared memory.
    """

    def __init__(self, memory_file: int) -> None:
        ours, theirs = socket.socketpair()
        files = theirs.fileno(), memory_file
        with theirs, _blocked_signals():
            self._process = subprocess.Popen(
                [sys.executable, "-c", _PROGRAM, *map(str, files)],
                pass_fds=files,
                stdin=subprocess.DEVNULL,
                env={**os.environ, **_environment()},
            )
        self._connection = Connection(ours.detach())
        self._sources: dict[int, None] = {}

    def do(self, job: Job, pickled: bytes) -> Reply:
        """Has a job done; EOFError or OSError where the process has ended.

        Args:
            job: What to do, without the source itself.
            pickled: The source.
        """
        if job.source not in self._sources:
            job = dataclasses.replace(job, pickled=pickled)
            self._sources[job.source] = None
            input_worker.forget_first(self._sources)
        # As bytes: what `send` makes of it outlives a failure on Python 3.13,
        # which then writes of it to stderr.
        self._connection.send_bytes(pickle.dumps(job))
        return self._connection.recv()

    @property
    def process_id(self) -> int:
        """Id of the process."""
        return self._process.pid

    def close(self) -> None:
        """Tells the process to end."""
        self._connection.close()

    def join(self) -> None:
        """Waits for its end."""
        try:
            self._process.wait(_SECONDS_TO_END)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


class InputWorkers:
    """Processes that make batches, for any number of threads that want them.

    Args:
        count: Processes.
    """

    def __init__(self, count: int) -> None:
        self.count = count
        self._memory = _MemoryFile()
        self._processes = [_Process(self._memory.number) for _ in range(count)]
        self._idle: queue.SimpleQueue[_Process] = queue.SimpleQueue()
        for process in self._processes:
            self._idle.put(process)
        self._sources: dict[bytes, int] = {}
        self._lenders: dict[str, LentArrays[_SharedMemory]] = {}
        self._lock = threading.Lock()

    def batches(self, source: Source) -> "WorkerBatches":
        """Returns what makes the batches of a source."""
        pickled = pickle.dumps(source)
        forms = source.batch_form
        with self._lock:
            # Every epoch has a source of its own, mostly an equal one.
            number = self._sources.setdefault(
                hashlib.sha256(pickled).digest(), len(self._sources)
            )
            lender = self._lenders.setdefault(
                repr(forms), LentArrays(forms, self._memory.add)
            )
        return WorkerBatches(self, source, number, pickled, lender)

    def do(self, job: Job, pickled: bytes) -> Reply:
        """Has a job done by the next process that is idle.

        Args:
            job: What to do, without the source itself.
            pickled: The source.

        Raises:
            WorkerDiedError: The process was killed.
        """
        process = self._idle.get()
        try:
            return process.do(job, pickled)
        except (EOFError, OSError) as error:
            raise WorkerDiedError(self.count, "input_workers") from error
        finally:
            # Also one that has died: who waits for it is to learn of it.
            self._idle.put(process)

    def process_ids(self) -> list[int]:
        """Returns the ids of the processes."""
        return [process.process_id for process in self._processes]

    def close(self) -> None:
        """Ends the processes."""
        for process in self._processes:
            process.close()
        for process in self._processes:
            process.join()
        self._memory.close()


class WorkerBatches:
    """Makes the batches of one source by processes.

    Args:
        workers: The processes.
        source: What knows the batches.
        number: Number of the source among those of the processes.
        pickled: The source as they get it.
        lender: Lends memory for batches.
    """

    def __init__(
        self,
        workers: InputWorkers,
        source: Source,
        number: int,
        pickled: bytes,
        lender: LentArrays[_SharedMemory],
    ) -> None:
        self._workers = workers
        self._source = source
        self._number = number
        self._pickled = pickled
        self._lender = lender

    def __call__(self, epoch: int, step: int) -> dict[str, np.ndarray]:
        """Makes one batch.

        Damaged records count here, where all processes' are known.

        Args:
            epoch: Which epoch.
            step: Which batch of it.

        Raises:
            UserError: Too much is damaged, or a process was killed. It is kept
                as well: `DamageLog.raise_pending`.
        """
        memory, batch = self._lender.lend()
        damage = self._source.record_set.damage
        job = Job(
            self._number, None, epoch, step, memory.place, len(memory.content)
        )
        try:
            reply = self._workers.do(job, self._pickled)
        except WorkerDiedError as error:
            damage.fail(error)
        for bad in reply.bad_records:
            damage.skip(bad, self._source.config.max_bad_records)
        if reply.error is not None:
            damage.fail(reply.error)
        if reply.bug is not None:
            raise RuntimeError(reply.bug)
        return batch


_lock = threading.Lock()
_shared: InputWorkers | None = None


def shared(count: int) -> InputWorkers:
    """Returns the processes that all datasets of this process share.

    They are started for the first of them and end with this process, or at
    `close`.

    Args:
        count: How many.

    Raises:
        OSError: No more processes can be started.
    """
    global _shared
    with _lock:
        if _shared is None or _shared.count != count:
            if _shared is not None:
                _shared.close()
            _shared = InputWorkers(count)
        return _shared


def process_ids() -> list[int]:
    """Returns the ids of the processes, if there are any."""
    with _lock:
        return _shared.process_ids() if _shared is not None else []


def close() -> None:
    """Ends the processes, if there are any."""
    global _shared
    with _lock:
        if _shared is not None:
            _shared.close()
            _shared = None


atexit.register(close)


@contextlib.contextmanager
def ended_after() -> Iterator[None]:
    """Ends, after a block, the processes that were started within it."""
    was_running = _shared is not None
    try:
        yield
    finally:
        if not was_running:
            close()


@contextlib.contextmanager
def _blocked_signals() -> Iterator[None]:
    """Blocks signals; a process that is started here never gets them."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _environment() -> dict[str, str]:
    """Variables by which a process imports what this one does, and no more."""
    return {
        "PYTHONPATH": os.pathsep.join(sys.path),
        # Not what happens to lie in the folder that it is started in.
        "PYTHONSAFEPATH": "1",
        # Matrices of three rows need no threads.
        "OPENBLAS_NUM_THREADS": "1",
        # glibc keeps what arrays of one sample took for those of the next; to
        # get it from the system anew takes a twelfth of a sample's time.
        "MALLOC_MMAP_THRESHOLD_": str(32 << 20),
        "MALLOC_TRIM_THRESHOLD_": str(256 << 20),
    }
