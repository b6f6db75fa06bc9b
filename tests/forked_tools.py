"""Tools in processes of their own that do not import TensorFlow each.

`start` stands for `subprocess.Popen([python, "-m", module, ...])`. A server,
one for each process that runs tests, has imported TensorFlow and done nothing
with it: no operation, no context, no thread of its. For every tool it forks a
process, which runs the module as `python -m` does, with arguments, variables,
folder and streams of its own. Signals, exit statuses and waiting are those of
any child process: it is one of the process that runs the tests, which adopts
it (PR_SET_CHILD_SUBREAPER of `prctl(2)`).

What such a start cannot show needs a real one, `is_real`: how long loading
takes, what variables do that are read while TensorFlow is loaded (those are
seen here), and whether a result depends on the hashes of strings, which differ
between real processes and not between those of one server.
"""

import atexit
import ctypes
import functools
import gc
import inspect
import json
import os
import resource
import runpy
import signal
import socket
import subprocess
import sys
import time
import types
import warnings
from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any

from tests import quick_tensorflow

# Of <linux/prctl.h>.
_PR_SET_CHILD_SUBREAPER = 36

# What a test runner sets and a user's shell does not hold.
_NOT_A_USERS = ("TF_", "KERAS_", "PYTEST_", "OMP_", "TEST_", "NPPNET_TEST_")

# Variables that tools read while they run.
_READ_LATE = (
    "CUDA_VISIBLE_DEVICES",
    "NPPNET_SHARED",
    "TF_CONFIG",
    "TF_NUM_INTEROP_THREADS",
    "TF_NUM_INTRAOP_THREADS",
)

# What tools set before they import TensorFlow, where there is no GPU.
_SET_BY_TOOLS = {
    "TF_CPP_MIN_LOG_LEVEL": "3",
    "KERAS_BACKEND": "tensorflow",
    "KERAS_HOME": os.devnull,
}

_INTERPRETER = (sys.executable, "-X", "faulthandler")
_NUMBER_BYTES = 8


def environment(**changes: str) -> dict[str, str]:
    """Returns the variables of a user's shell.

    Args:
        **changes: Variables that the user has set.
    """
    plain = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(_NOT_A_USERS)
    }
    return plain | changes


_AT_START = environment()


def start(
    words: Sequence[str],
    env: Mapping[str, str],
    is_real: bool = False,
    **others: Any,
) -> subprocess.Popen:
    """Starts Python as `subprocess.Popen` does.

    Args:
        words: Behind the interpreter: "-m", a module and its arguments, or
            "-c", a program and its arguments.
        env: All variables of the process.
        is_real: Whether to start the interpreter, whatever the variables are.
        **others: Arguments of `Popen`: the folder and streams that are not
            terminals.
    """
    can_fork = not is_real and _early(env) == _early(_AT_START)
    popen = _Forked if can_fork else subprocess.Popen
    return popen([*_INTERPRETER, *words], env=env, **others)


def popen(
    words: Sequence[str], env: Mapping[str, str], **others: Any
) -> subprocess.Popen:
    """Stands for `subprocess.Popen` in code under test that starts tools.

    Args:
        words: The interpreter, and what `start` takes.
        env: All variables of the process; those that are read before a tool
            runs are this process's instead.
        **others: Arguments of `Popen`, as of `start`.
    """
    interpreter, *behind = words
    if interpreter != sys.executable:
        raise AssertionError(f"not this interpreter: {words}")
    return _Forked([*_INTERPRETER, *behind], env=env, **others)


def _early(variables: Mapping[str, str]) -> dict[str, str]:
    """Those that are read before a tool runs, or while it imports."""
    return _SET_BY_TOOLS | {
        name: value
        for name, value in variables.items()
        if not name.startswith(_READ_LATE)
    }


class _Forked(subprocess.Popen):
    """A process that the server forks; all else is as of any other."""

    def _execute_child(self, *given: Any) -> None:
        parameters = inspect.signature(subprocess.Popen._execute_child)
        found = parameters.bind(self, *given).arguments
        pairs = [("p2cread", "p2cwrite"), ("c2pread", "c2pwrite")]
        ours = [found[name] for name in ("p2cread", "c2pwrite", "errwrite")]
        self.pid = _server().fork(
            {
                "words": [
                    os.fspath(word)
                    for word in found["args"][len(_INTERPRETER) :]
                ],
                "folder": os.fspath(found["cwd"] or os.getcwd()),
                "variables": dict(found["env"]),
                **_limits(),
            },
            # This process's where no stream is given.
            [usual if file == -1 else file for usual, file in enumerate(ours)],
        )
        self._child_created = True
        pairs.append(("errread", "errwrite"))
        self._close_pipe_fds(*(found[name] for pair in pairs for name in pair))


def _limits() -> dict[str, Any]:
    """What a process hands down, besides variables and the folder."""
    mask = os.umask(0)
    os.umask(mask)
    names = [name for name in dir(resource) if name.startswith("RLIMIT_")]
    kinds = {getattr(resource, name) for name in names}
    return {
        "mask": mask,
        "cores": list(os.sched_getaffinity(0)),
        "limits": [(kind, resource.getrlimit(kind)) for kind in sorted(kinds)],
    }


class _Server:
    """The process that forks, and the connection to it."""

    def __init__(self) -> None:
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0):
            raise OSError(ctypes.get_errno(), "no subreaper")
        self._connection, theirs = socket.socketpair()
        with theirs:
            self._process = subprocess.Popen(
                [
                    *(*_INTERPRETER, "-m", __name__, str(theirs.fileno())),
                    os.environ.get("NPPNET_TEST_RUN", ""),
                ],
                cwd=os.path.dirname(os.path.dirname(__file__)),
                env=_early(_AT_START),
                pass_fds=[theirs.fileno()],
                stdout=subprocess.DEVNULL,
            )
        atexit.register(self._end)

    def _end(self) -> None:
        self._connection.close()
        self._process.wait()

    def fork(self, request: Mapping[str, Any], streams: Sequence[int]) -> int:
        """Returns the number of a process that does what is asked for."""
        text = json.dumps(request).encode()
        length = len(text).to_bytes(_NUMBER_BYTES)
        socket.send_fds(self._connection, [length], streams)
        self._connection.sendall(text)
        number = self._connection.recv(_NUMBER_BYTES, socket.MSG_WAITALL)
        if not number:
            raise AssertionError("the server has ended")
        return int.from_bytes(number)


@functools.cache
def _server() -> _Server:
    return _Server()


def _serve(connection: socket.socket, run_folder: str) -> dict[str, Any] | None:
    """Forks until the other end is closed.

    Args:
        connection: Where requests come from.
        run_folder: Folder of the test run; "" where there is none.

    Returns:
        In a forked process what it is to do; None in the server.
    """
    # As the tools do before they import it.
    sys.modules["matplotlib.pyplot"] = None
    import tensorflow  # noqa: F401

    quick_tensorflow.hasten()
    if run_folder:
        # What tools import is compiled once for all of them.
        sys.pycache_prefix = os.path.join(run_folder, "bytecode")
        sys.dont_write_bytecode = False
    # Meant for what runs the tests, which close the connection.
    # Nobody collects that at the end of a tool, which takes a second.
    gc.freeze()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    while True:
        length, streams, *_ = socket.recv_fds(connection, _NUMBER_BYTES, 3)
        if not length:
            return None
        text = connection.recv(int.from_bytes(length), socket.MSG_WAITALL)
        number = _fork_twice()
        if number is None:
            for usual, file in enumerate(streams):
                os.dup2(file, usual)
        for file in streams:
            os.close(file)
        if number is None:
            return json.loads(text)
        connection.sendall(number.to_bytes(_NUMBER_BYTES))


def _fork_twice() -> int | None:
    """Forks a process whose parent has ended, so that it is adopted.

    Returns:
        Its number; None in itself.
    """
    reading, writing = os.pipe()
    with warnings.catch_warnings():
        # Python 3.12 warns of threads; those that NumPy has outlive a fork.
        warnings.simplefilter("ignore", DeprecationWarning)
        parent = os.fork()
        if not parent:
            parent_of_tool = os.getpid()
            tool = os.fork()
            if tool:
                os.write(writing, tool.to_bytes(_NUMBER_BYTES))
                os._exit(0)
    number = os.read(reading, _NUMBER_BYTES) if parent else b""
    os.close(reading)
    os.close(writing)
    if parent:
        os.waitpid(parent, 0)
        return int.from_bytes(number)
    while os.getppid() == parent_of_tool:
        time.sleep(0.001)
    return None


def _begin(
    words: Sequence[str],
    folder: str,
    variables: Mapping[str, str],
    mask: int,
    cores: Sequence[int],
    limits: Sequence[tuple[int, tuple[int, int]]],
) -> None:
    """Makes this process what a started interpreter is, and runs it."""
    import numpy as np

    signal.signal(signal.SIGINT, signal.default_int_handler)
    os.umask(mask)
    os.sched_setaffinity(0, cores)
    for kind, values in limits:
        resource.setrlimit(kind, values)
    if resource.getrlimit(resource.RLIMIT_FSIZE)[0] != resource.RLIM_INFINITY:
        # Python keeps what it compiled even if the limit has cut it off.
        sys.dont_write_bytecode = True
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(variables)
    # Python's own generator sees to itself.
    np.random.seed()
    kind, program, *arguments = words
    if kind == "-m":
        sys.argv, sys.path[0] = [program, *arguments], folder
        runpy.run_module(program, run_name="__main__", alter_sys=True)
    else:
        sys.argv, sys.path[0] = [kind, *arguments], ""
        module = sys.modules["__main__"] = types.ModuleType("__main__")
        exec(compile(program, "<string>", "exec"), module.__dict__)


def _main() -> None:
    with socket.socket(fileno=int(sys.argv[1])) as connection:
        request = _serve(connection, sys.argv[2])
    if request is not None:
        _begin(**request)


if __name__ == "__main__":
    _main()
