"""The supernet of a search that was run, with the weights it has learned."""

import dataclasses
import os

import tensorflow as tf

from nppnet_tf import config as configuration
from nppnet_tf.data.descriptors import DatasetDescriptor
from nppnet_tf.search_space import published
from nppnet_tf.search_space.space import PAPER
from nppnet_tf.search_space.space import SearchSpace
from nppnet_tf.training import checkpoints
from nppnet_tf.training import search
from nppnet_tf.training.workdir import Workdir


def restored(
    workdir: str | os.PathLike[str], descriptor: DatasetDescriptor
) -> search.SearchModel:
    """Returns the supernet of a run in its last state.

    Sizes and schedule are those that the folder tells of.

    Args:
        workdir: Folder of a search.
        descriptor: Descriptor of the records that it searched with.

    Raises:
        UserError: The folder holds no search, or one of other records.
    """
    folder = Workdir(workdir)
    settings = folder.settings()
    checkpoint = checkpoints.load(folder.checkpoints / checkpoints.LAST_NAME)
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
        loss.for_data(descriptor),
        schedule,
        tf.distribute.get_strategy(),
        SearchSpace(checkpoint.primitives, proportion),
    )
    if checkpoint.budget is not None:
        model.keep_to(checkpoint.budget)
    checkpoints.restore(model, checkpoint)
    return model
