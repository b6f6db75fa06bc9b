"""Derives by what the supernet of a run misses, instead of by alpha."""

import os
from collections.abc import Callable

import numpy as np
import tensorflow as tf

from nppnet_tf import config as configuration
from nppnet_tf import keys
from nppnet_tf.data.records.record_set import RecordSet
from nppnet_tf.data.samples import batches
from nppnet_tf.layers import normalization
from nppnet_tf.models import budget as budgets
from nppnet_tf.search_space import relaxation as relaxations
from nppnet_tf.search_space.genotype import Genotype
from nppnet_tf.strategies import selection
from nppnet_tf.training import checkpoints
from nppnet_tf.training import search
from nppnet_tf.training import supernets
from nppnet_tf.training.workdir import Workdir


def select(
    workdir: str | os.PathLike[str],
    records: str | os.PathLike[str],
    num_batches: int,
    say: Callable[[str], None] = print,
) -> Genotype:
    """Takes each operation away from the supernet of a run, and each edge.

    Where the search has a budget, what was selected is brought to it as what
    alpha selects is: by exchanges that lose the least share.

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
    inputs = configuration.of_record(
        configuration.InputConfig(), Workdir(workdir).settings()
    )
    record_set = RecordSet.open(records)
    model = supernets.restored(workdir, record_set.descriptor)
    data = batches.make_search_dataset(record_set, inputs).take(num_batches)
    held = [batch[keys.ARCHITECTURE_SPLIT] for batch in data]
    network = model.network
    selected = selection.select(
        network.genotype,
        network.architecture,
        network.space.primitives,
        _mean_loss(model, held),
        np.random.default_rng(inputs.seed),
        say,
    )
    return budgets.brought_to(
        model.budget,
        selected,
        checkpoints.architecture_arrays(network),
        relaxations.named(network.relaxation),
    )


def _mean_loss(model: search.SearchModel, held: list) -> Callable[[], float]:
    @tf.function(autograph=False)
    def loss_of(batch):
        # With the statistics of the batch, as the search has seen it.
        with normalization.frozen_statistics():
            predictions = model.network(batch[keys.IMAGE], training=True)
        return model.joint_loss(batch, predictions)[keys.TOTAL_LOSS]

    return lambda: float(np.mean([loss_of(batch) for batch in held]))
