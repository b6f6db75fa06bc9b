"""What tests share: paths outside the package and running a tool."""

import contextlib
import dataclasses
import io
import os
import pathlib
import runpy
import subprocess
import sys
import types
import unittest
from collections.abc import Iterator
from unittest import mock

from absl import flags

import tools

# Kept alive: abseil knows modules that disclaim their flags by the number of
# their memory, and the next module would get it.
_FORGOTTEN: list[dict[str, types.ModuleType]] = []

REPOSITORY = pathlib.Path(__file__).absolute().parent.parent


def shared_path(relative: str) -> pathlib.Path:
    """Returns a path of the reference folder beside the repository.

    Args:
        relative: Below that folder, "reference/ref_targets.npz".

    Raises:
        unittest.SkipTest: Where it is absent; the reference arrays and sample
            pictures are not part of the repository. The environment variable
            NPPNET_SHARED names another folder.
    """
    folder = os.environ.get("NPPNET_SHARED") or REPOSITORY.parent / "shared"
    path = pathlib.Path(folder) / relative
    if not path.exists():
        raise unittest.SkipTest(
            f"{relative} is absent: no such file in {folder} "
            "(NPPNET_SHARED names the folder)"
        )
    return path


@dataclasses.dataclass(frozen=True)
class ToolResult:
    """How a tool ended.

    Attributes:
        exit_code: 0, or 2 for an error that a user can cause.
        stdout: What it wrote there.
        stderr: What it wrote there; one line where the exit code is 2.
    """

    exit_code: int
    stdout: str
    stderr: str


def run_tool(
    name: str, *arguments: object, fresh_process: bool = False
) -> ToolResult:
    """Runs `python -m tools.<name> <arguments>`.

    In this process by default, which saves importing TensorFlow again. Tools
    share names of flags, so the tool finds none of another defined, and its own
    are forgotten afterwards. An exception that it does not turn into a line, a
    bug, is raised here.

    Args:
        name: Of the tool, "derive".
        *arguments: Of the command line, turned into strings.
        fresh_process: For what changes the whole process, such as the number
            of devices, and for tests of what reaches the real stderr.
    """
    words = [str(argument) for argument in arguments]
    if fresh_process:
        return _run_in_fresh_process(name, words)
    stdout, stderr = io.StringIO(), io.StringIO()
    exit_code = 0
    with (
        forget_tools(),
        contextlib.redirect_stdout(stdout),
        contextlib.redirect_stderr(stderr),
        mock.patch.object(sys, "argv", [f"tools/{name}.py", *words]),
    ):
        try:
            runpy.run_module(f"tools.{name}", run_name="__main__")
        except SystemExit as end:
            # As the interpreter does: None is success, a text a failure.
            exit_code = end.code if isinstance(end.code, int) else 0
            if isinstance(end.code, str):
                exit_code = 1
    return ToolResult(exit_code, stdout.getvalue(), stderr.getvalue())


def _run_in_fresh_process(name: str, words: list[str]) -> ToolResult:
    completed = subprocess.run(
        [sys.executable, "-m", f"tools.{name}", *words],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
    )
    return ToolResult(completed.returncode, completed.stdout, completed.stderr)


@contextlib.contextmanager
def forget_tools() -> Iterator[None]:
    """Lets a tool find no other imported, and restores what it changes.

    Flags of libraries that it imported stay, as those do.
    """
    before = {name: flags.FLAGS[name] for name in flags.FLAGS}
    values = {name: (flag.value, flag.present) for name, flag in before.items()}
    known_modules = _take_modules()
    known_flags = _take_flags()
    try:
        yield
    finally:
        _take_flags()
        _FORGOTTEN.append(_take_modules())
        for name, module in known_modules.items():
            sys.modules[name] = module
            setattr(tools, name.removeprefix("tools."), module)
        for flag, module_name in known_flags:
            flags.DEFINE_flag(flag, module_name=module_name)
        for name, (value, present) in values.items():
            flags.FLAGS[name].value = value
            flags.FLAGS[name].present = present


def _take_modules() -> dict[str, types.ModuleType]:
    """Takes the modules of `tools` out of those that are imported."""
    names = [name for name in sys.modules if name.startswith("tools.")]
    modules = {name: sys.modules.pop(name) for name in names}
    for name in names:
        # `from . import command_line` would find it there.
        vars(tools).pop(name.removeprefix("tools."), None)
    return modules


def _take_flags() -> list[tuple[flags.Flag, str]]:
    """Takes the flags of `tools` out of those that are defined.

    With them goes the `--help` that `absltest.main` defines: tools have theirs.
    """
    found = {}
    for name in flags.FLAGS:
        module = flags.FLAGS.find_module_defining_flag(name) or ""
        is_help = flags.FLAGS[name].name in ("help", "helpfull")
        if module.startswith(("tools.", "tools/")) or is_help:
            found[name] = (flags.FLAGS[name], module)
    for name in found:
        delattr(flags.FLAGS, name)
    # A flag with a short name was found under both.
    return list({flag.name: (flag, m) for flag, m in found.values()}.values())
