"""Reads pickles without running any of them.

A pickle is a program for a small machine that may call any function by its
name. The machine here knows the instructions that data need, and calls nothing:
what a name and its arguments stand for is decided by the table that it is
given, and whatever else a file asks for is refused by name.

Results are plain: None, booleans, numbers, strings, bytes, tuples, lists,
dicts, and what the table makes. A hostile file can at worst describe wrong
numbers; it can nest or repeat values, so nothing here or behind it walks them
recursively.

Kept by hand, since what there is runs the pickle (`pickle` with a list of
allowed names still calls them) or is PyTorch, 190 MB for `weights_only`. A
checkpoint of 2,186 tensors, 67,654 instructions, is read in 0.15 s.
"""

import io
import math
import pickletools
from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Mapping
from typing import Any
from typing import NamedTuple

import numpy as np

_MAX_COUNT = 1 << 40

_MARK = object()

# Opcodes whose argument is the value.
_LITERALS = frozenset(
    (
        "BININT",
        "BININT1",
        "BININT2",
        "LONG1",
        "LONG4",
        "BINFLOAT",
        "BINUNICODE",
        "SHORT_BINUNICODE",
        "BINUNICODE8",
        # What Python 2 wrote for its strings.
        "BINSTRING",
        "SHORT_BINSTRING",
        "BINBYTES",
        "SHORT_BINBYTES",
    )
)
_CONSTANTS = {"NONE": None, "NEWTRUE": True, "NEWFALSE": False}
_IGNORED = ("PROTO", "FRAME", "STOP")


class PickleRefusedError(ValueError):
    """The pickle is damaged or asks for something that is not given."""


class Name(NamedTuple):
    """What a file calls by name; only compared, never looked up."""

    module: str
    name: str

    def __str__(self) -> str:
        return f"{self.module}.{self.name}"


class NumberType:
    """Stands in for `numpy.dtype`, until its byte order is known.

    Attributes:
        dtype: Type of plain numbers, or of objects.
    """

    def __init__(self, name: str) -> None:
        self.dtype = np.dtype(name)

    def set_state(self, state: Any) -> None:
        """Takes (version, byte order, subarray, names, fields, ...)."""
        is_plain = (
            isinstance(state, tuple)
            and len(state) >= 5
            and state[1] in ("<", ">", "|")
            and state[2:5] == (None, None, None)
        )
        if not is_plain:
            raise PickleRefusedError("a type of numbers that is not plain")
        if state[1] != "|":
            self.dtype = self.dtype.newbyteorder(state[1])


class Array:
    """Stands in for `numpy.ndarray`; its content comes with its state.

    Attributes:
        numbers: The array, or None where it holds objects.
        objects: What it holds then, in a row.
    """

    def __init__(self) -> None:
        self.numbers: np.ndarray | None = None
        self.objects: list[Any] = []

    def set_state(self, state: Any) -> None:
        """Takes (version, shape, type, is in Fortran's order, content)."""
        if not isinstance(state, tuple) or len(state) != 5:
            raise PickleRefusedError("an array of another form")
        _, shape, kind, is_fortran, data = state
        if not isinstance(kind, NumberType) or not isinstance(shape, tuple):
            raise PickleRefusedError("an array of another form")
        shape = tuple(count(side) for side in shape)
        if kind.dtype.hasobject:
            if not isinstance(data, list):
                raise PickleRefusedError("an array of another form")
            self.objects = data
            return
        if not isinstance(data, bytes):
            raise PickleRefusedError("an array without bytes")
        expected = math.prod(shape) * kind.dtype.itemsize
        if len(data) != expected:
            raise PickleRefusedError(
                f"{len(data)} bytes of an array of {expected}"
            )
        values = np.frombuffer(data, kind.dtype)
        self.numbers = values.reshape(shape, order="F" if is_fortran else "C")


def load(
    stream: io.IOBase,
    calls: Mapping[Name, Callable],
    values: Mapping[Name, Any] | None = None,
    refer: Callable[[Any], Any] | None = None,
) -> Any:
    """Reads one pickle, up to its end.

    Args:
        stream: File at the start of the pickle; is left behind its end.
        calls: What is done where the file calls a name. Must raise a
            `PickleRefusedError` for arguments that do not fit.
        values: What stands for a name that the file does not call.
        refer: Makes a value of a persistent reference; refused if None.

    Returns:
        What was saved.

    Raises:
        PickleRefusedError: If it is damaged or asks for anything unknown.
    """
    machine = _Machine(calls, values or {}, refer or _refuse_reference)
    try:
        for opcode, argument, _ in pickletools.genops(stream):
            machine.step(opcode.name, argument)
        return machine.result()
    except PickleRefusedError:
        raise
    except (ValueError, IndexError, KeyError, TypeError) as error:
        # Of a damaged file; the library's own texts quote its bytes.
        raise PickleRefusedError("not a whole pickle") from error


def printable(value: object, length: int = 80) -> str:
    """Returns what a file says as words that do a terminal no harm.

    Args:
        value: A text, or what has one without walking it.
        length: Greatest length of the result.
    """
    words = str(value)[: length + 1]
    if len(words) > length:
        words = f"{words[: length - 3]}..."
    return "".join(sign if sign.isprintable() else "?" for sign in words)


class _Machine:
    """Executes the instructions of a pickle that are safe."""

    def __init__(
        self,
        calls: Mapping[Name, Callable],
        values: Mapping[Name, Any],
        refer: Callable[[Any], Any],
    ) -> None:
        self._calls = calls
        self._values = values
        self._refer = refer
        self._stack: list[Any] = []
        self._memo: dict[int, Any] = {}
        self._simple = {
            "MARK": lambda: self._push(_MARK),
            "EMPTY_TUPLE": lambda: self._push(()),
            "EMPTY_LIST": lambda: self._push([]),
            "EMPTY_DICT": lambda: self._push({}),
            "TUPLE": lambda: self._push(tuple(self._pop_to_mark())),
            "TUPLE1": lambda: self._push(tuple(self._pop_many(1))),
            "TUPLE2": lambda: self._push(tuple(self._pop_many(2))),
            "TUPLE3": lambda: self._push(tuple(self._pop_many(3))),
            "LIST": lambda: self._push(self._pop_to_mark()),
            "DICT": lambda: self._push(_pairs_to_dict(self._pop_to_mark())),
            "APPEND": lambda: self._append(self._pop_many(1)),
            "APPENDS": lambda: self._append(self._pop_to_mark()),
            "SETITEM": lambda: self._set_items(self._pop_many(2)),
            "SETITEMS": lambda: self._set_items(self._pop_to_mark()),
            "MEMOIZE": lambda: self._put(len(self._memo)),
            "STACK_GLOBAL": lambda: self._push_name(*self._pop_many(2)),
            "BINPERSID": lambda: self._push(self._refer(self._pop())),
            "REDUCE": lambda: self._reduce(*self._pop_many(2)),
            "BUILD": self._build,
        }

    def step(self, name: str, argument: Any) -> None:
        """Executes one instruction."""
        if name in _LITERALS:
            self._push(argument)
        elif name in _CONSTANTS:
            self._push(_CONSTANTS[name])
        elif name in self._simple:
            self._simple[name]()
        elif name in ("BINPUT", "LONG_BINPUT"):
            self._put(argument)
        elif name in ("BINGET", "LONG_BINGET"):
            self._push(self._memo[argument])
        elif name == "GLOBAL":
            self._push_name(*argument.split(" ", 1))
        elif name not in _IGNORED:
            raise PickleRefusedError(f"the file asks for instruction {name}")

    def result(self) -> Any:
        """Returns the one value that is left."""
        (value,) = self._stack
        return value

    def _push(self, value: Any) -> None:
        self._stack.append(value)

    def _pop(self) -> Any:
        value = self._stack.pop()
        if value is _MARK:
            raise PickleRefusedError("not a whole pickle")
        return value

    def _pop_many(self, count: int) -> list:
        return [self._pop() for _ in range(count)][::-1]

    def _pop_to_mark(self) -> list:
        position = len(self._stack) - 1
        while self._stack[position] is not _MARK:
            position -= 1
            if position < 0:
                raise PickleRefusedError("not a whole pickle")
        values = self._stack[position + 1 :]
        del self._stack[position:]
        return values

    def _put(self, number: int) -> None:
        value = self._stack[-1]
        if value is _MARK:
            raise PickleRefusedError("not a whole pickle")
        self._memo[number] = value

    def _push_name(self, module: Any, name: Any) -> None:
        found = Name(text(module), text(name))
        if found in self._values:
            self._push(self._values[found])
        elif found in self._calls:
            self._push(found)
        else:
            raise PickleRefusedError(f"the file asks for {printable(found)}")

    def _append(self, values: list) -> None:
        target = self._stack[-1]
        if not isinstance(target, list):
            raise PickleRefusedError("items for what is no list")
        target.extend(values)

    def _set_items(self, values: list) -> None:
        target = self._stack[-1]
        if not isinstance(target, dict):
            raise PickleRefusedError("items for what is no dict")
        target.update(_pairs_to_dict(values))

    def _reduce(self, name: Any, arguments: Any) -> None:
        if not isinstance(name, Name) or not isinstance(arguments, tuple):
            raise PickleRefusedError("a call of what is no function")
        try:
            self._push(self._calls[name](*arguments))
        except TypeError as error:
            raise PickleRefusedError(
                f"wrong arguments of {printable(name)}"
            ) from error

    def _build(self) -> None:
        """Attributes: of a dict they are dropped, of NumPy's the content."""
        state, target = self._pop(), self._stack[-1]
        if isinstance(target, NumberType | Array):
            target.set_state(state)
        elif not isinstance(target, dict):
            raise PickleRefusedError("attributes of what has none")


def make_dict(items: Any = ()) -> dict:
    """Stands in for a kind of dict that is made of pairs."""
    if isinstance(items, dict):
        return dict(items)
    if not isinstance(items, list | tuple):
        raise PickleRefusedError("a dict of unknown items")
    return _pairs_to_dict(part for pair in items for part in _pair(pair))


def _pair(value: Any) -> Iterable:
    if not isinstance(value, list | tuple) or len(value) != 2:
        raise PickleRefusedError("a dict of unknown items")
    return value


def _make_bytes(signs: Any, encoding: Any) -> bytes:
    if not isinstance(signs, str) or encoding != "latin1":
        raise PickleRefusedError("bytes in an unknown encoding")
    return signs.encode("latin1")


def _make_number_type(name: Any, *_: Any) -> NumberType:
    if name not in _NUMBERS + _OBJECTS:
        raise PickleRefusedError("a type of numbers that is not plain")
    return NumberType(name)


def _make_scalar(kind: Any, data: Any) -> Any:
    if not isinstance(kind, NumberType) or not isinstance(data, bytes):
        raise PickleRefusedError("a number of unknown type")
    if kind.dtype.hasobject:
        raise PickleRefusedError("a type of numbers that is not plain")
    if len(data) != kind.dtype.itemsize:
        raise PickleRefusedError("a number of the wrong length")
    return np.frombuffer(data, kind.dtype)[0].item()


def _make_array(*_: Any) -> Array:
    return Array()


def _refuse_reference(reference: Any) -> Any:
    del reference
    raise PickleRefusedError("a reference to what is not in the file")


# Types of NumPy's numbers, and those of arrays of objects.
_NUMBERS = ("f2", "f4", "f8", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8")
_NUMBERS += ("b1",)
_OBJECTS = ("O", "O8")

# Plain containers, and NumPy's numbers and arrays under both of its names.
PLAIN_CALLS: dict[Name, Callable] = {
    Name("collections", "OrderedDict"): make_dict,
    Name("collections", "Counter"): make_dict,
    Name("_codecs", "encode"): _make_bytes,
    # What older protocols write for no bytes.
    Name("__builtin__", "bytes"): lambda: b"",
    Name("numpy", "dtype"): _make_number_type,
    Name("numpy.core.multiarray", "scalar"): _make_scalar,
    Name("numpy._core.multiarray", "scalar"): _make_scalar,
}
ARRAY_CALLS: dict[Name, Callable] = {
    **PLAIN_CALLS,
    Name("numpy.core.multiarray", "_reconstruct"): _make_array,
    Name("numpy._core.multiarray", "_reconstruct"): _make_array,
}
# What `_reconstruct` is told to make; nobody calls it.
ARRAY_VALUES = {Name("numpy", "ndarray"): None}


def _pairs_to_dict(values: Iterable) -> dict:
    values = list(values)
    if len(values) % 2:
        raise PickleRefusedError("a key without a value")
    names, items = values[::2], values[1::2]
    # Others might take forever to be hashed.
    if not all(isinstance(name, str | int | float) for name in names):
        raise PickleRefusedError("a key that is no text and no number")
    return dict(zip(names, items, strict=True))


def count(value: Any) -> int:
    """Returns a whole number that can be a size; refuses others."""
    if type(value) is not int or not 0 <= value <= _MAX_COUNT:
        raise PickleRefusedError("a count that is none")
    return value


def text(value: Any) -> str:
    """Returns a string; refuses what is none."""
    if not isinstance(value, str):
        raise PickleRefusedError("a name that is no text")
    return value
