"""A network, exported and served by a process of its own."""

import contextlib
import dataclasses
import pathlib
import re
import signal
import statistics
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from collections.abc import Sequence

from nppnet_tf.benchmarks.measuring import Size
from nppnet_tf.data.descriptors import LIP
from nppnet_tf.inference import export
from nppnet_tf.models.nppnet import NPPNet
from nppnet_tf.search_space.published import Preset
from nppnet_tf.serving.peer import Place

_NAME = "measured"
_ADDRESSES = re.compile(r"serving at (\S+) and grpc (\S+)")
_PATIENCE_SECONDS = 120
# For an answer: the largest pictures take long where others are at work.
_MOST_SECONDS = 600

# By what share of its level memory may vary that is settled.
_SETTLED_WITHIN = 0.05

_SETTLED_AFTER = "memory_settled_after"
_GROWTH = "memory_growth_after_warm_up"


@dataclasses.dataclass(frozen=True)
class ServedNetwork:
    """A server that runs.

    Attributes:
        place: Where it is.
        version: Folder of the SavedModel that it serves.
        process: The process.
    """

    place: Place
    version: pathlib.Path
    process: subprocess.Popen

    def memory_mb(self) -> float:
        """Memory that the server holds now, in 2^20 bytes."""
        return self._status("VmRSS")

    def peak_memory_mb(self) -> float:
        """The most that it has held."""
        return self._status("VmHWM")

    def is_running(self) -> bool:
        """Whether it has not ended."""
        return self.process.poll() is None

    def _status(self, name: str) -> float:
        """Figure of a process; 0 of one that has ended."""
        path = pathlib.Path(f"/proc/{self.process.pid}/status")
        text = path.read_text() if path.exists() else ""
        found = re.search(rf"{name}:\s+(\d+) kB", text)
        return int(found[1]) / 1024 if found else 0.0


@contextlib.contextmanager
def served(
    preset: Preset, size: Size, tool: Sequence[str]
) -> Iterator[ServedNetwork]:
    """Yields a server of a network of random weights; ends it by SIGTERM.

    Args:
        preset: Genotype and sizes.
        size: Size of the network's input.
        tool: Words that run `serve`.
    """
    with tempfile.TemporaryDirectory() as folder:
        version = export.export_saved_model(
            NPPNet(*preset), LIP, size.image_size, folder, _NAME
        )
        words = [
            *tool,
            f"--models={folder}",
            "--rest_port=0",
            "--grpc_port=0",
            f"--timeout_seconds={_MOST_SECONDS}",
        ]
        process = subprocess.Popen(words, stdout=subprocess.PIPE, text=True)
        # One that never says where it is would be waited for without end.
        watchdog = threading.Timer(_MOST_SECONDS, process.kill)
        watchdog.start()
        try:
            lines = []
            found = None
            for line in process.stdout:
                lines.append(line)
                found = _ADDRESSES.search(line)
                if found:
                    break
            watchdog.cancel()
            if not found:
                raise RuntimeError(f"server did not start: {lines}")
            place = Place(*found.groups(), _NAME, seconds=_MOST_SECONDS)
            yield ServedNetwork(place, version, process)
        finally:
            watchdog.cancel()
            process.send_signal(signal.SIGTERM)
            try:
                process.communicate(timeout=_PATIENCE_SECONDS)
            except subprocess.TimeoutExpired:
                # What was measured before is not lost for it.
                process.kill()
                process.communicate()


def memory_figures(samples_mb: Sequence[float]) -> dict[str, float | None]:
    """Says what the memory of a server did under a load, for JSON.

    Its warm-up lasts until memory is settled: every later sample lies within
    5 % of the median of the last third of all.

    Args:
        samples_mb: What it held, at equal steps of the load.

    Returns:
        "memory_settled_after", the share of the load that was warm-up, None
        where memory never settled; and "memory_growth_after_warm_up", by what
        share the last third of what followed (of all, where it never settled)
        lay above the first third.
    """
    if not samples_mb:
        return {_SETTLED_AFTER: None, _GROWTH: 0.0}
    level = statistics.median(_last_third(samples_mb))
    unsettled = [
        number
        for number, held in enumerate(samples_mb, 1)
        if abs(held - level) > _SETTLED_WITHIN * level
    ]
    warm_up = max(unsettled, default=0)
    is_settled = warm_up < len(samples_mb)
    rest = samples_mb[warm_up:] if is_settled else samples_mb
    before = statistics.mean(_last_third(rest[::-1]))
    after = statistics.mean(_last_third(rest))
    return {
        _SETTLED_AFTER: (
            round(warm_up / len(samples_mb), 2) if is_settled else None
        ),
        _GROWTH: round(after / before - 1, 4) if before else 0.0,
    }


def _last_third(values: Sequence[float]) -> Sequence[float]:
    return values[-max(1, len(values) // 3) :]
