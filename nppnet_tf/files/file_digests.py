"""The digest by which documents name files."""

import hashlib
import os
import pathlib

from nppnet_tf.errors import UserError


def sha256(path: str | os.PathLike[str]) -> str:
    """Returns the sha256 of a file as hexadecimal digits."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def require(path: pathlib.Path, expected: str, document: object) -> None:
    """Refuses a file of a model that is not the one described.

    Args:
        path: The file.
        expected: The sha256 that the description has.
        document: What the description is called, for the message.

    Raises:
        UserError: The file is missing or another one.
    """
    if not path.is_file():
        raise UserError("model is not whole", path, "the file", "none")
    found = sha256(path)
    if found != expected:
        raise UserError(
            "model was changed or damaged",
            path,
            f"the file whose sha256 {document} names",
            f"{found[:12]}... of {path.stat().st_size} bytes",
        )
