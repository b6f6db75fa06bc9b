"""Compares an imported network with what PyTorch made of the same inputs."""

import math
import os
from collections.abc import Mapping
from typing import Any

import keras
import numpy as np

from nppnet_tf import keys
from nppnet_tf.config import SIDE_MULTIPLE
from nppnet_tf.errors import UserError
from nppnet_tf.models import weights_file
from nppnet_tf.models.nppnet import NPPNet

# The authors' outputs of every stage, by our predictions.
OUTPUTS = {
    keys.HEATMAPS: "pose_{}_map",
    keys.AUXILIARY_HEATMAPS: "pose_{}_aux",
    keys.PARSING_LOGITS: "par_{}_map",
    keys.BOUNDARY_LOGITS: "par_{}_edge",
}
_INPUT = "/x"
_TO_OURS = (0, 2, 3, 1)


def compare(
    network: NPPNet,
    path: str | os.PathLike,
    tolerance: float,
    order: tuple[int, ...] | None = None,
) -> dict[str, Any]:
    """Runs a network on the inputs of a file and compares its outputs.

    Args:
        network: Imported.
        path: Path of an `.npz` file with, for one or several tags, inputs
            "<tag>/x" [N, 3, H, W] and the authors' outputs "<tag>/pose_0_map"
            and so on, [N, channels, H / 4, W / 4], the joints in the authors'
            order.
        tolerance: Largest difference that is none.
        order: That was given to `state_dict.network_entries`.

    Returns:
        `outputs`: the largest absolute difference of every output over all
        tags; `inputs`: the same for each tag; `largest_difference`; `tolerance`
        and `within_tolerance`. A difference that is no finite number is None.

    Raises:
        UserError: If the file lacks an array or one has another shape.
    """
    arrays = weights_file.read_arrays(path)
    tags = [key.removesuffix(_INPUT) for key in arrays if key.endswith(_INPUT)]
    if not tags:
        raise UserError(
            "nothing to compare with", path, "inputs <tag>/x", list(arrays)[:3]
        )
    inputs = {
        tag: _differences(network, arrays, tag, path, order) for tag in tags
    }
    outputs = {
        name: max(found[name] for found in inputs.values())
        for name in inputs[tags[0]]
    }
    largest = max(outputs.values())
    return {
        "tolerance": tolerance,
        "within_tolerance": largest <= tolerance,
        "largest_difference": _finite(largest),
        "outputs": _all_finite(outputs),
        "inputs": {tag: _all_finite(found) for tag, found in inputs.items()},
    }


def _differences(
    network: NPPNet,
    arrays: Mapping[str, np.ndarray],
    tag: str,
    path: str | os.PathLike,
    order: tuple[int, ...] | None,
) -> dict[str, float]:
    picture = arrays[f"{tag}{_INPUT}"]
    _check_picture(picture, f"{path}, {tag}{_INPUT}")
    expected = {}
    for stage in range(network.num_stages):
        for pattern in OUTPUTS.values():
            name = pattern.format(stage)
            if f"{tag}/{name}" not in arrays:
                raise UserError(
                    "an output is missing", path, f"{tag}/{name}", "no array"
                )
            expected[name] = arrays[f"{tag}/{name}"]
    predictions = network(
        np.transpose(picture, _TO_OURS).astype(np.float32), training=False
    )
    found = {}
    for key, pattern in OUTPUTS.items():
        for stage, prediction in enumerate(predictions[key]):
            ours = np.asarray(keras.ops.convert_to_numpy(prediction))
            if key in (keys.HEATMAPS, keys.AUXILIARY_HEATMAPS) and order:
                ours = ours[..., np.argsort(order)]
            name = pattern.format(stage)
            found[name] = _largest(
                ours, expected[name], f"{path}, {tag}/{name}"
            )
    return found


def _check_picture(picture: np.ndarray, where: str) -> None:
    is_picture = (
        picture.ndim == 4
        and picture.shape[1] == 3
        and 0 not in picture.shape
        and not any(side % SIDE_MULTIPLE for side in picture.shape[2:])
        and np.issubdtype(picture.dtype, np.floating)
    )
    if not is_picture:
        raise UserError(
            "no input of the network",
            where,
            f"floats [N, 3, H, W], sides multiples of {SIDE_MULTIPLE}",
            f"{picture.dtype} {list(picture.shape)}",
        )


def _largest(ours: np.ndarray, theirs: np.ndarray, where: str) -> float:
    ours = np.moveaxis(ours, -1, 1)
    is_float = np.issubdtype(theirs.dtype, np.floating)
    if ours.shape != theirs.shape or not is_float:
        raise UserError(
            "an output of another shape",
            where,
            list(ours.shape),
            f"{theirs.dtype} {list(theirs.shape)}",
        )
    with np.errstate(invalid="ignore"):
        difference = np.abs(ours.astype(np.float64) - theirs)
    # NaN would compare as nothing at all.
    return float(np.where(np.isnan(difference), math.inf, difference).max())


def _all_finite(values: Mapping[str, float]) -> dict[str, float | None]:
    return {name: _finite(value) for name, value in values.items()}


def _finite(value: float) -> float | None:
    # JSON has no infinity.
    return value if math.isfinite(value) else None
