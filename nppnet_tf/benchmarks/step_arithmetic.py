"""What a step multiplies, by the graph it is."""

from typing import Any

import tensorflow as tf

_CONVOLUTION = "Conv2D"
_DEPTHWISE = "DepthwiseConv2dNative"
_PRODUCT = "MatMul"

# Inputs that hold a kernel and the map of outputs, by the kind of operation;
# None: the operation's own output.
_PARTS = {
    "": (1, None),
    "BackpropInput": (1, 2),
    "BackpropFilter": (None, 2),
}
_KINDS = {
    kind + suffix: (*parts, kind == _DEPTHWISE)
    for kind in (_CONVOLUTION, _DEPTHWISE)
    for suffix, parts in _PARTS.items()
}


def gmac(function: Any, argument: object) -> float:
    """Returns multiply-accumulates of a traced step.

    Convolutions and products of matrices count, and those of their gradients,
    as far as the step computes them: a tape traces the gradient of every
    kernel, also where nobody reads it.

    Args:
        function: A `tf.function`; it is traced anew.
        argument: What it is called with, of shapes that are known.

    Returns:
        Billions of them, of one call.
    """
    graph = function.get_concrete_function(argument).graph
    macs = sum(_macs(operation) for operation in _computed(graph))
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


def _macs(operation: tf.Operation) -> int:
    if operation.type == _PRODUCT:
        first, outputs = operation.inputs[0].shape, operation.outputs[0].shape
        summed = 0 if operation.get_attr("transpose_a") else 1
        return first[summed] * outputs.num_elements()
    if operation.type not in _KINDS:
        return 0
    kernel_at, map_at, is_depthwise = _KINDS[operation.type]

    def shape(place: int | None) -> tf.TensorShape:
        own = operation.outputs[0]
        return (own if place is None else operation.inputs[place]).shape

    # Of a group where there are groups, as kernels are laid out.
    *window, inputs, _ = shape(kernel_at).as_list()
    per_output = window[0] * window[1] * (1 if is_depthwise else inputs)
    return shape(map_at).num_elements() * per_output
