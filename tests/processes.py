"""Finds processes that others have started."""

import os
import pathlib


def children(word: str, parent: int | None = None) -> list[int]:
    """Returns the running processes that a process has started.

    Args:
        word: Part of their command lines.
        parent: The process; this one if absent.
    """
    parent = parent or os.getpid()
    tasks = pathlib.Path(f"/proc/{parent}/task").iterdir()
    found = {
        int(number)
        for task in tasks
        for number in (task / "children").read_text().split()
    }
    return sorted(number for number in found if word in _command(number))


def is_running(number: int) -> bool:
    """Whether there is such a process that has not ended."""
    return bool(_command(number))


def _command(number: int) -> str:
    """Command line of a process; empty where it has ended."""
    try:
        return pathlib.Path(f"/proc/{number}/cmdline").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return ""
