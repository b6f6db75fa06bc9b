"""Runs tools as users run them, and draws the data they run on."""

import contextlib
import dataclasses
import pathlib
import resource
import signal
import subprocess
from collections.abc import Iterator
from collections.abc import Sequence

from tests import forked_tools
from tests import made_once
from tests import shared

# Longer than any of these tools takes on a busy machine.
PATIENCE_SECONDS = 480

# A network that steps in tenths of seconds; with --genotype=unet it is made and
# traced in a third of the time that the baseline takes.
TINY = (
    "--image_size=64",
    "--channels=16",
    "--cells=4",
    "--num_fusion_cells=1",
    "--batch_size=2",
    "--picture_every=0",
    "--report_every=0",
)


# The variables of a user's shell, and those that the user has set.
environment = forked_tools.environment


@dataclasses.dataclass(frozen=True)
class Drawn:
    """Drawn people as a LIP folder and as records.

    Attributes:
        lip: Folder of LIP's layout.
        train: Records to train on, 8 people.
        validation: Records of 4 others.
    """

    lip: pathlib.Path
    train: pathlib.Path
    validation: pathlib.Path


def start(
    tool: str, *arguments: object, is_real: bool = False, **variables: str
) -> subprocess.Popen[str]:
    """Starts `python -m tools.<tool>` and returns the running process.

    Args:
        tool: Name of the tool.
        *arguments: Arguments of the command line.
        is_real: Whether the interpreter is started; by default the process is
            forked (`forked_tools`), where the variables permit.
        **variables: Variables of the environment, besides a plain shell's.
    """
    words = [str(argument) for argument in arguments]
    return start_python(["-m", f"tools.{tool}", *words], is_real, **variables)


def start_tiny(
    tool: str, *arguments: object, **variables: str
) -> subprocess.Popen[str]:
    """Starts a tool whose network is a stand-in (`tiny_tools`).

    Args:
        tool: Name of the tool, "train" or "search".
        *arguments: Arguments of the command line.
        **variables: Variables of the environment, besides a plain shell's.
    """
    words = [tool, *map(str, arguments)]
    return start_python(
        ["-m", "tests.user_paths.tiny_tools", *words], **variables
    )


def start_python(
    words: Sequence[str], is_real: bool = False, **variables: str
) -> subprocess.Popen[str]:
    """Starts Python in the repository.

    Args:
        words: "-m" and a module, or "-c" and a program; then arguments.
        is_real: Whether it is not forked, see `start`.
        **variables: Variables besides a plain shell's.
    """
    return forked_tools.start(
        words,
        environment(**variables),
        is_real,
        cwd=shared.REPOSITORY,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        errors="backslashreplace",
    )


def finish(
    process: subprocess.Popen[str], seconds: float = PATIENCE_SECONDS
) -> shared.ToolResult:
    """Waits for a started tool; one that stands still fails the test.

    Args:
        process: Process that `start` has returned.
        seconds: How long to wait.

    Raises:
        AssertionError: It has not ended; with the stacks of its threads.
    """
    try:
        stdout, stderr = process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        # Of `-X faulthandler`: the stacks go to stderr, the process ends.
        process.send_signal(signal.SIGABRT)
        stdout, stderr = process.communicate()
        raise AssertionError(
            f"not ended after {seconds} s: {stdout[-1000:]}\n{stderr[:8000]}"
        ) from None
    return shared.ToolResult(process.returncode, stdout, stderr)


def end(process: subprocess.Popen[str]) -> None:
    """Ends a started tool that is still running, without a word."""
    if process.poll() is None:
        process.kill()
        process.communicate()


def run(
    tool: str,
    *arguments: object,
    seconds: float = PATIENCE_SECONDS,
    is_real: bool = False,
    **variables: str,
) -> shared.ToolResult:
    """Runs a tool to its end; arguments as of `start` and `finish`."""
    process = start(tool, *arguments, is_real=is_real, **variables)
    return finish(process, seconds)


@contextlib.contextmanager
def largest_file(size: int) -> Iterator[None]:
    """Lets processes that start in the block write no larger file."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, limits[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)


def run_well(
    tool: str, *arguments: object, is_real: bool = False
) -> shared.ToolResult:
    """Runs a tool that must end with status 0 and say nothing on stderr."""
    result = run(tool, *arguments, is_real=is_real)
    if result.exit_code or result.stderr:
        raise AssertionError(
            f"tools.{tool} ended with {result.exit_code}: {result.stderr}"
        )
    return result


def drawn() -> Drawn:
    """Returns drawn people; the processes of one test run draw them once."""
    return _drawn_in(made_once.folder("drawn", _draw))


def _draw(folder: pathlib.Path) -> None:
    found = _drawn_in(folder)
    run_well(
        "draw_people",
        f"--root={found.lip}",
        "--train=8",
        "--val=4",
        "--height=96",
        "--width=72",
        is_real=True,
    )
    for split, output in (("train", found.train), ("val", found.validation)):
        run_well(
            "build_records",
            "--dataset=lip",
            f"--root={found.lip}",
            f"--split={split}",
            f"--output={output}",
        )


def _drawn_in(folder: pathlib.Path) -> Drawn:
    return Drawn(
        folder / "lip", folder / "records" / "train", folder / "records" / "val"
    )
