"""A network in a folder: what it is (JSON) and its weights (arrays)."""

import dataclasses
import os
import pathlib
from collections.abc import Mapping

import numpy as np

from nppnet_tf.config import NetworkConfig
from nppnet_tf.errors import UserError
from nppnet_tf.files import file_digests
from nppnet_tf.files import json_documents
from nppnet_tf.models import weights_file
from nppnet_tf.models.nppnet import NPPNet
from nppnet_tf.search_space import relaxation as relaxations
from nppnet_tf.search_space.genotype import Genotype
from nppnet_tf.search_space.space import SearchSpace

DESCRIPTION_FILE = "network.json"
WEIGHTS_FILE = "weights.npz"
FORMAT = "nppnet_tf.network"
FORMAT_VERSION = 1

_FIELDS = {
    "config": "an object",
    "genotype": "an object",
    "primitives": "a list",
    "weights_sha256": "a text",
    "extra": "an object",
}

# Weights that no description speaks of yet.
_NEXT_WEIGHTS_FILE = "weights.next.npz"


def save_network(
    network: NPPNet,
    directory: str | os.PathLike,
    extra: Mapping[str, object] | None = None,
) -> None:
    """Writes a network so that `load_network` makes it again.

    At every moment the folder holds one whole network, the former or this one:
    new weights are written beside the old ones, the description names them by
    their hash, and only then they take the place of the old.

    Args:
        network: Derived or supernet.
        directory: Folder, made if need be.
        extra: JSON values that belong to it: descriptor, input size, epoch.
    """
    directory = pathlib.Path(directory)
    directory.mkdir(parents=True, exist_ok=True)
    finish_saving(directory)
    weights = directory / _NEXT_WEIGHTS_FILE
    weights_file.write_arrays(
        weights, weights_file.to_arrays(network.variables)
    )
    json_documents.write_document(
        directory / DESCRIPTION_FILE,
        FORMAT,
        FORMAT_VERSION,
        {
            "config": {
                **dataclasses.asdict(network.config),
                "channel_proportion": network.space.channel_proportion,
            },
            "genotype": network.genotype.to_values(),
            "primitives": list(network.space.primitives),
            **_relaxation(network),
            "weights_sha256": file_digests.sha256(weights),
            "extra": dict(extra or {}),
        },
        durable=True,
    )
    finish_saving(directory)


def finish_saving(directory: str | os.PathLike) -> None:
    """Ends what a process that was killed while saving has begun.

    Weights that the description names get their name; others are removed.
    """
    weights = pathlib.Path(directory) / _NEXT_WEIGHTS_FILE
    if not weights.exists():
        return
    description = pathlib.Path(directory) / DESCRIPTION_FILE
    named = description.exists() and read_description(directory)
    if named and file_digests.sha256(weights) == named["weights_sha256"]:
        _take_their_place(weights)
    else:
        weights.unlink()


def load_network(directory: str | os.PathLike) -> tuple[NPPNet, dict]:
    """Makes the network that `save_network` wrote.

    Returns:
        The network and the `extra` values saved with it.

    Raises:
        UserError: If the folder holds no such network or a damaged one.
    """
    directory = pathlib.Path(directory)
    description = read_description(directory)
    arrays = read_weights(directory)
    network = _make_network(description, directory)
    weights_file.assign_arrays(
        network.variables, arrays, directory / WEIGHTS_FILE
    )
    return network, description["extra"]


def read_weights(directory: str | os.PathLike) -> dict[str, np.ndarray]:
    """Reads the weights of a network by the paths of its variables.

    Raises:
        UserError: If there are none, or not those that the description names.
    """
    expected = read_description(directory)["weights_sha256"]
    weights = pathlib.Path(directory) / WEIGHTS_FILE
    following = weights.with_name(_NEXT_WEIGHTS_FILE)
    if following.exists() and file_digests.sha256(following) == expected:
        weights = following
    arrays = weights_file.read_arrays(weights)
    found = file_digests.sha256(weights)
    if found != expected:
        raise UserError(
            "weights and description are of different moments",
            weights,
            f"sha256 {expected}",
            found,
        )
    return arrays


def read_description(directory: str | os.PathLike) -> dict:
    """Reads a network's description without its weights.

    Raises:
        UserError: If there is none in the folder, or not a whole one.
    """
    path = pathlib.Path(directory) / DESCRIPTION_FILE
    if not path.exists():
        raise UserError("no network here", path, f"a {FORMAT} file", "nothing")
    description = json_documents.read_document(path, FORMAT, FORMAT_VERSION)
    for name, kind in _FIELDS.items():
        if name not in description:
            raise UserError(
                "network description is malformed", path, name, "no such field"
            )
        json_documents.require(description[name], kind, path, name)
    return description


def _take_their_place(weights: pathlib.Path) -> None:
    os.replace(weights, weights.with_name(WEIGHTS_FILE))


def _relaxation(network: NPPNet) -> dict[str, str]:
    """Of a supernet alone: a derived network weighs nothing."""
    return {"relaxation": network.relaxation} if network.is_supernet else {}


def _make_network(description: dict, directory: pathlib.Path) -> NPPNet:
    path = directory / DESCRIPTION_FILE
    try:
        genotype = Genotype.from_values(description["genotype"], path)
        sizes = dict(description["config"])
        levels = tuple(sizes.pop("high_level_inputs"))
        space = SearchSpace(
            description["primitives"], sizes.pop("channel_proportion")
        )
        config = NetworkConfig(**sizes, high_level_inputs=levels)
        relaxation = description.get("relaxation", relaxations.SOFTMAX)
        json_documents.require(relaxation, "a text", path, "relaxation")
        relaxations.named(relaxation, path)
        return NPPNet(genotype, config, space, relaxation)
    except json_documents.FORM_ERRORS as error:
        raise UserError(
            "network description is malformed",
            path,
            "the fields of NetworkConfig and a genotype",
            error,
        ) from error
