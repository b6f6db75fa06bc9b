"""The flag of the factors of test-time averaging."""

from absl import flags

from .tool_flags import ToolFlags

# Below, nothing is left of a person; above, memory ends.
_LEAST = 0.1
_MOST = 4


def define(tool: ToolFlags, help_text: str) -> flags.FlagHolder:
    """Defines `--scales`, whose value is a tuple of factors.

    Args:
        tool: Flags of the tool.
        help_text: What the tool does with them.
    """
    return tool.define_numbers("scales", (1.0,), help_text, _LEAST, _MOST)
