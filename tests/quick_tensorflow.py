"""TensorFlow without a kernel for every name of a variable.

The name of an eager variable goes into the operation that makes it, and a
kernel is kept for every name: 0.4 ms of the 0.8 that a variable takes. Graphs,
and with them SavedModels, keep the names of variables.
"""

import functools


def hasten() -> None:
    """Leaves the names out from now on."""
    import tensorflow as tf
    from tensorflow.python.ops import gen_resource_variable_ops as operations

    make = operations.var_handle_op

    @functools.wraps(make)
    def without_name(*arguments, debug_name="", **others):
        if tf.executing_eagerly():
            debug_name = ""
        return make(*arguments, debug_name=debug_name, **others)

    operations.var_handle_op = without_name
