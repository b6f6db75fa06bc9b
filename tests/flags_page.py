"""Writes docs/flags.md, the flags of every tool, from what `--help` says.

python -m tests.flags_page
"""

import functools
import re

from tests import build_file
from tests import shared

PAGE = "docs/flags.md"

_HEAD = """\
# Flags by tool

Written by `python -m tests.flags_page` from the tools themselves; a test
compares. `python -m tools.<name> --help` says the same on the command line, and
what the tool does. Every tool also takes `--flagfile=FILE`, which reads flags
from a file (one in a line; later flags win), `--helpfull`, which lists the
flags of libraries too, and `--only_check_args`, which checks the flags and
ends. A flag that is written `--[no]name` is switched on by `--name` and off by
`--noname`.
"""

# Said once, at the head of the page.
_OF_ALL = ("flagfile", "helpfull")


@functools.cache
def flags_of_tools() -> dict[str, tuple[tuple[str, str], ...]]:
    """Returns the flags of every tool: name, and what `--help` says of it."""
    return {
        tool: tuple(
            (name, text)
            for name, text in _flags(_help(tool))
            if name not in _OF_ALL
        )
        for tool in build_file.tool_names()
    }


def page_text() -> str:
    """Returns what docs/flags.md should be."""
    parts = [_HEAD]
    for tool in build_file.tool_names():
        summary = _help(tool).splitlines()[0]
        rows = [
            f"| `--{_written(tool, name)}` | {_cell(text)} |"
            for name, text in flags_of_tools()[tool]
        ]
        parts.append(
            "\n".join(
                [
                    f"## {tool}",
                    "",
                    _cell(summary),
                    "",
                    "| flag | meaning |",
                    "|---|---|",
                    *rows,
                    "",
                ]
            )
        )
    return "\n".join(parts)


@functools.cache
def _help(tool: str) -> str:
    return shared.run_tool(tool, "--help").stdout


def _flags(text: str) -> list[tuple[str, str]]:
    """Names without `[no]`, and descriptions in one line each."""
    found = []
    for name, body in re.findall(
        r"^  --(?:\[no\])?(\w+)\S*\n((?:    .*\n?)+)", text, re.MULTILINE
    ):
        lines = [line.strip() for line in body.splitlines()]
        joined = ""
        for line in lines:
            # Lines are broken behind hyphens, too: "PASCAL-Person-\nPart".
            glue = "" if re.search(r"\w-$", joined) or not joined else " "
            joined += glue + line
        found.append((name, joined))
    return found


def _written(tool: str, name: str) -> str:
    is_switch = f"  --[no]{name}\n" in _help(tool)
    return f"[no]{name}" if is_switch else name


def _cell(text: str) -> str:
    """A text as it stands in a cell of a table."""
    return (
        text.replace("|", "\\|")
        .replace("<", "&lt;")
        .replace(">", "&gt;")
        .replace("*", "\\*")
    )


def main() -> None:
    """Rewrites the page."""
    (shared.REPOSITORY / PAGE).write_text(page_text(), encoding="utf-8")


if __name__ == "__main__":
    main()
