"""TensorFlow Serving's answers about models, the same for both protocols."""

from collections.abc import Mapping
from typing import Any

from google.protobuf import json_format
from tensorflow_serving.apis import get_model_metadata_pb2
from tensorflow_serving.apis import get_model_status_pb2

from nppnet_tf.serving.servable import LoadedModel
from nppnet_tf.serving.versions import Version

SIGNATURE_DEF = "signature_def"

# Of `tensorflow.error.Code`.
_OK = 0
_BROKEN = 13


def status(statuses: Mapping[int, Version]) -> Any:
    """Returns a `GetModelStatusResponse`.

    Args:
        statuses: What is known of versions.
    """
    response = get_model_status_pb2.GetModelStatusResponse()
    for number, version in statuses.items():
        entry = response.model_version_status.add()
        entry.version = number
        entry.state = entry.State.Value(version.state)
        entry.status.error_code = _BROKEN if version.message else _OK
        entry.status.error_message = version.message
    return response


def metadata(model: LoadedModel) -> Any:
    """Returns a `GetModelMetadataResponse`: all signatures of a model."""
    response = get_model_metadata_pb2.GetModelMetadataResponse()
    response.model_spec.name = model.name
    response.model_spec.version.value = model.version
    response.metadata[SIGNATURE_DEF].Pack(_signatures(model))
    return response


def status_json(statuses: Mapping[int, Version]) -> dict[str, Any]:
    """Returns what REST tells of versions."""
    return _plain(status(statuses))


def metadata_json(model: LoadedModel) -> dict[str, Any]:
    """Returns what REST tells of a model's signatures."""
    return {
        "model_spec": _plain(metadata(model).model_spec),
        "metadata": {SIGNATURE_DEF: _plain(_signatures(model))},
    }


def _signatures(model: LoadedModel) -> Any:
    signatures = get_model_metadata_pb2.SignatureDefMap()
    for name, signature in model.signature_defs.items():
        signatures.signature_def[name].CopyFrom(signature)
    return signatures


def _plain(message: Any) -> dict[str, Any]:
    return json_format.MessageToDict(
        message,
        preserving_proto_field_name=True,
        always_print_fields_with_no_presence=True,
    )
