"""A network, exported and served by a process of its own."""

import contextlib
import dataclasses
import pathlib
import re
import signal
import subprocess
import tempfile
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
        text = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(rf"{name}:\s+(\d+) kB", text)[1]) / 1024


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
        try:
            lines = []
            found = None
            for line in process.stdout:
                lines.append(line)
                found = _ADDRESSES.search(line)
                if found:
                    break
            if not found:
                raise RuntimeError(f"server did not start: {lines}")
            place = Place(*found.groups(), _NAME, seconds=_MOST_SECONDS)
            yield ServedNetwork(place, version, process)
        finally:
            process.send_signal(signal.SIGTERM)
            process.communicate(timeout=_PATIENCE_SECONDS)
