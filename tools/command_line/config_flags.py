"""Flags made from the fields of a configuration, and read back into one.

A field that users set is written once, in `nppnet_tf.config`: its default and
limits become those of the flag, its meaning in the docstring becomes the help.
"""

import dataclasses
from typing import Any

from nppnet_tf import config as configuration

from .tool_flags import ToolFlags


def define(tool: ToolFlags, config: object, *names: str) -> None:
    """Defines a flag for every setting of a configuration.

    A word without choices is left to the tool, which knows them.

    Args:
        tool: Flags of the tool.
        config: Instance of a dataclass of `nppnet_tf.config`; its values are
            the defaults.
        *names: Fields to make flags of; without any, all settings.
    """
    meanings = configuration.meanings(type(config))
    for name, limits in configuration.settings_of(config).items():
        if not names or name in names:
            _define(tool, config, name, limits, meanings.get(name, ""))


def read(tool: ToolFlags, config: Any, **values: object) -> Any:
    """Returns a configuration with the values of its flags.

    Args:
        tool: Flags of the tool, read.
        config: Configuration that `define` was given; what is no flag keeps its
            value.
        **values: Values of further fields.
    """
    for name, limits in configuration.settings_of(config).items():
        flag = limits.name or name
        if flag in tool:
            values[name] = _value(limits.kind, tool[flag].value)
    return dataclasses.replace(config, **values)


def _define(
    tool: ToolFlags,
    config: object,
    field: str,
    limits: configuration.Setting,
    meaning: str,
) -> None:
    name = limits.name or field
    default = getattr(config, field)
    whole = configuration.is_whole(config, field)
    if limits.choices:
        tool.define_choice(name, default, limits.choices, meaning)
    elif isinstance(default, bool):
        tool.define_switch(name, default, meaning)
    elif limits.kind == configuration.SIZE:
        tool.define_size(name, default, meaning)
    elif limits.kind == configuration.SPAN:
        tool.define_span(name, default, meaning)
    elif limits.count is not None:
        tool.define_numbers(
            name, default, meaning, limits.least, limits.most, limits.count
        )
    elif isinstance(default, tuple):
        tool.define_counts(name, default, meaning, limits.least, limits.most)
    elif isinstance(default, str):
        return
    elif whole:
        tool.define_count(name, default, meaning, limits.least, limits.most)
    else:
        tool.define_number(name, default, meaning, limits.least, limits.most)


def _value(kind: str | None, value: object) -> object:
    if kind == configuration.SPAN and value is not None:
        first, last = map(int, value.split(":"))
        return first, last
    return value
