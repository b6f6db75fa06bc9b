"""What a search or a retraining says on the screen, and when it has to stop."""

import contextlib
import signal
from collections.abc import Callable
from collections.abc import Iterator
from types import FrameType
from typing import NoReturn
from typing import Self

from nppnet_tf.errors import UserError
from nppnet_tf.reports import search_report
from nppnet_tf.training import run
from nppnet_tf.training.workdir import Workdir

from . import app
from . import console
from .progress import Progress
from .tool_flags import ToolFlags


class ConsoleReport(run.Report):
    """Says everything on the screen; SIGTERM stops the run at its next step.

    A context, within which it listens to the signal. A second SIGTERM ends the
    process at once.

    Args:
        tool: Flags of the tool, for the flag file beside the run.
        *names: Flags of no configuration that make another run of it.
    """

    stop_reason = "by SIGTERM"

    def __init__(self, tool: ToolFlags, *names: str) -> None:
        self.flags_text = tool.resolved()
        values = {name: tool[name].value for name in names}
        self.settings = {
            name: value for name, value in values.items() if value is not None
        }
        self._is_terminated = False
        self._held = contextlib.ExitStack()

    def __enter__(self) -> Self:
        before = signal.signal(signal.SIGTERM, self._note)
        self._held.callback(signal.signal, signal.SIGTERM, before)
        return self

    def __exit__(self, *error: object) -> None:
        self._held.close()

    def say(self, line: str) -> None:
        console.say(line)

    @contextlib.contextmanager
    def progress(
        self, steps: int
    ) -> Iterator[Callable[[Callable[[], str]], None]]:
        with Progress(steps, "further steps") as progress:
            yield lambda note: progress.advance(note=note)

    def draw(self, workdir: Workdir) -> None:
        search_report.write(workdir.path, workdir.report_file)

    def should_stop(self) -> bool:
        return self._is_terminated

    def abandon(self, error: UserError) -> NoReturn:
        app.abandon(error)

    def _note(self, number: int, frame: FrameType | None) -> None:
        del frame
        self._is_terminated = True
        signal.signal(number, signal.SIG_DFL)
