"""One server process: sockets, protocols, models, and its end."""

import asyncio
import contextlib
import dataclasses
import logging
import pathlib
import socket
from collections.abc import AsyncIterator
from collections.abc import Callable
from collections.abc import Iterator
from typing import Any

import grpc
import uvicorn
from grpc_health.v1 import health
from grpc_health.v1 import health_pb2
from grpc_health.v1 import health_pb2_grpc

from nppnet_tf.errors import UserError
from nppnet_tf.serving import backend
from nppnet_tf.serving import grpc_service
from nppnet_tf.serving import patient_protocol
from nppnet_tf.serving import rest
from nppnet_tf.serving.access_log import AccessLog
from nppnet_tf.serving.access_log import Recorder
from nppnet_tf.serving.answering import Answering
from nppnet_tf.serving.backend import Backend
from nppnet_tf.serving.batching import Batcher
from nppnet_tf.serving.batching import BatchSettings
from nppnet_tf.serving.limits import Limits
from nppnet_tf.serving.limits import Room
from nppnet_tf.serving.metrics import Metrics
from nppnet_tf.serving.services import Services
from nppnet_tf.serving.spare_memory import SpareMemory
from nppnet_tf.serving.token import Token
from nppnet_tf.serving.versions import ModelStore

# Addresses that nobody but this machine's users reaches.
LOOPBACK = ("127.0.0.1", "localhost")

_SERVICES = (
    "",
    "tensorflow.serving.PredictionService",
    "tensorflow.serving.ModelService",
)


@dataclasses.dataclass(frozen=True)
class ServerSettings:
    """How a server is reached and what it takes.

    Attributes:
        host: Address to listen at.
        rest_port: Port of REST and the page; 0 for a free one.
        grpc_port: Port of gRPC; 0 for a free one.
        home: Folder of the models.
        limits: Bounds of requests.
        batching: How requests are put together.
        token: What clients have to show.
        access_log: File of the access log; None for none.
        poll_seconds: How often folders of models are looked at.
        drain_seconds: How long requests may take to end after the server has
            been asked to.
    """

    host: str
    rest_port: int
    grpc_port: int
    home: pathlib.Path
    limits: Limits = Limits()
    batching: BatchSettings = BatchSettings()
    token: Token = dataclasses.field(default_factory=Token)
    access_log: str | None = None
    poll_seconds: float = 1.0
    drain_seconds: float = 30.0


@dataclasses.dataclass(frozen=True)
class Addresses:
    """Where a server listens.

    Attributes:
        rest: URL of REST and the page.
        grpc: Host and port of gRPC.
    """

    rest: str
    grpc: str


def listen(host: str, port: int) -> socket.socket:
    """Returns a socket that listens, before models take their time.

    Raises:
        UserError: There is no such address, or the port is in use.
    """
    try:
        family = socket.getaddrinfo(host, port)[0][0]
        found = socket.create_server((host, port), family=family)
        # Connections inherit it. Without it the body of an answer waits for the
        # client to acknowledge the head, 40 ms; asyncio sees to it for sockets
        # of its own alone.
        found.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    except OSError as error:
        raise UserError(
            "cannot listen", f"{host}:{port}", "a free port", error.strerror
        ) from error
    return found


@contextlib.asynccontextmanager
async def serving(
    settings: ServerSettings, store: ModelStore, rest_socket: socket.socket
) -> AsyncIterator[Addresses]:
    """A context within which models are served.

    At its end new requests are refused and those under way are answered.

    Args:
        settings: How the server is reached and what it takes.
        store: The models, loaded.
        rest_socket: Socket of REST.

    Yields:
        Where the server listens.

    Raises:
        UserError: The port of gRPC is in use.
    """
    metrics = Metrics()
    spare = SpareMemory()

    def observe(size: int, seconds: float) -> None:
        metrics.count_batch(size, seconds)
        spare.note()

    batcher = Batcher(settings.batching, observe)
    room = Room(settings.limits.waiting_bytes)
    log = AccessLog(settings.access_log)
    services = Services(
        store,
        Answering(batcher, settings.limits, metrics),
        settings.limits,
        room,
        metrics,
        Recorder(metrics, log),
        settings.token,
    )
    metrics.gauge(
        "nppnet_waiting_pictures",
        "Pictures that wait for their run.",
        lambda: batcher.waiting,
    )
    metrics.gauge(
        "nppnet_waiting_bytes",
        "Bytes of requests that are being answered.",
        lambda: room.used,
    )
    batcher.start()
    grpc_server, servicer, grpc_port = await _start_grpc(settings, services)
    rest_server = _rest_server(
        settings, lambda hosts: rest.application(services, hosts)
    )
    running = asyncio.create_task(rest_server.serve([rest_socket]))
    store.watch(settings.poll_seconds)
    tidying = asyncio.create_task(spare.watch())
    try:
        yield Addresses(
            _rest_url(settings, rest_socket),
            f"{_bracketed(settings.host)}:{grpc_port}",
        )
    finally:
        tidying.cancel()
        services.is_draining = True
        await servicer.enter_graceful_shutdown()
        rest_server.should_exit = True
        await asyncio.gather(running, grpc_server.stop(settings.drain_seconds))
        await batcher.close()
        log.close()
        await asyncio.to_thread(store.close)


@contextlib.asynccontextmanager
async def passing_on(
    settings: ServerSettings,
    url: str,
    models: pathlib.Path,
    rest_socket: socket.socket,
) -> AsyncIterator[str]:
    """A context within which another server answers in place of this one.

    Args:
        settings: How this server is reached and what it takes.
        url: Address of the other one.
        models: Where models are described, if anywhere; see
            `model_sources.read`.
        rest_socket: Socket of REST.

    Yields:
        URL of REST and the page.
    """
    folders = backend.described_folders(models)
    log = AccessLog(settings.access_log)
    recorder = Recorder(Metrics(), log)
    other = Backend(url, settings.limits, settings.token, recorder)
    rest_server = _rest_server(
        settings, lambda hosts: backend.application(other, folders, hosts)
    )
    running = asyncio.create_task(rest_server.serve([rest_socket]))
    try:
        yield _rest_url(settings, rest_socket)
    finally:
        rest_server.should_exit = True
        await running
        await other.close()
        log.close()


async def _start_grpc(
    settings: ServerSettings, services: Services
) -> tuple[Any, Any, int]:
    """Starts gRPC; returns the server, its health service and its port."""
    limits = settings.limits
    server = grpc.aio.server(
        options=grpc_service.server_options(limits),
        maximum_concurrent_rpcs=limits.connections,
    )
    grpc_service.add_services(server, services, settings.home)
    servicer = health.aio.HealthServicer()
    health_pb2_grpc.add_HealthServicer_to_server(servicer, server)
    for name in _SERVICES:
        await servicer.set(name, health_pb2.HealthCheckResponse.SERVING)
    address = f"{_bracketed(settings.host)}:{settings.grpc_port}"
    # The library writes a line of its own on stderr where it is in use.
    listen(settings.host, settings.grpc_port).close()
    try:
        port = server.add_insecure_port(address)
    except RuntimeError:
        port = 0
    if not port:
        raise UserError(
            "cannot listen", address, "a free port", "in use or not allowed"
        )
    await server.start()
    return server, servicer, port


def _rest_url(settings: ServerSettings, rest_socket: socket.socket) -> str:
    port = rest_socket.getsockname()[1]
    return f"http://{_bracketed(settings.host)}:{port}"


def _bracketed(host: str) -> str:
    """Returns a host as it stands before a port."""
    return f"[{host}]" if ":" in host else host


def _rest_server(
    settings: ServerSettings,
    make_application: Callable[[list[str] | None], Any],
) -> Any:
    hosts = None
    if settings.host in LOOPBACK:
        # A page of another site that calls itself by our address is not let
        # in, whatever a name server says.
        hosts = [*LOOPBACK]
    config = uvicorn.Config(
        make_application(hosts),
        log_config=None,
        access_log=False,
        server_header=False,
        lifespan="off",
        limit_concurrency=settings.limits.connections,
        timeout_graceful_shutdown=int(settings.drain_seconds) or 1,
        timeout_keep_alive=settings.limits.idle_seconds,
        loop="asyncio",
        http=patient_protocol.protocol(settings.limits.idle_seconds),
        ws="none",
    )
    logging.getLogger("uvicorn").setLevel(logging.ERROR)
    return _RestServer(config)


class _RestServer(uvicorn.Server):
    """A server that leaves signals to the program."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Captures none."""
        yield
