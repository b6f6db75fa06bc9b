"""Training steps of networks of equal cost, in turns.

Equal multiply-accumulates are not equal seconds; how far they are apart says
what a comparison at equal cost is worth.
"""

import dataclasses
import statistics
from collections.abc import Callable
from collections.abc import Mapping
from typing import Any

from nppnet_tf import keys
from nppnet_tf.benchmarks import measuring
from nppnet_tf.benchmarks import training_steps
from nppnet_tf.benchmarks.measuring import Size
from nppnet_tf.config import LossConfig
from nppnet_tf.config import NetworkConfig
from nppnet_tf.config import RetrainConfig
from nppnet_tf.data.descriptors import LIP
from nppnet_tf.models import cost
from nppnet_tf.models import equal_cost
from nppnet_tf.search_space import published
from nppnet_tf.search_space.genotype import Genotype
from nppnet_tf.training import distribution
from nppnet_tf.training import retrain
from nppnet_tf.training.retrain import RetrainModel

# Networks that are designed, by their published names.
_BASELINES = ("unet", "baseline")


def measure(
    name: str, config: NetworkConfig, size: Size, repeats: int
) -> dict[str, Any]:
    """Times steps of a network and of the baselines at its cost.

    Args:
        name: A genotype: published name or file.
        config: Size of its network; C and L are those of `size`.
        size: Network and batch.
        repeats: Steps of each after the first one.

    Returns:
        Of each of "networks" its "channels", "baseline_width", "parameters"
        and "macs" of a picture, and "milliseconds" of a step as of
        `measuring.in_turns`; "steps_in_equal_time", steps that a baseline takes
        while the network takes one: the median over the turns.

    Raises:
        UserError: A baseline has no size of that cost.
    """
    sizes = {"channels": size.channels, "cells": size.cells}
    config = dataclasses.replace(config, **sizes)
    models = {name: _model(published.resolve(name), config)}
    costs = {name: cost.cost(models[name].network, size.image_size)}
    for other in _BASELINES:
        if other == name:
            continue
        genotype = published.resolve(other)
        models[other] = _model(
            genotype,
            equal_cost.of_equal_cost(
                genotype, config, size.image_size, costs[name].macs
            ),
        )
        costs[other] = cost.cost(models[other].network, size.image_size)
    batch = training_steps.noise(size)
    times = measuring.in_turns(
        {label: _step(model, batch) for label, model in models.items()},
        repeats,
    )
    return {
        "genotype": name,
        **dataclasses.asdict(size),
        "networks": {
            label: {
                "channels": model.network.config.channels,
                "baseline_width": model.network.config.baseline_width,
                "parameters": costs[label].parameters,
                "macs": costs[label].macs,
                "milliseconds": times[label],
            }
            for label, model in models.items()
        },
        "steps_in_equal_time": {
            label: _ratio(times[name]["samples"], times[label]["samples"])
            for label in models
            if label != name
        },
    }


def _model(genotype: Genotype, config: NetworkConfig) -> RetrainModel:
    return retrain.make_retrain_model(
        genotype,
        config,
        LossConfig(),
        RetrainConfig(),
        LIP,
        distribution.make_strategy(distribution.DEFAULT),
    )


def _step(model: RetrainModel, batch: Mapping) -> Callable[[], object]:
    """Returns what takes a step on a batch and waits for its end."""
    return lambda: float(model.take_step(batch)[keys.TOTAL_LOSS])


def _ratio(ours: list[float], theirs: list[float]) -> float:
    turns = (our / their for our, their in zip(ours, theirs, strict=True))
    return round(statistics.median(turns), 3)
