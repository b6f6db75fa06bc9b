"""This process as one worker of a run that several machines compute.

All run the same program. The chief, the first of them, has the folder of the
run; each of the others has a temporary one with a copy of what the run goes on
from, writes into it what the chief writes, and loses it in the end: what
callbacks, recorders and their collective operations do is the same everywhere.
"""

import contextlib
import pathlib
import tempfile
from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Mapping
from contextlib import AbstractContextManager

import keras
import numpy as np
import tensorflow as tf

import nppnet_tf
from nppnet_tf import cluster as clusters
from nppnet_tf import config as configuration
from nppnet_tf.errors import UserError
from nppnet_tf.files import atomic
from nppnet_tf.training import checkpoints
from nppnet_tf.training import meeting
from nppnet_tf.training.workdir import Workdir

# What machines may do each in its own way.
_OWN = ("input_workers", "share")


class Team:
    """One worker among those of TF_CONFIG.

    Args:
        cluster: The workers.
        others: The connections to them.

    Attributes:
        is_chief: Whether the folder of the run is this worker's.
        index: Number of this worker.
    """

    def __init__(
        self, cluster: clusters.Cluster, others: meeting.Meeting
    ) -> None:
        self._cluster = cluster
        self._others = others
        self.is_chief = cluster.is_chief
        self.index = cluster.index

    @classmethod
    def meet(cls, say: Callable[[str], None]) -> "Team":
        """Waits for the other workers.

        Args:
            say: Takes a line while others are waited for.

        Raises:
            UserError: TF_CONFIG is wrong, or not all have come.
        """
        cluster = clusters.read()
        return cls(cluster, meeting.join(cluster, say))

    def agree(
        self, config: configuration.RunConfig, settings: Mapping[str, object]
    ) -> None:
        """Refuses to begin where workers were asked for different things.

        Args:
            config: All that can be set, also what may differ between two
                starts of a run.
            settings: What else makes another run of it.

        Raises:
            UserError: A worker has another setting, other records, or another
                version of what computes.
        """
        values = {
            f"`{limits.name or name}`": repr(getattr(part, name))
            for part in config.parts()
            for name, limits in configuration.settings_of(part).items()
            if name not in _OWN
        }
        versions = {
            "version of nppnet_tf": nppnet_tf.__version__,
            "version of TensorFlow": tf.__version__,
            "version of Keras": keras.__version__,
            "version of NumPy": np.__version__,
        }
        named = {
            name if " " in name else f"`{name}`": str(value)
            for name, value in settings.items()
        }
        self._others.agree({**named, **values, **versions})

    def share(self, parts: int) -> configuration.Share:
        """Returns which samples of a batch this worker makes."""
        return configuration.Share(
            self.index, len(self._cluster.workers), parts
        )

    @contextlib.contextmanager
    def folder(self, workdir: Workdir) -> Iterator[Workdir]:
        """Lends the folder that this worker writes.

        Args:
            workdir: That of the run, the chief's.
        """
        if self.is_chief:
            yield workdir
            return
        with tempfile.TemporaryDirectory(prefix="nppnet_tf_worker_") as path:
            yield Workdir(path)

    def share_progress(self, workdir: Workdir, goes_back: bool) -> None:
        """Gives every worker what the run goes on from.

        Args:
            workdir: What `folder` lent, claimed.
            goes_back: Whether it may have to go back to earlier checkpoints:
                all workers go back to the same.
        """
        folder = checkpoints.CheckpointFolder(workdir.checkpoints)
        paths = [workdir.metrics_file, folder.last_path]
        if goes_back:
            paths += [folder.best_path, folder.start_path]
        for path in paths:
            content = self._others.share(
                path.read_bytes() if self.is_chief and path.exists() else b""
            )
            if content and not self.is_chief:
                _write(path, content)

    def watching(
        self, abandon: Callable[[UserError], None]
    ) -> AbstractContextManager[None]:
        """See `Meeting.watching`."""
        return self._others.watching(abandon)


def _write(path: pathlib.Path, content: bytes) -> None:
    with atomic.atomic_path(path) as temporary:
        temporary.write_bytes(content)
