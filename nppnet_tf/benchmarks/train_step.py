"""One step of a retraining, as a run takes it."""

import dataclasses
from typing import Any

from nppnet_tf.benchmarks import training_steps
from nppnet_tf.benchmarks.measuring import Size
from nppnet_tf.config import LossConfig
from nppnet_tf.config import NetworkConfig
from nppnet_tf.config import RetrainConfig
from nppnet_tf.data.descriptors import LIP
from nppnet_tf.search_space import published
from nppnet_tf.training import distribution
from nppnet_tf.training import retrain


def measure(name: str, size: Size, repeats: int) -> dict[str, Any]:
    """Times steps of a derived network on a batch of noise.

    Args:
        name: A genotype: published name or file.
        size: Network and batch.
        repeats: Steps after the first one.

    Returns:
        What `training_steps.measure` returns, and sizes.
    """
    model = retrain.make_retrain_model(
        published.resolve(name),
        NetworkConfig(channels=size.channels, cells=size.cells),
        LossConfig(),
        RetrainConfig(),
        LIP,
        distribution.make_strategy(distribution.DEFAULT),
    )
    return {
        "genotype": name,
        **dataclasses.asdict(size),
        "weights": len(model.network.network_weights),
        **training_steps.measure(model, training_steps.noise(size), repeats),
    }
