"""What every command line shares: flags, errors in one line, output, progress.

A tool defines its flags at module level and ends in

    def main() -> None:
        command_line.run(_run)


    if __name__ == "__main__":
        main()

so that `python -m tools.<name>` and the console script `nppnet-<name>` are the
same program. This module imports neither TensorFlow nor Keras: `--help` and
flag errors come at once.
"""

import dataclasses
import errno
import os
import pathlib
import shutil
import stat
import sys
import time
from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Sequence
from types import TracebackType
from typing import TYPE_CHECKING
from typing import NoReturn
from typing import Self
from typing import TypeVar

# Defines `only_check_args`. Its `run` is of no use here: it writes the usage
# over many lines and ends with status 1.
from absl import app as _  # noqa: F401
from absl import flags

from nppnet_tf import errors
from nppnet_tf import json_documents
from nppnet_tf.config import NetworkConfig
from nppnet_tf.data import descriptors
from nppnet_tf.data import manifest
from nppnet_tf.errors import UserError
from nppnet_tf.search_space import genotype
from nppnet_tf.search_space import published
from nppnet_tf.search_space import topology

from . import checked_flags
from . import flag_files

if TYPE_CHECKING:
    import tqdm

Item = TypeVar("Item")

FLAGS = flags.FLAGS

SUCCESS = 0
USER_ERROR = 2
INTERRUPTED = 130
BROKEN_PIPE = 141
TERMINATED = 143

# Of Linux and of Windows' subsystem for it.
_GPU_DEVICES = ("/dev/nvidiactl", "/dev/dxg")

_NO_SPACE = os.strerror(errno.ENOSPC)
_STDOUT = "standard output"

# What a run and a SavedModel are known by.
_NETWORK = "network.json"
_SAVED_MODEL = "saved_model.pb"


def say(text: object = "") -> None:
    """Writes one line to stdout, at once.

    What stdout cannot take (bytes of file names that are no text, letters that
    its encoding lacks, characters that steer a terminal) is written as escapes.
    """
    encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
    shown = errors.escaped(str(text)).encode(encoding, "backslashreplace")
    try:
        print(shown.decode(encoding), flush=True)
    except OSError as error:
        error.filename = error.filename or _STDOUT
        raise


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
    name = _tool_name(function)
    words: list[str] = []
    try:
        words += flag_files.expand(sys.argv[1:])
        argv = _parse_flags(function, arguments, words)
        if not FLAGS.only_check_args:
            require_given(*required)
            checked_flags.check_paths(_own_flags(function))
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


def require_file(
    path: str | os.PathLike[str] | None, flag: str
) -> pathlib.Path:
    """Returns the path of a file that exists.

    Args:
        path: Value of the flag.
        flag: Its name as the user types it, `--genotype`.

    Raises:
        UserError: If it is not given, missing, or not a file.
    """
    found = _require_path(path, flag, "a file")
    if not found.is_file():
        raise UserError("not a file", f"{flag}={path}", "a file", _kind(found))
    return found


def require_folder(
    path: str | os.PathLike[str] | None, flag: str
) -> pathlib.Path:
    """Returns the path of a folder that exists and is not empty.

    Args:
        path: Value of the flag.
        flag: Its name as the user types it, `--records`.

    Raises:
        UserError: If it is not given, missing, not a folder, or empty.
    """
    found = _require_path(path, flag, "a folder")
    if not found.is_dir():
        raise UserError(
            "not a folder", f"{flag}={path}", "a folder", _kind(found)
        )
    if not any(found.iterdir()):
        raise UserError(
            "empty folder", f"{flag}={path}", "a folder with files", "nothing"
        )
    return found


def require_run(path: str | os.PathLike[str] | None, flag: str) -> pathlib.Path:
    """Returns the path of a folder that says what network it holds.

    Only what comes at once is looked at, before anything loads TensorFlow.

    Args:
        path: Value of the flag.
        flag: Its name as the user types it, `--run`.

    Raises:
        UserError: As `require_folder`, or there is no description of a
            network, or one that is no JSON object or of a size that no
            network has.
    """
    folder = require_folder(path, flag)
    description = folder / _NETWORK
    if not description.is_file():
        raise UserError(
            "no run with a network",
            f"{flag}={path}",
            f"{_NETWORK} in it",
            "none",
        )
    document = json_documents.require(
        json_documents.read(description), "an object", description, "document"
    )
    _check_size(document.get("config"), description)
    return folder


def _check_size(config: object, description: pathlib.Path) -> None:
    """Refuses a size that would take hours to build; other forms are later."""
    fields = {field.name for field in dataclasses.fields(NetworkConfig)}
    if isinstance(config, dict) and fields <= config.keys():
        place = f"{description}, ".replace("{", "{{").replace("}", "}}")
        sizes = NetworkConfig(**{name: config[name] for name in fields})
        topology.check_sizes(sizes, place=place + "{}")


def require_model(
    path: str | os.PathLike[str] | None, flag: str
) -> pathlib.Path:
    """Returns the path of a run with a network, or of a SavedModel.

    Arguments and errors as of `require_run`.
    """
    folder = require_folder(path, flag)
    if (folder / _NETWORK).exists():
        return require_run(path, flag)
    saved = [
        folder / _SAVED_MODEL,
        *(c / _SAVED_MODEL for c in folder.iterdir()),
    ]
    if not any(map(os.path.exists, saved)):
        raise UserError(
            "neither a run nor a SavedModel",
            f"{flag}={path}",
            f"{_NETWORK} or {_SAVED_MODEL} in it",
            "neither",
        )
    return folder


def require_records(
    path: str | os.PathLike[str] | None, flag: str
) -> pathlib.Path:
    """Returns the path of a folder of records whose manifest is sound.

    Args:
        path: Value of the flag.
        flag: Its name as the user types it, `--records`.

    Raises:
        UserError: As `require_folder` and `manifest.read`.
    """
    folder = require_folder(path, flag)
    if not os.path.lexists(folder / manifest.MANIFEST):
        raise UserError(
            "not a folder of records",
            f"{flag}={path}",
            f"{manifest.MANIFEST} in it, as build_records makes",
            "none",
        )
    manifest.read(folder)
    return folder


def require_genotype(path: str, flag: str) -> None:
    """Refuses what is neither the name of a genotype nor a file of one.

    Args:
        path: Value of the flag.
        flag: Its name as the user types it, `--genotype`.

    Raises:
        UserError: As `require_file`, or the file holds no genotype.
    """
    if path not in published.NAMES:
        genotype.load(require_file(path, flag))


def require_descriptor(path: str, flag: str) -> None:
    """Refuses what is neither the name of a descriptor nor a file of one.

    Arguments and errors as of `require_genotype`.
    """
    if path not in descriptors.names():
        descriptors.load(require_file(path, flag))


def require_new_folder(
    path: str | os.PathLike[str] | None, flag: str
) -> pathlib.Path:
    """Returns the path of a folder for output; makes nothing.

    Args:
        path: Value of the flag.
        flag: Its name as the user types it, `--workdir`.

    Raises:
        UserError: If it is not given, is a file, or cannot be made or written.
    """
    folder = _given(path, flag, "a folder")
    where = f"{flag}={path}"
    mode = _mode(folder, where)
    if mode is None:
        return require_place(path, flag)
    if not stat.S_ISDIR(mode):
        raise UserError("not a folder", where, "a folder", _kind(folder))
    if not os.access(folder, os.W_OK | os.X_OK):
        raise UserError(
            "cannot write into the folder", where, "write permission", "none"
        )
    return folder


def new_folder(path: str | os.PathLike[str] | None, flag: str) -> pathlib.Path:
    """Returns the path of a folder for output, made where it is missing.

    Args:
        path: Value of the flag.
        flag: Its name as the user types it, `--workdir`.

    Raises:
        UserError: If it is not given, is a file, or cannot be made or written.
    """
    folder = require_new_folder(path, flag)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(
            "cannot make the folder",
            f"{flag}={path}",
            "a place that can be written",
            error.strerror,
        ) from error
    return folder


def new_file(
    path: str | os.PathLike[str] | None,
    flag: str,
    inputs: Iterable[str | os.PathLike[str] | None] = (),
    is_replaceable: Callable[[pathlib.Path], bool] | None = None,
) -> pathlib.Path:
    """Returns the path of a file for output, sure before the work begins.

    Args:
        path: Value of the flag.
        flag: Its name as the user types it, `--output`.
        inputs: Files and folders that the tool reads, none of which may be
            lost; those that were not given are None or empty.
        is_replaceable: Tells of a file inside an input folder whether it is an
            earlier output, no input. Without it none is.

    Raises:
        UserError: If it is not given, is a folder or a device, lies where
            nothing can be written, or is one of the inputs.
    """
    output = require_place(path, flag, "a file")
    where = f"{flag}={path}"
    mode = _mode(output, where)
    if mode is not None and not stat.S_ISREG(mode):
        raise UserError("not a file", where, "a file", _kind(output))
    for given in filter(None, inputs):
        if _is_input(output, pathlib.Path(given)) and not (
            pathlib.Path(given).is_dir()
            and is_replaceable
            and is_replaceable(output)
        ):
            raise UserError(
                "output would replace an input", where, "another file", given
            )
    return output


def require_place(
    path: str | os.PathLike[str] | None, flag: str, expected: str = "a folder"
) -> pathlib.Path:
    """Returns the path of an output for which there is a place; makes nothing.

    Args:
        path: Value of the flag.
        flag: Its name as the user types it, `--output`.
        expected: What will be made there.

    Raises:
        UserError: If it is not given, a link to nothing, or lies where nothing
            can be written.
    """
    place = _given(path, flag, expected)
    where = f"{flag}={path}"
    _refuse_lost_link(place, flag)
    _mode(place, where)
    parents = place.absolute().parents
    parent = next((p for p in parents if os.path.lexists(p)), place)
    if not parent.is_dir() or not os.access(parent, os.W_OK | os.X_OK):
        raise UserError(
            "cannot write there", where, "a folder that can be written", parent
        )
    return place


def resolved_flags(function: Callable[..., object]) -> str:
    """Returns the flags of one tool with their values, as a flag file.

    Args:
        function: Any function of the tool's own module.
    """
    lines = [
        flag.serialize()
        for flag in _own_flags(function)
        if flag.value is not None
    ]
    return "".join(f"{line}\n" for line in sorted(lines) if line)


class Progress:
    """Tells how far a phase is and when it will end.

    On a terminal there is a bar, tqdm's. Elsewhere, where tqdm would write its
    bar over and over, a line is written every `interval_seconds`, the first and
    the last one always.

    Args:
        total: Steps of the phase, or None where nobody knows.
        label: The phase, "drawing people".
        interval_seconds: Time between two lines where there is no terminal.
        clock: Seconds that only grow.

    Example:
        with Progress(len(paths), "reading") as progress:
            for path in paths:
                read(path)
                progress.advance()

        for path in Progress(len(paths), "reading").over(paths):
            read(path)
    """

    def __init__(
        self,
        total: int | None,
        label: str,
        interval_seconds: float = 10.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.total = total
        self.label = label
        self.count = 0
        self._clock = clock
        self._interval = interval_seconds
        self._bar: tqdm.tqdm | None = None
        self._start = clock()
        self._next_report = self._start

    def __enter__(self) -> Self:
        self._start = self._clock()
        self._next_report = self._start + self._interval
        if sys.stdout.isatty():
            self._bar = _bar(self.total, self.label)
        else:
            say(self.text())
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._bar is not None:
            self._bar.close()
        elif kind is None:
            say(self.text())

    def advance(self, count: int = 1, note: str = "") -> None:
        """Counts steps that are done.

        Args:
            count: How many.
            note: What to write behind the time, "loss 1.234".
        """
        self.count += count
        now = self._clock()
        if self._bar is not None:
            self._bar.set_postfix_str(note, refresh=False)
            self._bar.update(count)
        elif now >= self._next_report:
            self._next_report = now + self._interval
            say(self.text(note))

    def over(self, items: Iterable[Item]) -> Iterator[Item]:
        """Yields the items and counts each when the next is asked for."""
        with self:
            for item in items:
                yield item
                self.advance()

    def text(self, note: str = "") -> str:
        """Returns the line: label, count, time gone, time left, note."""
        gone = self._clock() - self._start
        steps = str(self.count)
        times = f"{format_seconds(gone)} gone"
        if self.total is not None:
            steps = f"{self.count}/{self.total}"
            if 0 < self.count < self.total:
                left = gone / self.count * (self.total - self.count)
                times = f"{times}, {format_seconds(left)} left"
        line = f"{self.label}: {steps} ({times})"
        return f"{line} {note}" if note else line


def _bar(total: int | None, label: str) -> "tqdm.tqdm":
    """A bar on stdout, without colors and without a thread of its own.

    rich draws finer ones, but hides the cursor, which stays hidden where a
    process is killed.
    """
    import tqdm

    tqdm.tqdm.monitor_interval = 0
    times = "{elapsed} gone"
    if total is not None:
        times += ", {remaining} left"
    # tqdm draws nothing on a terminal that does not know its size.
    width, height = shutil.get_terminal_size()
    return tqdm.tqdm(
        desc=label,
        total=total,
        file=sys.stdout,
        mininterval=0.2,
        ncols=width,
        nrows=height,
        bar_format="{desc}: {n_fmt}"
        + ("/{total_fmt} |{bar}|" if total is not None else "")
        + f" ({times}{{postfix}})",
    )


def format_seconds(seconds: float) -> str:
    """Returns a duration as "42 s", "3:05 min" or "1:02:03 h"."""
    whole = round(seconds)
    hours, rest = divmod(whole, 3600)
    minutes, left = divmod(rest, 60)
    if hours:
        return f"{hours}:{minutes:02d}:{left:02d} h"
    if minutes:
        return f"{minutes}:{left:02d} min"
    return f"{left} s"


class _HelpFlag(flags.BooleanFlag):
    """Writes a text and ends as soon as the flag is seen.

    Abseil's own does so too, but takes the flags of the process's main module
    for those of the tool, which are none in a console script, and ends with
    status 1.
    """

    def __init__(
        self,
        name: str,
        help_text: str,
        make_text: Callable[[], str],
        short_name: str | None = None,
    ) -> None:
        self.make_text = make_text
        super().__init__(
            name, False, help_text, short_name, allow_override=True
        )

    def parse(self, argument: object) -> None:
        """Acts while parsing: a required flag may still be missing."""
        if self._parse(argument):
            say(self.make_text())
            sys.exit(SUCCESS)


def _parse_flags(
    function: Callable[..., object], arguments: str | None, words: list[str]
) -> list[str]:
    _define_help(function, arguments)
    argv = FLAGS([*sys.argv[:1], *words])
    if arguments is None and len(argv) > 1:
        raise UserError(
            "argument that is no flag",
            " ".join(map(flag_files.shown, argv[1:])),
            "only flags",
        )
    return argv


def _define_help(
    function: Callable[..., object], arguments: str | None
) -> None:
    def own() -> str:
        return _help_text(function, arguments)

    def full() -> str:
        return f"{own()}\n{FLAGS.get_help()}"

    for flag in (
        _HelpFlag("help", "Says what the tool does and its flags.", own, "h"),
        _HelpFlag("helpfull", "The same, with the flags of libraries.", full),
    ):
        flags.DEFINE_flag(flag, module_name=__name__)


def _help_text(function: Callable[..., object], arguments: str | None) -> str:
    description = function.__globals__.get("__doc__") or ""
    words = [_tool_name(function), "[flags]", arguments or ""]
    parts = [description.strip(), f"usage: {' '.join(words).strip()}", "flags:"]
    for flag in sorted(_own_flags(function), key=lambda flag: flag.name):
        parts.append(_flag_help(flag))
    parts.append("  --flagfile=FILE\n    Reads flags from a file.")
    parts.append("  --helpfull\n    Also lists the flags of libraries.")
    return "\n\n".join(parts[:3]) + "\n" + "\n".join(parts[3:])


def _flag_help(flag: flags.Flag) -> str:
    default = ""
    if flag.default not in (None, []):
        default = f" Default: {_shown(flag)}."
    syntactic = flag.parser.syntactic_help if flag.parser else ""
    kind = f" ({syntactic})" if syntactic else ""
    prefix = "[no]" if flag.boolean else ""
    text = flags.text_wrap(
        f"{(flag.help or '').rstrip()}{kind}{default}", indent="    "
    )
    return f"  --{prefix}{flag.name}\n{text}"


def _shown(flag: flags.Flag) -> str:
    """Returns the default of a flag as a user may type it."""
    if flag.boolean or flag.serializer is None:
        return str(flag.default)
    return flag.serializer.serialize(flag.default)


def _own_flags(function: Callable[..., object]) -> list[flags.Flag]:
    """Returns the flags of the tool and of its siblings, not of libraries."""
    module_name = function.__module__
    own = {module_name, sys.argv[0] if module_name == "__main__" else ""}
    package = __name__.rpartition(".")[0] + "."
    return [
        flag
        for module, module_flags in FLAGS.flags_by_module_dict().items()
        for flag in module_flags
        if module in own or (module.startswith(package) and module != __name__)
    ]


def _tool_name(function: Callable[..., object]) -> str:
    # Of a tool run by `runpy` the module `__main__` is another.
    specification = function.__globals__.get("__spec__")
    if specification is not None:
        full_name = specification.name
    else:
        full_name = pathlib.Path(sys.argv[0]).stem
    return f"nppnet-{full_name.removesuffix('.__main__').rpartition('.')[2]}"


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


def _given(
    path: str | os.PathLike[str] | None, flag: str, expected: str
) -> pathlib.Path:
    if path is None or not os.fspath(path):
        raise UserError("flag is missing", flag, expected, "nothing")
    return pathlib.Path(path)


def _refuse_lost_link(path: pathlib.Path, flag: str) -> None:
    """Refuses a link whose target is missing, or that leads to itself."""
    where = f"{flag}={path}"
    for part in (path, *path.parents):
        if os.path.islink(part) and _mode(part, where) is None:
            raise UserError(
                "link to nothing",
                where,
                "a link to what is there",
                os.readlink(part),
            )


def _mode(path: pathlib.Path, where: str) -> int | None:
    """Kind and permissions of a file, None where there is none."""
    try:
        return path.stat().st_mode
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise UserError(
            "cannot be used",
            where,
            "a path of this system",
            getattr(error, "strerror", None) or error,
        ) from error


def _kind(path: pathlib.Path) -> str:
    if path.is_file():
        return "a file"
    return "a folder" if path.is_dir() else "a device or pipe"


def _is_input(output: pathlib.Path, given: pathlib.Path) -> bool:
    """Whether an output is a given file, or lies in a given folder already."""
    if not output.exists() or not given.exists():
        return False
    if output.samefile(given):
        return True
    return given.is_dir() and output.resolve().is_relative_to(given.resolve())


def _require_path(
    path: str | os.PathLike[str] | None, flag: str, expected: str
) -> pathlib.Path:
    given = _given(path, flag, expected)
    where = f"{flag}={path}"
    if _mode(given, where) is None:
        raise UserError("not found", where, expected, "nothing")
    return given
