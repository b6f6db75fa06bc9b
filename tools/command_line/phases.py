"""Runs a long road phase by phase, so that it can stop and go on anywhere.

A phase is some commands of sibling tools, run as programs of their own, or one
function. What a phase was asked to do and the seconds it has taken stand in
`<folder>/phases/<name>.json`; a later run skips what is done, goes on with what
was begun, and refuses to mix two roads in one folder.
"""

import contextlib
import dataclasses
import json
import os
import pathlib
import shlex
import subprocess
import sys
import time
from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any
from typing import TextIO

from nppnet_tf import durations
from nppnet_tf.errors import UserError
from nppnet_tf.files import atomic
from nppnet_tf.files import folder_lock
from nppnet_tf.files import json_documents

from . import console
from . import flag_files

_SAVE_SECONDS = 2.0
_FLAG_FILE = "--flagfile="


@dataclasses.dataclass(frozen=True)
class Command:
    """One call of a sibling tool.

    Attributes:
        tool: Name of the tool, "search".
        arguments: Arguments of the tool's command line.
    """

    tool: str
    arguments: tuple[str, ...] = ()


@dataclasses.dataclass(frozen=True)
class Phase:
    """One step of the road.

    Attributes:
        name: Unique; of its record and its log.
        title: What it does, for the screen.
        commands: Run one after the other; or
        function: called, where there are none.
        settings: What else decides the result, for a function.
        outputs: Paths that the phase makes; it is run again where one is gone.
        expected_seconds: Usual time, for the time left of the whole road.
    """

    name: str
    title: str
    commands: tuple[Command, ...] = ()
    function: Callable[[], None] | None = None
    settings: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    outputs: tuple[pathlib.Path, ...] = ()
    expected_seconds: float = 10.0


@dataclasses.dataclass(frozen=True)
class _Mark:
    """What the record of a phase says."""

    settings: Mapping[str, Any]
    seconds: float
    is_done: bool


class PhaseRunner:
    """Runs phases in one folder.

    Args:
        folder: Folder of all phases; its records lie in `phases`, its logs in
            `logs`.
        package: Package of the sibling tools, "tools" or "nppnet_tf.tools".
        root: Folder that holds the package.
    """

    def __init__(
        self, folder: pathlib.Path, package: str, root: pathlib.Path
    ) -> None:
        self.folder = folder
        self.package = package
        self.root = root

    def run(self, phases: Sequence[Phase]) -> None:
        """Runs what is not done yet, in order.

        Raises:
            UserError: If a phase was begun with other settings, if a command
                fails, or if another process works in the folder.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        with folder_lock.hold(
            self.folder,
            _short(self.folder),
            "another process works in this folder",
        ):
            for phase in phases:
                self._check_settings(phase)
            for number, phase in enumerate(phases):
                where = f"[{number + 1}/{len(phases)}] {phase.title}"
                if self.is_done(phase):
                    taken = durations.in_words(self.seconds(phase))
                    console.say(f"{where}: done before, in {taken}")
                else:
                    left = self._left(phases[number:])
                    console.say(f"\n{where} ({left})")
                    self._run_phase(phase)

    def is_done(self, phase: Phase) -> bool:
        """Whether the phase has ended well and its outputs are there."""
        mark = self._read(phase)
        return (
            mark is not None
            and mark.is_done
            and all(path.exists() for path in phase.outputs)
        )

    def seconds(self, phase: Phase) -> float:
        """Seconds spent in the phase so far, over all runs."""
        mark = self._read(phase)
        return mark.seconds if mark is not None else 0.0

    def log_path(self, phase: Phase) -> pathlib.Path:
        """File that holds everything the phase's commands wrote."""
        return self.folder / "logs" / f"{phase.name}.log"

    def shown(self, command: Command) -> str:
        """Returns a command as a user types it in the working directory."""
        words = [_short(sys.executable), "-m", f"{self.package}.{command.tool}"]
        return shlex.join([*words, *map(_short_argument, command.arguments)])

    def _run_phase(self, phase: Phase) -> None:
        clock = _Clock(self.seconds(phase))
        settings = self._settings(phase)

        def save(is_done: bool = False) -> None:
            clock.saved = time.monotonic()
            self._write(phase, _Mark(settings, clock.seconds(), is_done))

        def beat() -> None:
            if time.monotonic() - clock.saved > _SAVE_SECONDS:
                save()

        save()
        try:
            for command in phase.commands:
                self._call(phase, command, beat)
            if phase.function is not None:
                _call_function(phase)
        except BaseException:
            # Also the time of a failed or interrupted attempt was spent.
            save()
            raise
        for path in phase.outputs:
            if not path.exists():
                raise UserError(
                    "a phase did not make its output", phase.name, path, None
                )
        save(is_done=True)

    def _call(
        self, phase: Phase, command: Command, beat: Callable[[], None]
    ) -> None:
        text = self.shown(command)
        console.say(f"$ {text}")
        log_path = self.log_path(phase)
        log_path.parent.mkdir(parents=True, exist_ok=True)
        with open(log_path, "a", encoding="utf-8") as log:
            log.write(f"$ {text}\n")
            status, last = self._stream(command, log, beat)
        if status != 0:
            raise UserError(
                f"phase {phase.name} failed",
                text,
                "exit status 0",
                f"{status} ({last}); all it wrote: {_short(log_path)}",
            )

    def _stream(
        self, command: Command, log: TextIO, beat: Callable[[], None]
    ) -> tuple[int, str]:
        """Runs a command, shows and logs its lines; returns status and last."""
        last = "no output"
        module = f"{self.package}.{command.tool}"
        with _child(
            [sys.executable, "-m", module, *command.arguments],
            self._environment(),
        ) as process:
            for line in process.stdout:
                line = line.rstrip()
                console.say(f"  {line}")
                log.write(f"{line}\n")
                last = line or last
                beat()
        return process.returncode, last

    def _environment(self) -> dict[str, str]:
        paths = [str(self.root), os.environ.get("PYTHONPATH", "")]
        return {
            **os.environ,
            "PYTHONPATH": os.pathsep.join(path for path in paths if path),
            "PYTHONUNBUFFERED": "1",
        }

    def _settings(self, phase: Phase) -> dict[str, Any]:
        """What decides the result, without where the folder lies."""
        commands = [
            [command.tool, *self._expanded(command.arguments)]
            for command in phase.commands
        ]
        # Through JSON, so that it compares with what a record holds.
        return json.loads(
            json.dumps({"commands": commands, **phase.settings}, default=str)
        )

    def _expanded(self, arguments: Sequence[str]) -> list[str]:
        """Arguments with the contents of flag files in their place."""
        words = []
        for argument in arguments:
            if argument.startswith(_FLAG_FILE):
                words += flag_files.lines(argument.removeprefix(_FLAG_FILE))
            else:
                words.append(argument.replace(str(self.folder), "<folder>"))
        return words

    def _check_settings(self, phase: Phase) -> None:
        mark = self._read(phase)
        if mark is None:
            return
        settings = self._settings(phase)
        if mark.settings != settings:
            raise UserError(
                f"settings of phase {phase.name} have changed since it ran",
                _short(self._mark_path(phase)),
                _difference(mark.settings, settings),
                f"{_difference(settings, mark.settings)}; start another "
                "folder, or delete this one",
            )

    def _left(self, phases: Sequence[Phase]) -> str:
        expected = [phase.expected_seconds for phase in phases]
        first = durations.in_words(expected[0])
        whole = durations.in_words(sum(expected))
        return f"usually {first}; {whole} to the end"

    def _mark_path(self, phase: Phase) -> pathlib.Path:
        return self.folder / "phases" / f"{phase.name}.json"

    def _read(self, phase: Phase) -> _Mark | None:
        path = self._mark_path(phase)
        if not path.exists():
            return None
        data = json_documents.require(
            json_documents.read(path), "an object", path, "record of a phase"
        )
        kinds = {
            "settings": "an object",
            "seconds": "a number",
            "is_done": "true or false",
        }
        return _Mark(
            *(
                json_documents.require(data.get(name), kind, path, name)
                for name, kind in kinds.items()
            )
        )

    def _write(self, phase: Phase, mark: _Mark) -> None:
        text = json.dumps(dataclasses.asdict(mark), indent=1)
        atomic.write_text(self._mark_path(phase), text + "\n")


def runner_of_tools(folder: pathlib.Path) -> PhaseRunner:
    """Returns a runner of the tools that this package belongs to.

    Args:
        folder: Folder of the road.
    """
    package = __package__.rpartition(".")[0]
    folders = pathlib.Path(__file__).absolute().parents
    return PhaseRunner(folder, package, folders[2 + package.count(".")])


class _Clock:
    """Seconds of a phase, those of earlier runs included."""

    def __init__(self, before: float) -> None:
        self._before = before
        self._start = time.monotonic()
        self.saved = self._start

    def seconds(self) -> float:
        return self._before + time.monotonic() - self._start


@contextlib.contextmanager
def _child(
    words: Sequence[str], environment: Mapping[str, str]
) -> Iterator[subprocess.Popen]:
    """Runs a program; ends it when the block is left early."""
    process = subprocess.Popen(
        words,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    )
    try:
        with process:
            try:
                yield process
            except BaseException:
                process.terminate()
                raise
    finally:
        process.wait()


def _call_function(phase: Phase) -> None:
    try:
        phase.function()
    except UserError as error:
        raise UserError(f"phase {phase.name} failed", found=error) from error


def _difference(wanted: Mapping[str, Any], other: Mapping[str, Any]) -> str:
    """What the first settings say and the second do not."""
    here, there = _words(wanted), set(_words(other))
    found = [word for word in here if word not in there]
    return " ".join(found) or "nothing more"


def _words(settings: Mapping[str, Any]) -> list[str]:
    words = []
    for key, value in settings.items():
        if key == "commands":
            words += [word for command in value for word in command]
        else:
            words.append(f"{key}={json.dumps(value)}")
    return words


def _short(path: str | os.PathLike) -> str:
    """Path from the working directory where it lies below that."""
    absolute = os.path.abspath(path)
    relative = os.path.relpath(absolute)
    return absolute if relative.startswith(os.pardir) else relative


def _short_argument(argument: str) -> str:
    """Shortens every path in `--flag=PATH` or `--flag=PATH,PATH`."""
    flag, separator, value = argument.partition("=")
    if not separator:
        return _short(argument) if argument.startswith(os.sep) else argument
    parts = [
        _short(part) if part.startswith(os.sep) else part
        for part in value.split(",")
    ]
    return f"{flag}={','.join(parts)}"
