"""A server under load on loopback: closed and open loops, and saturation."""

import contextlib
import dataclasses
import itertools
import threading
import time
from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Sequence
from typing import Any

from nppnet_tf.benchmarks import hostile_pictures
from nppnet_tf.benchmarks import measuring
from nppnet_tf.benchmarks import served_network
from nppnet_tf.benchmarks.measuring import Size
from nppnet_tf.benchmarks.served_network import ServedNetwork
from nppnet_tf.inference import serving_graph
from nppnet_tf.search_space.published import Preset
from nppnet_tf.serving import load
from nppnet_tf.serving.load import Load
from nppnet_tf.serving.peer import GrpcPeer
from nppnet_tf.serving.peer import RestPeer

_CLIENTS = (1, 4, 16)
# Of the throughput of a closed loop, what an open loop asks for.
_OPEN_SHARE = 0.7
_SATURATING_CLIENTS = 16
# One request of so many is hostile.
_HOSTILE_EVERY = 100
_MEMORY_SAMPLES = 50
_SAID_EVERY = 5
_GOOD = "0"
_SIGNATURE = serving_graph.PNG_SIGNATURE


def measure(
    name: str,
    preset: Preset,
    size: Size,
    seconds: float,
    tool: Sequence[str],
    say: Callable[[str], object] = lambda line: None,
) -> dict[str, Any]:
    """Serves a network and asks it, for 17 times the seconds.

    Args:
        name: What the network is called in the result.
        preset: Genotype and sizes.
        size: Size of the network's input.
        seconds: How long each loop lasts; ten times as long at saturation.
        tool: Words that run `serve`.
        say: Takes a line before each loop, and now and then at saturation.

    Returns:
        Figures of closed loops by both protocols, of an open loop below what
        they reached, and of saturation with hostile requests among others.
    """
    pictures = [hostile_pictures.good_picture(seed) for seed in range(8)]
    with served_network.served(preset, size, tool) as network:

        def ask(kind: type, asked: Load) -> dict[str, Any]:
            say(
                f"{kind.__name__}: {asked.clients} clients, "
                f"{asked.seconds:g} seconds"
            )
            return load.run(
                lambda: load.picture_asker(
                    kind(network.place), pictures, _SIGNATURE
                ),
                asked,
            )

        ask(RestPeer, Load(1.0, 2))
        closed = {
            protocol: [ask(kind, Load(seconds, n)) for n in _CLIENTS]
            for protocol, kind in (("rest", RestPeer), ("grpc", GrpcPeer))
        }
        most = max(run["requests_per_second"] for run in closed["rest"])
        rate = round(_OPEN_SHARE * most, 2)
        opened = ask(RestPeer, Load(seconds, 64, rate))
        saturated = _saturate(network, pictures, 10 * seconds, say)
    return {
        "genotype": name,
        **dataclasses.asdict(size),
        "closed": closed,
        "open": opened,
        "saturated": saturated,
        "peak_memory_gb": measuring.peak_memory_gb(),
    }


def _saturate(
    network: ServedNetwork,
    pictures: Sequence[bytes],
    seconds: float,
    say: Callable[[str], object],
) -> dict[str, Any]:
    """Asks for more than can be answered, now and then by what is hostile."""
    asker = _MixedAsker(network, pictures)
    memory: list[float] = []
    ended = threading.Event()

    def watch() -> None:
        before = time.monotonic()
        while not ended.wait(seconds / _MEMORY_SAMPLES):
            memory.append(network.memory_mb())
            if len(memory) % _SAID_EVERY == 0:
                since = time.monotonic() - before
                say(
                    f"saturated for {since:.0f} of {seconds:g} seconds: "
                    f"{memory[-1]:.0f} MB, {asker.failures} errors"
                )

    watcher = threading.Thread(target=watch)
    watcher.start()
    figures = load.run(asker.make, Load(seconds, _SATURATING_CLIENTS))
    ended.set()
    watcher.join()
    return {
        **figures,
        "hostile": asker.hostile,
        "hostile_outcomes": dict(sorted(asker.outcomes.items())),
        "errors_of_good_requests": asker.failures,
        "memory_mb": [round(mb) for mb in memory[::_SAID_EVERY]],
        **served_network.memory_figures(memory),
        "server_peak_memory_mb": round(network.peak_memory_mb()),
    }


class _MixedAsker:
    """Asks by good pictures, and by one hostile of a hundred."""

    def __init__(
        self, network: ServedNetwork, pictures: Sequence[bytes]
    ) -> None:
        self._network = network
        self._pictures = pictures
        self._lock = threading.Lock()
        self._hostile = hostile_pictures.hostile_pictures(7)
        self._kinds = itertools.cycle((RestPeer, GrpcPeer))
        self.hostile = 0
        self.failures = 0
        self.outcomes: dict[str, int] = {}

    @contextlib.contextmanager
    def make(self) -> Iterator[load.Ask]:
        """Yields what one client asks with."""
        with self._lock:
            kind = next(self._kinds)
        with kind(self._network.place) as peer:

            def ask(number: int) -> str:
                is_hostile = number % _HOSTILE_EVERY == 0
                picture = self._pictures[number % len(self._pictures)]
                if is_hostile:
                    with self._lock:
                        self.hostile += 1
                        _, picture = next(self._hostile)
                outcome = load.outcome_of(
                    lambda: load.status_of(peer, picture, _SIGNATURE)
                )
                with self._lock:
                    if is_hostile:
                        count = self.outcomes.get(outcome, 0)
                        self.outcomes[outcome] = count + 1
                    elif outcome != _GOOD:
                        self.failures += 1
                return outcome

            yield ask
