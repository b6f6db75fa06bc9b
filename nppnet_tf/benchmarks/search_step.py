"""One step with the weights and one with the architecture, as `fit` takes."""

import dataclasses
from typing import Any

import tensorflow as tf

from nppnet_tf import keys
from nppnet_tf.benchmarks import measuring
from nppnet_tf.benchmarks.measuring import Size
from nppnet_tf.config import LossConfig
from nppnet_tf.config import NetworkConfig
from nppnet_tf.config import SearchConfig
from nppnet_tf.search_space.genotype import Genotype
from nppnet_tf.training import distribution
from nppnet_tf.training import search


def measure(
    stage: str, genotype: Genotype, size: Size, repeats: int
) -> dict[str, Any]:
    """Times both steps of the search on a batch of noise.

    Args:
        stage: Stage of the search, of `stages.NAMES`.
        genotype: What that stage starts from: `stages.start`.
        size: Network and batch.
        repeats: Steps after the first one.

    Returns:
        Seconds, nodes of both graphs, memory and sizes.
    """
    model = search.make_search_model(
        genotype,
        NetworkConfig(channels=size.channels, cells=size.cells),
        LossConfig(),
        SearchConfig(warmup_epochs=0),
        distribution.make_strategy(distribution.DEFAULT),
    )
    batch = _noise(size.batch_size, size.image_size)
    data = {keys.WEIGHT_SPLIT: batch, keys.ARCHITECTURE_SPLIT: batch}
    iterator = iter(tf.data.Dataset.from_tensors(data).repeat())
    model.make_train_function()

    def step() -> None:
        logs = model.train_function(iterator)
        float(logs[keys.TOTAL_LOSS])

    measured = {**measuring.first(step), **measuring.repeat(step, repeats)}
    # Before the nodes are counted, on a copy of the graphs.
    peak = measuring.peak_memory_gb()
    return {
        "stage": stage,
        **dataclasses.asdict(size),
        "search_weights": len(model.network.network_weights),
        **measured,
        "graph_nodes": {
            step.__name__: measuring.graph_nodes(model.traced(step), data)
            for step in model.steps
        },
        "peak_memory_gb": peak,
    }


def _noise(batch_size: int, size: int) -> dict[str, tf.Tensor]:
    """A batch with all targets, full of noise."""
    config = NetworkConfig()
    shape = [batch_size, size, size]
    small = [batch_size, size // 4, size // 4, config.num_keypoints]
    ones = tf.ones([batch_size])

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
