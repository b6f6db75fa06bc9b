"""Folders of models as TensorFlow Serving reads them: names and versions.

`<models>/<name>/<version>/`, and `<models>/models.config`. Needs no
TensorFlow: what cannot be written is known before the work begins.
"""

import os
import pathlib
import re

from nppnet_tf.errors import UserError

CONFIG_NAME = "models.config"

_NAME_PATTERN = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")
_MAX_NAME = 100

# What TensorFlow Serving can count.
_MAX_VERSION = 2**63 - 1


def new_version(
    models_folder: str | os.PathLike[str], name: str, version: int | None = None
) -> pathlib.Path:
    """Returns the folder of a version that is not there yet.

    Args:
        models_folder: Folder of all models; need not exist.
        name: Name of the model.
        version: Version of the model; one more than the newest by default.

    Raises:
        UserError: The name or the version cannot be used.
    """
    folder = pathlib.Path(models_folder) / checked_name(name)
    if os.path.lexists(folder) and not folder.is_dir():
        raise UserError(
            "wrong name of a model", folder, "a new name or a folder", "a file"
        )
    versions = versions_in(folder)
    if version is None:
        version = max(versions, default=0) + 1
    if not 1 <= version <= _MAX_VERSION or version in versions:
        raise UserError(
            "version cannot be used",
            folder,
            "a positive number that is not there yet",
            version,
        )
    return folder / str(version)


def new_package(
    models_folder: str | os.PathLike[str],
    name: str,
    runtime: str,
    precision: str,
) -> pathlib.Path:
    """Returns the folder of a model of another runtime, not there yet.

    The server does not take it for a model of its own: it has no versions.

    Args:
        models_folder: Folder of all models; need not exist.
        name: Name of the model.
        runtime: Name of the runtime's format.
        precision: Precision of the model.

    Raises:
        UserError: The name cannot be used, or the folder is there.
    """
    folder = pathlib.Path(models_folder) / (
        f"{checked_name(name)}-{runtime}-{precision}"
    )
    if os.path.lexists(folder):
        raise UserError(
            "model is already there", folder, "another `name`", "a folder"
        )
    return folder


def checked_name(name: str) -> str:
    """Returns a name that a model can have.

    Raises:
        UserError: It has other letters, is too long or means another file.
    """
    if not is_name(name):
        raise UserError(
            "wrong name of a model",
            "`name`",
            f"at most {_MAX_NAME} letters, digits, dots, dashes and "
            f"underscores, not {CONFIG_NAME}",
            name,
        )
    return name


def is_name(text: str) -> bool:
    """Whether a model can be called so."""
    return (
        _NAME_PATTERN.fullmatch(text) is not None
        and len(text) <= _MAX_NAME
        and text != CONFIG_NAME
    )


def versions_in(folder: pathlib.Path) -> list[int]:
    """Returns the versions of one model, ascending."""
    return list(version_folders(folder))


def version_folders(folder: pathlib.Path) -> dict[int, pathlib.Path]:
    """Returns the folders of the versions of one model, ascending.

    A number may have zeros before it, as TensorFlow Serving reads it; of two
    folders of one number that without them counts. Numbers that 64 bits do not
    hold are none.
    """
    if not folder.is_dir():
        return {}
    found = {
        child
        for child in folder.iterdir()
        if child.name.isdecimal() and child.name.isascii() and child.is_dir()
    }
    # The shortest name of a number comes last, and stays.
    ordered = sorted(found, key=lambda child: -len(child.name))
    numbered = {int(child.name): child for child in ordered}
    return {n: numbered[n] for n in sorted(numbered) if n <= _MAX_VERSION}
