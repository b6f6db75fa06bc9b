"""PyTorch beside what is measured, in a process of its own.

Both libraries have threads that spin for a while when their work is done. So
the two are no neighbors in one process and never compute at once: a step here
is followed by one there.
"""

import contextlib
import importlib.metadata
import multiprocessing
import os
import signal
import statistics
import time
from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Mapping
from multiprocessing.connection import Connection
from typing import Any

import numpy as np

from nppnet_tf.benchmarks import measuring
from nppnet_tf.benchmarks.flat_network import FlatNetwork
from nppnet_tf.errors import UserError
from nppnet_tf.serving import spare_memory

_SECONDS_TO_END = 5


class TorchPeer:
    """A process that takes steps of a network when it is told to.

    Args:
        flat: The network.
        batch: A batch by the names of `keys`, as `training_steps.noise` has it.

    Raises:
        UserError: The process has ended, for want of memory perhaps.
    """

    def __init__(
        self, flat: FlatNetwork, batch: Mapping[str, np.ndarray]
    ) -> None:
        # Afresh, not forked: TensorFlow's threads do not survive that.
        context = multiprocessing.get_context("spawn")
        self._connection, other = context.Pipe()
        self._process = context.Process(
            target=_serve, args=(other,), daemon=True
        )
        self._process.start()
        other.close()
        self._seconds: list[float] = []
        self._seconds_of_all_gradients: list[float] = []
        self._peak_memory_gb = 0.0
        try:
            self._facts = self._ask((flat, batch))
        except BaseException:
            self.close()
            raise

    def step(self) -> None:
        """Lets it take the steps of a batch, and waits for their end.

        Those of a search twice: with the gradients that each needs, and with
        all gradients in each, as the authors' code computes them.
        """
        self._seconds.append(self._ask(False))
        if not self._seconds_of_all_gradients:
            self._peak_memory_gb = measuring.resident_peak_gb(self._process.pid)
        if len(self._facts["first_losses"]) > 1:
            self._seconds_of_all_gradients.append(self._ask(True))

    def result(self) -> dict[str, Any]:
        """Returns plain values: what it is, seconds of its steps, memory."""
        result = {
            **self._facts,
            "seconds_per_step": round(statistics.median(self._seconds), 4),
            "seconds_of_each_step": [round(each, 4) for each in self._seconds],
            "peak_memory_gb": self._peak_memory_gb,
        }
        if self._seconds_of_all_gradients:
            result["seconds_of_each_step_with_all_gradients"] = [
                round(each, 4) for each in self._seconds_of_all_gradients
            ]
        return result

    def close(self) -> None:
        """Ends the process."""
        self._connection.close()
        self._process.join(_SECONDS_TO_END)
        self._process.kill()
        self._process.join()

    def _ask(self, message: object) -> Any:
        try:
            self._connection.send(message)
            return self._connection.recv()
        except (EOFError, OSError) as error:
            raise UserError(
                "the process of PyTorch has ended", "`peer`"
            ) from error


@contextlib.contextmanager
def beside(
    name: str | None,
    write_down: Callable[[], FlatNetwork],
    batch: Mapping[str, Any],
) -> Iterator[TorchPeer | None]:
    """Runs a peer of a network for a block.

    Args:
        name: Name of the peer, of `subjects.PEERS`; None for no peer.
        write_down: Returns the network. Called here, so that nobody holds its
            weights in the block, where memory is measured.
        batch: A batch by the names of `keys`, of tensors.
    """
    if name is None:
        yield None
        return
    arrays = {key: np.array(value) for key, value in batch.items()}
    peer = TorchPeer(write_down(), arrays)
    spare_memory.give_back()
    try:
        yield peer
    finally:
        peer.close()


def _serve(connection: Connection) -> None:
    """Takes steps until the other end of the connection closes."""
    # The first process tells of an interrupt, once.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    import torch

    from nppnet_tf.benchmarks import torch_steps

    torch.set_num_threads(len(os.sched_getaffinity(0)))
    with contextlib.suppress(EOFError):
        steps = torch_steps.Steps(*connection.recv())
        spare_memory.give_back()
        # The first of a process is slower than all others.
        losses = steps.take()
        connection.send(
            {
                "name": "torch",
                "version": importlib.metadata.version("torch"),
                "threads": torch.get_num_threads(),
                "parameters": steps.num_parameters,
                "first_losses": losses,
            }
        )
        while True:
            has_all_gradients = connection.recv()
            started = time.perf_counter()
            steps.take(has_all_gradients)
            connection.send(time.perf_counter() - started)
