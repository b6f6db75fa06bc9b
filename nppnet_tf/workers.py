"""Work that is divided among processes, whose results come in order."""

import concurrent.futures
import multiprocessing
import os
import signal
import threading
from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Sequence
from concurrent.futures.process import BrokenProcessPool
from typing import Any
from typing import TypeVar

from nppnet_tf.errors import UserError

Item = TypeVar("Item")
Job = TypeVar("Job")
Result = TypeVar("Result")
Advance = Callable[[int], object]

_SECONDS_BETWEEN_REPORTS = 0.5

_PORTION = 64

# Of a worker process: steps that all of them have done.
_steps: Any = None


class WorkerDiedError(UserError):
    """A process ended in the middle of its work.

    Args:
        num_workers: Processes there were.
        argument: What said how many.
    """

    def __init__(self, num_workers: int, argument: str = "num_workers") -> None:
        super().__init__(
            "a worker process was killed, for want of memory perhaps",
            f"`{argument}`={num_workers}",
            "fewer workers, or the same command again",
            "a process that ended in the middle of its work",
        )


def each(
    function: Callable[[Job, Advance], Result],
    jobs: Sequence[Job],
    num_workers: int,
    advance: Advance,
) -> Iterator[Result]:
    """Calls a function for every job, in several processes at once.

    Processes are started afresh, not forked: what TensorFlow has started in
    this one does not survive a fork. Each ends when this process does, however
    that ends.

    Args:
        function: Function of a module, called with a job and with what takes
            the number of steps that are done.
        jobs: Can be pickled.
        num_workers: Processes at most; 1 works in this one.
        advance: Told of steps that are done, here.

    Yields:
        The results in the order of the jobs.

    Raises:
        WorkerDiedError: A process was killed. What `function` raises is raised
            as well.
    """
    num_workers = min(num_workers, len(jobs))
    if num_workers <= 1:
        for job in jobs:
            yield function(job, advance)
        return
    context = multiprocessing.get_context("spawn")
    steps = context.Value("q", 0)
    others = set(multiprocessing.active_children())
    executor = concurrent.futures.ProcessPoolExecutor(
        num_workers, context, _begin, (steps,)
    )
    try:
        futures = [executor.submit(_work, function, job) for job in jobs]
        reported = 0
        for future in futures:
            is_done = False
            while not is_done:
                is_done = bool(
                    concurrent.futures.wait(
                        [future], _SECONDS_BETWEEN_REPORTS
                    ).done
                )
                reported, before = steps.value, reported
                if reported > before:
                    advance(reported - before)
            yield future.result()
    except BrokenProcessPool as error:
        raise WorkerDiedError(num_workers) from error
    finally:
        # After an error nobody waits for the rest.
        for process in set(multiprocessing.active_children()) - others:
            process.terminate()
        executor.shutdown(cancel_futures=True)


def portions(items: Sequence[Item]) -> list[Sequence[Item]]:
    """Divides items into jobs small enough to share out evenly."""
    return [
        items[start : start + _PORTION]
        for start in range(0, len(items), _PORTION)
    ]


def _begin(steps: Any) -> None:
    """Prepares a worker process."""
    global _steps
    _steps = steps
    # The first process tells of an interrupt, once.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    # A pool's processes wait for each other's ends of a pipe and would live on.
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _work(function: Callable[[Job, Advance], Result], job: Job) -> Result:
    return function(job, _count)


def _count(number: int) -> None:
    with _steps.get_lock():
        _steps.value += number
