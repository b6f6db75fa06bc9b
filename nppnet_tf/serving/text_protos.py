"""Configuration files of TensorFlow Serving whose messages no package has.

`tensorflow-serving-api` leaves out the messages of batching and monitoring, so
they are described here, field by field, and read by protobuf's own parser.

Reference:
    tensorflow_serving/servables/tensorflow/session_bundle_config.proto and
    tensorflow_serving/config/monitoring_config.proto of TensorFlow Serving
"""

import functools
import os
from typing import Any

from google.protobuf import descriptor_pb2
from google.protobuf import descriptor_pool
from google.protobuf import message_factory
from google.protobuf import text_format
from google.protobuf import wrappers_pb2

from nppnet_tf.errors import UserError
from nppnet_tf.files import text_files
from nppnet_tf.inference import request_limits
from nppnet_tf.serving.batching import BatchSettings

BATCHING = "BatchingParameters"
MONITORING = "MonitoringConfig"

_MAX_BYTES = 1 << 20
_PACKAGE = "nppnet_tf.serving"

_Field = descriptor_pb2.FieldDescriptorProto
_WRAPPED = {"int64": "Int64Value", "text": "StringValue", "bool": "BoolValue"}

# Numbers, names and types of fields. Types that are wrapped may be absent.
_MESSAGES = {
    BATCHING: (
        (1, "max_batch_size", "wrapped int64"),
        (2, "batch_timeout_micros", "wrapped int64"),
        (3, "max_enqueued_batches", "wrapped int64"),
        (4, "num_batch_threads", "wrapped int64"),
        (5, "thread_pool_name", "wrapped text"),
        (6, "allowed_batch_sizes", "repeated int64"),
        (7, "pad_variable_length_inputs", "bool"),
        (8, "enable_large_batch_splitting", "wrapped bool"),
        (9, "max_execution_batch_size", "wrapped int64"),
    ),
    "PrometheusConfig": ((1, "enable", "bool"), (2, "path", "text")),
    MONITORING: ((1, "prometheus_config", "PrometheusConfig"),),
}

# What one machine may do at once.
_MOST_THREADS = 256
_MOST_QUEUE = 1 << 20
_MOST_MICROS = 60_000_000


def read(path: str | os.PathLike[str], name: str) -> Any:
    """Reads a configuration file.

    Args:
        path: The file.
        name: `BATCHING` or `MONITORING`.

    Raises:
        UserError: It is no such text.
    """
    found = _message(name)()
    try:
        text_format.Parse(text_files.read(path, _MAX_BYTES), found)
    except (text_format.ParseError, RecursionError) as error:
        raise UserError(
            "configuration cannot be read",
            path,
            f"{name} of TensorFlow Serving",
            error,
        ) from error
    return found


def read_batching(path: str | os.PathLike[str]) -> BatchSettings:
    """Reads how requests are to be put together.

    Raises:
        UserError: It is no such text, or holds numbers that cannot be used.
    """
    found = read(path, BATCHING)
    bounds = {
        "max_batch_size": request_limits.MAX_PICTURES,
        "batch_timeout_micros": _MOST_MICROS,
        "max_enqueued_batches": _MOST_QUEUE,
        "num_batch_threads": _MOST_THREADS,
    }
    given = {}
    for name, most in bounds.items():
        if found.HasField(name):
            least = 0 if name == "batch_timeout_micros" else 1
            value = getattr(found, name).value
            _require(least <= value <= most, path, name, f"{least} to {most}")
            given[name] = value
    sizes = tuple(found.allowed_batch_sizes)
    settings = BatchSettings(**given, allowed_batch_sizes=sizes)
    is_ascending = list(sizes) == sorted(set(sizes)) and sizes[:1] > (0,)
    is_whole = sizes[-1:] == (settings.max_batch_size,)
    _require(
        not sizes or (is_ascending and is_whole),
        path,
        "allowed_batch_sizes",
        f"ascending, the last one {settings.max_batch_size}",
    )
    return settings


def _require(holds: bool, path: object, name: str, expected: str) -> None:
    if not holds:
        raise UserError(
            "number cannot be used", f"{path}, {name}", expected, "another"
        )


@functools.cache
def _message(name: str) -> Any:
    """Returns the class of a message."""
    pool = descriptor_pool.DescriptorPool()
    pool.AddSerializedFile(wrappers_pb2.DESCRIPTOR.serialized_pb)
    file = descriptor_pb2.FileDescriptorProto(
        name="nppnet_tf/serving.proto",
        package=_PACKAGE,
        syntax="proto3",
        dependency=[wrappers_pb2.DESCRIPTOR.name],
    )
    for own, fields in _MESSAGES.items():
        entry = file.message_type.add(name=own)
        for number, field, kind in fields:
            _describe(entry.field.add(name=field, number=number), kind)
    pool.AddSerializedFile(file.SerializeToString())
    return message_factory.GetMessageClass(
        pool.FindMessageTypeByName(f"{_PACKAGE}.{name}")
    )


def _describe(field: Any, kind: str) -> None:
    plain = {
        "int64": _Field.TYPE_INT64,
        "text": _Field.TYPE_STRING,
        "bool": _Field.TYPE_BOOL,
    }
    how, _, what = kind.rpartition(" ")
    field.label = _Field.LABEL_OPTIONAL
    if how == "repeated":
        field.label = _Field.LABEL_REPEATED
    if how == "wrapped":
        field.type = _Field.TYPE_MESSAGE
        field.type_name = f".google.protobuf.{_WRAPPED[what]}"
    elif what in plain:
        field.type = plain[what]
    else:
        field.type = _Field.TYPE_MESSAGE
        field.type_name = f".{_PACKAGE}.{what}"
