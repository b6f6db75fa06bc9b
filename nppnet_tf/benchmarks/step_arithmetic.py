"""What a step multiplies, by the graph it is."""

from typing import Any

import tensorflow as tf

from nppnet_tf.models import cost


def gmac(function: Any, argument: object) -> float:
    """Returns multiply-accumulates of a traced step.

    Convolutions and products of matrices count, and those of their gradients,
    as far as the step computes them: a tape traces the gradient of every
    kernel, also where nobody reads it.

    Args:
        function: A `tf.function`, which is traced if it was not.
        argument: What it is called with, of shapes that are known.

    Returns:
        Billions of them, of one call.
    """
    graph = function.get_concrete_function(argument).graph
    macs = sum(map(cost.macs_of_operation, _computed(graph)))
    return round(macs / 1e9, 3)


def _computed(graph: Any) -> set[tf.Operation]:
    """Operations that outputs or effects of a function depend on."""
    found: set[tf.Operation] = set()
    waiting = [each.op for each in graph.outputs]
    waiting += graph.control_outputs
    while waiting:
        operation = waiting.pop()
        if operation not in found:
            found.add(operation)
            waiting += operation.control_inputs
            waiting += [each.op for each in operation.inputs]
    return found
