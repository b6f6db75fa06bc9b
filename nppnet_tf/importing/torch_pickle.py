"""Reads the pickles of PyTorch's files: tensors, and views of storages."""

import dataclasses
import functools
import io
import math
from collections.abc import Callable
from typing import Any
from typing import NamedTuple

import numpy as np

from nppnet_tf.files import restricted_pickle
from nppnet_tf.files.restricted_pickle import Name
from nppnet_tf.files.restricted_pickle import PickleRefusedError
from nppnet_tf.files.restricted_pickle import count
from nppnet_tf.files.restricted_pickle import printable

_MAX_DIMENSIONS = 8


class StorageKind(NamedTuple):
    """Type of the numbers in a storage.

    Attributes:
        name: Name as in "torch.FloatStorage".
        dtype: Type of the numbers as they are stored.
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
        kind: Kind of the numbers.
        key: Name of the storage in the file.
        count: How many.
    """

    kind: StorageKind
    key: str
    count: int


class Tensor:
    """A view of a storage; read when asked for.

    Args:
        storage: Storage that holds the numbers.
        offset: Offset of the first number, in numbers.
        shape: Shape of the tensor.
        stride: Strides in numbers, one per axis.
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


def load(
    stream: io.BytesIO,
    storage: Callable[[Storage], None],
    read: Callable[[Storage], np.ndarray],
) -> Any:
    """Reads one pickle, up to its end.

    Args:
        stream: File in memory, at the start of the pickle; is left behind
            its end.
        storage: Called with every storage that the pickle mentions; raises
            where there is none such in the file.
        read: Reads the numbers of a storage; for tensors.

    Returns:
        What was saved.

    Raises:
        PickleRefusedError: If it is damaged or asks for anything unknown.
    """
    rebuild = functools.partial(_rebuild_tensor, read)
    calls = {
        **restricted_pickle.PLAIN_CALLS,
        Name("torch._utils", "_rebuild_tensor_v2"): rebuild,
        Name("torch._utils", "_rebuild_tensor"): rebuild,
        Name("torch._utils", "_rebuild_parameter"): _rebuild_parameter,
        Name("torch", "Size"): _make_size,
    }
    values = {Name("torch", name): kind for name, kind in STORAGES.items()}
    references = _References(storage)
    return restricted_pickle.load(stream, calls, values, references)


class _References:
    """A reference names a storage: kind, key, device, count."""

    def __init__(self, announce: Callable[[Storage], None]) -> None:
        self._announce = announce
        self._storages: dict[str, Storage] = {}

    def __call__(self, reference: Any) -> Storage:
        if not isinstance(reference, tuple) or len(reference) < 5:
            raise PickleRefusedError("an unknown kind of reference")
        kind, storage_kind, key, _, size, *view = reference
        if kind != "storage" or not isinstance(storage_kind, StorageKind):
            what = printable(kind) if isinstance(kind, str) else "that"
            raise PickleRefusedError(f"a reference to {what}")
        if any(part is not None for part in view):
            raise PickleRefusedError("a storage within another")
        storage = Storage(
            storage_kind, restricted_pickle.text(key), count(size)
        )
        known = self._storages.setdefault(storage.key, storage)
        if known != storage:
            raise PickleRefusedError(f"two storages named {printable(key)}")
        if known is storage:
            self._announce(storage)
        return known


class _View(NamedTuple):
    """Arguments of a tensor."""

    storage: Storage
    offset: int
    shape: tuple[int, ...]
    stride: tuple[int, ...]


def _rebuild_tensor(
    read: Callable[[Storage], np.ndarray],
    storage: Any,
    offset: Any,
    size: Any,
    stride: Any,
    *_: Any,
) -> Tensor:
    if not isinstance(storage, Storage):
        raise PickleRefusedError("a tensor without a storage")
    for numbers in (size, stride):
        if not isinstance(numbers, tuple) or len(numbers) > _MAX_DIMENSIONS:
            raise PickleRefusedError("a tensor of unknown size")
    view = _View(
        storage,
        count(offset),
        tuple(count(side) for side in size),
        tuple(count(step) for step in stride),
    )
    if len(view.shape) != len(view.stride):
        raise PickleRefusedError("a tensor of unknown size")
    _check_extent(view)
    return Tensor(*view, read)


def _check_extent(view: _View) -> None:
    """Refuses views that leave their storage or repeat its numbers.

    A repeated number costs the file nothing and the reader everything.
    """
    available = view.storage.count
    if math.prod(view.shape) > available:
        raise PickleRefusedError("a tensor larger than its storage")
    if 0 in view.shape:
        # Has no numbers, and must not point anywhere.
        if view.offset > available:
            raise PickleRefusedError("a tensor reaches beyond its storage")
        return
    axes = zip(view.shape, view.stride, strict=True)
    last = view.offset + sum((side - 1) * step for side, step in axes)
    if last >= available:
        raise PickleRefusedError("a tensor reaches beyond its storage")


def _rebuild_parameter(data: Any, *_: Any) -> Tensor:
    if not isinstance(data, Tensor):
        raise PickleRefusedError("a parameter without a tensor")
    return data


def _make_size(sides: Any = ()) -> tuple[int, ...]:
    if not isinstance(sides, list | tuple):
        raise PickleRefusedError("a size that is none")
    return tuple(count(side) for side in sides)
