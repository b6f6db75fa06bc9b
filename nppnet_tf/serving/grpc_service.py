"""TensorFlow Serving's gRPC services: predictions, metadata, states, reload."""

import asyncio
import contextlib
import dataclasses
import pathlib
from collections.abc import AsyncIterator
from collections.abc import Mapping
from collections.abc import Sequence
from concurrent import futures
from typing import Any

import grpc
import numpy as np
import tensorflow as tf
from google.protobuf.message import DecodeError
from tensorflow_serving.apis import model_management_pb2
from tensorflow_serving.apis import model_service_pb2_grpc
from tensorflow_serving.apis import predict_pb2
from tensorflow_serving.apis import prediction_service_pb2_grpc

from nppnet_tf.errors import UserError
from nppnet_tf.serving import failures
from nppnet_tf.serving import messages
from nppnet_tf.serving import model_sources
from nppnet_tf.serving.access_log import Record
from nppnet_tf.serving.failures import RequestError
from nppnet_tf.serving.limits import Limits
from nppnet_tf.serving.services import Services

# Message of a request and of its answer beyond their tensors.
_ENVELOPE_BYTES = 1 << 20

# What the calls of each method are recorded as.
_CALLS = {
    "Predict": "predict",
    "GetModelMetadata": "metadata",
    "GetModelStatus": "status",
    "HandleReloadConfigRequest": "reload",
}

# A tensor may hold one value for all: what it would become is bounded, too.
_MOST_STRINGS = 1 << 16


def options(request_bytes: int, answer_bytes: int) -> list[tuple[str, int]]:
    """Returns the options of a channel that takes messages of these sizes."""
    return [
        ("grpc.max_receive_message_length", request_bytes + _ENVELOPE_BYTES),
        ("grpc.max_send_message_length", answer_bytes + _ENVELOPE_BYTES),
        # A second server at the same port is a mistake.
        ("grpc.so_reuseport", 0),
    ]


def server_options(limits: Limits) -> list[tuple[str, int]]:
    """Returns the options of a server, which does not wait without end."""
    return [
        *options(limits.request_bytes, limits.answer_bytes),
        # Whoever says nothing, or not what gRPC says first.
        ("grpc.server_handshake_timeout_ms", _thousandths(limits.idle_seconds)),
        # A call that comes byte by byte has no other end. Idle connections end
        # so, too: where they end as idle, clients log it as an error.
        (
            "grpc.max_connection_age_ms",
            _thousandths(limits.connection_seconds),
        ),
        ("grpc.max_connection_age_grace_ms", _thousandths(limits.seconds)),
        # Whoever has gone without a word, and so takes no answer.
        ("grpc.keepalive_time_ms", _thousandths(limits.idle_seconds)),
        ("grpc.keepalive_timeout_ms", _thousandths(limits.idle_seconds)),
    ]


def _thousandths(seconds: float) -> int:
    return max(1, round(1000 * seconds))


def add_services(server: Any, services: Services, home: pathlib.Path) -> None:
    """Adds the services to a server of grpc.aio.

    Args:
        server: The server.
        services: What answers.
        home: Folder that models of a new configuration must lie in.
    """
    calls = _Calls(services)
    registry = _Registry(server, calls)
    prediction_service_pb2_grpc.add_PredictionServiceServicer_to_server(
        PredictionService(services, calls), registry
    )
    model_service_pb2_grpc.add_ModelServiceServicer_to_server(
        ModelService(services, calls, home), registry
    )


class _Calls:
    """What every call has in common: token, record, errors."""

    def __init__(self, services: Services) -> None:
        self._services = services

    @contextlib.asynccontextmanager
    async def answered(self, call: str, context: Any) -> AsyncIterator[Record]:
        """A context of one call, whose errors become the call's status."""
        try:
            with self._services.recorder.recorded("grpc", call) as record:
                self._services.token.require(_authorization(context))
                yield record
                return
        except RequestError as error:
            failure = error
        trailing = ()
        if failure.retry_after is not None:
            trailing = (("retry-after", str(failure.retry_after)),)
        await context.abort(
            grpc.StatusCode[failure.code], failure.message, trailing
        )


class _Registry:
    """Adds handlers to a server that also answer what is no message.

    The library would tell such a client of its own exception, and nothing of
    the call would be recorded.

    Args:
        server: The server.
        calls: What every call has in common.
    """

    def __init__(self, server: Any, calls: _Calls) -> None:
        self._server = server
        self._calls = calls

    def add_generic_rpc_handlers(self, handlers: Sequence[Any]) -> None:
        """Adds handlers of a service."""
        self._server.add_generic_rpc_handlers(
            [_Handlers(handler, self._calls) for handler in handlers]
        )

    def add_registered_method_handlers(self, *handlers: object) -> None:
        """Adds nothing: they are the same ones, under their names."""


class _Handlers(grpc.GenericRpcHandler):
    """Handlers of a service, by the methods that are called."""

    def __init__(self, handlers: Any, calls: _Calls) -> None:
        self._handlers = handlers
        self._calls = calls

    def service(self, handler_call_details: Any) -> Any:
        """Returns what answers a call; None for another service's."""
        handler = self._handlers.service(handler_call_details)
        if handler is None:
            return None
        name = handler_call_details.method.rpartition("/")[2]

        async def answer(request: Any, context: Any) -> Any:
            if not isinstance(request, _NoMessage):
                return await handler.unary_unary(request, context)
            call = _CALLS.get(name, "other")
            async with self._calls.answered(call, context) as record:
                record.request_bytes = request.num_bytes
                raise failures.invalid("the message cannot be parsed")

        def read(data: bytes) -> Any:
            try:
                return handler.request_deserializer(data)
            except DecodeError:
                return _NoMessage(len(data))

        return grpc.unary_unary_rpc_method_handler(
            answer, read, handler.response_serializer
        )


@dataclasses.dataclass(frozen=True)
class _NoMessage:
    """What cannot be parsed.

    Attributes:
        num_bytes: How long it is.
    """

    num_bytes: int


class PredictionService(prediction_service_pb2_grpc.PredictionServiceServicer):
    """Predictions and metadata.

    Args:
        services: What answers.
        calls: What every call has in common.
    """

    def __init__(self, services: Services, calls: _Calls) -> None:
        self._services = services
        self._calls = calls
        self._threads = futures.ThreadPoolExecutor(2, "tensors")

    async def Predict(self, request: Any, context: Any) -> Any:
        """Runs a signature."""
        async with self._calls.answered("predict", context) as record:
            self._services.require_ready()
            seconds = context.time_remaining()
            async with self._services.answering.in_time(seconds):
                with self._services.room.holder() as holder:
                    record.request_bytes = request.ByteSize()
                    holder.take(record.request_bytes)
                    response = await self._predict(request, record)
            record.answer_bytes = response.ByteSize()
            return response

    async def GetModelMetadata(self, request: Any, context: Any) -> Any:
        """Signatures of a model."""
        async with self._calls.answered("metadata", context) as record:
            if not request.metadata_field:
                raise failures.invalid(
                    "GetModelMetadataRequest must specify at least one "
                    "metadata_field"
                )
            for field in request.metadata_field:
                if field != messages.SIGNATURE_DEF:
                    raise failures.invalid(
                        f"Metadata field {field} is not supported"
                    )
            model = self._services.store.find(*_which(request))
            record.model, record.version = model.name, model.version
            return messages.metadata(model)

    async def _predict(self, request: Any, record: Record) -> Any:
        services = self._services
        model = services.store.find(*_which(request))
        record.model, record.version = model.name, model.version
        loop = asyncio.get_running_loop()
        inputs = await loop.run_in_executor(
            self._threads,
            _arrays,
            request.inputs,
            services.limits.request_bytes,
        )
        outputs = await services.answering.predict(
            model,
            request.model_spec.signature_name,
            inputs,
            request.output_filter,
            record,
        )
        return await loop.run_in_executor(
            self._threads, _response, outputs, record
        )


class ModelService(model_service_pb2_grpc.ModelServiceServicer):
    """States of versions, and other models.

    Args:
        services: What answers.
        calls: What every call has in common.
        home: Folder that models of a new configuration must lie in.
    """

    def __init__(
        self, services: Services, calls: _Calls, home: pathlib.Path
    ) -> None:
        self._services = services
        self._calls = calls
        self._home = home

    async def GetModelStatus(self, request: Any, context: Any) -> Any:
        """States of a model's versions."""
        async with self._calls.answered("status", context) as record:
            name, version, label = _which(request)
            statuses = self._services.store.statuses(name, version, label)
            record.model = name
            return messages.status(statuses)

    async def HandleReloadConfigRequest(
        self, request: Any, context: Any
    ) -> Any:
        """Serves other models from now on."""
        async with self._calls.answered("reload", context):
            if not request.config.HasField("model_config_list"):
                # Nothing said is not a list of nothing, which unloads all.
                raise failures.invalid(
                    "ServerModelConfig type not supported by "
                    "HandleReloadConfigRequest. Only ModelConfigList is "
                    "currently supported"
                )
            try:
                sources = model_sources.from_config(request.config, self._home)
            except UserError as error:
                raise failures.invalid(failures.told(error)) from error
            home = self._home.resolve()
            for source in sources:
                if not source.folder.resolve().is_relative_to(home):
                    raise failures.invalid(
                        f"folder of {source.name} is not among the models"
                    )
            await asyncio.get_running_loop().run_in_executor(
                None, self._services.store.replace, sources
            )
            response = model_management_pb2.ReloadConfigResponse()
            response.status.error_code = 0
            return response


def _authorization(context: Any) -> str | None:
    for name, value in context.invocation_metadata() or ():
        if name == "authorization" and isinstance(value, str):
            return value
    return None


def _which(request: Any) -> tuple[str, int | None, str]:
    """Name, version and label that a request asks for."""
    if not request.HasField("model_spec"):
        raise failures.invalid("Missing ModelSpec")
    specification = request.model_spec
    version = None
    if specification.HasField("version"):
        version = specification.version.value
    return specification.name, version, specification.version_label


def _arrays(
    tensors: Mapping[str, Any], most_bytes: int
) -> dict[str, np.ndarray]:
    return {
        name: _array(name, tensor, most_bytes)
        for name, tensor in tensors.items()
    }


def _array(name: str, tensor: Any, most_bytes: int) -> np.ndarray:
    """Returns a tensor of a request as an array."""
    try:
        dtype = tf.dtypes.as_dtype(tensor.dtype)
        count = 1
        for axis in tensor.tensor_shape.dim:
            count *= axis.size
            if axis.size < 0:
                raise ValueError("negative size")
        most = _MOST_STRINGS
        if dtype != tf.string:
            if not dtype.size:
                raise ValueError(f"values of type {dtype.name}")
            most = most_bytes // dtype.size
        if count > most or tensor.tensor_shape.unknown_rank:
            raise ValueError(f"{count} values")
        return np.asarray(tf.make_ndarray(tensor))
    except (TypeError, ValueError, KeyError, OverflowError) as error:
        raise failures.invalid(
            f"input {name} is no tensor: {failures.told(error)}"
        ) from error


def _response(outputs: Mapping[str, np.ndarray], record: Record) -> Any:
    response = predict_pb2.PredictResponse()
    response.model_spec.name = record.model
    response.model_spec.version.value = record.version
    response.model_spec.signature_name = record.signature
    for name, array in outputs.items():
        response.outputs[name].CopyFrom(tf.make_tensor_proto(array))
    return response
