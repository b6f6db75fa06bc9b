"""Sums over the replicas of a strategy, traced in constant time.

`tf.distribute.ReplicaContext.all_reduce` gives its result a gradient, and to do
so walks back from it to every operation that it depends on: by way of the sum,
through all other replicas. That takes time with the square of the graph, for
each of hundreds of normalizations. Here there is none; who needs one writes it
down, as `nppnet_tf.layers.normalization` does.
"""

from collections.abc import Sequence

import tensorflow as tf


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
