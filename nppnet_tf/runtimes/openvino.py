"""OpenVINO's intermediate representation, made from the ONNX model."""

import os
import pathlib
import sys
import tempfile
import types
from collections.abc import Sequence
from typing import Any

import numpy as np

from nppnet_tf.form import onnx_model
from nppnet_tf.runtimes import onnx
from nppnet_tf.runtimes import runtime
from nppnet_tf.runtimes.runtime import Network
from nppnet_tf.runtimes.runtime import Source


def library() -> types.ModuleType:
    """Imports OpenVINO, which then tells nobody of it.

    It sends every import and conversion to Google Analytics, and keeps a
    number of this machine in the user's home, unless `openvino_telemetry`
    cannot be imported.
    """
    sys.modules.setdefault("openvino_telemetry", None)
    import openvino

    return openvino


def _write(source: Source, precision: str, folder: pathlib.Path) -> None:
    """Writes `model.xml` and `model.bin`.

    `INT8` takes what ONNX Runtime has quantized: OpenVINO reads the pairs of
    QuantizeLinear and DequantizeLinear and runs integers between them.
    """
    openvino = library()
    is_half = precision == runtime.FLOAT16
    with tempfile.TemporaryDirectory() as temporary:
        path = os.path.join(temporary, "model.onnx")
        onnx.write_model(
            source, runtime.FLOAT32 if is_half else precision, path
        )
        model = openvino.convert_model(path)
        openvino.save_model(
            model, folder / RUNTIME.file, compress_to_fp16=is_half
        )


def compiled(
    file: str | os.PathLike[str], shape: Sequence[int] | None = None
) -> Any:
    """Returns a compiled model, on as many threads as there are cores.

    Args:
        file: A model that OpenVINO reads, its own or ONNX.
        shape: Shape of its input, where the file leaves it open.
    """
    core = library().Core()
    model = core.read_model(file)
    if shape is not None:
        model.reshape({onnx_model.IMAGE: list(shape)})
    return core.compile_model(
        model,
        "CPU",
        {
            # It would take bfloat16 where the processor has it, which changes
            # answers by 1e-2.
            "INFERENCE_PRECISION_HINT": "f32",
            "INFERENCE_NUM_THREADS": len(os.sched_getaffinity(0)),
        },
    )


def _load(file: pathlib.Path) -> Network:
    model = compiled(file)
    request = model.create_infer_request()
    names = [output.get_any_name() for output in model.outputs]

    def answer(image: np.ndarray) -> dict[str, np.ndarray]:
        request.infer({onnx_model.IMAGE: image})
        # Copies: the next picture is written into the same memory.
        return {name: request.get_tensor(name).data.copy() for name in names}

    return answer


RUNTIME = runtime.Runtime(
    name="openvino",
    title="OpenVINO",
    file="model.xml",
    packages={"openvino": "openvino"},
    writing_packages={"onnx": "onnx", "onnxruntime": "onnx"},
    calibrated=(runtime.INT8,),
    write=_write,
    load=_load,
)
