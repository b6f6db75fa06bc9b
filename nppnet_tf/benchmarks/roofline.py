"""The convolutions of a form, one after another, and their arithmetic alone."""

import collections
import dataclasses
import os
import tempfile
from collections.abc import Callable
from typing import Any
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from nppnet_tf.benchmarks import forward_pass
from nppnet_tf.benchmarks import matrix_product
from nppnet_tf.benchmarks import measuring
from nppnet_tf.benchmarks.measuring import Size
from nppnet_tf.form import description
from nppnet_tf.form import nodes
from nppnet_tf.form import onnx_model
from nppnet_tf.form import rules
from nppnet_tf.form.execution import Form
from nppnet_tf.models.nppnet import NPPNet
from nppnet_tf.search_space.published import Preset

# Convolutions of one call in TensorFlow, whose calls take time themselves.
_AT_ONCE = 4


class _Shape(NamedTuple):
    """What the time of a convolution depends on."""

    kernel: tuple[int, ...]
    step: int
    rate: int
    height: int
    width: int


def measure(
    name: str, preset: Preset, size: Size, repeats: int
) -> dict[str, Any]:
    """Times every convolution of a form by itself, and the form.

    Args:
        name: What the network is called in the result.
        preset: Genotype, a derived one, and sizes.
        size: Pictures and batch.
        repeats: Calls of each.

    Returns:
        Milliseconds of all convolutions together in TensorFlow and in ONNX
        Runtime, of the form, and which share of the form they are; the same of
        its multiply-accumulates at the rate of one large matrix product.
    """
    network = NPPNet(*preset)
    outputs = rules.inference(description.describe(network), size.image_size)
    counts = _shapes(outputs, size.image_size)
    image = tf.random.stateless_normal(
        [size.batch_size, *size.image_size, 3], [1, 2]
    )
    form = tf.function(Form(outputs).__call__)
    with tempfile.TemporaryDirectory() as folder:
        alone = {
            runtime: np.zeros(repeats)
            for runtime in ("TensorFlow", "ONNX Runtime")
        }
        for number, (shape, count) in enumerate(counts.items()):
            calls = _calls(
                shape, size.batch_size, os.path.join(folder, str(number))
            )
            times = measuring.in_turns(calls, repeats)
            for runtime, found in times.items():
                at_once = _AT_ONCE if runtime == "TensorFlow" else 1
                alone[runtime] += count * np.array(found["samples"]) / at_once
    times = measuring.in_turns(
        {
            "form": lambda: next(iter(form(image).values())).numpy(),
            "matrix product": matrix_product.multiply(),
        },
        repeats,
    )
    whole = times["form"]["median"]
    macs = nodes.total_macs(outputs, size.image_size)
    rate = matrix_product.gmac_per_second(times["matrix product"]["median"])
    # Of each round through all of them.
    sums = {
        f"convolutions, {runtime}": {
            "median": round(float(np.median(values)), 2),
            "samples": values.round(2).tolist(),
        }
        for runtime, values in alone.items()
    }
    return {
        "genotype": name,
        **dataclasses.asdict(size),
        "convolutions": sum(counts.values()),
        "different_convolutions": len(counts),
        "gmac": round(macs / 1e9, 3),
        "gmac_per_second_of_matrix_product": rate,
        "milliseconds": {**times, **sums},
        "share_of_roofline": {
            "matrix product": round(
                size.batch_size * macs / 1e6 / rate / whole, 3
            ),
            **{
                runtime: round(float(np.median(values)) / whole, 3)
                for runtime, values in alone.items()
            },
        },
    }


def _shapes(
    outputs: nodes.Outputs, image_size: tuple[int, int]
) -> dict[_Shape, int]:
    found: collections.Counter[_Shape] = collections.Counter()
    for node in nodes.in_order(outputs.values()):
        if isinstance(node, nodes.Convolution):
            (read,) = node.inputs
            sides = (nodes.size_at(x, read.stride) for x in image_size)
            found[_Shape(node.kernel.shape, node.step, node.rate, *sides)] += 1
    return found


def _calls(
    shape: _Shape, batch_size: int, path: str
) -> dict[str, Callable[[], object]]:
    """Returns one convolution of a shape in every runtime."""
    generator = np.random.default_rng(0)

    def numbers(*sizes: int) -> np.ndarray:
        return generator.normal(size=sizes).astype(np.float32)

    convolution = nodes.Convolution(
        (forward_pass.Given((), shape.kernel[2]),),
        numbers(*shape.kernel),
        numbers(shape.kernel[-1]),
        shape.step,
        shape.rate,
    )
    outputs = {"out": convolution}
    value = numbers(batch_size, shape.height, shape.width, shape.kernel[2])
    given = [tf.constant(value + number) for number in range(_AT_ONCE)]
    with open(path, "wb") as file:
        model = onnx_model.to_onnx(
            outputs, (shape.height, shape.width), channels_last=False
        )
        file.write(model.SerializeToString())
    first = np.ascontiguousarray(value.transpose(0, 3, 1, 2))
    return {
        "TensorFlow": forward_pass.several(outputs, given),
        "ONNX Runtime": forward_pass.onnx_runtime(
            path, {onnx_model.IMAGE: first}
        ),
    }
