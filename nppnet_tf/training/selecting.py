"""Derives by what the supernet of a run misses, instead of by alpha."""

import dataclasses
import os
from collections.abc import Callable

import numpy as np
import tensorflow as tf

from nppnet_tf import config as configuration
from nppnet_tf import keys
from nppnet_tf.data.descriptors import DatasetDescriptor
from nppnet_tf.data.records.record_set import RecordSet
from nppnet_tf.data.samples import batches
from nppnet_tf.layers import normalization
from nppnet_tf.search_space import published
from nppnet_tf.search_space.genotype import Genotype
from nppnet_tf.search_space.space import PAPER
from nppnet_tf.search_space.space import SearchSpace
from nppnet_tf.strategies import selection
from nppnet_tf.training import checkpoints
from nppnet_tf.training import search
from nppnet_tf.training.workdir import Workdir


def select(
    workdir: str | os.PathLike[str],
    records: str | os.PathLike[str],
    num_batches: int,
    say: Callable[[str], None] = print,
) -> Genotype:
    """Takes each operation away from the supernet of a run, and each edge.

    Args:
        workdir: Folder of a search that has a checkpoint.
        records: Folder of the records that it searched with.
        num_batches: Batches of the half of the architecture, of which the mean
            loss is taken each time.
        say: Takes a line for every part.

    Raises:
        UserError: The folder holds no search, or the records are of another
            kind.
    """
    settings = Workdir(workdir).settings()
    checkpoint = checkpoints.load(Workdir(workdir).checkpoints / "last.npz")
    inputs = configuration.of_record(configuration.InputConfig(), settings)
    record_set = RecordSet.open(records)
    model = _restored(checkpoint, settings, record_set.descriptor)
    data = batches.make_search_dataset(record_set, inputs).take(num_batches)
    held = [batch[keys.ARCHITECTURE_SPLIT] for batch in data]
    return selection.select(
        checkpoint.genotype,
        model.network.architecture,
        checkpoint.primitives,
        _mean_loss(model, held),
        np.random.default_rng(inputs.seed),
        say,
    )


def _restored(
    checkpoint: checkpoints.Checkpoint,
    settings: dict[str, object],
    descriptor: DatasetDescriptor,
) -> search.SearchModel:
    """Returns the supernet of a run with its weights."""
    preset = published.PRESETS.get(str(settings.get("preset")), {})
    network, loss, schedule = (
        configuration.of_record(config, settings)
        for config in (
            dataclasses.replace(
                configuration.SEARCH.network.for_data(descriptor), **preset
            ),
            configuration.SEARCH.loss,
            configuration.SEARCH.schedule,
        )
    )
    proportion = settings.get("channel_proportion", PAPER.channel_proportion)
    model = search.make_search_model(
        checkpoint.genotype,
        network,
        dataclasses.replace(
            loss, class_weights=tuple(descriptor.class_weights) or None
        ),
        schedule,
        tf.distribute.get_strategy(),
        SearchSpace(checkpoint.primitives, proportion),
    )
    checkpoints.restore(model, checkpoint)
    return model


def _mean_loss(model: search.SearchModel, held: list) -> Callable[[], float]:
    @tf.function(autograph=False)
    def loss_of(batch):
        # With the statistics of the batch, as the search has seen it.
        with normalization.frozen_statistics():
            predictions = model.network(batch[keys.IMAGE], training=True)
        return model.joint_loss(batch, predictions)[keys.TOTAL_LOSS]

    return lambda: float(np.mean([loss_of(batch) for batch in held]))
