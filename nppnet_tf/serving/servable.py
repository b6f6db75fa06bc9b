"""One version of a model in memory: what its signatures are, and running them.

Loaded and warmed as TensorFlow Serving does it, from the files alone.
"""

import os
import pathlib
from collections.abc import Mapping
from typing import Any

import numpy as np
import tensorflow as tf
from tensorflow.core.protobuf import saved_model_pb2
from tensorflow_serving.apis import prediction_log_pb2

from nppnet_tf.files import plain_path
from nppnet_tf.inference import model_description
from nppnet_tf.inference import warm_up
from nppnet_tf.serving import failures
from nppnet_tf.serving.failures import RequestError

DEFAULT_SIGNATURE = "serving_default"

_SERVE_TAG = "serve"
_PREDICT_METHOD = "tensorflow/serving/predict"
# As TensorFlow Serving reads.
_MOST_WARM_UP = 1000

Arrays = Mapping[str, np.ndarray]


class LoadedModel:
    """Signatures of a SavedModel, ready to run from any thread.

    Args:
        name: Name of the model.
        version: Number of the version.
        folder: Folder of the version.

    Attributes:
        signature_defs: `SignatureDef` by name.

    Raises:
        Exception: Whatever TensorFlow raises for what is no whole SavedModel.
    """

    def __init__(self, name: str, version: int, folder: pathlib.Path) -> None:
        self.name = name
        self.version = version
        _require_described(folder)
        with plain_path.plain_path(folder) as plain:
            self._loaded = tf.saved_model.load(plain)
        self.signature_defs = _signature_defs(folder)
        self._warm(folder / "assets.extra" / warm_up.FILE_NAME)

    def signature_def(self, name: str) -> Any:
        """Returns the `SignatureDef` of a name; the default one's for "".

        Raises:
            RequestError: There is none.
        """
        name = name or DEFAULT_SIGNATURE
        found = self.signature_defs.get(name)
        if found is None or found.method_name != _PREDICT_METHOD:
            raise failures.invalid(
                f'Serving signature name: "{name}" not found in signature def'
            )
        return found

    def run(self, signature: str, inputs: Arrays) -> dict[str, np.ndarray]:
        """Runs a signature.

        Args:
            signature: Name of the signature, or "".
            inputs: Arrays by the names of the inputs, as `checked` returns
                them.

        Returns:
            All outputs; strings are bytes in arrays of objects.

        Raises:
            RequestError: The graph refuses the inputs.
        """
        function = self._loaded.signatures[signature or DEFAULT_SIGNATURE]
        tensors = {name: tf.constant(array) for name, array in inputs.items()}
        try:
            outputs = function(**tensors)
            return {name: value.numpy() for name, value in outputs.items()}
        except tf.errors.InvalidArgumentError as error:
            raise failures.invalid(failures.told(error)) from error
        except tf.errors.ResourceExhaustedError as error:
            raise RequestError(
                failures.RESOURCE_EXHAUSTED, "too large for the server's memory"
            ) from error

    def _warm(self, file: pathlib.Path) -> None:
        """Runs the requests that lie beside the graph."""
        if not file.is_file():
            return
        records = tf.data.TFRecordDataset(os.fspath(file)).take(_MOST_WARM_UP)
        for record in records.as_numpy_iterator():
            log = prediction_log_pb2.PredictionLog.FromString(record)
            request = log.predict_log.request
            inputs = {
                name: tf.make_ndarray(value)
                for name, value in request.inputs.items()
            }
            self.run(request.model_spec.signature_name, inputs)


def checked(signature: Any, inputs: Arrays) -> dict[str, np.ndarray]:
    """Returns inputs that fit a signature.

    Args:
        signature: `SignatureDef`.
        inputs: Arrays by name.

    Raises:
        RequestError: Names, types or shapes are others than the signature's.
    """
    missing = sorted(signature.inputs.keys() - inputs.keys())
    extra = sorted(inputs.keys() - signature.inputs.keys())
    if missing or extra:
        raise failures.invalid(
            f"input size does not match signature: {len(inputs)}!="
            f"{len(signature.inputs)}. Sent extra: {{{','.join(extra)}}}. "
            f"Missing but required: {{{','.join(missing)}}}."
        )
    for name, array in inputs.items():
        info = signature.inputs[name]
        dtype = tf.dtypes.as_dtype(info.dtype)
        if tf.dtypes.as_dtype(array.dtype) != dtype:
            raise failures.invalid(
                f"input {name} is {array.dtype.name}, expected {dtype.name}"
            )
        shape = tf.TensorShape(info.tensor_shape)
        if not shape.is_compatible_with(array.shape):
            raise failures.invalid(
                f"input {name} has shape {list(array.shape)}, expected {shape}"
            )
    return dict(inputs)


def _require_described(folder: pathlib.Path) -> None:
    """Refuses a model of ours whose files are not those described."""
    description = model_description.load_own(
        folder / model_description.FILE_NAME
    )
    # Of others' models nobody says.
    if description is not None:
        model_description.require_files(folder, description)


def _signature_defs(folder: pathlib.Path) -> dict[str, Any]:
    content = (folder / "saved_model.pb").read_bytes()
    saved = saved_model_pb2.SavedModel.FromString(content)
    graph = next(
        graph
        for graph in saved.meta_graphs
        if _SERVE_TAG in graph.meta_info_def.tags
    )
    return dict(graph.signature_def.items())
