"""The flag of the factors of test-time averaging."""

from absl import flags

from .tool_flags import ToolFlags

# Below, nothing is left of a person; above, memory ends.
_LEAST = 0.1
_MOST = 4
# Each is a pass through the network.
_MOST_FACTORS = 32


def define(tool: ToolFlags, help_text: str) -> flags.FlagHolder:
    """Defines `--scales`, whose value is a tuple of factors.

    Args:
        tool: Flags of the tool.
        help_text: What the tool does with them.
    """
    holder = tool.define_numbers("scales", (1.0,), help_text, _LEAST, _MOST)
    tool.require(
        ["scales"],
        lambda values: len(values["scales"]) <= _MOST_FACTORS,
        f"at most {_MOST_FACTORS} factors",
    )
    return holder
