"""Models of other runtimes: written from a network, run inside our graph.

Everything before and behind the network is the serving graph's, whoever runs
the network: answers differ by what the runtime rounds, and by nothing else.
"""

import dataclasses
import pathlib
import threading
from collections.abc import Callable
from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from nppnet_tf import keys
from nppnet_tf.config import OUTPUT_STRIDE
from nppnet_tf.form import description as descriptions
from nppnet_tf.form import rules
from nppnet_tf.inference.model_description import ModelDescription
from nppnet_tf.runtimes import packages
from nppnet_tf.runtimes import runtime as runtimes
from nppnet_tf.runtimes.packages import Package
from nppnet_tf.runtimes.runtime import Runtime

Answers = Callable[[tf.Tensor], Mapping[str, tf.Tensor]]


def write(
    network: Any,
    description: ModelDescription,
    runtime: Runtime,
    precision: str,
    folder: pathlib.Path,
    calibration: Sequence[np.ndarray] = (),
) -> ModelDescription:
    """Writes the files of a runtime and their description into a folder.

    Args:
        network: A derived NPPNet.
        description: What the network is; averaging over scales is refused,
            since the files take inputs of one size.
        runtime: Whose files.
        precision: Their precision.
        folder: An empty folder.
        calibration: See `runtime.Source`.

    Returns:
        The description, with what it says of the files.

    Raises:
        UserError: It has no form in that runtime.
    """
    packages.require_one_scale(description.scales, runtime.name)
    outputs = rules.inference(
        descriptions.describe(network), description.image_size
    )
    source = runtimes.Source(outputs, description.image_size, calibration)
    entry = packages.write(runtime, source, precision, folder)
    description = dataclasses.replace(description, runtime=entry)
    (folder / packages.DESCRIPTION_FILE).write_text(
        description.to_json(), encoding="utf-8"
    )
    return description


def load(package: Package) -> tuple[Answers, ModelDescription]:
    """Opens a model.

    Returns:
        A function for `ServingGraph`, and the description.

    Raises:
        UserError: Description or model cannot be read, or the runtime is not
            installed.
    """
    description = ModelDescription.load(package.description_file)
    network = packages.load(package, description.runtime)
    return in_graph(network, description), description


def in_graph(
    network: runtimes.Network, description: ModelDescription
) -> Answers:
    """Lets a graph call a runtime, one picture after the other.

    Args:
        network: The runtime's function.
        description: Whose numbers of outputs the graph will know.
    """
    descriptor = description.descriptor
    channels = {
        keys.HEATMAPS: len(descriptor.keypoints),
        keys.PARSING_LOGITS: len(descriptor.classes),
    }
    sides = [side // OUTPUT_STRIDE for side in description.image_size]
    # Runtimes hold the memory of one pass.
    lock = threading.Lock()

    def run(images: np.ndarray) -> list[np.ndarray]:
        with lock:
            answers = [network(image[np.newaxis]) for image in images]
        return [
            np.concatenate([answer[name] for answer in answers])
            for name in channels
        ]

    def answer(image: tf.Tensor) -> dict[str, tf.Tensor]:
        values = tf.numpy_function(run, [image], [tf.float32] * len(channels))
        return {
            name: tf.ensure_shape(value, [None, *sides, channels[name]])
            for name, value in zip(channels, values, strict=True)
        }

    return answer
