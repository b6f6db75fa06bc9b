"""TensorFlow's Example, `tf.train.Example`, without TensorFlow.

Processes that only make samples read records by it: to import TensorFlow takes
each of them seconds and hundreds of megabytes. The messages, their fields and
their bytes are those of `tensorflow/core/example/{example,feature}.proto`.
"""

from typing import Any

from google.protobuf import descriptor_pb2
from google.protobuf import descriptor_pool
from google.protobuf import message_factory

_FILE = "nppnet_tf/example.proto"
_PACKAGE = "nppnet_tf"

_Field = descriptor_pb2.FieldDescriptorProto

# Lists of values, by the field of a Feature that holds them.
_LISTS = {
    "bytes_list": ("BytesList", _Field.TYPE_BYTES),
    "float_list": ("FloatList", _Field.TYPE_FLOAT),
    "int64_list": ("Int64List", _Field.TYPE_INT64),
}


def _file() -> descriptor_pb2.FileDescriptorProto:
    """Says what the two files of TensorFlow say."""
    file = descriptor_pb2.FileDescriptorProto(
        name=_FILE, package=_PACKAGE, syntax="proto3"
    )
    feature = descriptor_pb2.DescriptorProto(name="Feature")
    feature.oneof_decl.add(name="kind")
    for number, (name, (kind, value)) in enumerate(_LISTS.items(), start=1):
        message = file.message_type.add(name=kind)
        _add(message, "value", 1, value, is_repeated=True)
        _add(feature, name, number, kind).oneof_index = 0
    file.message_type.append(feature)
    features = file.message_type.add(name="Features")
    _add(features, "feature", 1, "Features.FeatureEntry", is_repeated=True)
    entry = features.nested_type.add(name="FeatureEntry")
    entry.options.map_entry = True
    _add(entry, "key", 1, _Field.TYPE_STRING)
    _add(entry, "value", 2, "Feature")
    example = file.message_type.add(name="Example")
    _add(example, "features", 1, "Features")
    return file


def _add(
    message: descriptor_pb2.DescriptorProto,
    name: str,
    number: int,
    kind: int | str,
    is_repeated: bool = False,
) -> descriptor_pb2.FieldDescriptorProto:
    """Adds a field of a kind of numbers, or of another message."""
    label = _Field.LABEL_REPEATED if is_repeated else _Field.LABEL_OPTIONAL
    field = message.field.add(name=name, number=number, label=label)
    if isinstance(kind, str):
        field.type = _Field.TYPE_MESSAGE
        field.type_name = f".{_PACKAGE}.{kind}"
    else:
        field.type = kind
    return field


# A pool of its own: TensorFlow registers its names with the common one.
_pool = descriptor_pool.DescriptorPool()
_pool.AddSerializedFile(_file().SerializeToString())


def _message(name: str) -> Any:
    found = _pool.FindMessageTypeByName(f"{_PACKAGE}.{name}")
    return message_factory.GetMessageClass(found)


BytesList = _message("BytesList")
Example = _message("Example")
Feature = _message("Feature")
Features = _message("Features")
FloatList = _message("FloatList")
Int64List = _message("Int64List")
