"""Warm-up requests of a SavedModel, as TensorFlow Serving replays them.

The server runs them before it takes traffic, so that nobody waits for the
first, slow, call. The file holds `PredictionLog` messages; they are written
here field by field, since three nested messages are no reason to depend on
`tensorflow-serving-api`. A test reads them with it where it is installed.

Reference:
    https://www.tensorflow.org/tfx/serving/saved_model_warmup
    https://protobuf.dev/programming-guides/encoding
"""

import os
from collections.abc import Mapping
from typing import Any

import numpy as np
import tensorflow as tf

from nppnet_tf.inference import serving_graph

FILE_NAME = "tf_serving_warmup_requests"

# Field numbers of tensorflow_serving/apis/{prediction_log,predict,model}.proto.
_LOG_PREDICT_LOG = 6
_PREDICT_LOG_REQUEST = 1
_REQUEST_MODEL_SPEC = 1
_REQUEST_INPUTS = 2
_SPEC_NAME = 1
_SPEC_SIGNATURE = 3
_MAP_KEY = 1
_MAP_VALUE = 2

_LENGTH_DELIMITED = 2

# Gray levels of the picture: a gradient, which JPEG keeps.
_PICTURE_SIZE = (64, 48)


def requests(
    input_size: tuple[int, int],
) -> dict[str, dict[str, np.ndarray]]:
    """Returns the inputs of a request for every signature.

    The signatures of bytes share what reads them: one is given a JPEG, the
    other a PNG.

    Args:
        input_size: (H, W) of the network's input.
    """
    height, width = _PICTURE_SIZE
    row = np.linspace(0, 255, width).astype(np.uint8)
    image = np.broadcast_to(row[:, np.newaxis], (height, width, 3))
    jpeg, png = (
        np.array([encode(image).numpy()], object)
        for encode in (tf.io.encode_jpeg, tf.io.encode_png)
    )
    return {
        serving_graph.BYTES_SIGNATURE: {serving_graph.IMAGE_BYTES: jpeg},
        serving_graph.PNG_SIGNATURE: {serving_graph.IMAGE_BYTES: png},
        serving_graph.TENSOR_SIGNATURE: {
            serving_graph.IMAGE: image[np.newaxis].astype(np.float32)
        },
        serving_graph.NETWORK_SIGNATURE: {
            serving_graph.IMAGE: np.zeros((1, *input_size, 3), np.float32)
        },
    }


def prediction_log(
    model_name: str, signature: str, inputs: Mapping[str, np.ndarray]
) -> bytes:
    """Returns a serialized `PredictionLog` with one request.

    Args:
        model_name: Name by which the server knows the model.
        signature: Name of the signature to call.
        inputs: Arguments of the signature; arrays, or lists of bytes.
    """
    specification = _field(_SPEC_NAME, model_name.encode()) + _field(
        _SPEC_SIGNATURE, signature.encode()
    )
    request = _field(_REQUEST_MODEL_SPEC, specification)
    for name, values in inputs.items():
        entry = _field(_MAP_KEY, name.encode())
        entry += _field(_MAP_VALUE, _tensor(values).SerializeToString())
        request += _field(_REQUEST_INPUTS, entry)
    predict_log = _field(_PREDICT_LOG_REQUEST, request)
    return _field(_LOG_PREDICT_LOG, predict_log)


def write_requests(
    path: str | os.PathLike[str],
    model_name: str,
    requests: Mapping[str, Mapping[str, np.ndarray]],
) -> None:
    """Writes the warm-up file.

    Args:
        path: Path of the file; the server looks for `FILE_NAME` in
            `assets.extra` of a version's folder.
        model_name: Name by which the server knows the model.
        requests: Signature name to its inputs, one request each.
    """
    with tf.io.TFRecordWriter(os.fspath(path)) as writer:
        for signature, inputs in requests.items():
            writer.write(prediction_log(model_name, signature, inputs))


def _tensor(values: np.ndarray) -> Any:
    """Returns a `TensorProto`; of equal numbers, one stands for all."""
    array = np.asarray(values)
    if array.dtype.kind == "f" and array.size and not np.ptp(array):
        return tf.make_tensor_proto(array.flat[0], shape=array.shape)
    return tf.make_tensor_proto(values)


def _field(number: int, payload: bytes) -> bytes:
    """One length-delimited field: tag, length, content."""
    tag = _variable_length(number << 3 | _LENGTH_DELIMITED)
    return tag + _variable_length(len(payload)) + payload


def _variable_length(value: int) -> bytes:
    """Seven bits a byte, lowest first; the high bit says that more follow."""
    encoded = bytearray()
    while value > 0x7F:
        encoded.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*encoded, value])
