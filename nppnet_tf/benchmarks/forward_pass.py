"""One forward pass of a derived network."""

import dataclasses
from typing import Any

import tensorflow as tf

from nppnet_tf import keys
from nppnet_tf.benchmarks import measuring
from nppnet_tf.benchmarks.measuring import Size
from nppnet_tf.config import NetworkConfig
from nppnet_tf.models.cost import cost
from nppnet_tf.models.cost import published_macs_by_part
from nppnet_tf.models.nppnet import NPPNet
from nppnet_tf.search_space import published


def measure(
    name: str, is_preset: bool, size: Size, repeats: int
) -> dict[str, Any]:
    """Times passes of a network on noise.

    Args:
        name: A preset, or a genotype: published name or file.
        is_preset: Whether the name is that of a preset.
        size: Network and batch.
        repeats: Passes after the first one.

    Returns:
        Seconds, nodes, memory, parameters and operations.
    """
    network = _network(name, is_preset, size)
    shape = [size.batch_size, *size.image_size, 3]
    image = tf.random.stateless_normal(shape, [1, 2])
    forward = tf.function(lambda image: network(image, training=False))

    def step() -> None:
        forward(image)[keys.PARSING_LOGITS][-1].numpy()

    first = measuring.first(step)
    found = cost(network, size.image_size)
    return {
        "genotype": name,
        **dataclasses.asdict(size),
        "parameters": found.parameters,
        "gmac": round(found.macs / 1e9, 2),
        "published_gmac": round(found.published_macs / 1e9, 2),
        **_work_by_part(network, size.image_size),
        **first,
        **measuring.repeat(step, repeats),
        "graph_nodes": measuring.graph_nodes(forward, image),
        "peak_memory_gb": measuring.peak_memory_gb(),
    }


def _network(name: str, is_preset: bool, size: Size) -> NPPNet:
    sizes = {"channels": size.channels, "cells": size.cells}
    if is_preset:
        return NPPNet.from_preset(name, **sizes)
    return NPPNet(published.resolve(name), NetworkConfig(**sizes))


def _work_by_part(
    network: NPPNet, image_size: tuple[int, int]
) -> dict[str, dict[str, float]]:
    """Where the work of a derived network is done."""
    if network.is_supernet:
        return {}
    macs = published_macs_by_part(network, image_size)
    rounded = {part: round(value / 1e9, 2) for part, value in macs.items()}
    return {"published_gmac_by_part": rounded}
