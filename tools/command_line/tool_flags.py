"""The flags of one tool: its own, without those of libraries."""

import pathlib
import sys
from collections.abc import Callable

from absl import flags

FLAGS = flags.FLAGS


def own(function: Callable[..., object]) -> list[flags.Flag]:
    """Returns the flags of a tool and of what tools share, not of libraries.

    Args:
        function: Any function of the tool's own module.
    """
    module_name = function.__module__
    names = {module_name, sys.argv[0] if module_name == "__main__" else ""}
    package = __name__.rpartition(".")[0] + "."
    return [
        flag
        for module, module_flags in FLAGS.flags_by_module_dict().items()
        for flag in module_flags
        if module in names
        or (module.startswith(package) and module != __name__)
    ]


def resolved(function: Callable[..., object]) -> str:
    """Returns the flags of one tool with their values, as a flag file.

    Args:
        function: Any function of the tool's own module.
    """
    lines = [
        flag.serialize() for flag in own(function) if flag.value is not None
    ]
    return "".join(f"{line}\n" for line in sorted(lines) if line)


def tool_name(function: Callable[..., object]) -> str:
    """Returns the name of the tool's command, "nppnet-train"."""
    # Of a tool run by `runpy` the module `__main__` is another.
    specification = function.__globals__.get("__spec__")
    if specification is not None:
        full_name = specification.name
    else:
        full_name = pathlib.Path(sys.argv[0]).stem
    return f"nppnet-{full_name.removesuffix('.__main__').rpartition('.')[2]}"
