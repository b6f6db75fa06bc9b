"""From the words of a command line to a function, and from errors to a line.

A tool defines its flags at module level (`tool_flags`) and ends in

    def main() -> None:
        app.run(_run, FLAGS)


    if __name__ == "__main__":
        main()

so that `python -m tools.<name>` and the console script `nppnet-<name>` are the
same program. This module imports neither TensorFlow nor Keras: `--help` and
flag errors come at once.
"""

import errno
import gc
import os
import sys
from collections.abc import Callable
from collections.abc import Sequence
from typing import NoReturn

from absl import flags

# Defines `--verbosity` and its kin.
from absl import logging as _  # noqa: F401

from nppnet_tf import errors
from nppnet_tf.errors import UserError

from . import flag_files
from . import help_text
from .tool_flags import ToolFlags

SUCCESS = 0
USER_ERROR = 2
# A search that an alarm has ended, by --on_alarm=stop.
ALARMED = 3
INTERRUPTED = 130
BROKEN_PIPE = 141
TERMINATED = 143

# New objects after which Python looks for garbage. Loading TensorFlow and
# tracing make millions that stay: after 700, Python's default, a tool takes 0.4
# of its first 2.2 s for looking.
_OBJECTS_PER_COLLECTION = 10_000

# Of Linux and of Windows' subsystem for it.
_GPU_DEVICES = ("/dev/nvidiactl", "/dev/dxg")

# Command of this process, once it runs.
_command = "nppnet"

# What libraries say under errors of their own, without its number.
_NO_SPACE = os.strerror(errno.ENOSPC)


def run(
    function: Callable[[list[str]], object],
    tool: ToolFlags,
    arguments: str | None = None,
    required: Sequence[str] = (),
) -> None:
    """Checks the flags, calls `function(argv)`, turns errors into one line.

    Paths of flags are looked at before the function is called, each as its
    flag says (`ToolFlags.define_path`).

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
    left out with the pyplot that they would import. Python looks for garbage
    less often.

    Besides the tool's own flags it understands `--help`, `--helpfull`,
    `--flagfile=FILE` and `--only_check_args`, which checks the flags and ends;
    what paths lead to need not be there then.

    Args:
        function: Gets the words that are not flags, the program name first.
        tool: Flags of the tool.
        arguments: What the words that are not flags mean, for `--help`; None
            where the tool takes none, and then any such word is an error.
        required: Names of flags that have to be given.
    """
    global _command
    has_gpu = any(map(os.path.exists, _GPU_DEVICES))
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2" if has_gpu else "3")
    os.environ["KERAS_BACKEND"] = "tensorflow"
    # No folder: Keras neither finds a file there nor writes one.
    os.environ["KERAS_HOME"] = os.devnull
    # Python's mark of a module that is not there. Importing Keras takes 0.2 s
    # more with it, for what no tool uses.
    sys.modules.setdefault("matplotlib.pyplot", None)
    if gc.get_threshold()[0] < _OBJECTS_PER_COLLECTION:
        gc.set_threshold(_OBJECTS_PER_COLLECTION)
    _command = name = help_text.tool_name(function)
    words: list[str] = []
    try:
        words += flag_files.expand(sys.argv[1:])
        help_text.define(tool, function, arguments)
        argv = tool.read([*sys.argv[:1], *words])
        _check_arguments(argv, arguments)
        if not tool.only_check_args:
            tool.require_given(*required)
            tool.check_paths()
            function(argv)
        sys.stdout.flush()
        # Python would look for garbage once more, of which the process rids
        # itself by ending.
        gc.freeze()
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
        line = tool.in_flags(line)
        place = _place_of(error, words, tool)
        if place is not None:
            line = errors.shorten(f"{line} ({place})", errors.MAX_MESSAGE)
        _end(f"{name}: {line}", USER_ERROR)


def _place_of(
    error: Exception, words: Sequence[str], tool: ToolFlags
) -> str | None:
    """Returns file and line of the flag that an error is about, if in a file.

    Where errors say which flag it is, that counts, and not their text.
    """
    if isinstance(error, flags.UnrecognizedFlagError):
        return flag_files.place_of_name(words, error.flagname)
    # The text has room for a part of a long path alone.
    where = getattr(error, "where", None)
    for text in (str(error),) if where is None else (str(where), str(error)):
        place = flag_files.place_of(
            words, tool.in_flags(text), isinstance(error, flags.Error)
        )
        if place is not None:
            return place
    return None


def abandon(error: UserError) -> NoReturn:
    """Ends the process at once, whatever its main thread does.

    Args:
        error: What the line says.
    """
    sys.stderr.write(f"{_command}: {errors.printable(error)}\n")
    sys.stderr.flush()
    os._exit(USER_ERROR)


def _check_arguments(argv: list[str], arguments: str | None) -> None:
    if arguments is None and len(argv) > 1:
        raise UserError(
            "argument that is no flag",
            " ".join(map(flag_files.shown, argv[1:])),
            "only flags",
        )


def _describe(error: Exception) -> str | None:
    """Returns the line for an error of the user's making, None for a bug."""
    text = errors.printable(error)
    if isinstance(error, UserError):
        return text
    if isinstance(error, flags.Error):
        return errors.shorten(text.removeprefix("ERROR:: "), errors.MAX_MESSAGE)
    if _is_full_disk(error):
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


def _is_full_disk(error: BaseException) -> bool:
    """Whether a disk is full, by the number of the error where it has one."""
    number = getattr(error, "errno", None)
    if number is not None:
        return number == errno.ENOSPC
    if error.__cause__ is not None and _is_full_disk(error.__cause__):
        return True
    # TensorFlow and h5py report it under classes of their own.
    return _NO_SPACE in str(error)


def _end(line: str, status: int) -> NoReturn:
    try:
        sys.stdout.flush()
    except OSError:
        # It is full, or gone; Python would try again at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()
    sys.exit(status)
