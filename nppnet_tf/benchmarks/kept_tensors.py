"""What a step keeps in memory for its gradients, by the graph it is."""

import collections
from typing import Any

import tensorflow as tf

# How tapes name the operations of gradients that they trace.
_GRADIENTS = "gradient_tape/"

# No results of the forward pass: variables are there in any case.
_GIVEN = ("Const", "Placeholder", "ReadVariableOp", "Shape", "ShapeN")


def kept(function: Any, argument: object) -> dict[str, float]:
    """Returns what gradients of a traced step read of its forward pass.

    It lives from its making to the last of its gradients: at the turn from one
    to the other, all of it. Results whose shape is not known do not count.

    Args:
        function: A `tf.function`, which is traced if it was not.
        argument: What it is called with.

    Returns:
        Gigabytes by the kind of operation that has made them, the most first,
        and of "all" together.
    """
    graph = function.get_concrete_function(argument).graph
    of_gradients: set[str] = set()
    sizes: dict[str, tuple[str, int]] = {}
    for operation in graph.get_operations():
        makers = [each.op.name for each in operation.inputs]
        is_gradient = operation.name.startswith(_GRADIENTS)
        # A sum of gradients bears no such name.
        if is_gradient or not of_gradients.isdisjoint(makers):
            of_gradients.add(operation.name)
        if is_gradient:
            sizes |= {
                each.name: (each.op.type, _bytes(each))
                for each in map(_made, operation.inputs)
                if each.op.name not in of_gradients
                and each.op.type not in _GIVEN
            }
    found: collections.Counter[str] = collections.Counter()
    for kind, size in sizes.values():
        found[kind] += size
    return {
        kind: round(size / 1e9, 4)
        for kind, size in [("all", found.total()), *found.most_common()]
    }


def _made(tensor: tf.Tensor) -> tf.Tensor:
    """What was computed of a tensor: other shapes of it take no memory."""
    while tensor.op.type == "Reshape":
        tensor = tensor.op.inputs[0]
    return tensor


def _bytes(tensor: tf.Tensor) -> int:
    return (tensor.shape.num_elements() or 0) * tensor.dtype.size
