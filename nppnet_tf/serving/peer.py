"""A server as its clients see it: REST by httpx, gRPC by its stubs."""

import base64
import dataclasses
from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any

import grpc
import httpx
import numpy as np
import tensorflow as tf
from tensorflow_serving.apis import get_model_metadata_pb2
from tensorflow_serving.apis import get_model_status_pb2
from tensorflow_serving.apis import model_service_pb2_grpc
from tensorflow_serving.apis import predict_pb2
from tensorflow_serving.apis import prediction_service_pb2_grpc

from nppnet_tf.errors import UserError
from nppnet_tf.files import json_documents
from nppnet_tf.serving import grpc_service

_MOST_BYTES = 256 << 20


@dataclasses.dataclass(frozen=True)
class Place:
    """Where a model is served.

    Attributes:
        rest: URL of REST, "http://127.0.0.1:8501"; None for none.
        grpc: Host and port of gRPC, "127.0.0.1:8500"; None for none.
        model: Name of the model.
        version: Number of the version; None for the newest.
        label: Label of the version, instead of its number.
        token: What the server wants to be shown; None for nothing.
        seconds: How long to wait for an answer.
    """

    rest: str | None
    grpc: str | None
    model: str
    version: int | None = None
    label: str = ""
    token: str | None = None
    seconds: float = 60.0


class RestPeer:
    """The REST interface of a server; a context.

    Args:
        place: Where it is.

    Raises:
        UserError: The place has no URL that is one.
    """

    def __init__(self, place: Place) -> None:
        self.place = place
        headers = {}
        if place.token is not None:
            headers["authorization"] = f"Bearer {place.token}"
        try:
            url = httpx.URL(place.rest or "")
        except httpx.InvalidURL as error:
            raise _unreachable(place, error) from error
        self._client = httpx.Client(
            base_url=url,
            timeout=place.seconds,
            headers=headers,
            # Of the environment neither proxies nor passwords.
            trust_env=False,
            # Reading all certificates takes long, and is for https alone.
            verify=(place.rest or "").startswith("https:"),
        )

    def __enter__(self) -> "RestPeer":
        return self

    def __exit__(self, *error: object) -> None:
        self._client.close()

    @property
    def path(self) -> str:
        """Path of the model, of the version that was asked for."""
        place = self.place
        path = f"/v1/models/{place.model}"
        if place.label:
            return f"{path}/labels/{place.label}"
        return (
            path
            if place.version is None
            else (f"{path}/versions/{place.version}")
        )

    def get(self, path: str) -> httpx.Response:
        """Gets a path."""
        return self._sent("GET", path)

    def post(self, path: str, body: Any, **headers: str) -> httpx.Response:
        """Posts a document, or bytes as they are."""
        if isinstance(body, bytes):
            return self._sent("POST", path, content=body, headers=headers)
        return self._sent("POST", path, json=body, headers=headers)

    def predict(
        self, pictures: Sequence[bytes], signature: str
    ) -> dict[str, np.ndarray]:
        """Returns the outputs for encoded pictures.

        Raises:
            UserError: The server refuses, cannot be reached, or is another.
        """
        body = {
            "signature_name": signature,
            "inputs": {"image_bytes": [in_base64(data) for data in pictures]},
        }
        response = self.post(f"{self.path}:predict", body)
        document = _document(response, self.place, "outputs")
        try:
            return {
                name: _array(name, value)
                for name, value in document["outputs"].items()
            }
        except json_documents.FORM_ERRORS as error:
            raise _other_form(self.place, repr(error)) from error

    def metadata(self) -> dict[str, Any]:
        """Returns what the server tells of the model's signatures."""
        response = self.get(f"{self.path}/metadata")
        return _document(response, self.place, "metadata")

    def _sent(self, method: str, path: str, **options: Any) -> httpx.Response:
        try:
            return self._client.request(method, path, **options)
        except httpx.HTTPError as error:
            raise _unreachable(self.place, error) from error


class GrpcPeer:
    """The gRPC interface of a server; a context.

    Args:
        place: Where it is.
    """

    def __init__(self, place: Place) -> None:
        self.place = place
        self.channel = grpc.insecure_channel(
            place.grpc,
            [
                *grpc_service.options(_MOST_BYTES, _MOST_BYTES),
                # As for REST: no proxies of the environment.
                ("grpc.enable_http_proxy", 0),
            ],
        )
        self.predictions = prediction_service_pb2_grpc.PredictionServiceStub(
            self.channel
        )
        self.models = model_service_pb2_grpc.ModelServiceStub(self.channel)
        self._metadata = ()
        if place.token is not None:
            self._metadata = (("authorization", f"Bearer {place.token}"),)

    def __enter__(self) -> "GrpcPeer":
        return self

    def __exit__(self, *error: object) -> None:
        self.channel.close()

    def call(self, method: Any, request: Any) -> Any:
        """Calls a method of a stub.

        Raises:
            grpc.RpcError: The server refuses.
        """
        return method(
            request, timeout=self.place.seconds, metadata=self._metadata
        )

    def request(
        self,
        signature: str,
        inputs: Mapping[str, Any],
        output_filter: Sequence[str] = (),
    ) -> Any:
        """Returns a `PredictRequest` of the model."""
        request = predict_pb2.PredictRequest(output_filter=output_filter)
        self.specify(request)
        request.model_spec.signature_name = signature
        for name, value in inputs.items():
            request.inputs[name].CopyFrom(tf.make_tensor_proto(value))
        return request

    def specify(self, request: Any) -> None:
        """Writes into a request which model is meant."""
        request.model_spec.name = self.place.model
        if self.place.label:
            request.model_spec.version_label = self.place.label
        elif self.place.version is not None:
            request.model_spec.version.value = self.place.version

    def predict(
        self, pictures: Sequence[bytes], signature: str
    ) -> dict[str, np.ndarray]:
        """As `RestPeer.predict`."""
        request = self.request(signature, {"image_bytes": list(pictures)})
        return arrays(self._answered(self.predictions.Predict, request))

    def metadata(self) -> Any:
        """Returns the server's `GetModelMetadataResponse`."""
        request = get_model_metadata_pb2.GetModelMetadataRequest(
            metadata_field=["signature_def"]
        )
        self.specify(request)
        return self._answered(self.predictions.GetModelMetadata, request)

    def status_request(self) -> Any:
        """Returns a `GetModelStatusRequest` of the model."""
        request = get_model_status_pb2.GetModelStatusRequest()
        self.specify(request)
        return request

    def _answered(self, method: Any, request: Any) -> Any:
        try:
            return self.call(method, request)
        except grpc.RpcError as error:
            raise UserError(
                "server gives no answer",
                self.place.grpc,
                "an answer",
                f"{error.code().name}: {error.details()}",
            ) from error


def in_base64(data: bytes) -> dict[str, str]:
    """Returns bytes as REST takes them."""
    return {"b64": base64.b64encode(data).decode()}


def arrays(response: Any) -> dict[str, np.ndarray]:
    """Returns the outputs of a `PredictResponse`."""
    return {
        name: tf.make_ndarray(value) for name, value in response.outputs.items()
    }


def not_ours(place: Place, error: Exception) -> UserError:
    """Returns the error of an answer that is none of a model of ours."""
    return UserError("answer of another form", place.model, "ours", repr(error))


def _unreachable(place: Place, error: Exception) -> UserError:
    return UserError(
        "server cannot be asked",
        place.rest,
        "a server that answers REST",
        error,
    )


def _other_form(place: Place, found: object) -> UserError:
    return UserError(
        "answer of another form", place.rest, "TensorFlow Serving's", found
    )


def _document(
    response: httpx.Response, place: Place, entry: str
) -> dict[str, Any]:
    """Returns an answer that has an entry, known to be an object."""
    try:
        document = response.json()
    except ValueError:
        document = {"error": response.text}
    if not isinstance(document, dict):
        document = {"error": document}
    if response.status_code != httpx.codes.OK:
        raise UserError(
            "server gives no answer",
            place.rest,
            "status 200",
            f"status {response.status_code}: {document.get('error')}",
        )
    if entry not in document:
        raise _other_form(place, document.get("error", ", ".join(document)))
    return document


def _array(name: str, value: Any) -> np.ndarray:
    if name.endswith("_bytes"):
        found = [base64.b64decode(entry["b64"]) for entry in value]
        array = np.empty(len(found), object)
        array[:] = found
        return array
    return np.asarray(value)
