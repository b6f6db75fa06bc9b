"""One step of a retraining, as a run takes it."""

import dataclasses
import functools
from typing import Any

import tensorflow as tf

from nppnet_tf.benchmarks import edge_by_edge
from nppnet_tf.benchmarks import torch_peer
from nppnet_tf.benchmarks import training_steps
from nppnet_tf.benchmarks.measuring import Size
from nppnet_tf.config import LossConfig
from nppnet_tf.config import NetworkConfig
from nppnet_tf.config import RetrainConfig
from nppnet_tf.data.descriptors import LIP
from nppnet_tf.search_space import published
from nppnet_tf.training import distribution
from nppnet_tf.training import retrain
from nppnet_tf.training.replica_batches import ReplicaBatches


def measure(
    name: str,
    size: Size,
    repeats: int,
    num_replicas: int = 0,
    peer: str | None = None,
) -> dict[str, Any]:
    """Times steps of a derived network on a batch of noise.

    Args:
        name: A genotype: published name or file.
        size: Network and batch.
        repeats: Steps after the first one.
        num_replicas: Replicas that divide the batch; 0 takes no strategy.
        peer: Who takes them in turns, of `subjects.PEERS`, or None.

    Returns:
        What `training_steps.measure` returns, and sizes.
    """
    strategy = distribution.make_strategy(
        distribution.MIRRORED if num_replicas else distribution.DEFAULT,
        num_replicas,
    )
    distribution.check_batch_size(size.batch_size, strategy)
    model = retrain.make_retrain_model(
        published.resolve(name),
        NetworkConfig(channels=size.channels, cells=size.cells),
        LossConfig(),
        RetrainConfig(),
        LIP,
        strategy,
    )
    noise = training_steps.noise(size)
    whole = tf.data.Dataset.from_tensors(noise)
    with ReplicaBatches(whole, strategy) as batches:
        batch = next(batches)
    write_down = functools.partial(
        edge_by_edge.write_down, model.network, size.image_size
    )
    with torch_peer.beside(peer, write_down, noise) as running:
        measured = training_steps.measure(model, batch, repeats, running)
    return {
        "genotype": name,
        **dataclasses.asdict(size),
        "replicas": strategy.num_replicas_in_sync,
        "weights": len(model.network.network_weights),
        **measured,
    }
