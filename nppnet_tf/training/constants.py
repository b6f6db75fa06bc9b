"""Graphs in which every constant stands once, and what is made of constants.

Each number that an operation takes, be it an axis, a shape or a factor, is a
node when a function is traced: one in four of a search step, and nine in ten of
these equal another. Gradients add to them the shapes of what they reach,
offsets of what was joined, and zeros. TensorFlow merges all of these when it
optimizes the graph, which takes longer the more there are; making them takes
time, too.
"""

import contextlib
import threading
from collections.abc import Callable
from collections.abc import Hashable
from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any

import tensorflow as tf

_CONSTANT = "Const"

# Of tensors whose sides are all known, what these return is known, too.
_OF_SHAPES = frozenset({"Shape", "ShapeN"})

# What gradients compute of constants alone.
_OF_CONSTANTS = frozenset(
    {
        "AddV2",
        "ConcatOffset",
        "ConcatV2",
        "ExpandDims",
        "Fill",
        "FloorMod",
        "Maximum",
        "Pack",
        "Range",
        "Reshape",
        "StridedSlice",
        "Sub",
    }
)


@contextlib.contextmanager
def shared() -> Iterator[None]:
    """Makes what is constant in the function that is traced once.

    Of this function alone: those that it calls, or the branches of a
    conditional, are graphs of their own. TensorFlow has no public way to ask
    for it.
    """
    graph = tf.compat.v1.get_default_graph()
    graph._create_op_internal = _Once(graph)
    try:
        yield
    finally:
        del graph._create_op_internal


class _Once:
    """Makes operations of a graph, those that are constant only once.

    Args:
        graph: The graph.
    """

    def __init__(self, graph: tf.Graph) -> None:
        self._graph = graph
        self._create: Callable[..., tf.Operation] = graph._create_op_internal
        self._made: dict[Hashable, tf.Operation] = {}
        self._constants: set[Hashable] = set()

    def __call__(
        self, op_type: str, inputs: Sequence[tf.Tensor], *rest, **settings
    ) -> tf.Operation:
        is_free = not self._graph._current_control_dependencies()
        given = self._given(op_type, inputs) if is_free else None
        if given is None:
            return self._create(op_type, inputs, *rest, **settings)
        # Each replica is traced by a thread of its own, on its own device.
        key = (
            threading.get_ident(),
            op_type,
            given,
            _texts(settings.get("attrs") or {}),
        )
        if key not in self._made:
            made = self._create(op_type, inputs, *rest, **settings)
            self._made[key] = made
            self._constants.update(each.ref() for each in made.outputs)
        return self._made[key]

    def _given(
        self, op_type: str, inputs: Sequence[tf.Tensor]
    ) -> tuple[Hashable, ...] | None:
        """What decides an operation's value; None where that is not known."""
        if op_type == _CONSTANT:
            return ()
        if op_type in _OF_SHAPES:
            shapes = [tf.TensorShape(each.shape) for each in inputs]
            if all(shape.is_fully_defined() for shape in shapes):
                return tuple(tuple(shape.as_list()) for shape in shapes)
        if op_type in _OF_CONSTANTS:
            references = tuple(each.ref() for each in inputs)
            if self._constants.issuperset(references):
                return references
        return None


def _texts(attributes: Mapping[str, Any]) -> tuple[tuple[str, bytes], ...]:
    return tuple(
        (name, value.SerializeToString(deterministic=True))
        for name, value in sorted(attributes.items())
    )
