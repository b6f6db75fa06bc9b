"""ONNX models: written from the form, run by ONNX Runtime."""

import os
import pathlib
import tempfile
from collections.abc import Iterator
from collections.abc import Sequence
from typing import Any

import numpy as np

from nppnet_tf.form import onnx_model
from nppnet_tf.runtimes import runtime
from nppnet_tf.runtimes.runtime import Network
from nppnet_tf.runtimes.runtime import Source

# Weights of fewer values stay as they are: biases, sizes, factors.
_LEAST_HALVED = 64

# Operations on integers. Gates, means and resizes stay floats: with them PCKh
# of a trained network fell by 0.6 points in OpenVINO, without them by none.
_QUANTIZED = ["Conv", "Add", "Concat", "MaxPool", "Relu"]

# Share of the nodes, the last ones, that stay floats as well: what lies behind
# the others rounds once more into each answer. As integers they moved 7 % of a
# trained network's joints, as floats 2 %, for a tenth more bytes.
_FLOAT_SHARE = 0.1

# Of ONNX Runtime: errors alone, no advice.
_ERRORS = 3


def write_model(
    source: Source, precision: str, path: str | os.PathLike[str]
) -> None:
    """Writes an ONNX model that takes one picture.

    Args:
        source: What it is written of.
        precision: `FLOAT32`; `FLOAT16`, whose weights are halves that the
            runtime widens as it loads them; or `INT8`, quantized by ONNX
            Runtime in the form of QuantizeLinear and DequantizeLinear.
        path: File to write.
    """
    model = onnx_model.to_onnx(source.outputs, source.image_size, batch=1)
    if precision == runtime.INT8:
        _write_quantized(model, source.calibration, path)
        return
    if precision == runtime.FLOAT16:
        _halve_weights(model)
    pathlib.Path(path).write_bytes(model.SerializeToString())


def _write(source: Source, precision: str, folder: pathlib.Path) -> None:
    write_model(source, precision, folder / RUNTIME.file)


def _halve_weights(model: Any) -> None:
    """Makes halves of weights, and lets the graph widen them."""
    import onnx

    casts = []
    for weight in model.graph.initializer:
        values = onnx.numpy_helper.to_array(weight)
        if values.dtype != np.float32 or values.size < _LEAST_HALVED:
            continue
        name = weight.name
        halved = onnx.numpy_helper.from_array(
            values.astype(np.float16), f"{name}_half"
        )
        weight.CopyFrom(halved)
        casts.append(
            onnx.helper.make_node(
                "Cast", [halved.name], [name], to=onnx.TensorProto.FLOAT
            )
        )
    nodes = [*casts, *model.graph.node]
    del model.graph.node[:]
    model.graph.node.extend(nodes)


def _write_quantized(
    model: Any,
    calibration: Sequence[np.ndarray],
    path: str | os.PathLike[str],
) -> None:
    from onnxruntime import quantization

    class Reader(quantization.CalibrationDataReader):
        def __init__(self) -> None:
            self._inputs: Iterator[np.ndarray] = iter(calibration)

        def get_next(self) -> dict[str, np.ndarray] | None:
            image = next(self._inputs, None)
            return None if image is None else {onnx_model.IMAGE: image}

    names = [node.name for node in model.graph.node]
    with tempfile.TemporaryDirectory() as folder:
        plain = pathlib.Path(folder) / "plain.onnx"
        plain.write_bytes(model.SerializeToString())
        quantization.quantize_static(
            plain,
            os.fspath(path),
            Reader(),
            quant_format=quantization.QuantFormat.QDQ,
            op_types_to_quantize=_QUANTIZED,
            nodes_to_exclude=names[-round(_FLOAT_SHARE * len(names)) :],
            per_channel=True,
            activation_type=quantization.QuantType.QUInt8,
            weight_type=quantization.QuantType.QInt8,
        )


def session_of(file: str | os.PathLike[str]) -> Any:
    """Returns a session of a model, on as many threads as there are cores.

    Args:
        file: Path of an ONNX model.
    """
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = len(os.sched_getaffinity(0))
    options.log_severity_level = _ERRORS
    return onnxruntime.InferenceSession(
        os.fspath(file), options, providers=["CPUExecutionProvider"]
    )


def _load(file: pathlib.Path) -> Network:
    session = session_of(file)
    names = [output.name for output in session.get_outputs()]

    def answer(image: np.ndarray) -> dict[str, np.ndarray]:
        values = session.run(names, {onnx_model.IMAGE: image})
        return dict(zip(names, values, strict=True))

    return answer


RUNTIME = runtime.Runtime(
    name="onnx",
    title="ONNX Runtime",
    file="model.onnx",
    packages={"onnxruntime": "onnx"},
    writing_packages={"onnx": "onnx"},
    calibrated=(runtime.INT8,),
    write=_write,
    load=_load,
)
