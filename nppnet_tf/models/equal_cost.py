"""Gives a network the cost of another one, to compare what costs the same."""

import dataclasses
import functools
import math
from collections.abc import Callable

from nppnet_tf.config import LEAST_CHANNELS
from nppnet_tf.config import LEAST_WIDTH
from nppnet_tf.config import MOST_CHANNELS
from nppnet_tf.config import MOST_WIDTH
from nppnet_tf.config import NetworkConfig
from nppnet_tf.errors import UserError
from nppnet_tf.models import cost
from nppnet_tf.search_space import genotype as genotypes
from nppnet_tf.search_space import topology
from nppnet_tf.search_space.genotype import Genotype

# Largest difference that still counts as equal.
TOLERANCE = 0.05

# Where a search for the right width ends.
_CLOSE = 0.02
_MOST_TRIES = 12

# About how the logarithm of the cost follows that of the width.
_SLOPE = 0.8


def of_equal_cost(
    genotype: Genotype,
    config: NetworkConfig,
    image_size: tuple[int, int],
    target_macs: float,
    tolerance: float = TOLERANCE,
) -> NetworkConfig:
    """Returns the size at which a network has so many multiply-accumulates.

    C comes first: the whole network grows or shrinks in proportion. What is
    left, up to the next C, is the width of a baseline; other networks have C
    alone.

    Args:
        genotype: A derived genotype.
        config: Size to start from; C and the baseline's width are replaced.
        image_size: (height, width) of the input.
        target_macs: Multiply-accumulates of one picture, as `cost.macs` counts
            them.
        tolerance: Largest difference from the target, as a share of it.

    Raises:
        UserError: No size comes as close.
    """
    sizes, _ = _of_cost(genotype, config, image_size, target_macs, tolerance)
    return sizes


def _of_cost(
    genotype: Genotype,
    config: NetworkConfig,
    image_size: tuple[int, int],
    target_macs: float,
    tolerance: float = TOLERANCE,
) -> tuple[NetworkConfig, int]:
    """Returns the size of `of_equal_cost`, and what the network costs."""
    macs = _macs_of(genotype, config, image_size)
    channels, width = _closest_channels(macs, config.channels, target_macs), 1.0
    if genotype.encoder_decoder in genotypes.BASELINES:
        width = closest_width(lambda tried: macs(channels, tried), target_macs)
    found = macs(channels, width)
    if abs(found / target_macs - 1) > tolerance:
        raise UserError(
            "no network of this kind has such a cost",
            "`target_macs`",
            f"within {tolerance:.0%} of {target_macs / 1e9:.4g} GMAC",
            f"{found / 1e9:.4g} GMAC with C = {channels}, width {width:.3f}",
        )
    sizes = dataclasses.replace(config, channels=channels, baseline_width=width)
    return sizes, found


def of_equal_cost_to(
    other: Genotype,
    genotype: Genotype,
    config: NetworkConfig,
    image_size: tuple[int, int],
) -> tuple[NetworkConfig, int, int]:
    """Returns the size at which a network costs what another one does.

    Args:
        other: Genotype whose cost is wanted, at `config`.
        genotype: Genotype whose size is found.
        config: Size of the other, and size to start from.
        image_size: (height, width) of the input.

    Returns:
        The size, and the multiply-accumulates of both networks.

    Raises:
        UserError: No size comes close enough.
    """
    wanted = cost.macs(other, config, image_size)
    sizes, found = _of_cost(genotype, config, image_size, wanted)
    return sizes, found, wanted


def channels_around(
    genotype: Genotype,
    config: NetworkConfig,
    image_size: tuple[int, int],
    least_macs: float,
    most_macs: float,
) -> list[int]:
    """Returns every C from one that costs less to one that costs more.

    Args:
        genotype: A derived genotype.
        config: Size to start from; C is replaced.
        image_size: (height, width) of the input.
        least_macs: What the first C costs at most, unless it is the least
            there is.
        most_macs: What the last C costs at least, unless it is the largest
            there is.
    """
    macs = functools.partial(
        _macs_of(genotype, config, image_size), width=config.baseline_width
    )
    multiple = topology.CHANNEL_MULTIPLE
    first = config.channels
    while macs(first) > least_macs and first - multiple >= LEAST_CHANNELS:
        first -= multiple
    while first < MOST_CHANNELS and macs(first + multiple) <= least_macs:
        first += multiple
    last = first
    while macs(last) < most_macs and last + multiple <= MOST_CHANNELS:
        last += multiple
    return list(range(first, last + 1, multiple))


def _macs_of(
    genotype: Genotype, config: NetworkConfig, image_size: tuple[int, int]
) -> Callable[[int, float], int]:
    """Returns what a network costs by C and the width of a baseline."""

    @functools.cache
    def macs(channels: int, width: float) -> int:
        sizes = dataclasses.replace(
            config, channels=channels, baseline_width=width
        )
        return cost.macs(genotype, sizes, image_size)

    return macs


def _closest_channels(
    macs: Callable[[int, float], int], start: int, target: float
) -> int:
    """Returns the C whose cost is closest, as a ratio."""
    multiple = topology.CHANNEL_MULTIPLE
    tried = {}
    channels = start
    # Cost grows with C^2 at most: the steps fall short, none goes too far.
    while channels not in tried:
        tried[channels] = math.log(macs(channels, 1.0) / target)
        step = channels * math.exp(-tried[channels] / 2) - channels
        # At least one, so that both sides of the target are tried.
        step = math.copysign(max(abs(step) // multiple, 1) * multiple, step)
        channels += int(step)
        channels = min(max(channels, LEAST_CHANNELS), MOST_CHANNELS)
    return min(tried, key=lambda found: abs(tried[found]))


def closest_width(macs: Callable[[float], int], target: float) -> float:
    """Returns the width of a baseline whose cost is closest, as a ratio.

    Args:
        macs: Cost at a width; grows with it, in steps.
        target: Cost that is wanted.
    """
    low, high = LEAST_WIDTH, MOST_WIDTH
    tried: dict[float, float] = {}
    width = 1.0
    for _ in range(_MOST_TRIES):
        # Rounded, since it is written into flags.
        width = round(width, 3)
        if width in tried:
            break
        tried[width] = math.log(macs(width) / target)
        if abs(tried[width]) <= _CLOSE:
            break
        low, high = (width, high) if tried[width] < 0 else (low, width)
        width *= math.exp(-tried[width] / _SLOPE)
        if not low < width < high:
            width = math.sqrt(low * high)
    return min(tried, key=lambda found: abs(tried[found]))
