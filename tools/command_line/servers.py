"""Servers that run until a signal asks them to end."""

import asyncio
import pathlib
import signal
import socket
from contextlib import AbstractAsyncContextManager
from typing import TYPE_CHECKING
from typing import Any

from . import console

if TYPE_CHECKING:
    from nppnet_tf.serving.server import ServerSettings
    from nppnet_tf.serving.versions import ModelStore


def serve(
    settings: "ServerSettings", store: "ModelStore", rest_socket: socket.socket
) -> None:
    """Serves models; arguments as of `server.serving`."""
    from nppnet_tf.serving import server

    asyncio.run(
        _run(
            server.serving(settings, store, rest_socket),
            lambda at: f"serving at {at.rest} and grpc {at.grpc}",
        )
    )


def pass_on(
    settings: "ServerSettings",
    url: str,
    models: pathlib.Path,
    rest_socket: socket.socket,
) -> None:
    """Stands before another server; arguments as of `server.passing_on`."""
    from nppnet_tf.serving import server

    asyncio.run(
        _run(
            server.passing_on(settings, url, models, rest_socket),
            lambda at: f"serving the page at {at}, passing on to {url}",
        )
    )


async def _run(serving: AbstractAsyncContextManager, told: Any) -> None:
    asked_to_end = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, asked_to_end.set)
    async with serving as addresses:
        console.say(told(addresses))
        await asked_to_end.wait()
        console.say("ending: requests under way are answered")
