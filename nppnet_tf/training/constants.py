"""Graphs in which every constant stands once.

Each number that an operation takes, be it an axis, a shape or a factor, is a
node when a function is traced: one in four of a search step, and nine in ten of
these equal another. TensorFlow merges them when it optimizes the graph, which
takes longer the more there are; making them takes time, too.
"""

import contextlib
import threading
from collections.abc import Iterator

import tensorflow as tf


@contextlib.contextmanager
def shared() -> Iterator[None]:
    """Makes each constant of the function that is traced once.

    Of this function alone: those that it calls, or the branches of a
    conditional, are graphs of their own. TensorFlow has no public way to ask
    for it.
    """
    graph = tf.compat.v1.get_default_graph()
    create = graph._create_op_internal
    made = {}

    def create_once(op_type, inputs, *rest, **settings):
        attributes = settings.get("attrs")
        if op_type != "Const" or graph._current_control_dependencies():
            return create(op_type, inputs, *rest, **settings)
        # Each replica is traced by a thread of its own, on its own device.
        key = (
            threading.get_ident(),
            attributes["value"].SerializeToString(deterministic=True),
        )
        if key not in made:
            made[key] = create(op_type, inputs, *rest, **settings)
        return made[key]

    graph._create_op_internal = create_once
    try:
        yield
    finally:
        del graph._create_op_internal
