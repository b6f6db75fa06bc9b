"""Large products of matrices, as fast as arithmetic is on a machine."""

import os
from collections.abc import Callable

import tensorflow as tf

from nppnet_tf.benchmarks import measuring

_SIDE = 2048


def multiply() -> Callable[[], object]:
    """Returns what multiplies large matrices on all cores when it is called.

    Where each operation is divided among some of the cores alone
    (`distribution.share_cores`), as many products are made side by side.
    """
    squares = [
        tf.random.stateless_normal([_SIDE, _SIDE], [3, number])
        for number in range(_at_once())
    ]

    @tf.function(autograph=False)
    def products() -> list[tf.Tensor]:
        return [tf.matmul(square, square) for square in squares]

    # Accelerators have computed it only when it is here.
    return lambda: [product.numpy() for product in products()]


def gmac_per_second(milliseconds: float) -> float:
    """Returns billions of multiply-accumulates in a second.

    Args:
        milliseconds: What a call of `multiply` takes.
    """
    return round(_at_once() * _SIDE**3 / 1e6 / milliseconds, 1)


def measure(repeats: int) -> float:
    """Returns `gmac_per_second` of this machine.

    Args:
        repeats: Calls, of which the median counts.
    """
    times = measuring.in_turns({"": multiply()}, repeats)
    return gmac_per_second(times[""]["median"])


def _at_once() -> int:
    cores = len(os.sched_getaffinity(0))
    of_each = tf.config.threading.get_intra_op_parallelism_threads()
    return max(1, cores // (of_each or cores))
