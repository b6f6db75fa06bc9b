"""Everything there is to look at, in order."""

import os
from collections.abc import Iterator

from nppnet_tf.machine_check import machine
from nppnet_tf.machine_check import software
from nppnet_tf.machine_check.finding import Finding


def examine(folder: str | os.PathLike[str]) -> Iterator[Finding]:
    """Looks at this machine, one thing after the other.

    Args:
        folder: Where runs will be.
    """
    yield software.python_version()
    yield from software.packages()
    found, facts = software.tensorflow()
    yield found
    yield from software.devices(facts)
    yield software.profiler()
    yield machine.other_machines()
    yield machine.disk(folder)
    yield machine.memory()
    yield machine.shared_memory()
