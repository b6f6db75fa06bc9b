"""One step with the weights and one with the architecture, as `fit` takes."""

import dataclasses
import functools
from typing import Any

from nppnet_tf import keys
from nppnet_tf.benchmarks import edge_by_edge
from nppnet_tf.benchmarks import torch_peer
from nppnet_tf.benchmarks import training_steps
from nppnet_tf.benchmarks.measuring import Size
from nppnet_tf.config import LossConfig
from nppnet_tf.config import NetworkConfig
from nppnet_tf.config import SearchConfig
from nppnet_tf.search_space.genotype import Genotype
from nppnet_tf.training import distribution
from nppnet_tf.training import search


def measure(
    stage: str,
    genotype: Genotype,
    size: Size,
    repeats: int,
    peer: str | None = None,
) -> dict[str, Any]:
    """Times both steps of the search on a batch of noise.

    Args:
        stage: Stage of the search, of `stages.NAMES`.
        genotype: What that stage starts from: `stages.start`.
        size: Network and batch.
        repeats: Steps after the first one.
        peer: Who takes them in turns, of `subjects.PEERS`, or None.

    Returns:
        What `training_steps.measure` returns, and sizes.
    """
    model = search.make_search_model(
        genotype,
        NetworkConfig(channels=size.channels, cells=size.cells),
        LossConfig(),
        SearchConfig(warmup_epochs=0),
        distribution.make_strategy(distribution.DEFAULT),
    )
    batch = training_steps.noise(size)
    data = {keys.WEIGHT_SPLIT: batch, keys.ARCHITECTURE_SPLIT: batch}
    write_down = functools.partial(
        edge_by_edge.write_down, model.network, size.image_size
    )
    with torch_peer.beside(peer, write_down, batch) as running:
        measured = training_steps.measure(model, data, repeats, running)
    return {
        "stage": stage,
        **dataclasses.asdict(size),
        "search_weights": len(model.network.network_weights),
        **measured,
    }
