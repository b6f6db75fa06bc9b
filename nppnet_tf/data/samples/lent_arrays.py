"""Arrays for batches, whose memory is used again.

The system clears memory before it hands it out, which for a batch takes as
long as three of its samples.
"""

import collections
import itertools
import math
import weakref
from collections.abc import Callable
from collections.abc import Mapping
from typing import Generic
from typing import NamedTuple
from typing import Protocol
from typing import TypeVar

import numpy as np

# Bytes; TensorFlow copies arrays that lie elsewhere.
_ALIGNMENT = 64


class ArrayForm(NamedTuple):
    """Shape and type of an array."""

    shape: tuple[int, ...]
    dtype: np.dtype


class Memory(Protocol):
    """Where arrays lie.

    Attributes:
        content: Uint8 [n].
    """

    content: np.ndarray


MemoryType = TypeVar("MemoryType", bound=Memory)


class PrivateMemory:
    """Memory of this process.

    Args:
        num_bytes: How much.
    """

    def __init__(self, num_bytes: int) -> None:
        self.content = np.empty(num_bytes, np.uint8)


class LentArrays(Generic[MemoryType]):
    """Lends arrays that lie in one memory, and gets it back.

    Lending and returning is safe from any number of threads.

    Args:
        forms: Forms of the arrays, by their names.
        make_memory: Makes memory of so many bytes, where none is spare.
    """

    def __init__(
        self,
        forms: Mapping[str, ArrayForm],
        make_memory: Callable[[int], MemoryType],
    ) -> None:
        self._forms = dict(forms)
        self._make_memory = make_memory
        self._spare: collections.deque[MemoryType] = collections.deque()

    def lend(self) -> tuple[MemoryType, dict[str, np.ndarray]]:
        """Returns memory and the arrays in it, of any content.

        It comes back with the last holder of the last of the arrays; views of
        them hold nothing.
        """
        try:
            memory = self._spare.pop()
        except IndexError:
            memory = self._make_memory(num_bytes(self._forms))
        arrays = lay_out(self._forms, memory.content)
        # Counts in one step, whatever threads there are.
        returned = itertools.count(1)

        # It must not hold the arrays themselves.
        def give_back() -> None:
            if next(returned) == len(self._forms):
                self._spare.append(memory)

        for array in arrays.values():
            # TensorFlow holds the array itself as long as any tensor needs it.
            weakref.finalize(array, give_back).atexit = False
        return memory, arrays


def num_bytes(forms: Mapping[str, ArrayForm]) -> int:
    """Returns what arrays take, wherever their memory begins."""
    return _ALIGNMENT + sum(map(_padded_bytes, forms.values()))


def lay_out(
    forms: Mapping[str, ArrayForm], content: np.ndarray
) -> dict[str, np.ndarray]:
    """Returns arrays one behind the other, each where TensorFlow takes it.

    Args:
        forms: Forms of the arrays, by their names.
        content: Uint8 [n], `num_bytes` of them or more.
    """
    start = -content.ctypes.data % _ALIGNMENT
    arrays = {}
    for name, form in forms.items():
        end = start + math.prod(form.shape) * form.dtype.itemsize
        array = content[start:end].view(form.dtype).reshape(form.shape)
        arrays[name] = array
        start += _padded_bytes(form)
    return arrays


def _padded_bytes(form: ArrayForm) -> int:
    taken = math.prod(form.shape) * form.dtype.itemsize
    return -(-taken // _ALIGNMENT) * _ALIGNMENT
