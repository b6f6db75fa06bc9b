"""Sums over the replicas of a strategy, traced in constant time.

`tf.distribute.ReplicaContext.all_reduce` gives its result a gradient, and to do
so walks back from it to every operation that it depends on: by way of the sum,
through all other replicas. That takes time with the square of the graph, for
each of hundreds of normalisations. Here the walk ends where it begins, or there
is none.
"""

from collections.abc import Sequence

import tensorflow as tf


def sum_over_replicas(value: tf.Tensor) -> tf.Tensor:
    """Returns the sum of a value over all replicas; its gradient is one, too.

    Args:
        value: Of this replica, any shape.
    """

    @tf.custom_gradient
    def with_gradient(own, total):
        del own
        return tf.identity(total), lambda slope: (*sums([slope]), None)

    (total,) = sums([value])
    return with_gradient(value, tf.stop_gradient(total))


def sums(values: Sequence[tf.Tensor]) -> Sequence[tf.Tensor]:
    """Returns sums over all replicas, which have no gradient.

    Args:
        values: Of this replica, any shapes; as many on every replica.
    """

    def reduce(strategy, *values):
        return strategy.extended.batch_reduce_to(
            tf.distribute.ReduceOp.SUM, [(value, value) for value in values]
        )

    context = tf.distribute.get_replica_context()
    return context.merge_call(reduce, args=tuple(values))
