"""Disk, memory, shared memory, and the other machines of a run."""

import mmap
import os
import pathlib
import shutil
import socket
from collections.abc import Mapping

from nppnet_tf import cluster
from nppnet_tf.errors import UserError
from nppnet_tf.machine_check.finding import MEND
from nppnet_tf.machine_check.finding import NOTE
from nppnet_tf.machine_check.finding import Finding

_GIGABYTE = 1 << 30

# Two checkpoints of a small network, and those of the paper's.
_LEAST_DISK = _GIGABYTE // 2
_ENOUGH_DISK = 10 * _GIGABYTE

# TensorFlow and a small network; the paper's second stage, batches of 2.
_LEAST_MEMORY = 3 * _GIGABYTE // 2
_ENOUGH_MEMORY = 4 * _GIGABYTE

# Of containers: control groups of either version.
_MEMORY_LIMITS = (
    "/sys/fs/cgroup/memory.max",
    "/sys/fs/cgroup/memory/memory.limit_in_bytes",
)


def disk(folder: str | os.PathLike[str]) -> Finding:
    """Looks at the room for a run, and whether it may be written.

    Args:
        folder: Where runs will be; the first folder above it that is there.
    """
    place = pathlib.Path(folder).absolute()
    while not place.exists():
        place = place.parent
    free = shutil.disk_usage(place).free
    found = f"{_gigabytes(free)} free in {place}"
    if not os.access(place, os.W_OK):
        return Finding(
            "disk", f"{place} cannot be written", MEND, "another --workdir"
        )
    if free < _LEAST_DISK:
        return Finding("disk", found, MEND, "make room for checkpoints")
    if free < _ENOUGH_DISK:
        return Finding(
            "disk",
            found,
            NOTE,
            "a run at the paper's sizes leaves 2 GB, and takes another while "
            "it saves",
        )
    return Finding("disk", found)


def memory(limits: tuple[str, ...] = _MEMORY_LIMITS) -> Finding:
    """Looks at the memory that this process may take.

    Args:
        limits: Files with the limit of a container.
    """
    available = _available_memory()
    words = "available"
    for path in limits:
        text = _text(path).strip()
        if text.isdecimal() and int(text) < available:
            available, words = int(text), f"allowed by {path}"
    found = f"{_gigabytes(available)} {words}"
    remedy = "smaller --batch_size, --image_size or --channels"
    if available < _LEAST_MEMORY:
        return Finding("memory", found, MEND, f"more memory, or {remedy}")
    if available < _ENOUGH_MEMORY:
        return Finding("memory", found, NOTE, remedy)
    return Finding("memory", found)


def shared_memory() -> Finding:
    """Makes the memory that processes of --input_workers share."""
    try:
        number = os.memfd_create("nppnet_tf doctor")
        try:
            os.ftruncate(number, mmap.PAGESIZE)
            with mmap.mmap(number, mmap.PAGESIZE) as mapped:
                mapped[0] = 1
        finally:
            os.close(number)
    except (AttributeError, OSError) as error:
        return Finding(
            "shared memory",
            f"cannot be made: {error}",
            MEND,
            "--input_workers=0, which takes threads in place of processes",
        )
    size = ""
    if os.path.isdir("/dev/shm"):
        size = f"; /dev/shm, which is not needed, has {_free('/dev/shm')}"
    return Finding("shared memory", f"without a name, as workers take it{size}")


def other_machines(variables: Mapping[str, str] | None = None) -> Finding:
    """Reads TF_CONFIG and looks whether its names and its port can be had.

    Args:
        variables: Environment; if absent, that of this process.
    """
    subject = cluster.VARIABLE
    if not (os.environ if variables is None else variables).get(subject):
        return Finding(subject, "not set: runs are of this machine alone")
    try:
        found = cluster.read(variables)
        cluster.listen(found, seconds=0).close()
    except UserError as error:
        return Finding(
            subject, str(error), MEND, "see docs/scale.md, or unset it"
        )
    unknown = [address for address in found.workers if not _is_known(address)]
    if unknown:
        return Finding(
            subject,
            f"no address of {', '.join(unknown)}",
            MEND,
            "names that this machine can look up, or addresses",
        )
    return Finding(
        subject,
        f"{found.name(found.index)} of {len(found.workers)}; its port is free",
    )


def _is_known(address: str) -> bool:
    try:
        return bool(socket.getaddrinfo(*cluster.host_and_port(address)))
    except OSError:
        return False


def _available_memory() -> int:
    for line in _text("/proc/meminfo").splitlines():
        if line.startswith("MemAvailable:"):
            return int(line.split()[1]) << 10
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def _text(path: str) -> str:
    try:
        return pathlib.Path(path).read_text(encoding="utf-8")
    except OSError:
        return ""


def _free(folder: str) -> str:
    return _gigabytes(shutil.disk_usage(folder).free)


def _gigabytes(count: int) -> str:
    return f"{count / _GIGABYTE:.1f} GB"
