"""What replicas of a strategy add up, and what each is told by itself.

Sums are traced in constant time. `tf.distribute.ReplicaContext.all_reduce`
gives its result a gradient, and to do so walks back from it to every operation
that it depends on: by way of the sum, through all other replicas. That takes
time with the square of the graph, for each of hundreds of normalizations. Here
there is none; who needs one writes it down, as
`nppnet_tf.layers.normalization` does.
"""

import contextlib
import threading
from collections.abc import Iterator
from collections.abc import Sequence
from typing import Generic
from typing import TypeVar

import tensorflow as tf

T = TypeVar("T")


class Setting(Generic[T]):
    """What layers are told of the pass that is traced, without an argument.

    The one way to do so. A strategy traces each replica in a thread of its own,
    and these take turns at every sum over the replicas: a value of the thread
    around `strategy.run` would not reach them, and one in an attribute would
    be changed by the others. So this one belongs to a thread, and a block that
    sets it stands within what is run on a replica.

    Args:
        default: Value outside of all blocks.
    """

    def __init__(self, default: T) -> None:
        self._default = default
        self._of_thread = threading.local()

    @property
    def value(self) -> T:
        """Value in this thread."""
        return getattr(self._of_thread, "value", self._default)

    @contextlib.contextmanager
    def within(self, value: T) -> Iterator[None]:
        """Sets the value for a block.

        Raises:
            RuntimeError: The block stands around `strategy.run`.
        """
        if tf.distribute.in_cross_replica_context():
            raise RuntimeError("Replicas see no setting of a block around them")
        before = self.value
        self._of_thread.value = value
        try:
            yield
        finally:
            self._of_thread.value = before


def num_replicas() -> int:
    """Replicas that work on one global batch; 1 outside of a strategy."""
    context = tf.distribute.get_replica_context()
    return 1 if context is None else context.num_replicas_in_sync


def sums(values: Sequence[tf.Tensor]) -> Sequence[tf.Tensor]:
    """Returns sums over all replicas, which have no gradient.

    Args:
        values: Values of this replica, any shapes; as many on every replica.
    """
    if num_replicas() == 1:
        return values

    def reduce(strategy, *values):
        return strategy.extended.batch_reduce_to(
            tf.distribute.ReduceOp.SUM, [(value, value) for value in values]
        )

    context = tf.distribute.get_replica_context()
    return context.merge_call(reduce, args=tuple(values))
