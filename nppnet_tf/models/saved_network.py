"""A network in a folder: what it is (JSON) and its weights (arrays)."""

import dataclasses
import hashlib
import json
import os
import pathlib
from collections.abc import Mapping

from nppnet_tf import atomic
from nppnet_tf.errors import UserError
from nppnet_tf.models import weights_file
from nppnet_tf.models.nppnet import NPPNet
from nppnet_tf.search_space.genotype import Genotype

DESCRIPTION_FILE = "network.json"
WEIGHTS_FILE = "weights.npz"
FORMAT = "nppnet_tf.network"
FORMAT_VERSION = 1


def save_network(
    network: NPPNet,
    directory: str | os.PathLike,
    extra: Mapping[str, object] | None = None,
) -> None:
    """Writes a network so that `load_network` makes it again.

    The description goes last and carries the hash of the weights: a folder
    whose writing was interrupted is noticed.

    Args:
        network: Derived or supernet.
        directory: Made if need be.
        extra: JSON values that belong to it: descriptor, input size, epoch.
    """
    directory = pathlib.Path(directory)
    directory.mkdir(parents=True, exist_ok=True)
    weights = directory / WEIGHTS_FILE
    weights_file.write_arrays(
        weights, weights_file.to_arrays(network.variables)
    )
    description = {
        "format": FORMAT,
        "version": FORMAT_VERSION,
        "config": dataclasses.asdict(network.config),
        "genotype": json.loads(network.genotype.to_json()),
        "primitives": list(network.primitives),
        "weights_sha256": file_sha256(weights),
        "extra": dict(extra or {}),
    }
    text = json.dumps(description, indent=2)
    atomic.write_text(directory / DESCRIPTION_FILE, text)


def load_network(directory: str | os.PathLike) -> tuple[NPPNet, dict]:
    """Makes the network that `save_network` wrote.

    Returns:
        The network and the `extra` values saved with it.

    Raises:
        UserError: If the folder holds no such network or a damaged one.
    """
    directory = pathlib.Path(directory)
    description = read_description(directory)
    weights = directory / WEIGHTS_FILE
    arrays = weights_file.read_arrays(weights)
    if file_sha256(weights) != description["weights_sha256"]:
        raise UserError(
            "weights and description are of different moments",
            weights,
            f"sha256 {description['weights_sha256']}",
            file_sha256(weights),
        )
    network = _make_network(description, directory)
    weights_file.assign_arrays(network.variables, arrays, weights)
    return network, description["extra"]


def read_description(directory: str | os.PathLike) -> dict:
    """Reads a network's description without its weights.

    Raises:
        UserError: If there is none in the folder.
    """
    path = pathlib.Path(directory) / DESCRIPTION_FILE
    try:
        description = json.loads(path.read_text(encoding="utf-8"))
        version = (description["format"], description["version"])
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise UserError(
            "no network here", path, f"a {FORMAT} file", error
        ) from error
    if version != (FORMAT, FORMAT_VERSION):
        raise UserError(
            "not a network of this version",
            path,
            f"{FORMAT} {FORMAT_VERSION}",
            f"{version[0]} {version[1]}",
        )
    return description


def file_sha256(path: str | os.PathLike) -> str:
    """Returns the hash of a file as hexadecimal digits."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _make_network(description: dict, directory: pathlib.Path) -> NPPNet:
    path = directory / DESCRIPTION_FILE
    try:
        genotype = Genotype.from_json(json.dumps(description["genotype"]), path)
        return NPPNet(
            genotype,
            dict(description["config"]),
            tuple(description["primitives"]),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise UserError(
            "network description is malformed",
            path,
            "the fields of NetworkConfig and a genotype",
            error,
        ) from error
