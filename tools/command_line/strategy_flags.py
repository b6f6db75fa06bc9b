"""Flags of a search strategy: its name, and each of its components."""

from collections.abc import Mapping

from nppnet_tf import config as configuration
from nppnet_tf.errors import UserError
from nppnet_tf.search_space import relaxation as relaxations
from nppnet_tf.search_space import space as spaces
from nppnet_tf.search_space import strategies

from .tool_flags import ToolFlags

NAME = "search_strategy"
CHANNEL_PROPORTION = "channel_proportion"
TARGET_GMAC = "target_gmac"
GMAC_BAND = "gmac_band"

# What a random genotype has in common with a search.
_OF_RANDOM = {
    NAME,
    GMAC_BAND,
    TARGET_GMAC,
    "target_channels",
    "target_cells",
    "target_image_size",
    "stage",
    "genotype",
    "interaction",
    "fusion",
    "primitives",
    "workdir",
    "seed",
    "channels",
    "cells",
    "num_fusion_cells",
    "head_channels",
    "image_size",
    "preset",
}

# What settings are of: flags, and values of them with which they say nothing.
_PERTURBATION = ((strategies.PERTURBATION,), ("none",))
_REGULARIZER = ((strategies.REGULARIZER,), ("none",))
_DARTS_PLUS = ((strategies.STOP_RULE,), ("none", "oles"))
_OLES = ((strategies.STOP_RULE,), ("none", "darts_plus"))
_TARGET = ((TARGET_GMAC, "target_ms"), (None,))
_SETTINGS = {
    "perturbation_size": _PERTURBATION,
    "perturbation_ramp_epochs": _PERTURBATION,
    "regularizer_weight": _REGULARIZER,
    "regularizer_ramp_epochs": _REGULARIZER,
    "stop_skips": _DARTS_PLUS,
    "stop_stable_epochs": _DARTS_PLUS,
    "stop_similarity": _OLES,
    "compare_every": _OLES,
    "skip_dropout_decay": (("skip_dropout",), (0,)),
    "target_channels": _TARGET,
    "target_cells": _TARGET,
    "target_image_size": _TARGET,
    GMAC_BAND: _TARGET,
    "max_rollbacks": (("on_nonfinite",), ("stop",)),
}

_MEANINGS = {
    strategies.PERTURBATION: "What disturbs the weights of operations",
    strategies.REGULARIZER: "Penalty on alpha besides the entropy",
    strategies.STOP_RULE: "What ends the search before its last epoch",
}


def define(tool: ToolFlags) -> None:
    """Defines the flag of the strategy and those that name components.

    Args:
        tool: Flags of the tool, with those of its configuration.
    """
    tool.define_choice(
        NAME,
        strategies.NPPNET,
        [each.name for each in strategies.known()],
        "What fills the flags of components that are not given "
        "(docs/search.md says how); random draws a genotype by --seed and "
        "searches nothing.",
    )
    tool.define_count(
        CHANNEL_PROPORTION,
        spaces.PAPER.channel_proportion,
        "k of Eq. 1: one channel in k goes through the operations; 1 is DARTS.",
        1,
    )
    defaults = configuration.SEARCH.schedule
    _define(
        tool,
        "relaxation",
        defaults.relaxation,
        relaxations.known(),
        "How operations are weighted while they are searched",
    )
    for kind, meaning in _MEANINGS.items():
        components = strategies.components(kind)
        _define(tool, kind, getattr(defaults, kind), components, meaning)
    tool.define_number(
        GMAC_BAND,
        0.05,
        "Relative distance from --target_gmac that a random genotype may have.",
        0.001,
        1,
    )


def fill(tool: ToolFlags) -> strategies.Strategy:
    """Gives the flags that were not given the values of the strategy.

    Args:
        tool: Flags of the tool, read.

    Returns:
        The strategy.

    Raises:
        UserError: If nothing is searched, and a flag of searches is given; or
            one that sets what is not in use.
    """
    strategy = strategies.named(tool[NAME].value)
    values = dict(strategy.settings)
    if strategy.channel_proportion is not None:
        values[CHANNEL_PROPORTION] = strategy.channel_proportion
    for name, value in values.items():
        if not tool[name].present:
            tool[name].value = value
    if strategy.name == strategies.RANDOM:
        _refuse_flags_of_searches(tool)
    _refuse_idle_settings(tool, values)
    return strategy


def target(tool: ToolFlags) -> tuple[float, float] | None:
    """Returns the cost asked for in GMAC and its band; None for any cost."""
    gmac = tool[TARGET_GMAC].value
    return None if gmac is None else (gmac, tool[GMAC_BAND].value)


def _refuse_flags_of_searches(tool: ToolFlags) -> None:
    # The records of a flag file that is shared with searches may stay.
    strangers = [
        flag.name
        for flag in tool.own()
        if flag.present and flag.name not in {*_OF_RANDOM, "records"}
    ]
    if strangers:
        raise UserError(
            "a random genotype is drawn, not searched",
            f"--{NAME}, --{strangers[0]}",
            f"--{NAME} without --{strangers[0]}, or another strategy",
            strategies.RANDOM,
        )


def _refuse_idle_settings(
    tool: ToolFlags, filled: Mapping[str, object]
) -> None:
    for name, (components, idle) in _SETTINGS.items():
        flag = tool[name]
        # The flag file of a run names every setting, in use or not.
        usual = (flag.default, filled.get(name))
        if not flag.present or flag.value in usual:
            continue
        found = [tool[component].value for component in components]
        if all(value in idle for value in found):
            where = " or ".join(f"--{component}" for component in components)
            raise UserError(
                "flag sets what is not in use",
                f"--{name}={tool.text_of(name)}",
                f"with it {where}, or none of it",
                "none" if found[0] is None else found[0],
            )


def _define(tool, name, default, choices, meaning) -> None:
    tool.define_choice(
        name,
        default,
        [each.name for each in choices],
        f"{meaning}: "
        + "; ".join(f"{each.name}, {each.meaning}" for each in choices)
        + ".",
    )
