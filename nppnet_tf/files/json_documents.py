"""JSON that others may have written: size, depth and types are checked.

`read` and `parse` return what the text says; `require` asks a value for its
type and names the place of one that is another, `require_form` asks all parts
of a value. Documents of ours begin with a
format and a version, and are sealed: a hash of everything in them tells whether
they were changed or damaged.
"""

import hashlib
import json
import os
import sys
from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any

from nppnet_tf.errors import UserError
from nppnet_tf.files import atomic
from nppnet_tf.files import text_files

# Descriptions, genotypes, descriptors; annotations of a data set take more.
MAX_BYTES = 64 << 20
MAX_ANNOTATION_BYTES = 2 << 30

SEAL = "sha256"

# What the use of a document raises that is whole and holds something else.
FORM_ERRORS = (
    AttributeError,
    IndexError,
    KeyError,
    OverflowError,
    TypeError,
    ValueError,
)

_KINDS = {
    "an object": dict,
    "a list": list,
    "a text": str,
    "an integer": int,
    "a number": (int, float),
    "true or false": bool,
}


def read(path: str | os.PathLike[str], max_bytes: int = MAX_BYTES) -> Any:
    """Reads a JSON file.

    Args:
        path: The file.
        max_bytes: A larger one is refused.

    Raises:
        UserError: It cannot be read, is no UTF-8, no JSON, nested too deeply,
            or gives one name two values.
    """
    return parse(text_files.read(path, max_bytes), path)


def parse(text: str, where: object) -> Any:
    """Returns what a JSON text says; errors as of `read`."""
    try:
        return json.loads(text, object_pairs_hook=_object)
    except _DoubledError as error:
        raise UserError(
            "two values of one name", where, "each name once", error
        ) from None
    except RecursionError:
        raise UserError(
            "JSON is nested too deeply", where, "some levels", "hundreds"
        ) from None
    except ValueError as error:
        raise UserError("not JSON", where, "a JSON text", error) from error


def require(value: Any, kind: str, where: object, name: object) -> Any:
    """Returns a value of the kind that is expected.

    Args:
        value: Part of a document.
        kind: "an object", "a list", "a text", "an integer", "a number" or
            "true or false". True and false are no numbers, and neither is what
            is not finite or too large for a float.
        where: File of the document.
        name: Name of the part, "annotations[3].bbox".

    Raises:
        UserError: It is of another kind.
    """
    is_bool = isinstance(value, bool) and kind != "true or false"
    is_kind = isinstance(value, _KINDS[kind]) and not is_bool
    if is_kind and kind == "a number":
        # Not of nan, and of integers before they become floats.
        is_kind = abs(value) <= sys.float_info.max
    if not is_kind:
        raise UserError(f"{name} is not {kind}", where, kind, described(value))
    return value


def require_form(value: Any, form: Any, where: object, name: str) -> Any:
    """Returns a value all of whose parts are of the kinds that are expected.

    Args:
        value: Part of a document.
        form: A kind, as of `require`; `[form]`, a list of such parts;
            `{"": form}`, an object of such entries under any names; an
            object with the form of every entry that there has to be, beside
            which others may stand; or a function of value, file and name that
            refuses what it does not take.
        where: File of the document.
        name: Name of the part.

    Raises:
        UserError: It is of another form, or lacks an entry.
    """
    if isinstance(form, str):
        return require(value, form, where, name)
    if callable(form):
        form(value, where, name)
        return value
    if isinstance(form, list):
        require(value, "a list", where, name)
        parts = {
            f"{name}[{number}]": (part, form[0])
            for number, part in enumerate(value)
        }
    else:
        require(value, "an object", where, name)
        forms = dict.fromkeys(value, form[""]) if "" in form else form
        if absent := [key for key in forms if key not in value]:
            raise UserError(
                f"{name} lacks an entry",
                where,
                ", ".join(forms),
                f"no {absent[0]}",
            )
        parts = {f"{name}.{key}": (value[key], forms[key]) for key in forms}
    for place, (part, of_part) in parts.items():
        require_form(part, of_part, where, place)
    return value


def described(value: Any) -> str:
    """Returns a value as a message shows it: short, with its kind."""
    if value is None:
        return "null"
    if isinstance(value, dict):
        return f"an object of {len(value)} entries"
    if isinstance(value, list):
        return f"a list of {len(value)} entries"
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def read_document(
    path: str | os.PathLike[str], document_format: str, version: int
) -> dict[str, Any]:
    """Reads a document of ours.

    Args:
        path: The file.
        document_format: What its "format" must be.
        version: What its "version" must be.

    Returns:
        Its entries without the seal. A document without one, as before
        documents were sealed, is taken as it is.

    Raises:
        UserError: It cannot be read, is of another format or version, or its
            content does not fit its seal.
    """
    return opened(read(path), path, document_format, version)


def opened(
    value: Any,
    where: object,
    document_format: str,
    version: int | None,
    *,
    version_name: str = "version",
    noun: str = "file",
    remedy: str = "",
) -> dict[str, Any]:
    """Returns the entries of a document of ours, as it was read.

    Args:
        value: The document.
        where: File of the document.
        document_format: What its "format" must be.
        version: What its version must be; None where it has none.
        version_name: Name of the entry that holds the version.
        noun: What messages call it.
        remedy: What to do where it was changed by hand.

    Returns:
        Its entries without the seal. A document without one, as before
        documents were sealed, is taken as it is.

    Raises:
        UserError: It is no object, of another format or version, or its
            content does not fit its seal.
    """
    document = dict(require(value, "an object", where, f"the {noun}"))
    expected = (document_format, version)
    found = (document.get("format"), document.get(version_name))
    if version is None:
        expected, found = expected[:1], found[:1]
    if found != expected:
        raise UserError(
            f"{noun} of another format or version",
            where,
            " ".join(map(str, expected)),
            " ".join(map(described, found)),
        )
    seal = document.pop(SEAL, None)
    if seal is not None and seal != seal_of(document):
        raise UserError(
            f"{noun} was changed or damaged",
            where,
            f"content whose {SEAL} is {described(seal)}{remedy}",
            seal_of(document),
        )
    return document


def write_document(
    path: str | os.PathLike[str],
    document_format: str,
    version: int,
    values: Mapping[str, Any],
    durable: bool = False,
) -> None:
    """Writes what `read_document` reads, whole or not at all.

    Args:
        path: The file.
        document_format: "format" of the document.
        version: "version" of the document.
        values: Everything else; values that JSON can hold.
        durable: Whether it must be on the disk before this returns.
    """
    header = {"format": document_format, "version": version}
    document = sealed({**header, **values})
    text = json.dumps(document, indent=2, ensure_ascii=False)
    atomic.write_text(path, f"{text}\n", durable)


def sealed(values: Mapping[str, Any]) -> dict[str, Any]:
    """Returns a document with the seal that `read_document` asks for."""
    # As JSON reads it back: tuples become lists, keys become texts.
    document = json.loads(json.dumps(dict(values)))
    return {**document, SEAL: seal_of(document)}


def seal_of(document: Mapping[str, Any]) -> str:
    """Returns the hash of a document's content, however it is laid out."""
    text = json.dumps(document, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


class _DoubledError(ValueError):
    """A name of an object that has two values."""


def _object(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    """Returns an object; `json` alone would keep the last of two values."""
    found = dict(pairs)
    if len(found) < len(pairs):
        for name, value in pairs:
            if value != found[name]:
                raise _DoubledError(described(name))
    return found
