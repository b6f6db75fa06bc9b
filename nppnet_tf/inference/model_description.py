"""What a model is, in a file beside its graph: names, sizes, origin."""

import dataclasses
import hashlib
import json
import os
import pathlib
from collections.abc import Iterable
from typing import Any

import keras
import numpy as np

from nppnet_tf.data import visibility
from nppnet_tf.data.descriptors import DatasetDescriptor
from nppnet_tf.errors import UserError
from nppnet_tf.files import file_digests
from nppnet_tf.files import json_documents
from nppnet_tf.inference.calibration import Calibration

FORMAT = "nppnet_tf.model"

# TensorFlow Serving hands `assets.extra` through and never reads it.
FILE_NAME = pathlib.Path("assets.extra") / "model.json"

# For people, beside it.
CARD_NAME = "MODEL_CARD.md"

# Of an input; no network reads larger ones.
_MOST_SIDE = 8192

_KINDS = {
    "name": "a text",
    "version": "an integer",
    "weights_sha256": "a text",
    "software_version": "a text",
    "flip": "true or false",
    "scales": "a list",
    "network": "an object",
    "score_threshold": "a number",
    "limits": "an object",
}
_FILES = {"": "a text"}


@dataclasses.dataclass(frozen=True)
class ModelDescription:
    """Everything about a model that its graph does not say.

    Attributes:
        name: Name of the model.
        version: Number of the exported version; 0 for a run.
        descriptor: Names, colors and mirror partners of its outputs.
        image_size: (height, width) of the network's input.
        weights_sha256: See `weights_sha256`.
        software_version: Version of nppnet_tf that wrote it.
        flip: Whether the graph averages over mirrored inputs.
        scales: Factors of the inputs that the graph averages over.
        network: Size and form, as plain values.
        genotype: Genotype as `Genotype.to_json` writes it, parsed; or None.
        score_threshold: Joints below this score count as not found, see
            `visibility`. Files of older versions do not name it.
        calibration: What the scores mean, where that was measured.
        limits: Limits of a request and of its pictures, see
            `request_limits.LIMITS`.
        files: Digest (sha256) of every file of a SavedModel by its path in the
            folder, but for those in `assets.extra`; empty for others, and in
            files of older versions.
        runtime: Format, precision and digests of the files of another runtime,
            as `packages.write` tells them; None for a SavedModel.
    """

    name: str
    version: int
    descriptor: DatasetDescriptor
    image_size: tuple[int, int]
    weights_sha256: str
    software_version: str
    flip: bool = False
    scales: tuple[float, ...] = (1.0,)
    network: dict[str, Any] = dataclasses.field(default_factory=dict)
    genotype: dict[str, Any] | None = None
    score_threshold: float = visibility.SCORE_THRESHOLD
    calibration: Calibration | None = None
    limits: dict[str, int] = dataclasses.field(default_factory=dict)
    files: dict[str, str] = dataclasses.field(default_factory=dict)
    runtime: dict[str, Any] | None = None

    def to_json(self) -> str:
        """Returns a JSON document, sealed."""
        values = {
            field.name: getattr(self, field.name)
            for field in dataclasses.fields(self)
        }
        values["descriptor"] = self.descriptor.to_values()
        if self.calibration is not None:
            values["calibration"] = dataclasses.asdict(self.calibration)
        document = json_documents.sealed({"format": FORMAT, **values})
        return json.dumps(document, indent=1) + "\n"

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> "ModelDescription":
        """Reads what `to_json` wrote.

        Raises:
            UserError: If the file is missing or something else.
        """
        if not os.path.exists(path):
            raise UserError(
                "model cannot be described",
                path,
                "the file that nppnet-export writes",
                "nothing",
            )
        values = json_documents.opened(
            json_documents.read(path),
            path,
            FORMAT,
            None,
            noun="description",
            remedy="; predict and export set another `score_threshold`",
        )
        del values["format"]
        for name, kind in _KINDS.items():
            if name in values:
                json_documents.require(values[name], kind, path, name)
        json_documents.require_form(
            values.get("files", {}), _FILES, path, "files"
        )
        try:
            descriptor = values.pop("descriptor")
            values["image_size"] = checked_size(values["image_size"], path)
            if "scales" in values:
                values["scales"] = tuple(map(float, values["scales"]))
            if "score_threshold" in values:
                values["score_threshold"] = visibility.checked_threshold(
                    values["score_threshold"], f"{path}, score_threshold"
                )
            if values.get("calibration") is not None:
                values["calibration"] = Calibration.from_values(
                    values["calibration"], f"{path}, calibration"
                )
            return cls(
                descriptor=DatasetDescriptor.from_values(descriptor, path),
                **values,
            )
        except json_documents.FORM_ERRORS as error:
            raise UserError(
                "model cannot be described",
                path,
                "the file that nppnet-export writes",
                error,
            ) from error


def load_own(path: str | os.PathLike[str]) -> ModelDescription | None:
    """As `ModelDescription.load`, of a model that may be of another make.

    Returns:
        None where there is no description, or one of another project.

    Raises:
        UserError: It is ours and damaged, or cannot be read.
    """
    if not os.path.exists(path):
        return None
    values = json_documents.read(path)
    is_other = isinstance(values, dict) and FORMAT != values.get("format")
    # Ours, of which the format was changed, still has its seal.
    if is_other and json_documents.SEAL not in values:
        return None
    return ModelDescription.load(path)


def digests(folder: pathlib.Path) -> dict[str, str]:
    """Returns `ModelDescription.files` of a SavedModel."""
    extra = folder / FILE_NAME.parent
    return {
        path.relative_to(folder).as_posix(): file_digests.sha256(path)
        for path in sorted(folder.rglob("*"))
        if path.is_file() and extra not in path.parents
    }


def require_files(folder: pathlib.Path, description: ModelDescription) -> None:
    """Refuses a SavedModel whose files are not those that were described.

    Its weights are numbers within the graph: a changed one gives other answers,
    and nothing else tells of it.

    Args:
        folder: Folder of the version.
        description: What lies in the folder as a description.

    Raises:
        UserError: A file is missing or another one.
    """
    for name, expected in description.files.items():
        path = folder / name
        # Nothing of other folders is told, by a hash or its absence.
        # The folder itself may be reached by way of one above.
        goes_up = ".." in pathlib.PurePath(name).parts
        if goes_up or not path.is_relative_to(folder):
            raise UserError("model is not whole", path, "a file of it", "none")
        file_digests.require(path, expected, FILE_NAME)


def checked_size(value: Any, where: object) -> tuple[int, int]:
    """Returns (height, width) of a network's input as a document holds it.

    Args:
        value: Part of the document.
        where: The file.

    Raises:
        UserError: It is no such size.
    """
    sides = json_documents.require(value, "a list", where, "image_size")
    if len(sides) != 2 or not all(
        type(side) is int and 0 < side <= _MOST_SIDE for side in sides
    ):
        raise UserError(
            "no size of an input",
            f"{where}, image_size",
            f"[height, width], 1 to {_MOST_SIDE} each",
            json_documents.described(value),
        )
    height, width = sides
    return height, width


def weights_sha256(variables: Iterable[Any]) -> str:
    """Returns a hash that tells two sets of weights apart.

    Args:
        variables: Keras variables, in the order of their network. Their types,
            shapes and values count; names do not, since Keras numbers the
            networks of a process.

    Returns:
        64 hexadecimal digits.
    """
    digest = hashlib.sha256()
    for variable in variables:
        value = np.ascontiguousarray(keras.ops.convert_to_numpy(variable))
        digest.update(f"{value.dtype}{value.shape}".encode())
        digest.update(value.tobytes())
    return digest.hexdigest()
