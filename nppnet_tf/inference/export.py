"""SavedModel with everything between a picture's bytes and the answer.

`<models>/<name>/<version>/` as TensorFlow Serving reads it, with the signatures

    serving_default   image_bytes [B]      -> label_map [B, H, W] (padded), ...
    predict_png       image_bytes [B]      -> label_map_bytes [B] (PNG), ...
    predict_tensor    image [B, h, w, 3]   -> label_map [B, h, w], ...
    network           image [B, H, W, 3]   -> heatmaps, parsing_logits

and, in `assets.extra`, a description and warm-up requests. The graph needs
neither this package nor Keras to be loaded.
"""

import contextlib
import dataclasses
import logging
import os
import pathlib
from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Sequence
from typing import Any

import tensorflow as tf

from nppnet_tf.data import visibility
from nppnet_tf.data.descriptors import DatasetDescriptor
from nppnet_tf.files import atomic
from nppnet_tf.files import plain_path
from nppnet_tf.inference import model_description
from nppnet_tf.inference import model_folders
from nppnet_tf.inference import predictor
from nppnet_tf.inference import serving_graph
from nppnet_tf.inference import warm_up
from nppnet_tf.inference.calibration import Calibration
from nppnet_tf.inference.model_description import ModelDescription

# Where the server's container and our README put the models.
SERVER_ROOT = "/models"


def export_saved_model(
    network: Any,
    descriptor: DatasetDescriptor,
    image_size: tuple[int, int],
    models_folder: str | os.PathLike[str],
    name: str,
    version: int | None = None,
    flip: bool = False,
    scales: Sequence[float] = (1.0,),
    score_threshold: float = visibility.SCORE_THRESHOLD,
    calibration: Calibration | None = None,
    make_card: Callable[[ModelDescription], str] | None = None,
) -> pathlib.Path:
    """Writes one version of a model, whole or not at all.

    Args:
        network: NPPNet, or a Keras model that is called alike; not a supernet.
        descriptor: Descriptor of the data that it was trained on.
        image_size: (height, width) of its input.
        models_folder: Holds a folder for every model, and `models.config`.
        name: Name of the model, as the server will know it.
        version: Number of the version; one more than the newest by default.
        flip: Whether the graph averages over mirrored inputs.
        scales: Factors of the inputs that the graph averages over.
        score_threshold: For the description: least score of a joint that
            counts as found.
        calibration: For the description: what the scores mean.
        make_card: Returns Markdown for people beside the description, for
            programs; nothing is written where None.

    Returns:
        The folder of the version.

    Raises:
        UserError: If the name or version cannot be used.
    """
    models_folder = pathlib.Path(models_folder)
    target = model_folders.new_version(models_folder, name, version)
    version = int(target.name)
    graph = predictor.graph_of(network, descriptor, image_size, flip, scales)
    description = predictor.describe(
        network, name, version, descriptor, image_size, flip, scales
    )
    description = dataclasses.replace(
        description,
        score_threshold=score_threshold,
        calibration=calibration,
    )
    with atomic.atomic_path(target) as temporary:
        _save(graph, temporary)
        description = dataclasses.replace(
            description, files=model_description.digests(temporary)
        )
        extra = temporary / model_description.FILE_NAME
        extra.parent.mkdir(exist_ok=True)
        extra.write_text(description.to_json(), encoding="utf-8")
        if make_card is not None:
            extra.with_name(model_description.CARD_NAME).write_text(
                make_card(description), encoding="utf-8"
            )
        warm_up.write_requests(
            extra.with_name(warm_up.FILE_NAME),
            name,
            warm_up.requests(graph.input_size),
        )
    write_server_config(models_folder)
    return target


def write_server_config(
    models_folder: str | os.PathLike[str],
) -> pathlib.Path:
    """Lists every model of a folder in the server's configuration file.

    Args:
        models_folder: Folder whose children with numbered versions are models.

    Returns:
        The file, `models.config`, written anew.
    """
    models_folder = pathlib.Path(models_folder)
    names = sorted(
        child.name
        for child in models_folder.iterdir()
        if child.is_dir() and model_folders.versions_in(child)
    )
    entries = "".join(
        f'  config {{\n    name: "{name}"\n'
        f'    base_path: "{SERVER_ROOT}/{name}"\n'
        '    model_platform: "tensorflow"\n  }\n'
        for name in names
    )
    path = models_folder / model_folders.CONFIG_NAME
    atomic.write_text(path, f"model_config_list {{\n{entries}}}\n")
    return path


def _save(graph: serving_graph.ServingGraph, folder: pathlib.Path) -> None:
    folder.mkdir()
    with plain_path.plain_path(folder) as path, _without_advice():
        tf.saved_model.save(graph, path, signatures=graph.signatures())


@contextlib.contextmanager
def _without_advice() -> Iterator[None]:
    """Drops the warnings of TensorFlow in Python; what it raises is kept.

    AutoGraph writes the wrappers around signatures to temporary files, and
    tells of each that finds no room; there is nothing in them to convert.
    """
    logger = tf.get_logger()
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(level)
