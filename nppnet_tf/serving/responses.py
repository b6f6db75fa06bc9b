"""Answers of HTTP that tell of one thing in JSON."""

from starlette.responses import Response

from nppnet_tf.serving import failures
from nppnet_tf.serving import rest_format
from nppnet_tf.serving.failures import RequestError


def json_response(body: bytes, status: int = 200) -> Response:
    """Returns an answer of a body that is JSON already."""
    return Response(body, status, media_type="application/json")


def error_response(error: RequestError) -> Response:
    """Returns an answer that tells of an error, as TensorFlow Serving does."""
    body = rest_format.write_error(error.message)
    response = json_response(body, error.http_status)
    if error.retry_after is not None:
        response.headers["retry-after"] = str(error.retry_after)
    if error.code == failures.UNAUTHENTICATED:
        response.headers["www-authenticate"] = "Bearer"
    return response
