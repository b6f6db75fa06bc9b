"""Reads the pickles of PyTorch's files without running any of them.

A pickle is a program for a small machine that may call any function by its
name. The machine here knows the instructions that PyTorch's files need, and
calls nothing: what a name and its arguments stand for is decided by a table of
this module, and whatever else a file asks for is refused by name.

Results are plain: None, booleans, numbers, strings, bytes, tuples, lists,
dicts, `Tensor`s. A hostile file can at worst describe wrong numbers; it can
nest or repeat values, so nothing here or behind it walks them recursively.
"""

import dataclasses
import io
import math
import pickletools
from collections.abc import Callable
from collections.abc import Iterable
from typing import Any
from typing import NamedTuple

import numpy as np

_MAX_DIMENSIONS = 8
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


class StorageKind(NamedTuple):
    """Type of the numbers in a storage.

    Attributes:
        name: As in "torch.FloatStorage".
        dtype: Of the numbers as they are stored.
        is_bfloat16: Whether they are the upper halves of float32.
    """

    name: str
    dtype: np.dtype
    is_bfloat16: bool = False


STORAGES = {
    kind.name: kind
    for kind in (
        StorageKind("FloatStorage", np.dtype("<f4")),
        StorageKind("DoubleStorage", np.dtype("<f8")),
        StorageKind("HalfStorage", np.dtype("<f2")),
        StorageKind("BFloat16Storage", np.dtype("<u2"), is_bfloat16=True),
        StorageKind("LongStorage", np.dtype("<i8")),
        StorageKind("IntStorage", np.dtype("<i4")),
        StorageKind("ShortStorage", np.dtype("<i2")),
        StorageKind("CharStorage", np.dtype("i1")),
        StorageKind("ByteStorage", np.dtype("u1")),
        StorageKind("BoolStorage", np.dtype("?")),
    )
}


@dataclasses.dataclass(frozen=True)
class Storage:
    """A row of numbers in the file, not read yet.

    Attributes:
        kind: Of its numbers.
        key: Its name in the file.
        count: How many.
    """

    kind: StorageKind
    key: str
    count: int


class Tensor:
    """A view of a storage; read when asked for.

    Args:
        storage: Its numbers.
        offset: Of the first, in numbers.
        shape: Of the tensor.
        stride: In numbers, one per axis.
        read: Returns the numbers of a storage.
    """

    def __init__(
        self,
        storage: Storage,
        offset: int,
        shape: tuple[int, ...],
        stride: tuple[int, ...],
        read: Callable[[Storage], np.ndarray],
    ) -> None:
        self.storage = storage
        self.offset = offset
        self.shape = shape
        self.stride = stride
        self._read = read

    @property
    def size(self) -> int:
        """How many numbers it has."""
        return math.prod(self.shape)

    def __array__(self, dtype: Any = None, copy: Any = None) -> np.ndarray:
        """Reads it; a view of the file where its type needs no conversion."""
        values = self._read(self.storage)
        array = np.lib.stride_tricks.as_strided(
            values[self.offset :],
            self.shape,
            [step * values.itemsize for step in self.stride],
            writeable=False,
        )
        if self.storage.kind.is_bfloat16:
            array = (array.astype("<u4") << 16).view("<f4")
        return array if dtype is None else array.astype(dtype)


class _Name(NamedTuple):
    """What the file calls by name; only compared, never looked up."""

    module: str
    name: str

    def __str__(self) -> str:
        return f"{self.module}.{self.name}"


class _ScalarKind:
    """Type of a NumPy scalar, until its byte order is known."""

    def __init__(self, name: str) -> None:
        self.dtype = np.dtype(name)


def load(
    stream: io.BytesIO,
    storage: Callable[[Storage], None],
    read: Callable[[Storage], np.ndarray],
) -> Any:
    """Reads one pickle, up to its end.

    Args:
        stream: In memory, at the start of the pickle; is left behind its end.
        storage: Called with every storage that the pickle mentions; raises
            where there is none such in the file.
        read: Reads the numbers of a storage; for tensors.

    Returns:
        What was saved.

    Raises:
        PickleRefusedError: If it is damaged or asks for anything unknown.
    """
    machine = _Machine(storage, read)
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
        length: Of the result at most.
    """
    text = str(value)[: length + 1]
    if len(text) > length:
        text = f"{text[: length - 3]}..."
    return "".join(sign if sign.isprintable() else "?" for sign in text)


class _Machine:
    """Executes the instructions of a pickle that are safe."""

    def __init__(self, storage: Callable, read: Callable) -> None:
        self._storage = storage
        self._read = read
        self._storages: dict[str, Storage] = {}
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
        found = _Name(_text(module), _text(name))
        if found.module == "torch" and found.name in STORAGES:
            self._push(STORAGES[found.name])
        elif found in _CALLS:
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

    def _refer(self, reference: Any) -> Storage:
        """A reference names a storage: kind, key, device, count."""
        if not isinstance(reference, tuple) or len(reference) < 5:
            raise PickleRefusedError("an unknown kind of reference")
        kind, storage_kind, key, _, count, *view = reference
        if kind != "storage" or not isinstance(storage_kind, StorageKind):
            what = printable(kind) if isinstance(kind, str) else "that"
            raise PickleRefusedError(f"a reference to {what}")
        if any(part is not None for part in view):
            raise PickleRefusedError("a storage within another")
        storage = Storage(storage_kind, _text(key), _count(count))
        known = self._storages.setdefault(storage.key, storage)
        if known != storage:
            raise PickleRefusedError(f"two storages named {printable(key)}")
        if known is storage:
            self._storage(storage)
        return known

    def _reduce(self, name: Any, arguments: Any) -> None:
        if not isinstance(name, _Name) or not isinstance(arguments, tuple):
            raise PickleRefusedError("a call of what is no function")
        try:
            value = _CALLS[name](*arguments)
        except TypeError as error:
            raise PickleRefusedError(
                f"wrong arguments of {printable(name)}"
            ) from error
        if isinstance(value, _View):
            value = Tensor(*value, self._read)
        self._push(value)

    def _build(self) -> None:
        """Attributes: of a dict they are dropped, of a type its byte order."""
        state, target = self._pop(), self._stack[-1]
        if isinstance(target, _ScalarKind):
            if not isinstance(state, tuple) or state[1] not in ("<", ">", "|"):
                raise PickleRefusedError("a type of numbers that is not plain")
            target.dtype = target.dtype.newbyteorder(state[1])
        elif not isinstance(target, dict):
            raise PickleRefusedError("attributes of what has none")


class _View(NamedTuple):
    """Arguments of a tensor."""

    storage: Storage
    offset: int
    shape: tuple[int, ...]
    stride: tuple[int, ...]


def _rebuild_tensor(
    storage: Any, offset: Any, size: Any, stride: Any, *_: Any
) -> _View:
    if not isinstance(storage, Storage):
        raise PickleRefusedError("a tensor without a storage")
    for numbers in (size, stride):
        if not isinstance(numbers, tuple) or len(numbers) > _MAX_DIMENSIONS:
            raise PickleRefusedError("a tensor of unknown size")
    view = _View(
        storage,
        _count(offset),
        tuple(_count(side) for side in size),
        tuple(_count(step) for step in stride),
    )
    if len(view.shape) != len(view.stride):
        raise PickleRefusedError("a tensor of unknown size")
    _check_extent(view)
    return view


def _check_extent(view: _View) -> None:
    """Refuses views that leave their storage or repeat its numbers.

    A repeated number costs the file nothing and the reader everything.
    """
    count = view.storage.count
    if math.prod(view.shape) > count:
        raise PickleRefusedError("a tensor larger than its storage")
    if 0 in view.shape:
        # Has no numbers, and must not point anywhere.
        if view.offset > count:
            raise PickleRefusedError("a tensor reaches beyond its storage")
        return
    axes = zip(view.shape, view.stride, strict=True)
    last = view.offset + sum((side - 1) * step for side, step in axes)
    if last >= count:
        raise PickleRefusedError("a tensor reaches beyond its storage")


def _rebuild_parameter(data: Any, *_: Any) -> Tensor:
    if not isinstance(data, Tensor):
        raise PickleRefusedError("a parameter without a tensor")
    return data


def _make_dict(items: Any = ()) -> dict:
    if isinstance(items, dict):
        return dict(items)
    if not isinstance(items, list | tuple):
        raise PickleRefusedError("a dict of unknown items")
    return _pairs_to_dict(part for pair in items for part in _pair(pair))


def _pair(value: Any) -> Iterable:
    if not isinstance(value, list | tuple) or len(value) != 2:
        raise PickleRefusedError("a dict of unknown items")
    return value


def _make_size(sides: Any = ()) -> tuple[int, ...]:
    if not isinstance(sides, list | tuple):
        raise PickleRefusedError("a size that is none")
    return tuple(_count(side) for side in sides)


def _make_bytes(text: Any, encoding: Any) -> bytes:
    if not isinstance(text, str) or encoding != "latin1":
        raise PickleRefusedError("bytes in an unknown encoding")
    return text.encode("latin1")


def _make_scalar_kind(name: Any, *_: Any) -> _ScalarKind:
    if name not in _SCALARS:
        raise PickleRefusedError("a type of numbers that is not plain")
    return _ScalarKind(name)


def _make_scalar(kind: Any, data: Any) -> Any:
    if not isinstance(kind, _ScalarKind) or not isinstance(data, bytes):
        raise PickleRefusedError("a number of unknown type")
    if len(data) != kind.dtype.itemsize:
        raise PickleRefusedError("a number of the wrong length")
    return np.frombuffer(data, kind.dtype)[0].item()


# Types of NumPy's scalars, which measured values of checkpoints are.
_SCALARS = ("f2", "f4", "f8", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8")
_SCALARS += ("b1",)

# What may be called, and what is done instead.
_CALLS: dict[tuple[str, str], Callable] = {
    ("collections", "OrderedDict"): _make_dict,
    # A scheduler of learning rates counts its milestones.
    ("collections", "Counter"): _make_dict,
    ("torch._utils", "_rebuild_tensor_v2"): _rebuild_tensor,
    ("torch._utils", "_rebuild_tensor"): _rebuild_tensor,
    ("torch._utils", "_rebuild_parameter"): _rebuild_parameter,
    ("torch", "Size"): _make_size,
    ("numpy", "dtype"): _make_scalar_kind,
    ("numpy.core.multiarray", "scalar"): _make_scalar,
    ("numpy._core.multiarray", "scalar"): _make_scalar,
    ("_codecs", "encode"): _make_bytes,
}


def _pairs_to_dict(values: Iterable) -> dict:
    values = list(values)
    if len(values) % 2:
        raise PickleRefusedError("a key without a value")
    names, items = values[::2], values[1::2]
    # Others might take forever to be hashed.
    if not all(isinstance(name, str | int | float) for name in names):
        raise PickleRefusedError("a key that is no text and no number")
    return dict(zip(names, items, strict=True))


def _count(value: Any) -> int:
    if type(value) is not int or not 0 <= value <= _MAX_COUNT:
        raise PickleRefusedError("a count that is none")
    return value


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise PickleRefusedError("a name that is no text")
    return value
