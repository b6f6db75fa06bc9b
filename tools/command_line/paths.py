"""Paths of flags, looked at before the work begins.

Each check takes the value of a flag and the flag as the user types it, and
raises a `UserError` that names both. Checks named `require_` make nothing;
`ToolFlags.define_path` takes them as they are.
"""

import dataclasses
import os
import pathlib
import stat
from collections.abc import Callable
from collections.abc import Iterable

from nppnet_tf.config import NetworkConfig
from nppnet_tf.data import descriptors
from nppnet_tf.data.records import manifest
from nppnet_tf.errors import UserError
from nppnet_tf.files import json_documents
from nppnet_tf.runtimes import packages
from nppnet_tf.search_space import genotype as genotypes
from nppnet_tf.search_space import published
from nppnet_tf.search_space import topology

# What a run and a SavedModel are known by.
_NETWORK = "network.json"
_SAVED_MODEL = "saved_model.pb"


def require_file(
    path: str | os.PathLike[str] | None, flag: str
) -> pathlib.Path:
    """Returns the path of a file that exists.

    Args:
        path: Value of the flag.
        flag: Name of the flag as the user types it, `--genotype`.

    Raises:
        UserError: If it is not given, missing, or not a file.
    """
    found = _require_path(path, flag, "a file")
    if not found.is_file():
        raise UserError("not a file", f"{flag}={path}", "a file", _kind(found))
    return found


def require_file_or_folder(
    path: str | os.PathLike[str] | None, flag: str
) -> pathlib.Path:
    """Returns the path of a file, or of a folder that is not empty.

    Args:
        path: Value of the flag.
        flag: Name of the flag as the user types it, `--boxes`.

    Raises:
        UserError: If it is not given, missing, or an empty folder.
    """
    # Never an error: names may be longer than a file system takes.
    if path is not None and os.path.isdir(path):
        return require_folder(path, flag)
    return require_file(path, flag)


def require_folder(
    path: str | os.PathLike[str] | None, flag: str
) -> pathlib.Path:
    """Returns the path of a folder that exists and is not empty.

    Args:
        path: Value of the flag.
        flag: Name of the flag as the user types it, `--records`.

    Raises:
        UserError: If it is not given, missing, not a folder, or empty.
    """
    found = _require_path(path, flag, "a folder")
    if not found.is_dir():
        raise UserError(
            "not a folder", f"{flag}={path}", "a folder", _kind(found)
        )
    if not any(found.iterdir()):
        raise UserError(
            "empty folder", f"{flag}={path}", "a folder with files", "nothing"
        )
    return found


def require_run(path: str | os.PathLike[str] | None, flag: str) -> pathlib.Path:
    """Returns the path of a folder that says what network it holds.

    Only what comes at once is looked at, before anything loads TensorFlow.

    Args:
        path: Value of the flag.
        flag: Name of the flag as the user types it, `--run`.

    Raises:
        UserError: For the reasons that `require_folder` gives, or there is no
            description of a network, or one that is no JSON object or of a size
            that no network has.
    """
    folder = require_folder(path, flag)
    description = folder / _NETWORK
    if not description.is_file():
        raise UserError(
            "no run with a network",
            f"{flag}={path}",
            f"{_NETWORK} in it",
            "none",
        )
    document = json_documents.require(
        json_documents.read(description), "an object", description, "document"
    )
    _check_size(document.get("config"), description)
    return folder


def _check_size(config: object, description: pathlib.Path) -> None:
    """Refuses a size that would take hours to build; other forms are later."""
    fields = {field.name for field in dataclasses.fields(NetworkConfig)}
    if isinstance(config, dict) and fields <= config.keys():
        place = f"{description}, ".replace("{", "{{").replace("}", "}}")
        sizes = NetworkConfig(**{name: config[name] for name in fields})
        topology.check_sizes(sizes, place=place + "{}")


def require_model(
    path: str | os.PathLike[str] | None, flag: str
) -> pathlib.Path:
    """Returns the path of a run with a network, or of an exported model.

    Arguments and errors as of `require_run`; a model of another runtime may be
    its file, and has to have its description.
    """
    found = _require_path(path, flag, "a model")
    package = packages.find(found)
    if package is not None:
        if not package.description_file.is_file():
            raise UserError(
                "model without its description",
                f"{flag}={path}",
                f"{package.description_file.name} beside it",
                "none",
            )
        return found
    folder = require_folder(path, flag)
    if (folder / _NETWORK).exists():
        return require_run(path, flag)
    saved = [
        folder / _SAVED_MODEL,
        *(c / _SAVED_MODEL for c in folder.iterdir()),
    ]
    if not any(map(os.path.exists, saved)):
        raise UserError(
            "neither a run nor an exported model",
            f"{flag}={path}",
            f"{_NETWORK} or {_SAVED_MODEL} in it, or a file of another runtime",
            "none of them",
        )
    return folder


def require_records(
    path: str | os.PathLike[str] | None, flag: str
) -> pathlib.Path:
    """Returns the path of a folder of records whose manifest is sound.

    Args:
        path: Value of the flag.
        flag: Name of the flag as the user types it, `--records`.

    Raises:
        UserError: For the reasons that `require_folder` and `manifest.read`
            give.
    """
    folder = require_folder(path, flag)
    if not os.path.lexists(folder / manifest.MANIFEST):
        raise UserError(
            "not a folder of records",
            f"{flag}={path}",
            f"{manifest.MANIFEST} in it, as build_records makes",
            "none",
        )
    manifest.read(folder)
    return folder


def require_genotype(path: str, flag: str) -> None:
    """Refuses what is neither the name of a genotype nor a file of one.

    Args:
        path: Value of the flag.
        flag: Name of the flag as the user types it, `--genotype`.

    Raises:
        UserError: For the reasons that `require_file` gives, or the file holds
            no genotype.
    """
    if path not in published.NAMES:
        genotypes.load(require_file(path, flag))


def require_descriptor(path: str, flag: str) -> None:
    """Refuses what is neither the name of a descriptor nor a file of one.

    Arguments and errors as of `require_genotype`.
    """
    if path not in descriptors.names():
        descriptors.load(require_file(path, flag))


def require_new_folder(
    path: str | os.PathLike[str] | None, flag: str
) -> pathlib.Path:
    """Returns the path of a folder for output; makes nothing.

    Args:
        path: Value of the flag.
        flag: Name of the flag as the user types it, `--workdir`.

    Raises:
        UserError: If it is not given, is a file, or cannot be made or written.
    """
    folder = _given(path, flag, "a folder")
    where = f"{flag}={path}"
    mode = _mode(folder, where)
    if mode is None:
        return require_place(path, flag)
    if not stat.S_ISDIR(mode):
        raise UserError("not a folder", where, "a folder", _kind(folder))
    if not os.access(folder, os.W_OK | os.X_OK):
        raise UserError(
            "cannot write into the folder", where, "write permission", "none"
        )
    return folder


def new_folder(path: str | os.PathLike[str] | None, flag: str) -> pathlib.Path:
    """Returns the path of a folder for output, made where it is missing.

    Args:
        path: Value of the flag.
        flag: Name of the flag as the user types it, `--workdir`.

    Raises:
        UserError: If it is not given, is a file, or cannot be made or written.
    """
    folder = require_new_folder(path, flag)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(
            "cannot make the folder",
            f"{flag}={path}",
            "a place that can be written",
            error.strerror,
        ) from error
    return folder


def new_file(
    path: str | os.PathLike[str] | None,
    flag: str,
    inputs: Iterable[str | os.PathLike[str] | None] = (),
    is_replaceable: Callable[[pathlib.Path], bool] | None = None,
) -> pathlib.Path:
    """Returns the path of a file for output, sure before the work begins.

    Args:
        path: Value of the flag.
        flag: Name of the flag as the user types it, `--output`.
        inputs: Files and folders that the tool reads, none of which may be
            lost; those that were not given are None or empty.
        is_replaceable: Tells of a file inside an input folder whether it is an
            earlier output, no input. Without it none is.

    Raises:
        UserError: If it is not given, is a folder or a device, lies where
            nothing can be written, or is one of the inputs.
    """
    output = require_place(path, flag, "a file")
    where = f"{flag}={path}"
    mode = _mode(output, where)
    if mode is not None and not stat.S_ISREG(mode):
        raise UserError("not a file", where, "a file", _kind(output))
    for given in filter(None, inputs):
        if _is_input(output, pathlib.Path(given)) and not (
            pathlib.Path(given).is_dir()
            and is_replaceable
            and is_replaceable(output)
        ):
            raise UserError(
                "output would replace an input", where, "another file", given
            )
    return output


def require_place(
    path: str | os.PathLike[str] | None, flag: str, expected: str = "a folder"
) -> pathlib.Path:
    """Returns the path of an output for which there is a place; makes nothing.

    Args:
        path: Value of the flag.
        flag: Name of the flag as the user types it, `--output`.
        expected: What will be made there.

    Raises:
        UserError: If it is not given, a link to nothing, or lies where nothing
            can be written.
    """
    place = _given(path, flag, expected)
    where = f"{flag}={path}"
    _refuse_lost_link(place, flag)
    _mode(place, where)
    parents = place.absolute().parents
    parent = next((p for p in parents if os.path.lexists(p)), place)
    if not parent.is_dir() or not os.access(parent, os.W_OK | os.X_OK):
        raise UserError(
            "cannot write there", where, "a folder that can be written", parent
        )
    return place


def _given(
    path: str | os.PathLike[str] | None, flag: str, expected: str
) -> pathlib.Path:
    if path is None or not os.fspath(path):
        raise UserError("flag is missing", flag, expected, "nothing")
    return pathlib.Path(path)


def _refuse_lost_link(path: pathlib.Path, flag: str) -> None:
    """Refuses a link whose target is missing, or that leads to itself."""
    where = f"{flag}={path}"
    for part in (path, *path.parents):
        if os.path.islink(part) and _mode(part, where) is None:
            raise UserError(
                "link to nothing",
                where,
                "a link to what is there",
                os.readlink(part),
            )


def _mode(path: pathlib.Path, where: str) -> int | None:
    """Kind and permissions of a file, None where there is none."""
    try:
        return path.stat().st_mode
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise UserError(
            "cannot be used",
            where,
            "a path of this system",
            getattr(error, "strerror", None) or error,
        ) from error


def _kind(path: pathlib.Path) -> str:
    if path.is_file():
        return "a file"
    return "a folder" if path.is_dir() else "a device or pipe"


def _is_input(output: pathlib.Path, given: pathlib.Path) -> bool:
    """Whether an output is a given file, or lies in a given folder already."""
    if not output.exists() or not given.exists():
        return False
    if output.samefile(given):
        return True
    return given.is_dir() and output.resolve().is_relative_to(given.resolve())


def _require_path(
    path: str | os.PathLike[str] | None, flag: str, expected: str
) -> pathlib.Path:
    given = _given(path, flag, expected)
    where = f"{flag}={path}"
    if _mode(given, where) is None:
        raise UserError("not found", where, expected, "nothing")
    return given
