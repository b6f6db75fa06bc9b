"""The REST interface of TensorFlow Serving, and what stands beside it.

    GET  /v1/models/NAME[/versions/V|/labels/L]            states of versions
    GET  /v1/models/NAME[/versions/V|/labels/L]/metadata   signatures
    POST /v1/models/NAME[/versions/V|/labels/L]:predict    an answer
    GET  /healthz, /metrics, and the page at /

The seconds that a client waits may stand in the header `Request-Timeout`.
"""

import asyncio
import json
import math
import re
from collections.abc import Awaitable
from collections.abc import Callable
from concurrent import futures
from typing import Any

from starlette.applications import Starlette
from starlette.requests import ClientDisconnect
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.responses import Response
from starlette.routing import Route

from nppnet_tf.serving import failures
from nppnet_tf.serving import messages
from nppnet_tf.serving import metrics
from nppnet_tf.serving import responses
from nppnet_tf.serving import rest_format
from nppnet_tf.serving import web_page
from nppnet_tf.serving.access_log import Record
from nppnet_tf.serving.failures import RequestError
from nppnet_tf.serving.limits import Holder
from nppnet_tf.serving.servable import LoadedModel
from nppnet_tf.serving.services import Services

TIMEOUT_HEADER = "request-timeout"

# Those that are answered under /v1, if only by a refusal.
METHODS = ["GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"]

_WHICH = r"(?:/versions/(?P<version>[0-9]+)|/labels/(?P<label>[^/:]+))?"
_PREDICT = re.compile(
    rf"/v1/models/(?P<name>[^/:]+){_WHICH}:(?P<call>predict|classify|regress)",
    re.IGNORECASE,
)
_STATUS = re.compile(
    rf"/v1/models(?:/(?P<name>[^/:]+))?{_WHICH}(?P<metadata>/metadata)?",
    re.IGNORECASE,
)

# Numbers of versions that 64 bits hold.
_MOST_VERSION = (1 << 63) - 1


def application(services: Services, hosts: list[str] | None = None) -> Any:
    """Returns the ASGI application.

    Args:
        services: What answers.
        hosts: Names by which clients may call the server; None for any.
    """
    endpoints = _Endpoints(services)
    return Starlette(
        routes=[
            Route("/v1/{path:path}", endpoints.api, methods=METHODS),
            Route("/healthz", endpoints.health),
            Route("/metrics", endpoints.metrics),
            # Where TensorFlow Serving has them.
            Route("/monitoring/prometheus/metrics", endpoints.metrics),
            *web_page.routes(services.store.folders, services.token),
        ],
        middleware=web_page.middleware(hosts),
    )


class _Endpoints:
    """What is done for every address."""

    def __init__(self, services: Services) -> None:
        self._services = services
        # Megabytes of JSON would hold up everybody else.
        self._threads = futures.ThreadPoolExecutor(2, "json")

    async def health(self, request: Request) -> Response:
        """Whether a request would be answered."""
        del request
        if self._services.is_ready():
            return PlainTextResponse("ok\n")
        return PlainTextResponse("not ready\n", 503)

    async def metrics(self, request: Request) -> Response:
        """Figures for Prometheus."""
        try:
            self._services.token.require(request.headers.get("authorization"))
        except RequestError as error:
            return responses.error_response(error)
        return Response(
            self._services.metrics.text(), media_type=metrics.CONTENT_TYPE
        )

    async def api(self, request: Request) -> Response:
        """Everything that TensorFlow Serving answers, too."""
        path = request.url.path
        predict = _PREDICT.fullmatch(path) if request.method == "POST" else None
        status = _STATUS.fullmatch(path) if request.method == "GET" else None
        call = "other"
        if predict:
            call = predict["call"].lower()
        elif status:
            call = "metadata" if status["metadata"] else "status"
        recorder = self._services.recorder
        try:
            with recorder.recorded("rest", call) as record:
                self._services.token.require(
                    request.headers.get("authorization")
                )
                if predict:
                    body = await self._predict(request, predict, record)
                elif status:
                    body = self._tell(status, record)
                else:
                    raise failures.invalid(
                        f"Malformed request: {request.method} {path[:200]}"
                    )
                record.answer_bytes = len(body)
                return responses.json_response(body)
        except RequestError as error:
            return responses.error_response(error)

    def _tell(self, match: re.Match[str], record: Record) -> bytes:
        """States or signatures of a model."""
        name = match["name"]
        if not name:
            raise failures.invalid("Missing model name in request.")
        which = _version(match), match["label"] or ""
        if match["metadata"]:
            model = self._services.store.find(name, *which)
            record.model, record.version = model.name, model.version
            document = messages.metadata_json(model)
        else:
            statuses = self._services.store.statuses(name, *which)
            record.model = name
            document = messages.status_json(statuses)
        return json.dumps(document, indent=1).encode() + b"\n"

    async def _predict(
        self, request: Request, match: re.Match[str], record: Record
    ) -> bytes:
        services = self._services
        services.require_ready()
        async with services.answering.in_time(_timeout(request)):
            with services.room.holder() as holder:
                body = await self._body(request, holder)
                record.request_bytes = len(body)
                return await _unless_gone(
                    request, self._answer(body, match, record)
                )

    async def _body(self, request: Request, holder: Holder) -> bytes:
        limit = self._services.limits.request_bytes
        too_large = RequestError(
            failures.INVALID_ARGUMENT,
            f"the request has more than {limit} bytes",
            http_status=413,
        )
        encoding = request.headers.get("content-encoding", "")
        if encoding.strip().lower() not in ("", "identity"):
            raise RequestError(
                failures.INVALID_ARGUMENT,
                "the body is compressed",
                http_status=415,
            )
        length = request.headers.get("content-length", "")
        if length.isdecimal() and int(length) > limit:
            raise too_large
        body = bytearray()
        try:
            async for chunk in request.stream():
                if len(body) + len(chunk) > limit:
                    raise too_large
                holder.take(len(chunk))
                body += chunk
        except ClientDisconnect:
            raise _gone() from None
        return bytes(body)

    async def _answer(
        self, body: bytes, match: re.Match[str], record: Record
    ) -> bytes:
        services = self._services
        document = await self._in_thread(rest_format.parse, body)
        signature = rest_format.signature_name(document)
        model = services.store.find(
            match["name"], _version(match), match["label"] or ""
        )
        record.model, record.version = model.name, model.version
        if match["call"].lower() != "predict":
            raise _unfit(model, match["call"].lower())
        kind, inputs = await self._in_thread(
            rest_format.read_inputs, document, model.signature_def(signature)
        )
        outputs = await services.answering.predict(
            model, signature, inputs, (), record
        )
        return await self._in_thread(rest_format.write, outputs, kind)

    async def _in_thread(
        self, function: Callable[..., Any], *arguments: object
    ) -> Any:
        return await asyncio.get_running_loop().run_in_executor(
            self._threads, function, *arguments
        )


async def _unless_gone(request: Request, work: Awaitable[bytes]) -> bytes:
    """Awaits work for a client, and stops it where the client goes away."""
    working = asyncio.ensure_future(work)
    # The body is read: what comes now is the end of the connection.
    leaving = asyncio.ensure_future(request.receive())
    try:
        await asyncio.wait(
            {working, leaving}, return_when=asyncio.FIRST_COMPLETED
        )
        if not working.done():
            raise _gone()
        return working.result()
    finally:
        for task in (working, leaving):
            task.cancel()
        await asyncio.gather(working, leaving, return_exceptions=True)


def _gone() -> RequestError:
    return RequestError(failures.CANCELLED, "the client has gone")


def _unfit(model: LoadedModel, call: str) -> RequestError:
    """The answer to calls that need signatures of other kinds."""
    name = {"classify": "classification", "regress": "regression"}[call]
    method = model.signature_def("").method_name
    return failures.invalid(
        f"Expected {name} signature method_name to be "
        f"tensorflow/serving/{call}. Was: {method}"
    )


def _version(match: re.Match[str]) -> int | None:
    text = match["version"]
    if not text:
        return None
    if len(text) > 19 or int(text) > _MOST_VERSION:
        raise failures.invalid(
            f"Failed to convert version: {text[:40]} to numeric."
        )
    return int(text)


def _timeout(request: Request) -> float | None:
    text = request.headers.get(TIMEOUT_HEADER)
    if text is None:
        return None
    try:
        seconds = float(text)
    except ValueError:
        seconds = math.nan
    if not 0 <= seconds < math.inf:
        raise failures.invalid(
            f"{TIMEOUT_HEADER} is a number of seconds, not {text[:40]!r}"
        )
    return seconds
