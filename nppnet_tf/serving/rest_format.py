"""TensorFlow Serving's JSON: requests to arrays, arrays to answers.

Row format, `instances` to `predictions`, and column format, `inputs` to
`outputs`. Bytes travel as {"b64": ...}, in answers where the name of the
output ends in `_bytes`.

Reference:
    https://www.tensorflow.org/tfx/serving/api_rest
"""

import base64
import binascii
import collections
import json
from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from nppnet_tf.files import json_documents
from nppnet_tf.serving import failures

ROW = "instances"
COLUMN = "inputs"

_ANSWER_KEY = {ROW: "predictions", COLUMN: "outputs"}
_SIGNATURE = "signature_name"
_BASE64 = "b64"
_BYTES_SUFFIX = "_bytes"

# Integers that float32 holds exactly, as TensorFlow Serving bounds them.
_MOST_FLOAT_INTEGER = (1 << 24) - 1

# Lists and objects of a body, each a hundred bytes in memory: the pixels of a
# picture that is sent as numbers.
_MOST_CONTAINERS = 2 << 20
# Levels of a list of strings.
_MOST_LEVELS = 8

Arrays = dict[str, np.ndarray]


def parse(body: bytes) -> dict[str, Any]:
    """Returns the object that a request's body holds.

    Raises:
        RequestError: It is no JSON object, holds no request, or gives one
            name two values.
    """
    if not body:
        raise failures.invalid("JSON Parse error: The document is empty")
    if body.count(b"[") + body.count(b"{") > _MOST_CONTAINERS:
        raise failures.invalid(
            f"JSON Parse error: more than {_MOST_CONTAINERS} lists and objects"
        )
    try:
        document = json.loads(body, object_pairs_hook=_object)
    except RecursionError:
        raise failures.invalid("JSON Parse error: nested too deeply") from None
    except ValueError as error:
        if type(error) is ValueError:
            # Of Python, which reads no integer of thousands of digits.
            raise failures.invalid(
                "JSON Parse error: too long a number"
            ) from None
        # Not what stands there: it may be megabytes.
        reason = getattr(error, "msg", None) or "no UTF-8"
        place = getattr(error, "pos", None) or getattr(error, "start", 0)
        raise failures.invalid(
            f"JSON Parse error: {reason} at offset: {place}"
        ) from None
    if not isinstance(document, dict):
        raise failures.invalid(f"JSON Value: {_shown(document)} Is not object")
    return document


def signature_name(document: Mapping[str, Any]) -> str:
    """Returns the signature that a request names, "" where it names none."""
    name = document.get(_SIGNATURE, "")
    if not isinstance(name, str):
        raise failures.invalid(
            "not formatted correctly. 'signature_name' key must be a string "
            "value."
        )
    return name


def read_inputs(
    document: Mapping[str, Any], signature: Any
) -> tuple[str, Arrays]:
    """Returns the inputs of a request.

    Args:
        document: Body of the request.
        signature: `SignatureDef` that is asked for.

    Returns:
        `ROW` or `COLUMN`, and arrays by the names of inputs.

    Raises:
        RequestError: The inputs are not those of the signature.
    """
    kinds = [kind for kind in (ROW, COLUMN) if kind in document]
    if not kinds:
        raise failures.invalid("Missing 'inputs' or 'instances' key")
    if len(kinds) > 1:
        raise failures.invalid(
            "Not formatted correctly expecting only one of 'inputs' or "
            "'instances' keys to exist"
        )
    dtypes = {
        name: tf.dtypes.as_dtype(info.dtype)
        for name, info in signature.inputs.items()
    }
    read = _rows if kinds == [ROW] else _columns
    return kinds[0], read(document[kinds[0]], dtypes)


def write(outputs: Arrays, kind: str) -> bytes:
    """Returns the body of an answer.

    Args:
        outputs: Arrays by the names of outputs.
        kind: `ROW` or `COLUMN`, as the request was.

    Raises:
        RequestError: Outputs have no rows, or not the same number.
    """
    plain = {
        name: _plain(name, array) for name, array in sorted(outputs.items())
    }
    if kind == ROW:
        content = _in_rows(outputs, plain)
    else:
        content = plain if len(plain) > 1 else next(iter(plain.values()))
    return json.dumps({_ANSWER_KEY[kind]: content}).encode()


def write_error(message: str) -> bytes:
    """Returns the body of an answer that tells of an error."""
    return json.dumps({"error": message}).encode()


def _object(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    """Returns an object whose names all differ.

    TensorFlow Serving takes the first value of a name of the request, and both
    as two pictures within an instance; whoever sent it meant neither.
    """
    found = dict(pairs)
    if len(found) < len(pairs):
        names = collections.Counter(name for name, _ in pairs)
        ((name, _),) = names.most_common(1)
        raise failures.invalid(
            f"JSON Parse error: two values of one name: {_shown(name)}"
        )
    return found


def _rows(instances: Any, dtypes: Mapping[str, tf.DType]) -> Arrays:
    if not isinstance(instances, list):
        raise failures.invalid("Excepting 'instances' to be an list/array")
    if not instances:
        raise failures.invalid("No values in 'instances' array")
    if not _is_named(instances[0]):
        if len(dtypes) > 1:
            raise failures.invalid(
                "instances is a plain list, but expecting list of objects as "
                "multiple input tensors required as per tensorinfo_map"
            )
        (name,) = dtypes
        instances = [{name: _unnamed(value)} for value in instances]
    columns: dict[str, list] = {name: [] for name in dtypes}
    for number, instance in enumerate(instances):
        if not _is_named(instance):
            raise failures.invalid(
                f"Expecting object but got list at item {number} of input list"
            )
        if instance.keys() != columns.keys():
            raise failures.invalid(
                f"Failed to process element: {number} of 'instances' list. "
                f"keys must be equal to: {','.join(sorted(columns))}"
            )
        for name, value in instance.items():
            columns[name].append(value)
    return {
        name: _array(values, dtypes[name], name)
        for name, values in columns.items()
    }


def _columns(inputs: Any, dtypes: Mapping[str, tf.DType]) -> Arrays:
    if not _is_named(inputs):
        if len(dtypes) > 1:
            raise failures.invalid(
                "inputs is a plain value/list, but expecting an object as "
                "multiple input tensors required as per tensorinfo_map"
            )
        (name,) = dtypes
        inputs = {name: inputs}
    missing = sorted(dtypes.keys() - inputs.keys())
    if missing:
        raise failures.invalid(
            f"Missing named input: {missing[0]} in 'inputs' object."
        )
    return {
        name: _array(inputs[name], dtype, name)
        for name, dtype in dtypes.items()
    }


def _unnamed(value: Any) -> Any:
    if _is_named(value):
        raise failures.invalid(
            "Expecting value/list but got object in the input list"
        )
    return value


def _is_named(value: Any) -> bool:
    """Whether a value is an object of inputs, not bytes."""
    return isinstance(value, dict) and not (
        len(value) == 1 and isinstance(value.get(_BASE64), str)
    )


def _array(value: Any, dtype: tf.DType, name: str) -> np.ndarray:
    """Returns a nested list as an array of the signature's type."""
    if dtype == tf.string:
        shape = _shape(value)
        if len(shape) > _MOST_LEVELS:
            raise failures.invalid(f"input {name}: lists of too many levels")
        flat: list[bytes] = []
        _collect(value, shape, flat, name)
        array = np.empty(len(flat), object)
        array[:] = flat
        return array.reshape(shape)
    try:
        array = np.array(value)
    except (ValueError, OverflowError, RecursionError):
        raise failures.invalid(
            f"input {name}: lists of one level differ in length"
        ) from None
    kinds = {"f": "if", "i": "i", "u": "i", "b": "b"}
    kind = dtype.as_numpy_dtype().dtype.kind
    # An empty list is of no type.
    if array.size and array.dtype.kind not in kinds.get(kind, ""):
        raise failures.invalid(
            f"input {name}: JSON Value is not of expected type: {dtype.name}"
        )
    if kind == "f" and array.dtype.kind == "i" and array.size:
        if max(-array.min(), array.max()) > _MOST_FLOAT_INTEGER:
            raise failures.invalid(
                f"Cannot convert JSON value of input {name} to {dtype.name} "
                "without loss of precision."
            )
    return _cast(array, dtype, name)


def _cast(array: np.ndarray, dtype: tf.DType, name: str) -> np.ndarray:
    """Returns numbers in another type that holds them."""
    if array.size and dtype.is_integer:
        if array.min() < dtype.min or array.max() > dtype.max:
            raise failures.invalid(
                f"input {name}: JSON Value is not of expected type: "
                f"{dtype.name}"
            )
    with np.errstate(over="ignore"):
        cast = array.astype(dtype.as_numpy_dtype)
    if dtype.is_floating and np.isinf(cast).sum() != np.isinf(array).sum():
        raise failures.invalid(
            f"Cannot convert JSON value of input {name} to {dtype.name} "
            "without loss of precision."
        )
    return cast


def _shape(value: Any) -> tuple[int, ...]:
    """Lengths of nested lists, as their first elements have them."""
    shape = []
    while isinstance(value, list):
        shape.append(len(value))
        value = value[0] if value else None
    return tuple(shape)


def _collect(
    value: Any, shape: Sequence[int], flat: list[bytes], name: str
) -> None:
    """Appends the strings of nested lists of a shape."""
    if not shape:
        flat.append(_bytes(value, name))
        return
    if not isinstance(value, list) or len(value) != shape[0]:
        raise failures.invalid(
            f"input {name}: lists of one level differ in length"
        )
    for part in value:
        _collect(part, shape[1:], flat, name)


def _bytes(value: Any, name: str) -> bytes:
    if isinstance(value, str):
        return value.encode("utf-8", "surrogatepass")
    if not isinstance(value, dict) or _is_named(value):
        raise failures.invalid(
            f"input {name}: JSON Value: {_shown(value)} is not of expected "
            "type: string"
        )
    try:
        return _decode_base64(value[_BASE64])
    except (ValueError, binascii.Error):
        raise failures.invalid("Unable to base64 decode") from None


def _decode_base64(text: str) -> bytes:
    """Decodes what TensorFlow Serving decodes: padding may be missing."""
    text = "".join(text.split())
    text += "=" * (-len(text) % 4)
    return base64.b64decode(text, validate=True)


def _plain(name: str, array: np.ndarray) -> Any:
    """Returns an array as JSON holds it."""
    if array.dtype != object:
        return array.tolist()
    if not array.ndim:
        return _text(name, array.item())
    return [_plain(name, np.asarray(part, object)) for part in array]


def _text(name: str, value: bytes) -> Any:
    if name.endswith(_BYTES_SUFFIX):
        return {_BASE64: base64.b64encode(value).decode()}
    return value.decode("utf-8", "replace")


def _in_rows(outputs: Arrays, plain: Mapping[str, Any]) -> list:
    sizes = {
        name: array.shape[0] if array.ndim else -1
        for name, array in outputs.items()
    }
    if len(set(sizes.values())) != 1 or -1 in sizes.values():
        raise failures.invalid(f"outputs have inconsistent batch size: {sizes}")
    if len(plain) == 1:
        return next(iter(plain.values()))
    return [
        dict(zip(plain, row, strict=True))
        for row in zip(*plain.values(), strict=True)
    ]


def _shown(value: Any) -> str:
    return json_documents.described(value)
