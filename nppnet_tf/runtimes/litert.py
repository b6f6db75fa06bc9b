"""LiteRT models (.tflite): converted from the form's function."""

import os
import pathlib
import sys

import numpy as np

from nppnet_tf.runtimes import runtime
from nppnet_tf.runtimes.runtime import Network
from nppnet_tf.runtimes.runtime import Source

_IMAGE = "image"


def _write(source: Source, precision: str, folder: pathlib.Path) -> None:
    """Writes a model that takes one picture.

    Not of a SavedModel: its network stands in a function of its own, which the
    converter does not look into. `INT8` quantizes weights, and activations as
    they come (dynamic range), which needs no calibration: activations in fixed
    ranges were further from the network, and no faster.
    """
    import tensorflow as tf

    from nppnet_tf.form.execution import Form

    # Of variables, the converter makes a model without a signature.
    form = Form(source.outputs, most_constants=sys.maxsize)
    function = tf.function(
        form,
        input_signature=[
            tf.TensorSpec([1, *source.image_size, 3], tf.float32, name=_IMAGE)
        ],
    ).get_concrete_function()
    converter = tf.lite.TFLiteConverter.from_concrete_functions(
        [function], form
    )
    if precision != runtime.FLOAT32:
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
    if precision == runtime.FLOAT16:
        converter.target_spec.supported_types = [tf.float16]
    (folder / RUNTIME.file).write_bytes(converter.convert())


def _load(file: pathlib.Path) -> Network:
    from ai_edge_litert import interpreter as interpreters

    interpreter = interpreters.Interpreter(
        os.fspath(file), num_threads=len(os.sched_getaffinity(0))
    )
    interpreter.allocate_tensors()
    runner = interpreter.get_signature_runner()
    (name,) = runner.get_input_details()

    def answer(image: np.ndarray) -> dict[str, np.ndarray]:
        return runner(**{name: image})

    return answer


RUNTIME = runtime.Runtime(
    name="litert",
    title="LiteRT",
    file="model.tflite",
    packages={"ai_edge_litert": "litert"},
    writing_packages={},
    calibrated=(),
    write=_write,
    load=_load,
)
