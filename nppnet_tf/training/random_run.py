"""A run that searches nothing: a genotype drawn at random into a folder."""

import dataclasses
import os
from collections.abc import Callable
from collections.abc import Mapping

import numpy as np

from nppnet_tf import config as configuration
from nppnet_tf.config import RunConfig
from nppnet_tf.models import choice_costs
from nppnet_tf.search_space import genotype as genotypes
from nppnet_tf.search_space import random_genotype
from nppnet_tf.search_space import strategies
from nppnet_tf.search_space.genotype import Genotype
from nppnet_tf.search_space.space import SearchSpace
from nppnet_tf.training.workdir import Workdir


@dataclasses.dataclass(frozen=True)
class CostBand:
    """What a genotype is to cost.

    Attributes:
        gmac: Giga multiply-accumulates for one picture.
        band: Relative distance from it that is allowed.
    """

    gmac: float
    band: float = 0.05


def draw(
    start: Genotype,
    workdir: str | os.PathLike[str],
    config: RunConfig,
    space: SearchSpace,
    cost: CostBand | None = None,
    say: Callable[[str], None] = print,
    settings: Mapping[str, object] | None = None,
) -> Genotype:
    """Draws by the seed of a run; the same call draws the same.

    Args:
        start: Genotype with "search" in the parts to draw.
        workdir: Folder of the run, which gets genotype.json.
        config: Seed, and the size that costs are counted at: that of the
            search, or of its `target_channels`, `target_cells` and
            `target_image_size`.
        space: Operations to choose from.
        cost: What it is to cost; anything where None.
        say: Takes one line.
        settings: What else makes another run of it, for its record.

    Raises:
        UserError: If the folder holds something else, or nothing costs so
            much.
    """
    for part in config.parts():
        configuration.check(part)
    random = np.random.default_rng(config.inputs.seed)
    folder = Workdir(workdir)
    with folder.hold():
        folder.claim(
            "search",
            {
                "search_strategy": strategies.RANDOM,
                "seed": config.inputs.seed,
                "cost": cost and dataclasses.asdict(cost),
                **space.get_config(),
                **(settings or {}),
            },
            "",
        )
        if cost is None:
            drawn = random_genotype.draw(start, random, space)
        else:
            drawn = _within(start, config, space, cost, random, say)
        genotypes.save(drawn, folder.genotype_file)
    return drawn


def _within(
    start: Genotype,
    config: RunConfig,
    space: SearchSpace,
    cost: CostBand,
    random: np.random.Generator,
    say: Callable[[str], None],
) -> Genotype:
    schedule = config.schedule
    size = schedule.target_image_size or config.inputs.image_size
    network = dataclasses.replace(
        config.network,
        channels=schedule.target_channels or config.network.channels,
        cells=schedule.target_cells or config.network.cells,
    )
    start.check_size(network, space)
    costs = choice_costs.measure(start, network, size, space)
    drawn = random_genotype.draw_within(
        start, random, costs.gmac, cost.gmac, cost.band, space
    )
    say(
        f"cost at C = {network.channels}, L = {network.cells}, "
        f"{size[0]} x {size[1]}: {costs.gmac(drawn):.4g} GMAC"
    )
    return drawn
