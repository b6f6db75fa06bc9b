"""What is measured of every kind of training: its steps, on noise."""

from collections.abc import Mapping
from typing import Any

import tensorflow as tf

from nppnet_tf import keys
from nppnet_tf.benchmarks import kept_tensors
from nppnet_tf.benchmarks import matrix_product
from nppnet_tf.benchmarks import measuring
from nppnet_tf.benchmarks import overheads
from nppnet_tf.benchmarks import step_arithmetic
from nppnet_tf.benchmarks import thread_time
from nppnet_tf.benchmarks.torch_peer import TorchPeer
from nppnet_tf.config import NetworkConfig
from nppnet_tf.training.joint_model import JointModel

_PRODUCTS = 15

# What is counted of the graph of each step.
_COUNTS = {
    "kept_for_gradients_gb": kept_tensors.kept,
    "graph_nodes": measuring.graph_nodes,
    "gmac": step_arithmetic.gmac,
}


def measure(
    model: JointModel,
    data: Mapping,
    repeats: int,
    peer: TorchPeer | None = None,
) -> dict[str, Any]:
    """Times all steps of a batch, one after the other.

    Args:
        model: A model of any kind of training.
        data: What its steps take.
        repeats: How often to take them after the first time.
        peer: Who takes them in turns with it.

    Returns:
        Seconds, memory, nodes and arithmetic of each step, the rate of a
        product of matrices beside it, where threads spend their time, and what
        `overheads.measure` returns; "peer", of whom there is one.
    """

    def take_steps() -> None:
        logs = model.take_step(data)
        float(logs[keys.TOTAL_LOSS])

    before = measuring.memory_gb()
    first = measuring.first(take_steps)
    if peer is None:
        repeated = measuring.repeat(take_steps, repeats)
    else:
        repeated = measuring.repeat(take_steps, repeats, peer.step)
    measured = {
        **first,
        **repeated,
        # Before the nodes are counted, on a copy of the graphs.
        "peak_memory_gb": measuring.peak_memory_gb(),
    }
    if peer is not None:
        measured["peer"] = peer.result()
    return {
        **measured,
        "memory_before_steps_gb": before,
        **{
            name: {
                step.__name__: count(model.traced(step), data)
                for step in model.steps
            }
            for name, count in _COUNTS.items()
        },
        "gmac_per_second_of_matrix_product": matrix_product.measure(_PRODUCTS),
        **thread_time.shares(take_steps),
        **overheads.measure(model, take_steps),
    }


def noise(size: measuring.Size) -> dict[str, tf.Tensor]:
    """Returns a batch with all targets, full of noise."""
    config = NetworkConfig()
    height, width = size.image_size
    shape = [size.batch_size, height, width]
    small = [size.batch_size, height // 4, width // 4, config.num_keypoints]
    ones = tf.ones([size.batch_size])

    def labels(count: int) -> tf.Tensor:
        return tf.random.stateless_uniform(
            shape, [3, 4], maxval=count, dtype=tf.int32
        )

    return {
        keys.IMAGE: tf.random.stateless_normal([*shape, 3], [1, 2]),
        keys.LABEL_MAP: labels(config.num_classes),
        keys.BOUNDARY_MAP: labels(2),
        keys.HEATMAPS: tf.random.stateless_uniform(small, [5, 6]),
        keys.AUXILIARY_HEATMAPS: tf.random.stateless_uniform(small, [7, 8]),
        keys.HAS_LABEL_MAP: ones,
        keys.HAS_KEYPOINTS: ones,
    }
