"""Two logical CPUs, so that tests can compare two replicas with one.

Logical devices must be set before TensorFlow runs its first operation. Under
pytest `conftest.py` sees to it; a test that needs two replicas imports this
module before anything that may run one, so that it works by itself as well.
"""

import functools
from typing import Any

import numpy as np
import tensorflow as tf

_DEVICES = ("/cpu:0", "/cpu:1")


def configure() -> None:
    """Splits the CPU into two logical devices, unless it is split already."""
    cpu = tf.config.list_physical_devices("CPU")[0]
    if len(tf.config.get_logical_device_configuration(cpu) or ()) >= 2:
        return
    tf.config.set_logical_device_configuration(
        cpu, [tf.config.LogicalDeviceConfiguration() for _ in _DEVICES]
    )


@functools.cache
def strategy() -> tf.distribute.MirroredStrategy:
    """Returns the MirroredStrategy over the two logical CPUs.

    One for the whole process: two strategies number their collectives alike,
    and TensorFlow aborts all of them where types of equal numbers differ.
    """
    return tf.distribute.MirroredStrategy(list(_DEVICES))


def split(strategy: tf.distribute.Strategy, structure: Any) -> Any:
    """Gives the first half of every array to the first replica.

    Args:
        strategy: From `strategy`.
        structure: Array or nested dicts and tuples of arrays with one first
            axis of even length.

    Returns:
        Per-replica values in the same structure, for `strategy.run`.
    """
    return tf.nest.map_structure(
        lambda array: strategy.experimental_distribute_values_from_function(
            lambda context: tf.constant(
                np.split(np.asarray(array), 2)[context.replica_id_in_sync_group]
            )
        ),
        structure,
    )


configure()
