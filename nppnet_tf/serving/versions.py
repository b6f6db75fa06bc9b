"""Versions of models: noticed, loaded, warmed, swapped in, taken away.

A thread looks at the folders again and again. What is new is loaded beside
what serves; only when it answers does the old one go. What cannot be loaded
leaves the old one serving and says why. Requests hold the model that they run
on, so that none fails when versions change.
"""

import dataclasses
import gc
import logging
import os
import pathlib
import threading
from collections.abc import Callable
from collections.abc import Sequence

from nppnet_tf.errors import UserError
from nppnet_tf.serving import failures
from nppnet_tf.serving.failures import RequestError
from nppnet_tf.serving.model_sources import ModelSource
from nppnet_tf.serving.servable import LoadedModel

# States of TensorFlow Serving's `ModelVersionStatus`.
START = "START"
LOADING = "LOADING"
AVAILABLE = "AVAILABLE"
END = "END"

# Versions that have gone and are still told of.
_MOST_ENDED = 20

Load = Callable[[str, int, pathlib.Path], LoadedModel]
# Names, sizes and times of the files of a version.
_Print = tuple[tuple[str, int, int], ...]


@dataclasses.dataclass
class Version:
    """What is known of one version.

    Attributes:
        state: One of the states.
        message: Why it could not be loaded, empty otherwise.
        model: It, where it is `AVAILABLE`.
        files: What its files were like when it was last looked at.
    """

    state: str = START
    message: str = ""
    model: LoadedModel | None = None
    files: _Print = ()

    @property
    def is_broken(self) -> bool:
        """Whether it could not be loaded."""
        return self.state == END and bool(self.message)


class ModelVersions:
    """The versions of one model.

    Args:
        source: Where they are and which to serve.
        load: Loads a version, and warms it.
        say: Takes a line for everything that happens.
    """

    def __init__(
        self,
        source: ModelSource,
        load: Load = LoadedModel,
        say: Callable[[str], object] = lambda line: None,
    ) -> None:
        self.source = source
        self._load = load
        self._say = say
        self._versions: dict[int, Version] = {}
        self._lock = threading.Lock()

    def statuses(self) -> dict[int, Version]:
        """Returns what is known of every version, newest first."""
        with self._lock:
            return {
                number: dataclasses.replace(version)
                for number, version in sorted(
                    self._versions.items(), reverse=True
                )
            }

    def available(self) -> dict[int, LoadedModel]:
        """Returns the models that answer, by version, ascending."""
        with self._lock:
            return {
                number: version.model
                for number, version in sorted(self._versions.items())
                if version.model is not None
            }

    def update(self, is_first: bool = False) -> None:
        """Looks at the folder and does what it asks for.

        Args:
            is_first: Whether files need not have been seen twice alike, as
                files that are still being copied are not.
        """
        try:
            candidates = self.source.candidates()
        except OSError as error:
            logging.warning("%s: %s", self.source.name, error)
            return
        serving = []
        for number in candidates:
            # An older one stands in for one that is broken.
            if len(serving) == self.source.most:
                break
            if self._is_available(number, is_first):
                serving.append(number)
        # No version at all is no wish: a disk that is away, a folder that is
        # being replaced.
        if serving:
            for number in self.available().keys() - set(serving):
                self._unload(number)
        self._forget(candidates)

    def close(self) -> None:
        """Takes all versions away."""
        for number in self.available():
            self._unload(number)

    def _is_available(self, number: int, is_first: bool) -> bool:
        """Whether a version answers; loads it where it can be."""
        version = self._versions.get(number, Version())
        if version.state == AVAILABLE:
            return True
        folder = self.source.folder_of(number)
        files = _files_of(folder)
        is_same = files == version.files
        if version.is_broken and is_same:
            return False
        if not is_same and not is_first:
            self._set(number, Version(START, "", None, files))
            return False
        return self._load_version(number, folder, files)

    def _load_version(
        self, number: int, folder: pathlib.Path, files: _Print
    ) -> bool:
        place = f"{self.source.name} version {number}"
        self._set(number, Version(LOADING, "", None, files))
        try:
            model = self._load(self.source.name, number, folder)
        # Whatever is wrong with it, the others serve on.
        except Exception as error:
            logging.info(place, exc_info=True)
            reason = f"cannot be loaded: {failures.told(error)}"
            self._set(number, Version(END, reason, None, files))
            self._say(f"{place} {reason}")
            return False
        self._set(number, Version(AVAILABLE, "", model, files))
        self._say(f"{place} serves")
        return True

    def _unload(self, number: int) -> None:
        with self._lock:
            # Requests that run on it hold it until they are answered.
            version = self._versions[number]
            self._versions[number] = Version(END, "", None, version.files)
        del version
        gc.collect()
        self._say(f"{self.source.name} version {number} has gone")

    def _set(self, number: int, version: Version) -> None:
        with self._lock:
            self._versions[number] = version

    def _forget(self, there: Sequence[int]) -> None:
        """Drops the oldest of what has gone."""
        with self._lock:
            gone = sorted(
                number
                for number, version in self._versions.items()
                if version.state == END and number not in there
            )
            for number in gone[: max(0, len(gone) - _MOST_ENDED)]:
                del self._versions[number]


class ModelStore:
    """All models, and the thread that looks after them.

    Args:
        read_sources: Returns the models that there should be; raises a
            `UserError` while that cannot be understood.
        load: Loads a version, and warms it.
        say: Takes a line for everything that happens.
    """

    def __init__(
        self,
        read_sources: Callable[[], list[ModelSource]],
        load: Load = LoadedModel,
        say: Callable[[str], object] = lambda line: None,
    ) -> None:
        self._read_sources = read_sources
        self._load = load
        self._say = say
        self._models: dict[str, ModelVersions] = {}
        self._updating = threading.Lock()
        self._closed = threading.Event()
        self._complaint = ""

    def models(self) -> dict[str, ModelVersions]:
        """Returns every model by its name."""
        return dict(self._models)

    def folders(self) -> dict[str, pathlib.Path]:
        """Returns the folder of the newest version that answers, by model."""
        return {
            name: model.source.folder_of(max(available))
            for name, model in self.models().items()
            if (available := model.available())
        }

    def is_ready(self) -> bool:
        """Whether any model answers."""
        return any(model.available() for model in self.models().values())

    def broken(self) -> list[str]:
        """Returns what is there and cannot be loaded, with the reasons."""
        return [
            f"{name} {number} {version.message}"
            for name, model in self.models().items()
            for number, version in model.statuses().items()
            if version.message
        ]

    def find(
        self, name: str, version: int | None = None, label: str = ""
    ) -> LoadedModel:
        """Returns the model that answers a request.

        Args:
            name: Name of the model.
            version: Number of the version; the newest where None.
            label: Label of the version, instead of its number.

        Raises:
            RequestError: There is none.
        """
        if not name:
            raise failures.invalid("ServableSpec has no name specified.")
        if label:
            version = self._labeled(name, label)
        model = self._models.get(name)
        available = model.available() if model else {}
        if version is None and available:
            return available[max(available)]
        if version in available:
            return available[version]
        asked = f"Latest({name})"
        if version is not None:
            asked = f"Specific({name}, {version})"
        raise RequestError(
            failures.NOT_FOUND, f"Servable not found for request: {asked}"
        )

    def statuses(
        self, name: str, version: int | None = None, label: str = ""
    ) -> dict[int, Version]:
        """Returns what is known of a model's versions; arguments as of `find`.

        Raises:
            RequestError: Nothing is.
        """
        if label:
            version = self._labeled(name, label)
        model = self._models.get(name)
        statuses = model.statuses() if model else {}
        if not statuses:
            raise RequestError(
                failures.NOT_FOUND,
                f"Could not find any versions of model {name}",
            )
        if version is None:
            return statuses
        if version not in statuses:
            raise RequestError(
                failures.NOT_FOUND,
                f"Could not find version {version} of model {name}",
            )
        return {version: statuses[version]}

    def update(self, is_first: bool = False) -> None:
        """Reads what models there should be and looks at each; see there."""
        with self._updating:
            try:
                self._take(self._read_sources())
                self._complaint = ""
            except UserError as error:
                if is_first:
                    raise
                self._complain(error)
            for model in self._models.values():
                model.update(is_first)

    def replace(self, sources: list[ModelSource]) -> None:
        """Serves other models from now on.

        Raises:
            RequestError: A version of a label does not answer; what can be
                loaded is served.
        """
        with self._updating:
            self._read_sources = lambda: sources
            self._take(sources)
            for model in self._models.values():
                model.update(is_first=True)
        for source in sources:
            available = self._models[source.name].available()
            for label, version in source.labels.items():
                if version not in available:
                    raise RequestError(
                        failures.FAILED_PRECONDITION,
                        f"Request to assign label {label} to version "
                        f"{version} of model {source.name}, which is not "
                        "currently available for inference",
                    )

    def watch(self, seconds: float) -> None:
        """Looks again and again, in a thread, until `close`."""

        def look() -> None:
            while not self._closed.wait(seconds):
                try:
                    self.update()
                except Exception:
                    # The next look may do better; what serves, serves on.
                    logging.exception("looking after models failed")

        threading.Thread(target=look, name="models", daemon=True).start()

    def close(self) -> None:
        """Takes all models away."""
        self._closed.set()
        with self._updating:
            for model in self._models.values():
                model.close()

    def _take(self, sources: list[ModelSource]) -> None:
        """Makes what is new, changes what is known, drops what has gone."""
        models = {}
        for source in sources:
            model = self._models.get(source.name)
            if model is None or model.source.folder != source.folder:
                model = ModelVersions(source, self._load, self._say)
            model.source = source
            models[source.name] = model
        before, self._models = self._models, models
        for name, model in before.items():
            if models.get(name) is not model:
                model.close()

    def _complain(self, error: UserError) -> None:
        """Says once that the models that there should be cannot be read."""
        if str(error) != self._complaint:
            self._complaint = str(error)
            self._say(f"models stay as they are: {error}")

    def _labeled(self, name: str, label: str) -> int:
        model = self._models.get(name)
        labels = model.source.labels if model else {}
        if label not in labels:
            raise failures.invalid(
                f"Unrecognized servable version label: {label}"
            )
        return labels[label]


def _files_of(folder: pathlib.Path) -> _Print:
    """Names, sizes and times of all files of a version."""
    found = []
    for place, _, names in os.walk(folder):
        for name in names:
            path = os.path.join(place, name)
            try:
                status = os.stat(path)
            except OSError:
                continue
            relative = os.path.relpath(path, folder)
            found.append((relative, status.st_size, status.st_mtime_ns))
    return tuple(sorted(found))
