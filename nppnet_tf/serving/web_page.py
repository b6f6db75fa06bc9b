"""The page at /: its files, and what browsers may do with it.

It is written as browsers take it, without a build step: plain modules under
`page/`, which ask TensorFlow Serving's REST interface under /v1.
"""

import pathlib
from collections.abc import Callable
from collections.abc import Mapping
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.responses import Response
from starlette.routing import BaseRoute
from starlette.routing import Mount
from starlette.routing import Route
from starlette.staticfiles import StaticFiles

from nppnet_tf.serving import descriptions
from nppnet_tf.serving import responses
from nppnet_tf.serving.failures import RequestError
from nppnet_tf.serving.token import Token

FILES = pathlib.Path(__file__).with_name("page")

# The page asks nobody but this server, and nobody frames it.
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; "
    "img-src 'self' blob: data:; connect-src 'self'; manifest-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_HEADERS = [
    (b"content-security-policy", _POLICY.encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-resource-policy", b"same-origin"),
]

Folders = Callable[[], Mapping[str, pathlib.Path]]


def routes(
    folders: Folders, token: Token, is_passed_on: bool = False
) -> list[BaseRoute]:
    """Returns what answers at / and below, behind all other routes.

    Args:
        folders: Returns the folders of the versions that answer, by the names
            of their models.
        token: What clients have to show for what is said of models.
        is_passed_on: Whether pictures go to another server.
    """

    async def describe(request: Request) -> Response:
        try:
            token.require(request.headers.get("authorization"))
        except RequestError as error:
            return responses.error_response(error)
        document = await run_in_threadpool(
            lambda: descriptions.document(folders(), is_passed_on)
        )
        return JSONResponse(document, headers={"cache-control": "no-cache"})

    return [
        Route("/descriptions.json", describe),
        Mount("/", _Files(directory=FILES, html=True)),
    ]


def middleware(hosts: list[str] | None) -> list[Middleware]:
    """Returns what stands before every route.

    Args:
        hosts: Names by which clients may call the server; None for any.
    """
    if hosts is None:
        return [Middleware(_Headers)]
    return [
        Middleware(_Headers),
        Middleware(TrustedHostMiddleware, allowed_hosts=hosts),
    ]


class _Headers:
    """Adds headers that keep browsers from doing more than the page needs."""

    def __init__(self, app: Any) -> None:
        self._app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        async def send_with_headers(message: Any) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", ()), *_HEADERS]
            await send(message)

        await self._app(scope, receive, send_with_headers)


class _Files(StaticFiles):
    """Files that browsers ask for anew: modules of two versions do not mix."""

    def file_response(self, *arguments: Any, **keywords: Any) -> Response:
        """Returns a file; an unchanged one has no body."""
        response = super().file_response(*arguments, **keywords)
        response.headers["cache-control"] = "no-cache"
        return response
