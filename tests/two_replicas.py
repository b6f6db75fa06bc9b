"""Two logical CPUs, so that tests can compare two replicas with one.

Logical devices must be set before TensorFlow runs its first operation. Under
pytest `conftest.py` sees to it; a test that needs two replicas imports this
module before anything that may run one, so that it works by itself as well.
"""

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


def strategy() -> tf.distribute.MirroredStrategy:
    """Returns a MirroredStrategy over the two logical CPUs."""
    return tf.distribute.MirroredStrategy(list(_DEVICES))


configure()
