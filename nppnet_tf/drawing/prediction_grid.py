"""Pictures of predictions for TensorBoard: small, one row per person."""

from collections.abc import Mapping

import numpy as np

from nppnet_tf import keys
from nppnet_tf.data import descriptors
from nppnet_tf.pictures import pixels

_IGNORED = (128, 128, 128)


def prediction_grid(
    batch: Mapping[str, np.ndarray],
    predictions: Mapping[str, tuple[np.ndarray, ...]],
    descriptor: descriptors.DatasetDescriptor,
    max_rows: int = 4,
) -> np.ndarray:
    """Draws picture, true and predicted parts, true and predicted joints.

    Args:
        batch: Targets by the names of `keys`, B samples of [H, W].
        predictions: Predictions of the network; the last stage is drawn.
        descriptor: Descriptor with the palette.
        max_rows: Samples drawn at most.

    Returns:
        Uint8 [rows * H, 5 * W, 3].
    """
    height, width = batch[keys.LABEL_MAP].shape[1:]
    classes = np.argmax(predictions[keys.PARSING_LOGITS][-1], axis=-1)
    heatmaps = predictions[keys.HEATMAPS][-1]
    rows = []
    for i in range(min(max_rows, len(classes))):
        columns = [
            _picture(batch[keys.IMAGE][i]),
            _colored(batch[keys.LABEL_MAP][i], descriptor),
            _enlarged(_colored(classes[i], descriptor), height, width),
            _enlarged(_heat(batch[keys.HEATMAPS][i]), height, width),
            _enlarged(_heat(heatmaps[i]), height, width),
        ]
        rows.append(np.concatenate(columns, axis=1))
    return np.concatenate(rows, axis=0)


def _picture(image: np.ndarray) -> np.ndarray:
    restored = image * np.array(pixels.STD) + np.array(pixels.MEAN)
    return (np.clip(restored, 0, 1) * 255).astype(np.uint8)


def _colored(
    label_map: np.ndarray, descriptor: descriptors.DatasetDescriptor
) -> np.ndarray:
    palette = np.full((256, 3), _IGNORED, np.uint8)
    palette[: descriptor.num_classes] = descriptor.palette
    return palette[label_map]


def _heat(heatmaps: np.ndarray) -> np.ndarray:
    gray = np.clip(heatmaps.max(axis=-1), 0, 1) * 255
    return np.repeat(gray.astype(np.uint8)[..., None], 3, axis=-1)


def _enlarged(picture: np.ndarray, height: int, width: int) -> np.ndarray:
    """Repeats pixels: label colors must not mix."""
    rows = np.arange(height) * picture.shape[0] // height
    columns = np.arange(width) * picture.shape[1] // width
    return picture[rows[:, None], columns]
