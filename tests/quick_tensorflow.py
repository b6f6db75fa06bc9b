"""TensorFlow without what it keeps for messages that no test reads.

The name of an eager variable goes into the operation that makes it, and a
kernel is kept for every name: 0.4 ms of the 0.8 that a variable takes. The
stack of every operation of a graph is written down, a seventh of the time that
tracing takes. Together a sixth of all tests.

Graphs, and with them SavedModels, keep the names of variables. An error of a
graph tells the stack of this module in place of that of its operation; with
NPPNET_TEST_STACKS=1 it tells the right one.
"""

import functools
import os


def hasten() -> None:
    """Leaves both out from now on."""
    import tensorflow as tf
    from tensorflow.python.ops import gen_resource_variable_ops as operations
    from tensorflow.python.util import tf_stack

    make = operations.var_handle_op

    @functools.wraps(make)
    def without_name(*arguments, debug_name="", **others):
        if tf.executing_eagerly():
            debug_name = ""
        return make(*arguments, debug_name=debug_name, **others)

    operations.var_handle_op = without_name
    if not os.environ.get("NPPNET_TEST_STACKS"):
        stack = tf_stack.extract_stack()
        tf_stack.extract_stack = lambda stacklevel=1: stack
