"""What clients may rely on: checks that hold TensorFlow Serving and us.

`CONTRACT` is true of `tensorflow_model_server` serving a model of
`nppnet-export`; `EXTRAS` of our server alone. Each check is a function of the
two peers and raises a `ContractError`. `nppnet-query_serving --what=contract`
runs them against any address.
"""

import base64
import dataclasses
import json
from collections.abc import Callable
from typing import Any

import grpc
import httpx
import numpy as np
from google.protobuf import message
from tensorflow_serving.apis import get_model_metadata_pb2

from nppnet_tf.inference import request_limits
from nppnet_tf.inference import serving_graph
from nppnet_tf.pictures import picture_structure
from nppnet_tf.serving.peer import GrpcPeer
from nppnet_tf.serving.peer import RestPeer
from nppnet_tf.serving.peer import arrays
from nppnet_tf.serving.peer import in_base64

_SIGNATURES = {
    serving_graph.BYTES_SIGNATURE: ("image_bytes", "DT_STRING", 1),
    serving_graph.PNG_SIGNATURE: ("image_bytes", "DT_STRING", 1),
    serving_graph.TENSOR_SIGNATURE: ("image", "DT_FLOAT", 4),
    serving_graph.NETWORK_SIGNATURE: ("image", "DT_FLOAT", 4),
}
_PNG = b"\x89PNG\r\n\x1a\n"
_NO_PICTURE = b"no picture"
_NO_NUMBER = 987654321
# By which answers of one picture differ where others were beside it.
_TOLERANCE = 1e-5


class ContractError(AssertionError):
    """A server does not do what clients rely on."""


@dataclasses.dataclass(frozen=True)
class Subject:
    """A server under examination.

    Attributes:
        rest: The REST interface.
        grpc: The gRPC interface.
        picture: A whole JPEG or PNG file.
    """

    rest: RestPeer
    grpc: GrpcPeer
    picture: bytes

    @property
    def predict_path(self) -> str:
        """Where REST predicts."""
        return f"{self.rest.path}:predict"

    def post(self, body: Any, path: str | None = None) -> httpx.Response:
        """Posts to where REST predicts, or to another path."""
        return self.rest.post(path or self.predict_path, body)

    def answer(self, body: Any) -> Any:
        """Posts what must be answered; returns the JSON."""
        response = self.post(body)
        expect(response.status_code, 200, response.text[:200])
        return response.json()


Check = Callable[[Subject], None]

CONTRACT: dict[str, Check] = {}
EXTRAS: dict[str, Check] = {}


@dataclasses.dataclass(frozen=True)
class Result:
    """Outcome of one check.

    Attributes:
        name: What was checked.
        problem: What is otherwise, empty where nothing is.
    """

    name: str
    problem: str = ""


def run(subject: Subject, checks: dict[str, Check]) -> list[Result]:
    """Runs checks against a server."""
    results = []
    for name, check in checks.items():
        try:
            check(subject)
        # A server that answers something unheard of fails the check.
        except Exception as error:
            problem = f"{type(error).__name__}: {error}"
            results.append(Result(name, " ".join(problem.split())[:300]))
        else:
            results.append(Result(name))
    return results


def expect(found: Any, expected: Any, what: str = "") -> None:
    """Raises a `ContractError` unless both are equal."""
    if found != expected:
        raise ContractError(f"{what}: expected {expected!r}, found {found!r}")


def _check(checks: dict[str, Check]) -> Callable[[Check], Check]:
    def add(function: Check) -> Check:
        checks[function.__name__.strip("_")] = function
        return function

    return add


def _require(holds: bool, what: str) -> None:
    if not holds:
        raise ContractError(what)


def _png_request(*pictures: bytes) -> dict[str, Any]:
    return {
        "signature_name": serving_graph.PNG_SIGNATURE,
        "instances": [{"image_bytes": in_base64(data)} for data in pictures],
    }


def _near(found: Any, expected: Any) -> None:
    found, expected = np.asarray(found), np.asarray(expected)
    expect(found.shape, expected.shape, "shape")
    difference = float(np.max(np.abs(found - expected), initial=0))
    _require(difference <= _TOLERANCE, f"differs by {difference}")


def _refused(
    subject: Subject, body: Any, status: int = 400, path: str | None = None
) -> str:
    """Posts what must be refused; returns the message."""
    response = subject.post(body, path)
    expect(response.status_code, status, f"status for {str(body)[:80]}")
    document = response.json()
    expect(list(document), ["error"], "keys of an error")
    return document["error"]


def _code(subject: Subject, method: Any, request: message.Message) -> str:
    try:
        subject.grpc.call(method, request)
    except grpc.RpcError as error:
        return error.code().name
    return "OK"


def _predict_code(subject: Subject, request: message.Message) -> str:
    return _code(subject, subject.grpc.predictions.Predict, request)


def _picture_request(
    subject: Subject,
    signature: str = serving_graph.PNG_SIGNATURE,
    output_filter: tuple[str, ...] = (),
) -> Any:
    inputs = {"image_bytes": [subject.picture]}
    return subject.grpc.request(signature, inputs, output_filter)


@_check(CONTRACT)
def _status_lists_versions(subject: Subject) -> None:
    response = subject.rest.get(f"/v1/models/{subject.rest.place.model}")
    expect(response.status_code, 200)
    expect(response.headers["content-type"], "application/json")
    statuses = response.json()["model_version_status"]
    _require(bool(statuses), "no versions")
    found = [entry for entry in statuses if entry["state"] == "AVAILABLE"]
    _require(bool(found), "no version is available")
    _require(found[0]["version"].isdecimal(), "version is no text of digits")
    expect(
        found[0]["status"], {"error_code": "OK", "error_message": ""}, "status"
    )


@_check(CONTRACT)
def _status_of_one_version(subject: Subject) -> None:
    version = _version(subject)
    path = f"/v1/models/{subject.rest.place.model}/versions/{version}"
    statuses = subject.rest.get(path).json()["model_version_status"]
    expect([entry["version"] for entry in statuses], [version])


@_check(CONTRACT)
def _status_of_what_is_not_there(subject: Subject) -> None:
    name = subject.rest.place.model
    for path in ("no_such_model", f"{name}/versions/{_NO_NUMBER}"):
        response = subject.rest.get(f"/v1/models/{path}")
        expect(response.status_code, 404, path)
        expect(list(response.json()), ["error"])


@_check(CONTRACT)
def _metadata_describes_signatures(subject: Subject) -> None:
    document = subject.rest.metadata()
    expect(document["model_spec"]["name"], subject.rest.place.model)
    expect(document["model_spec"]["version"], _version(subject))
    signatures = document["metadata"]["signature_def"]["signature_def"]
    for name, (key, dtype, rank) in _SIGNATURES.items():
        info = signatures[name]["inputs"][key]
        expect(info["dtype"], dtype, name)
        expect(len(info["tensor_shape"]["dim"]), rank, name)
        expect(info["tensor_shape"]["dim"][0]["size"], "-1", name)
        expect(signatures[name]["method_name"], "tensorflow/serving/predict")


@_check(CONTRACT)
def _row_format(subject: Subject) -> None:
    (found,) = subject.answer(_png_request(subject.picture))["predictions"]
    expect(found["status"], 0, "status")
    data = base64.b64decode(found["label_map_bytes"]["b64"])
    _require(data.startswith(_PNG), "label map is no PNG")
    expect(len(found["image_size"]), 2)
    expect(len(found["keypoints_xy"]), len(found["keypoint_scores"]))


@_check(CONTRACT)
def _row_format_without_name(subject: Subject) -> None:
    request = _png_request(subject.picture)
    named = subject.answer(request)["predictions"]
    request["instances"] = [in_base64(subject.picture)]
    unnamed = subject.answer(request)["predictions"]
    _near(unnamed[0]["keypoints_xy"], named[0]["keypoints_xy"])


@_check(CONTRACT)
def _column_format(subject: Subject) -> None:
    picture = in_base64(subject.picture)
    for inputs in ({"image_bytes": [picture] * 2}, [picture] * 2):
        found = subject.answer(
            {
                "signature_name": serving_graph.PNG_SIGNATURE,
                "inputs": inputs,
            }
        )["outputs"]
        expect(found["status"], [0, 0])
        expect(len(found["label_map_bytes"]), 2)
        expect(list(found["label_map_bytes"][0]), ["b64"])
        expect(np.shape(found["image_size"]), (2, 2))


@_check(CONTRACT)
def _default_signature(subject: Subject) -> None:
    body = {"instances": [{"image_bytes": in_base64(subject.picture)}]}
    (found,) = subject.answer(body)["predictions"]
    expect(np.shape(found["label_map"]), tuple(found["image_size"]))
    _require(isinstance(found["label_map"][0][0], int), "labels are no numbers")


@_check(CONTRACT)
def _tensor_signature(subject: Subject) -> None:
    image = np.full((1, 20, 16, 3), 100.0)
    for body, key in (
        ({"instances": [{"image": image[0].tolist()}]}, "predictions"),
        ({"inputs": {"image": image.tolist()}}, "outputs"),
        ({"inputs": np.int64(image).tolist()}, "outputs"),
    ):
        body["signature_name"] = serving_graph.TENSOR_SIGNATURE
        found = subject.answer(body)[key]
        found = found if key == "outputs" else found[0]
        shape = (1, 20, 16) if key == "outputs" else (20, 16)
        expect(np.shape(found["label_map"]), shape)
        expect(np.ravel(found["status"]).tolist(), [0], "status")


@_check(CONTRACT)
def _pixels_that_are_none_cost_their_picture_alone(subject: Subject) -> None:
    images = np.full((4, 20, 16, 3), 100, np.float32)
    images[1, 3, 3, 0], images[2, 3, 3, 0] = np.nan, 400
    request = subject.grpc.request(
        serving_graph.TENSOR_SIGNATURE, {"image": images}
    )
    predict = subject.grpc.predictions.Predict
    found = arrays(subject.grpc.call(predict, request))
    statuses = [picture_structure.READ, *[picture_structure.OUT_OF_RANGE] * 2]
    expect(found["status"].tolist(), [*statuses, picture_structure.READ])
    _near(found["keypoints_xy"][0], found["keypoints_xy"][3])
    expect(found["image_size"].tolist(), [[20, 16], [0, 0], [0, 0], [20, 16]])


@_check(CONTRACT)
def _version_in_the_path(subject: Subject) -> None:
    name, version = subject.rest.place.model, _version(subject)
    path = f"/v1/models/{name}/versions/{version}:predict"
    response = subject.post(_png_request(subject.picture), path)
    expect(response.status_code, 200)


@_check(CONTRACT)
def _bad_picture_costs_itself_alone(subject: Subject) -> None:
    (alone,) = subject.answer(_png_request(subject.picture))["predictions"]
    pictures = (subject.picture, _NO_PICTURE, b"", subject.picture)
    found = subject.answer(_png_request(*pictures))["predictions"]
    expect([entry["status"] for entry in found], [0, 1, 1, 0])
    expect(found[1]["image_size"], [0, 0])
    expect(found[1]["label_map_bytes"], {"b64": ""})
    for entry in (found[0], found[3]):
        _near(entry["keypoints_xy"], alone["keypoints_xy"])
        _near(entry["keypoint_scores"], alone["keypoint_scores"])


@_check(CONTRACT)
def _bodies_that_are_no_request(subject: Subject) -> None:
    picture = in_base64(subject.picture)
    for body in (
        b"",
        b"{",
        b"[]",
        b'"text"',
        b"\xff\xfe",
        {},
        {"instances": []},
        {"instances": picture},
        {"instances": "text"},
        {"instances": [picture], "inputs": [picture]},
        {"signature_name": 3, "instances": [picture]},
    ):
        _refused(subject, body)


@_check(CONTRACT)
def _inputs_that_do_not_fit(subject: Subject) -> None:
    for body in (
        {"instances": [3]},
        {"instances": [{"image_bytes": 3}]},
        {"instances": [{"image_bytes": None}]},
        {"instances": [{"no_such_input": "x"}]},
        {"instances": [{"image_bytes": {"b64": "*"}}]},
        {"instances": [{"image_bytes": "x", "more": "x"}]},
        {"inputs": {"no_such_input": ["x"]}},
        {"inputs": {"image_bytes": [["x"], "x"]}},
    ):
        _refused(subject, body)
    for image in ([[["x"]]], [[[True]]], [[[1.0], [2.0, 3.0]]]):
        _refused(
            subject,
            {
                "signature_name": serving_graph.TENSOR_SIGNATURE,
                "instances": [{"image": image}],
            },
        )


@_check(CONTRACT)
def _numbers_of_pictures(subject: Subject) -> None:
    for count in (0, request_limits.MAX_PICTURES + 1):
        body = {"inputs": {"image_bytes": [in_base64(_NO_PICTURE)] * count}}
        _refused(subject, body)


@_check(CONTRACT)
def _signature_that_is_not_there(subject: Subject) -> None:
    text = _refused(
        subject,
        {
            "signature_name": "no_such_signature",
            "instances": [in_base64(subject.picture)],
        },
    )
    _require("no_such_signature" in text, "message does not name it")


@_check(CONTRACT)
def _models_that_are_not_there(subject: Subject) -> None:
    request = _png_request(subject.picture)
    name = subject.rest.place.model
    missing = f"/v1/models/{name}/versions/{_NO_NUMBER}:predict"
    for path in ("/v1/models/no_such_model:predict", missing):
        text = _refused(subject, request, 404, path)
        _require("Servable not found for request" in text, text)
    path = f"/v1/models/{name}/labels/no_such_label:predict"
    text = _refused(subject, request, 400, path)
    _require("Unrecognized servable version label" in text, text)


@_check(CONTRACT)
def _paths_that_mean_nothing(subject: Subject) -> None:
    name = subject.rest.place.model
    text = _refused(subject, {}, 400, f"/v1/models/{name}:no_such_call")
    _require("Malformed request" in text, text)
    response = subject.rest.get(f"/v1/models/{name}:predict")
    expect(response.status_code, 400)


@_check(CONTRACT)
def _calls_of_other_signatures(subject: Subject) -> None:
    name = subject.rest.place.model
    for call in ("classify", "regress"):
        path = f"/v1/models/{name}:{call}"
        _refused(subject, {"examples": [{"x": 1.0}]}, 400, path)


@_check(CONTRACT)
def _grpc_predict(subject: Subject) -> None:
    request = _picture_request(subject)
    response = subject.grpc.call(subject.grpc.predictions.Predict, request)
    expect(response.model_spec.name, subject.rest.place.model)
    expect(str(response.model_spec.version.value), _version(subject))
    expect(response.model_spec.signature_name, serving_graph.PNG_SIGNATURE)
    found = arrays(response)
    expect(found["status"].tolist(), [0])
    expect(found["status"].dtype, np.int32)
    (by_rest,) = subject.answer(_png_request(subject.picture))["predictions"]
    _near(found["keypoints_xy"][0], by_rest["keypoints_xy"])
    expect(
        found["label_map_bytes"][0],
        base64.b64decode(by_rest["label_map_bytes"]["b64"]),
    )


@_check(CONTRACT)
def _grpc_output_filter(subject: Subject) -> None:
    wanted = ("status", "image_size")
    request = _picture_request(subject, output_filter=wanted)
    response = subject.grpc.call(subject.grpc.predictions.Predict, request)
    expect(sorted(response.outputs), sorted(wanted))
    for refused in (("no_such_output",), ("status", "status")):
        request = _picture_request(subject, output_filter=refused)
        expect(_predict_code(subject, request), "INVALID_ARGUMENT", refused)


@_check(CONTRACT)
def _grpc_models_that_are_not_there(subject: Subject) -> None:
    request = _picture_request(subject)
    request.model_spec.name = "no_such_model"
    expect(_predict_code(subject, request), "NOT_FOUND", "name")
    request = _picture_request(subject)
    request.model_spec.version.value = _NO_NUMBER
    expect(_predict_code(subject, request), "NOT_FOUND", "version")
    request = _picture_request(subject)
    request.model_spec.version_label = "no_such_label"
    expect(_predict_code(subject, request), "INVALID_ARGUMENT", "label")
    request = _picture_request(subject)
    request.model_spec.name = ""
    expect(_predict_code(subject, request), "INVALID_ARGUMENT", "no name")
    request.ClearField("model_spec")
    expect(_predict_code(subject, request), "INVALID_ARGUMENT", "no model")


@_check(CONTRACT)
def _grpc_inputs_that_do_not_fit(subject: Subject) -> None:
    signature = serving_graph.PNG_SIGNATURE
    for inputs in (
        {},
        {"no_such_input": [b"x"]},
        {"image_bytes": [b"x"], "more": [b"x"]},
        {"image_bytes": np.zeros(1, np.float32)},
        {"image_bytes": [b"x"] * (request_limits.MAX_PICTURES + 1)},
    ):
        request = subject.grpc.request(signature, inputs)
        expect(_predict_code(subject, request), "INVALID_ARGUMENT", [*inputs])
    code = _predict_code(subject, _picture_request(subject, "no_signature"))
    # Versions of the server differ.
    _require(code in ("FAILED_PRECONDITION", "INVALID_ARGUMENT"), code)


@_check(CONTRACT)
def _grpc_metadata(subject: Subject) -> None:
    response = subject.grpc.metadata()
    expect(response.model_spec.name, subject.rest.place.model)
    signatures = get_model_metadata_pb2.SignatureDefMap()
    _require(
        response.metadata["signature_def"].Unpack(signatures),
        "metadata are of another type",
    )
    found = set(signatures.signature_def)
    _require(found >= set(_SIGNATURES), f"signatures are {found}")
    for fields in ([], ["no_such_field"]):
        request = get_model_metadata_pb2.GetModelMetadataRequest(
            metadata_field=fields
        )
        subject.grpc.specify(request)
        method = subject.grpc.predictions.GetModelMetadata
        expect(_code(subject, method, request), "INVALID_ARGUMENT", fields)


@_check(CONTRACT)
def _grpc_status(subject: Subject) -> None:
    method = subject.grpc.models.GetModelStatus
    request = subject.grpc.status_request()
    response = subject.grpc.call(method, request)
    found = {
        str(entry.version): entry.state
        for entry in response.model_version_status
    }
    expect(found[_version(subject)], 30, "state AVAILABLE")
    request.model_spec.name = "no_such_model"
    expect(_code(subject, method, request), "NOT_FOUND")


@_check(EXTRAS)
def _health(subject: Subject) -> None:
    from grpc_health.v1 import health_pb2
    from grpc_health.v1 import health_pb2_grpc

    expect(subject.rest.get("/healthz").status_code, 200)
    stub = health_pb2_grpc.HealthStub(subject.grpc.channel)
    for service in ("", "tensorflow.serving.PredictionService"):
        request = health_pb2.HealthCheckRequest(service=service)
        answer = stub.Check(request, timeout=subject.grpc.place.seconds)
        expect(answer.status, health_pb2.HealthCheckResponse.SERVING)


@_check(EXTRAS)
def _metrics(subject: Subject) -> None:
    text = subject.rest.get("/metrics").text
    _require("nppnet_requests_total" in text, "no counter of requests")
    _require("no_such_model" not in text, "labels hold what clients made up")


@_check(EXTRAS)
def _page(subject: Subject) -> None:
    response = subject.rest.get("/")
    expect(response.status_code, 200)
    _require(response.text.lstrip().startswith("<!doctype html>"), "no page")
    policy = response.headers["content-security-policy"]
    for part in ("default-src 'none'", "frame-ancestors 'none'"):
        _require(part in policy, f"policy lacks {part}")
    _require("unsafe" not in policy, "policy allows what is unsafe")


@_check(EXTRAS)
def _time_that_a_client_waits(subject: Subject) -> None:
    request = _png_request(subject.picture)
    path = subject.predict_path
    for seconds, status in (("0", 504), ("x", 400), ("-1", 400), ("9e9", 200)):
        response = subject.rest.post(
            path, request, **{"request-timeout": seconds}
        )
        expect(response.status_code, status, f"request-timeout: {seconds}")


@_check(EXTRAS)
def _bodies_that_are_not_taken(subject: Subject) -> None:
    response = subject.rest.post(
        subject.predict_path, b"{}", **{"content-encoding": "gzip"}
    )
    expect(response.status_code, 415)


@_check(EXTRAS)
def _names_that_have_two_values(subject: Subject) -> None:
    picture = json.dumps(in_base64(subject.picture))
    signature = f'"signature_name": "{serving_graph.PNG_SIGNATURE}"'
    row = f'[{{"image_bytes": {picture}, "image_bytes": {picture}}}]'
    for body, name in (
        (f'{{{signature}, "instances": {row}}}', "image_bytes"),
        (f'{{{signature}, {signature}, "inputs": [{picture}]}}', "signature"),
    ):
        text = _refused(subject, body.encode())
        _require(name in text, f"message does not name it: {text}")


@_check(EXTRAS)
def _nothing_outside_the_page(subject: Subject) -> None:
    for path in ("/../server.py", "/%2e%2e/server.py", "/no_such_file"):
        expect(subject.rest.get(path).status_code, 404, path)


def _version(subject: Subject) -> str:
    """Number of the version that answers where none is named."""
    place = subject.rest.place
    if place.version is not None:
        return str(place.version)
    response = subject.rest.get(f"/v1/models/{place.model}")
    return next(
        entry["version"]
        for entry in response.json()["model_version_status"]
        if entry["state"] == "AVAILABLE"
    )
