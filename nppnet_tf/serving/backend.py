"""The page in front of another server, maybe TensorFlow Serving itself.

Requests of REST are passed on and answers passed back, so that browsers need
to know of one server only; models are not loaded. gRPC goes to the other
server directly.
"""

import asyncio
import http
import os
import pathlib
from collections.abc import AsyncIterable
from collections.abc import Mapping
from typing import Any
from urllib import parse

import httpx
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.responses import Response
from starlette.routing import Route

from nppnet_tf.errors import UserError
from nppnet_tf.serving import failures
from nppnet_tf.serving import model_sources
from nppnet_tf.serving import responses
from nppnet_tf.serving import rest
from nppnet_tf.serving import web_page
from nppnet_tf.serving.access_log import Recorder
from nppnet_tf.serving.failures import RequestError
from nppnet_tf.serving.limits import Holder
from nppnet_tf.serving.limits import Limits
from nppnet_tf.serving.limits import Room
from nppnet_tf.serving.token import Token

_SCHEMES = ("http", "https")

# What of a request and of its answer is the other side's business.
_PASSED_ON = ("accept", "content-type", "request-timeout")
_PASSED_BACK = ("content-type", "retry-after", "www-authenticate")

# Beyond what the other server may work on a request.
_PATIENCE_SECONDS = 5.0


def checked_url(text: str, flag: str) -> str:
    """Returns the address of a server, without a slash at its end.

    Args:
        text: "http://host:8501".
        flag: Flag that it comes from, for messages.

    Raises:
        UserError: It is no such address.
    """
    try:
        parts = parse.urlsplit(text)
        is_address = parts.scheme in _SCHEMES and bool(parts.hostname)
        # Read when asked for.
        _ = parts.port
    except ValueError:
        is_address = False
    if not is_address or parts.query or parts.fragment or parts.username:
        raise UserError(
            "no address of a server",
            f"{flag}={text}",
            "http://HOST:PORT, where TensorFlow Serving answers REST",
        )
    return text.rstrip("/")


def application(
    backend: "Backend",
    folders: Mapping[str, pathlib.Path],
    hosts: list[str] | None = None,
) -> Any:
    """Returns the ASGI application of a server that passes requests on.

    Args:
        backend: Answers.
        folders: Folders that describe models, by their names; see `web_page`.
        hosts: Names by which clients may call the server; None for any.
    """
    return Starlette(
        routes=[
            Route("/v1/{path:path}", backend.answer, methods=rest.METHODS),
            Route("/healthz", backend.health),
            *web_page.routes(lambda: folders, backend.token, is_passed_on=True),
        ],
        middleware=web_page.middleware(hosts),
    )


def described_folders(
    models: str | os.PathLike[str],
) -> dict[str, pathlib.Path]:
    """Returns the folder of the newest version of every model.

    Args:
        models: What the other server may have been given, too; see
            `model_sources.read`. Nothing where there are no models.
    """
    try:
        sources = model_sources.read(models)
    except UserError:
        return {}
    return {
        source.name: source.folder_of(versions[0])
        for source in sources
        if (versions := source.candidates())
    }


class Backend:
    """Answers requests of REST by asking another server.

    Args:
        url: Address of the server, see `checked_url`.
        limits: Bounds of requests and answers.
        token: What clients have to show here. What they show is passed on only
            where that is nothing.
        recorder: Takes every request down.
        transport: What carries requests; the network by default.

    Attributes:
        token: Token of this server, as given.
    """

    def __init__(
        self,
        url: str,
        limits: Limits,
        token: Token,
        recorder: Recorder,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self._limits = limits
        self.token = token
        self._recorder = recorder
        self._room = Room(limits.waiting_bytes)
        self._client = httpx.AsyncClient(
            base_url=url,
            transport=transport,
            timeout=limits.seconds + _PATIENCE_SECONDS,
            limits=httpx.Limits(max_connections=limits.connections),
            # The address is the one that was given, whatever the shell says.
            trust_env=False,
        )

    async def close(self) -> None:
        """Ends all connections."""
        await self._client.aclose()

    async def answer(self, request: Request) -> Response:
        """Returns what the other server answers, or why it does not.

        Args:
            request: A request of something under /v1.
        """
        call = "predict" if request.method == "POST" else "status"
        try:
            with (
                self._recorder.recorded("rest", call) as record,
                self._room.holder() as holder,
            ):
                shown = request.headers.get("authorization")
                self.token.require(shown)
                body = await self._body(request, holder)
                record.request_bytes = len(body)
                response = await self._ask(request, body, holder)
                record.answer_bytes = len(response.body)
                if response.status_code >= http.HTTPStatus.BAD_REQUEST:
                    record.code = failures.UNKNOWN
                return response
        except RequestError as error:
            return responses.error_response(error)

    async def health(self, request: Request) -> Response:
        """Whether the other server answers anything at all."""
        del request
        try:
            await self._client.get("/", timeout=_PATIENCE_SECONDS)
        except httpx.HTTPError:
            return PlainTextResponse("not ready\n", 503)
        return PlainTextResponse("ok\n")

    async def _ask(
        self, request: Request, body: bytes, holder: Holder
    ) -> Response:
        try:
            async with self._client.stream(
                request.method,
                # As it came: what is escaped stays so.
                request.scope["raw_path"].decode("ascii"),
                headers=self._passed_on(request),
                content=body,
            ) as answer:
                # Numbers as JSON have a few bytes each.
                limit = 4 * self._limits.answer_bytes
                content = await _whole(answer.aiter_bytes(), limit, holder)
        except httpx.TimeoutException:
            raise RequestError(
                failures.DEADLINE_EXCEEDED,
                "the server behind this one has not answered in time",
            ) from None
        except (httpx.HTTPError, httpx.InvalidURL):
            raise RequestError(
                failures.UNAVAILABLE,
                "the server behind this one cannot be reached",
                http_status=http.HTTPStatus.BAD_GATEWAY,
            ) from None
        response = Response(content, answer.status_code)
        for name in _PASSED_BACK:
            if name in answer.headers:
                response.headers[name] = answer.headers[name]
        return response

    def _passed_on(self, request: Request) -> dict[str, str]:
        """Returns what the other server is told besides the body."""
        names = _PASSED_ON
        if not self.token.is_needed:
            names = (*names, "authorization")
        return {
            name: request.headers[name]
            for name in names
            if name in request.headers
        }

    async def _body(self, request: Request, holder: Holder) -> bytes:
        seconds = self._limits.seconds
        try:
            async with asyncio.timeout(seconds):
                return await _whole(
                    request.stream(), self._limits.request_bytes, holder
                )
        except TimeoutError:
            raise RequestError(
                failures.DEADLINE_EXCEEDED,
                f"the request has not come within {seconds:.3g} seconds",
            ) from None
        except ClientDisconnect:
            raise RequestError(
                failures.CANCELLED, "the client has gone"
            ) from None


async def _whole(
    chunks: AsyncIterable[bytes], limit: int, holder: Holder
) -> bytes:
    """Returns all bytes of a request or an answer, where there is room."""
    content = bytearray()
    async for chunk in chunks:
        if len(content) + len(chunk) > limit:
            raise RequestError(
                failures.INVALID_ARGUMENT,
                f"request or answer has more than {limit} bytes",
                http_status=http.HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
            )
        holder.take(len(chunk))
        content += chunk
    return bytes(content)
