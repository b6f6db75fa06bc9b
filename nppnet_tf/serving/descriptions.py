"""What the page must know of models that their signatures do not say.

Names and colors of classes, names of joints and what joins them stand beside
a graph, not in it. A server that has the files of a model tells what they say;
for models that are elsewhere, the page chooses among the known data sets.
"""

import pathlib
from collections.abc import Mapping
from typing import Any

from nppnet_tf.data import descriptors
from nppnet_tf.data import openpose
from nppnet_tf.data import visibility
from nppnet_tf.drawing import rendering
from nppnet_tf.errors import UserError
from nppnet_tf.inference import model_description
from nppnet_tf.inference.model_description import ModelDescription
from nppnet_tf.metrics import consistency
from nppnet_tf.outputs import people_map

# What the page reads of a descriptor.
_FIELDS = (
    "name",
    "classes",
    "palette",
    "ignore_label",
    "keypoints",
    "skeleton",
    "head_segment",
    "keypoint_classes",
)


def document(
    folders: Mapping[str, pathlib.Path], is_passed_on: bool = False
) -> dict[str, Any]:
    """Returns what the page asks for first, as plain values for JSON.

    Args:
        folders: Folder of the version that answers, by the name of its model.
            One without a description, or of another make, is left out.
        is_passed_on: Whether pictures go to another server.
    """
    return {
        "is_passed_on": is_passed_on,
        "models": [
            _model(name, description)
            for name, folder in sorted(folders.items())
            if (description := _description(folder)) is not None
        ],
        "descriptors": [
            _names(descriptors.get(name)) for name in descriptors.names()
        ],
        "score_threshold": visibility.SCORE_THRESHOLD,
        "tolerance": consistency.TOLERANCE,
        "openpose": {
            "layouts": openpose.LAYOUTS,
            "middles": openpose.MIDDLES,
        },
        "colors": {
            "left": rendering.LEFT_COLOR,
            "right": rendering.RIGHT_COLOR,
            "center": rendering.CENTER_COLOR,
            "people": people_map.palette().tolist(),
        },
    }


def damaged(folders: Mapping[str, pathlib.Path]) -> list[str]:
    """Returns a line for each description that is ours and cannot be read.

    Args:
        folders: Folders of models, as `document` takes them.
    """
    found = []
    for folder in folders.values():
        try:
            model_description.load_own(folder / model_description.FILE_NAME)
        except UserError as error:
            found.append(str(error))
    return found


def _description(folder: pathlib.Path) -> ModelDescription | None:
    try:
        return ModelDescription.load(folder / model_description.FILE_NAME)
    except UserError:
        return None


def _model(name: str, description: ModelDescription) -> dict[str, Any]:
    return {
        "name": name,
        "score_threshold": description.score_threshold,
        "descriptor": _names(description.descriptor),
    }


def _names(descriptor: descriptors.DatasetDescriptor) -> dict[str, Any]:
    return {field: getattr(descriptor, field) for field in _FIELDS}
