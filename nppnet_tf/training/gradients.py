"""Gradients that add up in one order, so that equal runs stay equal.

Of a tensor that n operations read, a tape finds n gradients and adds them with
AddN. That kernel begins with whichever summand's memory it may reuse, which
depends on what other threads have finished: sums of three or more numbers then
differ in their last bits, and from the second step on everything does.
"""

import functools
from collections.abc import Sequence

import tensorflow as tf
from tensorflow.python import pywrap_tfe
from tensorflow.python.eager import backprop

_AS_TENSORFLOW_DOES = backprop._default_vspace


def add_in_order() -> None:
    """Makes every tape of this process add gradients one after the other.

    TensorFlow has no public way to ask for it (its option for deterministic
    operations leaves AddN as it is). `tf.gradients` would have, but works in
    graphs alone.
    """
    pywrap_tfe.TFE_Py_RegisterVSpace(
        _AS_TENSORFLOW_DOES._replace(aggregate_fn=_add)
    )


def added_in_order(values: Sequence[tf.Tensor]) -> tf.Tensor:
    """Returns the sum of tensors, added one after the other."""
    return functools.reduce(tf.add, values)


def _add(gradients: Sequence[tf.Tensor | tf.IndexedSlices]):
    # Slices are joined, not added.
    if not all(isinstance(each, tf.Tensor) for each in gradients):
        return _AS_TENSORFLOW_DOES.aggregate_fn(gradients)
    return added_in_order(gradients)
