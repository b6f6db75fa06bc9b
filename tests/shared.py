"""What tests share: paths outside the package and running a tool."""

import contextlib
import dataclasses
import importlib
import io
import os
import pathlib
import subprocess
import sys
import unittest
from unittest import mock

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

    In this process by default, which saves importing TensorFlow again. An
    exception that the tool does not turn into a line, a bug, is raised here.

    Args:
        name: Name of the tool, "derive".
        *arguments: Arguments of the command line, turned into strings.
        fresh_process: For what changes the whole process, such as the number
            of devices, and for tests of what reaches the real stderr.
    """
    words = [str(argument) for argument in arguments]
    if fresh_process:
        return _in_fresh_process("-m", f"tools.{name}", *words)
    stdout, stderr = io.StringIO(), io.StringIO()
    exit_code = 0
    module = importlib.import_module(f"tools.{name}")
    with (
        contextlib.redirect_stdout(stdout),
        contextlib.redirect_stderr(stderr),
        mock.patch.object(sys, "argv", [f"tools/{name}.py", *words]),
    ):
        try:
            module.main()
        except SystemExit as end:
            # As the interpreter does: None is success, a text a failure.
            exit_code = end.code if isinstance(end.code, int) else 0
            if isinstance(end.code, str):
                exit_code = 1
    return ToolResult(exit_code, stdout.getvalue(), stderr.getvalue())


def run_program(code: str) -> ToolResult:
    """Runs a few lines of Python in an interpreter of their own.

    Args:
        code: The program; what is in the repository can be imported.

    Raises:
        AssertionError: It failed; the message is what it wrote to stderr.
    """
    result = _in_fresh_process("-c", code)
    if result.exit_code:
        raise AssertionError(f"status {result.exit_code}: {result.stderr}")
    return result


def _in_fresh_process(*words: str) -> ToolResult:
    completed = subprocess.run(
        [sys.executable, *words],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
    )
    return ToolResult(completed.returncode, completed.stdout, completed.stderr)
