"""Which models to serve and where their versions lie, as files say it.

A folder of models, each a folder of numbered versions; or a file of the same
form as TensorFlow Serving's `--model_config_file`.
"""

import dataclasses
import os
import pathlib
from collections.abc import Mapping
from typing import Any

from google.protobuf import text_format
from tensorflow_serving.config import model_server_config_pb2

from nppnet_tf.errors import UserError
from nppnet_tf.files import text_files
from nppnet_tf.inference import export
from nppnet_tf.inference import model_folders

LATEST = "latest"
ALL = "all"
SPECIFIC = "specific"

# A configuration of thousands of models has less.
_MAX_BYTES = 4 << 20


@dataclasses.dataclass(frozen=True)
class ModelSource:
    """Where the versions of one model are, and which of them to serve.

    Attributes:
        name: Name of the model.
        folder: Children with numbers for names are the versions.
        policy: `LATEST`, `ALL` or `SPECIFIC`.
        num_latest: How many of the newest.
        specific: Numbers of those that `SPECIFIC` serves.
        labels: Number of the version by the label that clients may ask for.
    """

    name: str
    folder: pathlib.Path
    policy: str = LATEST
    num_latest: int = 1
    specific: tuple[int, ...] = ()
    labels: Mapping[str, int] = dataclasses.field(default_factory=dict)

    def candidates(self) -> list[int]:
        """Returns the versions that are there and may serve, newest first.

        Raises:
            OSError: The folder cannot be read.
        """
        # A folder that is gone for a moment is no wish for no versions.
        os.scandir(self.folder).close()
        there = reversed(model_folders.versions_in(self.folder))
        return [
            number
            for number in there
            if self.policy != SPECIFIC or number in self.specific
        ]

    def folder_of(self, version: int) -> pathlib.Path:
        """Returns the folder of a version, which may be gone."""
        there = model_folders.version_folders(self.folder)
        return there.get(version, self.folder / str(version))

    @property
    def most(self) -> int | None:
        """How many of the candidates serve at once; None for all."""
        return self.num_latest if self.policy == LATEST else None


def read(path: str | os.PathLike[str]) -> list[ModelSource]:
    """Returns the models of a folder or of a configuration file.

    Args:
        path: Folder of models, folder of one model, or a file of the form of
            `ModelServerConfig`.

    Raises:
        UserError: It is missing, cannot be understood, or names no model.
    """
    path = pathlib.Path(path)
    sources = _in_file(path) if path.is_file() else _in_folder(path)
    if not sources:
        raise UserError(
            "no model to serve",
            path,
            "<name>/<version>/saved_model.pb in it, as nppnet-export writes",
            "none",
        )
    return sources


def from_config(config: Any, where: pathlib.Path) -> list[ModelSource]:
    """Returns the models of a parsed configuration.

    Args:
        config: `ModelServerConfig`.
        where: File of the configuration, or the folder that it stands for.

    Raises:
        UserError: It holds what this server cannot do, or a name twice.
    """
    if config.WhichOneof("config") == "custom_model_config":
        raise UserError(
            "custom_model_config", where, "model_config_list", "another"
        )
    sources = [
        _source(entry, where) for entry in config.model_config_list.config
    ]
    names = [source.name for source in sources]
    for name in names:
        if names.count(name) > 1:
            raise UserError(
                "model of a name that is there", where, "one of each", name
            )
    return sources


def _in_file(path: pathlib.Path) -> list[ModelSource]:
    config = model_server_config_pb2.ModelServerConfig()
    text = text_files.read(path, _MAX_BYTES)
    try:
        text_format.Parse(text, config)
    except (text_format.ParseError, RecursionError) as error:
        raise UserError(
            "configuration cannot be read",
            path,
            "model_config_list of TensorFlow Serving",
            error,
        ) from error
    return from_config(config, path)


def _source(entry: Any, where: pathlib.Path) -> ModelSource:
    """Reads one `ModelConfig`."""
    try:
        name = model_folders.checked_name(entry.name)
    except UserError as error:
        raise error.at(f"{where}, name") from None
    if entry.model_platform not in ("", "tensorflow"):
        raise UserError(
            "platform of a model",
            f"{where}, {name}",
            "tensorflow",
            entry.model_platform,
        )
    return ModelSource(
        name,
        _base_path(entry.base_path, name, where),
        *_policy(entry.model_version_policy, f"{where}, {name}"),
        labels=dict(entry.version_labels),
    )


def _base_path(text: str, name: str, where: pathlib.Path) -> pathlib.Path:
    """Returns the folder of a model; the container's stands for the file's.

    `/models/<name>`, as `nppnet-export` writes it for the container, is the
    folder beside the file where there is no such folder.
    """
    path = pathlib.Path(text)
    home = where.parent if where.is_file() else where
    if not text.strip():
        raise UserError("base_path is missing", f"{where}, {name}", "a folder")
    root = pathlib.PurePath(export.SERVER_ROOT)
    if not os.path.isdir(path) and path.is_relative_to(root):
        path = path.relative_to(root)
    path = home / path
    # Python's own test raises an error for what is too long for a name.
    if not os.path.isdir(path):
        raise UserError(
            "folder of a model is missing", f"{where}, {name}", "a folder", text
        )
    return path


def _policy(policy: Any, where: str) -> tuple[str, int, tuple[int, ...]]:
    kind = policy.WhichOneof("policy_choice") or LATEST
    if kind == SPECIFIC and not policy.specific.versions:
        raise UserError("no versions", where, "at least one", "none")
    # Zero is what an absent number reads as.
    return (
        kind,
        policy.latest.num_versions or 1,
        tuple(policy.specific.versions),
    )


def _in_folder(path: pathlib.Path) -> list[ModelSource]:
    if not path.is_dir():
        raise UserError(
            "no models", path, "a folder of models or models.config", "nothing"
        )
    if model_folders.versions_in(path):
        name = path.resolve().name
        return [ModelSource(model_folders.checked_name(name), path)]
    children = [
        child
        for child in sorted(path.iterdir())
        if child.is_dir() and model_folders.is_name(child.name)
    ]
    if not any(map(model_folders.versions_in, children)):
        return []
    # One whose versions are all away may get another.
    return [ModelSource(child.name, child) for child in children]
