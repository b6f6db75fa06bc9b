"""Requests of several clients in one run of the graph.

One bounded queue for all models. A worker takes the oldest request, waits a
moment for others of the same signature, and runs them as one batch. Requests of
large pictures run alone, and one at a time: others go past them. What goes
wrong in a batch of several is run again one by one, so that it costs its own
request alone.
"""

import asyncio
import collections
import contextlib
import dataclasses
import math
import os
from collections.abc import Callable
from collections.abc import Sequence
from concurrent import futures

import numpy as np

from nppnet_tf.serving import failures
from nppnet_tf.serving import joined
from nppnet_tf.serving.failures import RequestError
from nppnet_tf.serving.servable import LoadedModel

Arrays = dict[str, np.ndarray]

_MOST_RETRY_SECONDS = 60

# How long a picture takes, before any was run, and what one batch counts in the
# moving average of it.
_FIRST_SECONDS_EACH = 0.1
_WEIGHT_OF_BATCH = 0.1


@dataclasses.dataclass(frozen=True)
class BatchSettings:
    """How requests are put together; the names are TensorFlow Serving's.

    Attributes:
        max_batch_size: Pictures of a batch; 1 for none.
        batch_timeout_micros: How long the first waits for others.
        max_enqueued_batches: Batches' worth of pictures that may wait.
        num_batch_threads: Batches that run at once.
        allowed_batch_sizes: Sizes to which batches are filled up, ascending,
            the last one `max_batch_size`; empty for any size.
    """

    max_batch_size: int = 8
    batch_timeout_micros: int = 2000
    max_enqueued_batches: int = 16
    num_batch_threads: int = min(4, os.cpu_count() or 1)
    allowed_batch_sizes: tuple[int, ...] = ()


@dataclasses.dataclass(eq=False)
class _Job:
    """One request that waits.

    Attributes:
        key: What it can be joined with: requests of the same key; None where
            it runs alone.
        is_large: Whether others are not to wait for it.
    """

    model: LoadedModel
    signature: str
    inputs: Arrays
    size: int
    key: tuple[int, str] | None
    is_large: bool
    answer: asyncio.Future


class Batcher:
    """Runs models for requests; lives on one event loop.

    Args:
        settings: How requests are put together.
        observe: Takes the size and the seconds of every run.
    """

    def __init__(
        self,
        settings: BatchSettings,
        observe: Callable[[int, float], object] = lambda size, seconds: None,
    ) -> None:
        self._settings = settings
        self._observe = observe
        self._jobs: collections.deque[_Job] = collections.deque()
        self._arrived = asyncio.Condition()
        self._threads = futures.ThreadPoolExecutor(
            settings.num_batch_threads, "batch"
        )
        self._workers: list[asyncio.Task] = []
        self._runs_large = False
        self._seconds_each = _FIRST_SECONDS_EACH

    @property
    def waiting(self) -> int:
        """Pictures that wait for their run."""
        return sum(job.size for job in self._jobs)

    def start(self) -> None:
        """Begins to work."""
        self._workers = [
            asyncio.create_task(self._work())
            for _ in range(self._settings.num_batch_threads)
        ]

    async def close(self) -> None:
        """Stops working; nobody may be waiting any more."""
        for worker in self._workers:
            worker.cancel()
        await asyncio.gather(*self._workers, return_exceptions=True)
        self._threads.shutdown(wait=True, cancel_futures=True)

    async def run(
        self, model: LoadedModel, signature: str, inputs: Arrays
    ) -> Arrays:
        """Runs a signature, together with others where that can be.

        Args:
            model: The model.
            signature: Name of the signature.
            inputs: Arrays that fit it.

        Raises:
            RequestError: The queue is full, or the graph refuses the inputs.
        """
        size = len(next(iter(inputs.values()))) if inputs else 0
        self._require_place(size)
        key = None
        is_large = any(map(joined.is_large, inputs.values()))
        definition = model.signature_def(signature)
        if size and not is_large and joined.can_join(definition):
            key = (id(model), signature)
        answer = asyncio.get_running_loop().create_future()
        job = _Job(
            model, signature, inputs, max(size, 1), key, is_large, answer
        )
        async with self._arrived:
            self._jobs.append(job)
            self._arrived.notify_all()
        try:
            return await answer
        finally:
            # Of a client that has gone, or whose time is over.
            if not answer.done() or answer.cancelled():
                with contextlib.suppress(ValueError):
                    self._jobs.remove(job)

    def _require_place(self, size: int) -> None:
        settings = self._settings
        capacity = settings.max_enqueued_batches * settings.max_batch_size
        waiting = self.waiting
        # One that is larger than the whole queue has a place in an empty one.
        if waiting and waiting + size > capacity:
            seconds = waiting * self._seconds_each
            raise RequestError(
                failures.RESOURCE_EXHAUSTED,
                "the queue is full",
                retry_after=min(_MOST_RETRY_SECONDS, math.ceil(seconds) or 1),
            )

    async def _work(self) -> None:
        while True:
            async with self._arrived:
                first = await self._arrived.wait_for(self._next)
                self._jobs.remove(first)
                self._runs_large |= first.is_large
            jobs = [first, *await self._others(first)]
            jobs = [job for job in jobs if not job.answer.done()]
            if jobs:
                await self._answer(jobs)
            if first.is_large:
                async with self._arrived:
                    self._runs_large = False
                    self._arrived.notify_all()

    def _next(self) -> _Job | None:
        """The oldest request that may run now."""
        for job in self._jobs:
            if not (job.is_large and self._runs_large):
                return job
        return None

    async def _others(self, first: _Job) -> list[_Job]:
        """Waits for requests that go with the first, and takes them."""
        room = self._settings.max_batch_size - first.size
        taken: list[_Job] = []
        if room < 1 or first.key is None:
            return taken
        loop = asyncio.get_running_loop()
        end = loop.time() + self._settings.batch_timeout_micros * 1e-6
        while True:
            for job in [job for job in self._jobs if job.key == first.key]:
                if job.size <= room:
                    self._jobs.remove(job)
                    taken.append(job)
                    room -= job.size
            seconds = end - loop.time()
            if room < 1 or seconds <= 0:
                return taken
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(seconds), self._arrived:
                    await self._arrived.wait()

    async def _answer(self, jobs: Sequence[_Job]) -> None:
        loop = asyncio.get_running_loop()
        before = loop.time()
        results = await loop.run_in_executor(
            self._threads, self._run_batch, jobs
        )
        seconds = loop.time() - before
        size = sum(job.size for job in jobs)
        self._seconds_each += _WEIGHT_OF_BATCH * (
            seconds / size - self._seconds_each
        )
        self._observe(size, seconds)
        for job, result in zip(jobs, results, strict=True):
            if job.answer.done():
                continue
            if isinstance(result, BaseException):
                job.answer.set_exception(result)
            else:
                job.answer.set_result(result)

    def _run_batch(self, jobs: Sequence[_Job]) -> list[Arrays | Exception]:
        """Runs requests; each result is outputs, or an error."""
        found = None
        if len(jobs) > 1:
            # Where it fails, each on its own may do better, and says what is
            # wrong with it.
            with contextlib.suppress(Exception):
                found = self._run_joined(jobs)
        if found is None:
            return [_run_alone(job) for job in jobs]
        return found

    def _run_joined(self, jobs: Sequence[_Job]) -> list[Arrays] | None:
        """Runs requests as one batch; None where it cannot be parted."""
        sizes = [job.size for job in jobs]
        inputs = joined.join(
            [job.inputs for job in jobs], self._padding(sum(sizes))
        )
        outputs = jobs[0].model.run(jobs[0].signature, inputs)
        return joined.split(outputs, sizes)

    def _padding(self, size: int) -> int:
        """How many rows fill a batch up to an allowed size."""
        return (
            next(
                (n for n in self._settings.allowed_batch_sizes if n >= size),
                size,
            )
            - size
        )


def _run_alone(job: _Job) -> Arrays | Exception:
    try:
        return job.model.run(job.signature, job.inputs)
    except Exception as error:
        return error
