"""From the words of a command line to a function, and from errors to a line.

A tool defines its flags at module level and ends in

    def main() -> None:
        app.run(_run)


    if __name__ == "__main__":
        main()

so that `python -m tools.<name>` and the console script `nppnet-<name>` are the
same program. This module imports neither TensorFlow nor Keras: `--help` and
flag errors come at once.
"""

import errno
import os
import sys
from collections.abc import Callable
from collections.abc import Sequence
from typing import NoReturn

# Defines `only_check_args`. Its `run` is of no use here: it writes the usage
# over many lines and ends with status 1.
from absl import app as _  # noqa: F401
from absl import flags

from nppnet_tf import errors
from nppnet_tf.errors import UserError

from . import checked_flags
from . import flag_files
from . import help_text
from . import tool_flags

FLAGS = flags.FLAGS

SUCCESS = 0
USER_ERROR = 2
INTERRUPTED = 130
BROKEN_PIPE = 141
TERMINATED = 143

# Of Linux and of Windows' subsystem for it.
_GPU_DEVICES = ("/dev/nvidiactl", "/dev/dxg")

_NO_SPACE = os.strerror(errno.ENOSPC)


def run(
    function: Callable[[list[str]], object],
    arguments: str | None = None,
    required: Sequence[str] = (),
) -> None:
    """Checks the flags, calls `function(argv)`, turns errors into one line.

    Paths of flags are looked at before the function is called, each as its
    flag says (`checked_flags.define_path`).

    A `UserError`, a flag error, an operating system error (missing file,
    permission, full disk) or an interrupt ends the process with one line on
    stderr and status 2 (130 for the interrupt), without a traceback. Anything
    else is a bug and keeps its traceback. Returns when the function returns.

    Sets, before anything imports TensorFlow and only where the caller has not:
    `TF_CPP_MIN_LOG_LEVEL`, so that stderr holds nothing but what went wrong:
    to 2, errors, where there is a GPU; to 3, nothing, where there is none,
    which TensorFlow takes for an error. Always sets `KERAS_BACKEND=tensorflow`,
    and `KERAS_HOME` to where nothing is: a `keras.json` of the user's, written
    for other programs, changes nothing here. Keras's galleries of pictures are
    left out with the pyplot that they would import.

    Besides the tool's own flags it understands `--help`, `--helpfull`,
    `--flagfile=FILE` and `--only_check_args`, which checks the flags and ends;
    what paths lead to need not be there then.

    Args:
        function: Gets the words that are not flags, the program name first.
        arguments: What the words that are not flags mean, for `--help`; None
            where the tool takes none, and then any such word is an error.
        required: Names of flags that have to be given.
    """
    has_gpu = any(map(os.path.exists, _GPU_DEVICES))
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2" if has_gpu else "3")
    os.environ["KERAS_BACKEND"] = "tensorflow"
    # No folder: Keras neither finds a file there nor writes one.
    os.environ["KERAS_HOME"] = os.devnull
    # Python's mark of a module that is not there. Importing Keras takes 0.2 s
    # more with it, for what no tool uses.
    sys.modules.setdefault("matplotlib.pyplot", None)
    name = tool_flags.tool_name(function)
    words: list[str] = []
    try:
        words += flag_files.expand(sys.argv[1:])
        argv = _parse_flags(function, arguments, words)
        if not FLAGS.only_check_args:
            require_given(*required)
            checked_flags.check_paths(tool_flags.own(function))
            function(argv)
        sys.stdout.flush()
    except KeyboardInterrupt:
        _end(f"{name}: interrupted", INTERRUPTED)
    except BrokenPipeError:
        # The reader of our output (`| head`) has gone; that is no failure.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(BROKEN_PIPE)
    except Exception as error:
        line = _describe(error)
        if line is None:
            raise
        is_flag_error = isinstance(error, flags.Error)
        place = flag_files.place_of(words, str(error), is_flag_error)
        if place is not None:
            line = errors.shorten(f"{line} ({place})", errors.MAX_MESSAGE)
        _end(f"{name}: {line}", USER_ERROR)


def require_given(*names: str) -> None:
    """Raises a UserError for the first of these flags that is not given."""
    for name in names:
        if not FLAGS[name].value:
            raise UserError(
                "flag is missing", f"--{name}", "a value", "nothing"
            )


def _parse_flags(
    function: Callable[..., object], arguments: str | None, words: list[str]
) -> list[str]:
    help_text.define(function, arguments)
    argv = FLAGS([*sys.argv[:1], *words])
    if arguments is None and len(argv) > 1:
        raise UserError(
            "argument that is no flag",
            " ".join(map(flag_files.shown, argv[1:])),
            "only flags",
        )
    return argv


def _describe(error: Exception) -> str | None:
    """Returns the line for an error of the user's making, None for a bug."""
    text = errors.printable(error)
    if isinstance(error, UserError):
        return text
    if isinstance(error, flags.Error):
        return errors.shorten(text.removeprefix("ERROR:: "), errors.MAX_MESSAGE)
    # TensorFlow and h5py report a full disk under classes of their own.
    if _NO_SPACE in text:
        where = getattr(error, "filename", None)
        return str(
            UserError("disk full", where, "room for the output", _NO_SPACE)
        )
    if isinstance(error, UnicodeEncodeError):
        # A library wants UTF-8; names of files may hold other bytes.
        return str(UserError("name is not UTF-8", None, "UTF-8", error.object))
    if isinstance(error, OSError):
        return str(UserError(error.strerror or text, error.filename))
    return None


def _end(line: str, status: int) -> NoReturn:
    try:
        sys.stdout.flush()
    except OSError:
        # It is full, or gone; Python would try again at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()
    sys.exit(status)
