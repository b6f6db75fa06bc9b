"""Folders with a runtime's file and the description that travels with it.

    <folder>/model.onnx     or model.xml and model.bin, or model.tflite
    <folder>/model.json     names, sizes, origin; and the digests of the files

The description is the caller's; what is kept here is its entry `runtime`.
"""

import os
import pathlib
from collections.abc import Sequence
from typing import Any
from typing import NamedTuple

from nppnet_tf.errors import UserError
from nppnet_tf.files import file_digests
from nppnet_tf.files import json_documents
from nppnet_tf.runtimes import quiet
from nppnet_tf.runtimes import table
from nppnet_tf.runtimes.runtime import Network
from nppnet_tf.runtimes.runtime import Runtime
from nppnet_tf.runtimes.runtime import Source

DESCRIPTION_FILE = "model.json"

_FORMAT = "format"
_PRECISION = "precision"
_FILES = "files"


class Package(NamedTuple):
    """A file that a runtime loads.

    Attributes:
        runtime: Whose it is.
        file: The file.
    """

    runtime: Runtime
    file: pathlib.Path

    @property
    def description_file(self) -> pathlib.Path:
        """The file that describes it, beside it."""
        return self.file.with_name(DESCRIPTION_FILE)


def find(path: str | os.PathLike[str]) -> Package | None:
    """Returns the file of a runtime that a path means, if it means one.

    Args:
        path: A file of the ending of a runtime's, whatever its name, or a
            folder that holds one of the name that `write` gives.
    """
    path = pathlib.Path(path)
    for runtime in table.RUNTIMES.values():
        if path.is_dir():
            if (path / runtime.file).is_file():
                return Package(runtime, path / runtime.file)
        elif path.suffix == pathlib.PurePath(runtime.file).suffix:
            if path.is_file():
                return Package(runtime, path)
    return None


def require_one_scale(scales: Sequence[float], name: str) -> None:
    """Raises UserError where inputs of several sizes would be seen.

    Args:
        scales: Factors of the input to average over.
        name: Name of a format, whose files take one size.
    """
    if tuple(scales) != (1.0,):
        raise UserError(
            f"a model of format {name} takes inputs of one size",
            "`scales`",
            "1",
            ",".join(f"{scale:g}" for scale in scales),
        )


def write(
    runtime: Runtime, source: Source, precision: str, folder: pathlib.Path
) -> dict[str, Any]:
    """Writes the files of a runtime into an empty folder.

    Args:
        runtime: Whose files.
        source: What they are written of.
        precision: One of `runtime.PRECISIONS`.
        folder: The folder.

    Returns:
        What the description must hold under `runtime`.
    """
    with quiet.quiet():
        runtime.write(source, precision, folder)
    files = sorted(path for path in folder.iterdir() if path.is_file())
    return {
        _FORMAT: runtime.name,
        _PRECISION: precision,
        _FILES: {path.name: file_digests.sha256(path) for path in files},
    }


def load(package: Package, described: Any) -> Network:
    """Opens a file, if it is the one that was written.

    A file cut short can end the process that opens it; its digest is looked at
    first.

    Args:
        package: The file.
        described: The entry `runtime` of its description.

    Raises:
        UserError: It is another file, cannot be opened, or its runtime is not
            installed.
    """
    _require_files(package, described)
    package.runtime.require_packages(for_writing=False)
    try:
        with quiet.quiet():
            return package.runtime.load(package.file)
    except Exception as error:
        # Every runtime has exceptions of its own.
        raise UserError(
            "model cannot be loaded", package.file, "a whole export", error
        ) from error


def _require_files(package: Package, described: Any) -> None:
    entry = described if isinstance(described, dict) else {}
    files, name = entry.get(_FILES), package.runtime.name
    if not isinstance(files, dict) or not files or entry.get(_FORMAT) != name:
        raise UserError(
            "description is of another model",
            package.description_file,
            f"one of a model of format {name}",
            json_documents.described(described),
        )
    for name, digest in files.items():
        path = package.file.with_name(pathlib.PurePath(name).name)
        # The file itself may be called otherwise by now.
        if name == package.runtime.file:
            path = package.file
        file_digests.require(path, digest, DESCRIPTION_FILE)
