"""Arrays for batches, whose memory is used again.

The system clears memory before it hands it out, which for a batch takes as
long as three of its samples.
"""

import collections
import weakref

import numpy as np

# Bytes; TensorFlow copies arrays that lie elsewhere.
_ALIGNMENT = 64


class LentArrays:
    """Lends arrays of one form and gets their memory back.

    Lending and returning is safe from any number of threads.

    Args:
        like: Array of the same shape and type.
    """

    def __init__(self, like: np.ndarray) -> None:
        self._like = like
        self._spare: collections.deque[np.ndarray] = collections.deque()

    def lend(self) -> np.ndarray:
        """Returns an array of any content.

        Its memory comes back with its last holder; views of it hold nothing.
        """
        try:
            memory = self._spare.pop()
        except IndexError:
            memory = np.empty(self._like.nbytes + _ALIGNMENT, np.uint8)
        start = -memory.ctypes.data % _ALIGNMENT
        lent = memory[start : start + self._like.nbytes].view(self._like.dtype)
        lent = lent.reshape(self._like.shape)
        # TensorFlow holds the array itself as long as any tensor needs it.
        weakref.finalize(lent, self._spare.append, memory).atexit = False
        return lent
