"""The machines of one run, as the variable TF_CONFIG names them.

    {"cluster": {"worker": ["a:4000", "b:4000"]},
     "task": {"type": "worker", "index": 0}}

stands on the first of two machines; on the second the index is 1. A "chief" is
the first worker under a name of its own, as TensorFlow has it. No TensorFlow.
"""

import contextlib
import dataclasses
import errno
import json
import os
import re
import socket
import time
from collections.abc import Mapping

from nppnet_tf.errors import UserError

VARIABLE = "TF_CONFIG"

_CHIEF, _WORKER = "chief", "worker"
_MOST_PORT = (1 << 16) - 1

# A name, or numbers; those of IPv6 in brackets, for their colons.
_HOST = re.compile(r"[^\s/@:\[\]]+|\[[^\s/@\[\]]+\]")

# A process that was killed a moment ago may hold its port a moment longer.
_SECONDS_FOR_PORT = 5.0


@dataclasses.dataclass(frozen=True)
class Cluster:
    """Who takes part in a run, and who this process is.

    Attributes:
        workers: Address, "host:port", of every worker, the chief's first.
        index: Number of this one among them.
    """

    workers: tuple[str, ...]
    index: int

    @property
    def is_chief(self) -> bool:
        """Whether this worker is the one that writes the folder of the run."""
        return self.index == 0

    @property
    def own(self) -> tuple[str, int]:
        """Host and port of this worker."""
        return host_and_port(self.workers[self.index])

    @property
    def chief(self) -> tuple[str, int]:
        """Host and port of the chief."""
        return host_and_port(self.workers[0])

    def name(self, index: int) -> str:
        """Returns "worker 1 (b:4000)", for a person."""
        return f"worker {index} ({self.workers[index]})"


def read(variables: Mapping[str, str] | None = None) -> Cluster:
    """Reads the cluster from the environment.

    Args:
        variables: Environment; if absent, that of this process.

    Raises:
        UserError: The variable is absent, is no JSON, lacks something, names an
            address twice, or gives this worker a number that there is not.
    """
    text = (os.environ if variables is None else variables).get(VARIABLE)
    if not text:
        raise _error("is not set", '{"cluster": ..., "task": ...}', "nothing")
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise _error("is no JSON", "a JSON object", error) from error
    jobs = _entry(document, "cluster", dict)
    known = (_CHIEF, _WORKER)
    if not jobs or any(job not in known for job in jobs):
        raise _error(
            "has jobs that no run has",
            '"worker", with or without "chief"',
            ", ".join(map(str, jobs)) or "none",
        )
    addresses = {job: _addresses(jobs, job) for job in known if job in jobs}
    task = _entry(document, "task", dict)
    kind, index = _entry(task, "type", str), _entry(task, "index", int)
    if kind not in addresses:
        raise _error("has a task of no job", " or ".join(addresses), kind)
    if not 0 <= index < len(addresses[kind]):
        raise _error(
            "gives this worker a number that there is not",
            f"an index from 0 to {len(addresses[kind]) - 1}",
            index,
        )
    before = len(addresses.get(_CHIEF, ())) if kind == _WORKER else 0
    return Cluster(_all_different(addresses), before + index)


def host_and_port(address: str) -> tuple[str, int]:
    """Returns both parts of an address, "[::1]:4000" among them.

    Raises:
        UserError: It is none.
    """
    host, _, port = address.rpartition(":")
    is_port = port.isascii() and port.isdecimal() and len(port) <= 5
    is_host = _HOST.fullmatch(host) and host.isprintable()
    if not is_host or not is_port or not 1 <= int(port) <= _MOST_PORT:
        raise _error(
            "has an address that is none",
            f'"host:port" with a port from 1 to {_MOST_PORT}',
            address,
        )
    return host.removeprefix("[").removesuffix("]"), int(port)


def listen(
    cluster: Cluster, seconds: float = _SECONDS_FOR_PORT
) -> socket.socket:
    """Listens at this worker's port, on every network of the machine.

    Args:
        cluster: The machines.
        seconds: How long to wait for a port that another process holds.

    Raises:
        UserError: It holds it still, or the port cannot be had.
    """
    _, port = cluster.own
    end = time.monotonic() + seconds
    while True:
        try:
            return _listen(port)
        except OSError as error:
            if error.errno != errno.EADDRINUSE or time.monotonic() > end:
                raise _error(
                    "names a port that cannot be had",
                    f"a port of {cluster.name(cluster.index)} that is free",
                    error.strerror,
                ) from error
        time.sleep(0.1)


def _listen(port: int) -> socket.socket:
    # TensorFlow's own server listens on IPv6 and IPv4 alike.
    if socket.has_dualstack_ipv6():
        with contextlib.suppress(OSError):
            return socket.create_server(
                ("", port), family=socket.AF_INET6, dualstack_ipv6=True
            )
    return socket.create_server(("", port))


def _entry(document: object, name: str, kind: type) -> object:
    """Returns an entry of an object that is of a kind."""
    if not isinstance(document, dict):
        raise _error("is malformed", "objects in an object", document)
    if name not in document:
        raise _error("lacks an entry", name, ", ".join(document) or "nothing")
    value = document[name]
    if not isinstance(value, kind) or isinstance(value, bool):
        words = {dict: "an object", str: "a text", int: "an integer"}
        raise _error("is malformed", f"{name}: {words[kind]}", value)
    return value


def _addresses(jobs: Mapping, job: str) -> tuple[str, ...]:
    value = jobs[job]
    if (
        not isinstance(value, list)
        or not value
        or not all(isinstance(address, str) for address in value)
    ):
        raise _error("is malformed", f'{job}: ["host:port", ...]', value)
    for address in value:
        host_and_port(address)
    if job == _CHIEF and len(value) != 1:
        raise _error("has several chiefs", "one", len(value))
    return tuple(value)


def _all_different(
    addresses: Mapping[str, tuple[str, ...]],
) -> tuple[str, ...]:
    workers = (*addresses.get(_CHIEF, ()), *addresses.get(_WORKER, ()))
    # "A:4000" and "a:04000" are one place, too.
    places = [(h.lower(), port) for h, port in map(host_and_port, workers)]
    twice = sorted(
        {
            worker
            for worker, place in zip(workers, places, strict=True)
            if places.count(place) > 1
        }
    )
    if twice:
        raise _error(
            "names an address twice", "one for each worker", ", ".join(twice)
        )
    return workers


def _error(problem: str, expected: object, found: object) -> UserError:
    return UserError(f"{VARIABLE} {problem}", expected=expected, found=found)
