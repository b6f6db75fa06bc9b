"""Flags that search and retraining share, and the configuration they make."""

from nppnet_tf.config import RunConfig
from nppnet_tf.search_space import published

from . import config_flags
from . import paths
from .tool_flags import ToolFlags


def define(tool: ToolFlags, config: RunConfig) -> None:
    """Defines a flag for everything that can be set of a run.

    Args:
        tool: Flags of the tool.
        config: Defaults.
    """
    tool.define_path(
        "records",
        None,
        "Folder of build_records to train on.",
        paths.require_records,
    )
    tool.define_output(
        "workdir",
        None,
        "Folder of the run. The same command on it resumes the run.",
        paths.require_new_folder,
    )
    tool.define_choice(
        "preset",
        None,
        tuple(published.PRESETS),
        "Builds the network as the authors' release does where that differs "
        "from the paper. In tools.train it also stands for the genotype.",
    )
    for part in config.parts():
        config_flags.define(tool, part)
    tool.require_batch("batch_size", "image_size")


def read(tool: ToolFlags, config: RunConfig) -> RunConfig:
    """Returns the configuration of a run from its flags.

    Args:
        tool: Flags of the tool, read.
        config: Configuration that `define` was given.
    """
    preset = published.PRESETS.get(tool["preset"].value, {})
    return RunConfig(
        schedule=config_flags.read(tool, config.schedule),
        network=config_flags.read(tool, config.network, **preset),
        inputs=config_flags.read(tool, config.inputs),
        loss=config_flags.read(tool, config.loss),
        process=config_flags.read(tool, config.process),
    )
