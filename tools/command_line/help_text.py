"""What `--help` writes: what a tool does, and its own flags."""

import pathlib
import sys
from collections.abc import Callable

from absl import flags

from . import console
from .tool_flags import ToolFlags


class _HelpFlag(flags.BooleanFlag):
    """Writes a text and ends as soon as the flag is seen.

    Abseil's own does so too, but takes the flags of the process's main module
    for those of the tool, which are none in a console script, and ends with
    status 1.
    """

    def __init__(
        self,
        name: str,
        help_text: str,
        make_text: Callable[[], str],
        short_name: str | None = None,
    ) -> None:
        self.make_text = make_text
        super().__init__(name, False, help_text, short_name)

    def parse(self, argument: object) -> None:
        """Acts while parsing: a required flag may still be missing."""
        if self._parse(argument):
            console.say(self.make_text())
            sys.exit(0)


def define(
    tool: ToolFlags, function: Callable[..., object], arguments: str | None
) -> None:
    """Defines `--help`, `--helpfull` and `--only_check_args` of a tool.

    Args:
        tool: Flags of the tool.
        function: Any function of the tool's own module.
        arguments: What the words that are not flags mean, or None.
    """

    def own() -> str:
        return _help_text(tool, function, arguments)

    def full() -> str:
        return f"{own()}\n{flags.FLAGS.get_help()}"

    if "help" not in tool:
        text = "Says what the tool does and its flags."
        tool["help"] = _HelpFlag("help", text, own, "h")
        text = "The same, with the flags of libraries."
        tool["helpfull"] = _HelpFlag("helpfull", text, full)
        tool["only_check_args"] = flags.BooleanFlag(
            "only_check_args",
            False,
            "Checks the flags and ends.",
            # Absl has one, which is there once flags were read.
            allow_override=True,
        )
    tool["only_check_args"].unparse()


def tool_name(function: Callable[..., object]) -> str:
    """Returns the name of a tool's command, "nppnet-train".

    Args:
        function: Any function of the tool's own module.
    """
    # Of a tool run by `runpy` the module `__main__` is another.
    specification = function.__globals__.get("__spec__")
    if specification is not None:
        full_name = specification.name
    else:
        full_name = pathlib.Path(sys.argv[0]).stem
    return f"nppnet-{full_name.removesuffix('.__main__').rpartition('.')[2]}"


def _help_text(
    tool: ToolFlags, function: Callable[..., object], arguments: str | None
) -> str:
    description = function.__globals__.get("__doc__") or ""
    words = [tool_name(function), "[flags]", arguments or ""]
    parts = [description.strip(), f"usage: {' '.join(words).strip()}", "flags:"]
    for flag in sorted(tool.own(), key=lambda flag: flag.name):
        parts.append(_flag_help(flag))
    parts.append("  --flagfile=FILE\n    Reads flags from a file.")
    parts.append("  --helpfull\n    Also lists the flags of libraries.")
    return "\n\n".join(parts[:3]) + "\n" + "\n".join(parts[3:])


def _flag_help(flag: flags.Flag) -> str:
    default = ""
    if flag.default not in (None, []):
        default = f" Default: {_shown(flag)}."
    syntactic = flag.parser.syntactic_help if flag.parser else ""
    kind = f" ({syntactic})" if syntactic else ""
    prefix = "[no]" if flag.boolean else ""
    text = flags.text_wrap(
        f"{(flag.help or '').rstrip()}{kind}{default}", indent="    "
    )
    return f"  --{prefix}{flag.name}\n{text}"


def _shown(flag: flags.Flag) -> str:
    """Returns the default of a flag as a user may type it."""
    if flag.boolean or flag.serializer is None:
        return str(flag.default)
    return flag.serializer.serialize(flag.default)
