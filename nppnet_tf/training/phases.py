"""A search in phases, each with half the k of the one before (DrNAS).

What `widening` does between two runs, as one call: a phase is a run in a
folder of its own, which begins in the state that the one before has ended in.

Reference:
    Chen et al., DrNAS, https://arxiv.org/abs/2006.10355, Sec. 3.3.
"""

import dataclasses
import os
import pathlib
from typing import Any

from nppnet_tf import config as configuration
from nppnet_tf.config import RunConfig
from nppnet_tf.data.records.record_set import RecordSet
from nppnet_tf.errors import UserError
from nppnet_tf.search_space.genotype import Genotype
from nppnet_tf.search_space.space import SearchSpace
from nppnet_tf.training import run


def spaces_of(space: SearchSpace, widenings: int) -> list[SearchSpace]:
    """Returns the search spaces of all phases.

    Args:
        space: That of the first phase.
        widenings: How often k is halved.

    Raises:
        UserError: If k cannot be halved so often.
    """
    proportion, divisor = space.channel_proportion, 2**widenings
    if proportion % divisor:
        raise UserError(
            "k cannot be halved so often",
            "`widenings`, `channel_proportion`",
            f"a multiple of {divisor} for {widenings} widenings",
            proportion,
        )
    return [
        dataclasses.replace(space, channel_proportion=proportion >> phase)
        for phase in range(widenings + 1)
    ]


def search(
    records: str | os.PathLike[str] | RecordSet,
    genotype: Genotype,
    workdir: str | os.PathLike[str],
    config: RunConfig,
    space: SearchSpace,
    widenings: int,
    **others: Any,
) -> run.Result:
    """Searches with fewer channels first, then with twice as many.

    The same call goes on in the phase that was stopped. The warm-up is the
    first phase's; every phase has all epochs of the schedule.

    Args:
        records: What `run.search` takes.
        genotype: What `run.search` takes.
        workdir: Folder of all phases; each is a run in `k_4`, `k_2` and so on.
        config: What `run.search` takes, the same for each phase.
        space: Search space of the first phase.
        widenings: How many phases follow it.
        **others: What else `run.search` takes; `widens` is the first phase's.

    Returns:
        That of the last phase that was begun; it is complete if all are, and
        none was ended by an alarm in this call.

    Raises:
        UserError: For the reasons that `run.search` gives, or k cannot be
            halved so often, or several machines share the run.
    """
    if config.process.strategy == configuration.MULTI_WORKER:
        raise UserError(
            "machines meet once in a process",
            "`widenings`, `strategy`",
            "one command for each phase, with `widens`",
            configuration.MULTI_WORKER,
        )
    spaces = spaces_of(space, widenings)
    for each in spaces:
        genotype.check_size(config.network, each)
    for each in spaces:
        folder = pathlib.Path(workdir) / f"k_{each.channel_proportion}"
        result = run.search(records, genotype, folder, config, each, **others)
        if result.is_alarmed or not result.is_complete:
            break
        others["widens"] = folder
        config = _without_warmup(config)
    return result


def _without_warmup(config: RunConfig) -> RunConfig:
    schedule = dataclasses.replace(config.schedule, warmup_epochs=0)
    return dataclasses.replace(config, schedule=schedule)
