"""A server in a thread of the test's process, and clients of it."""

import asyncio
import contextlib
import dataclasses
import pathlib
import threading

from nppnet_tf.serving import model_sources
from nppnet_tf.serving import server
from nppnet_tf.serving.peer import Place
from nppnet_tf.serving.versions import ModelStore

HOST = "127.0.0.1"


@contextlib.contextmanager
def running(models: pathlib.Path, name: str = "people", **settings: object):
    """Yields where a model is served, by a server at free ports.

    Args:
        models: Folder of models, or a configuration file.
        name: Name of the model.
        **settings: Fields of `ServerSettings`.
    """
    store = ModelStore(lambda: model_sources.read(models))
    store.update(is_first=True)
    with running_store(store, name, home=models, **settings) as place:
        yield place


@contextlib.contextmanager
def running_store(store: ModelStore, name: str, **settings: object):
    """As `running`, of models that are loaded."""
    values = {"home": pathlib.Path(), "poll_seconds": 0.05, **settings}
    values = server.ServerSettings(HOST, 0, 0, **values)

    @contextlib.asynccontextmanager
    async def serving(socket):
        async with server.serving(values, store, socket) as addresses:
            yield Place(addresses.rest, addresses.grpc, name)

    with _in_thread(serving) as place:
        yield place


@contextlib.contextmanager
def running_before(other: Place, **settings: object):
    """Yields where the page stands in front of another server.

    Args:
        other: The other server.
        **settings: Fields of `ServerSettings`.
    """
    home = pathlib.Path("no models")
    values = server.ServerSettings(HOST, 0, 0, home, **settings)

    @contextlib.asynccontextmanager
    async def serving(socket):
        async with server.passing_on(
            values, other.rest, home, socket
        ) as address:
            yield dataclasses.replace(other, rest=address)

    with _in_thread(serving) as place:
        yield place


@contextlib.contextmanager
def _in_thread(serving):
    """Yields what a server yields that runs beside the test."""
    started, ended = threading.Event(), threading.Event()
    found = []

    async def serve():
        with server.listen(HOST, 0) as socket:
            async with serving(socket) as place:
                found.append(place)
                started.set()
                await asyncio.to_thread(ended.wait)

    thread = threading.Thread(target=asyncio.run, args=(serve(),))
    thread.start()
    try:
        started.wait(60)
        yield found[0]
    finally:
        ended.set()
        thread.join()
