"""Reading of encoded pictures in the served graph, beside bare decoding."""

import functools
import io
import os
import statistics
import tempfile
from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf
from PIL import Image

from nppnet_tf.benchmarks import measuring
from nppnet_tf.data.descriptors import LIP
from nppnet_tf.inference import network_input
from nppnet_tf.inference import serving_graph
from nppnet_tf.pictures import picture_decoder

# (height, width) of people cut out of photographs, as LIP has them.
_SIZES = (
    (400, 260),
    (500, 300),
    (300, 150),
    (480, 480),
    (600, 350),
    (350, 200),
    (420, 300),
    (250, 120),
)
_JPEG = {"format": "JPEG", "quality": 90}
_PNG = {"format": "PNG"}

# Of every repeat; reading takes milliseconds.
_CALLS = 10


def measure(image_size: tuple[int, int], repeats: int) -> dict[str, Any]:
    """Times the reading of a saved model, and its parts without their guard.

    Both are called in turns, so that whatever else the machine does is the
    same for both.

    Args:
        image_size: (height, width) of the network's input.
        repeats: Tens of calls of each.

    Returns:
        For one picture and for eight, and for a byte that is none:
        milliseconds of a call, their quartiles, the same of bare decoding and
        preprocessing, and the ratio of the medians.
    """
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "model")
        tf.saved_model.save(_module(tuple(image_size)), path)
        loaded = tf.saved_model.load(path)
    pictures = {
        name: [_encoded(size, options) for size in _SIZES]
        for name, options in (("jpeg", _JPEG), ("png", _PNG))
    }
    junk = _times({"reading": loaded.read}, [b"\0"], repeats)
    return {
        "image_size": image_size,
        "picture_sizes": _SIZES,
        "median_bytes": {
            name: statistics.median(map(len, encoded))
            for name, encoded in pictures.items()
        },
        "graph_nodes": measuring.graph_nodes(
            loaded.read, tf.constant(pictures["png"])
        ),
        "milliseconds": {
            **{
                f"{name}, {count}": _compared(loaded, encoded[:count], repeats)
                for name, encoded in pictures.items()
                for count in (1, len(_SIZES))
            },
            "a byte that is no picture": _summary(junk["reading"]),
        },
        "peak_memory_gb": measuring.peak_memory_gb(),
    }


def _module(input_size: tuple[int, int]) -> tf.Module:
    """What is measured, to be saved: `read` and `bare`."""
    graph = serving_graph.ServingGraph(
        lambda image: {"nothing": image}, [], LIP, input_size
    )

    def prepare(encoded: tf.Tensor) -> tf.Tensor:
        image = picture_decoder.decode(encoded)
        return network_input.preprocess(image, input_size)

    def bare(image_bytes: tf.Tensor) -> tf.Tensor:
        return tf.map_fn(prepare, image_bytes, fn_output_signature=tf.float32)

    module = tf.Module()
    module.read = graph.read
    module.bare = tf.function(
        bare, input_signature=[tf.TensorSpec([None], tf.string)]
    )
    return module


def _compared(loaded: Any, encoded: list[bytes], repeats: int) -> dict:
    times = _times(
        {"reading": loaded.read, "bare": loaded.bare}, encoded, repeats
    )
    found = {name: _summary(values) for name, values in times.items()}
    ratio = found["reading"]["median"] / found["bare"]["median"]
    return {**found, "ratio": round(ratio, 2)}


def _times(
    functions: dict[str, Callable[[tf.Tensor], Any]],
    encoded: list[bytes],
    repeats: int,
) -> dict[str, list[float]]:
    """Calls functions in turns; returns the milliseconds of each call."""
    image_bytes = tf.constant(encoded)
    calls = {
        name: functools.partial(function, image_bytes)
        for name, function in functions.items()
    }
    times = measuring.in_turns(calls, _CALLS * repeats)
    return {name: found["samples"] for name, found in times.items()}


def _summary(values: list[float]) -> dict[str, Any]:
    lower, median, upper = statistics.quantiles(values, n=4)
    return {
        "median": round(median, 2),
        "quartiles": (round(lower, 2), round(upper, 2)),
        "samples": [round(value, 2) for value in values],
    }


def _encoded(size: tuple[int, int], options: dict[str, Any]) -> bytes:
    """A picture of soft colors and some noise, as photographs have."""
    rng = np.random.default_rng(0)
    height, width = size
    colors = rng.integers(0, 256, (height // 8, width // 8, 3), np.uint8)
    image = Image.fromarray(colors).resize((width, height), Image.BICUBIC)
    noise = rng.integers(-6, 7, (height, width, 3))
    pixels = np.clip(np.asarray(image) + noise, 0, 255).astype(np.uint8)
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, **options)
    return stream.getvalue()
