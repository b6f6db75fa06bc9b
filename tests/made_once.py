"""What the processes of one test run make once and share."""

import fcntl
import os
import pathlib
import shutil
from collections.abc import Callable


def folder(name: str, make: Callable[[pathlib.Path], object]) -> pathlib.Path:
    """Returns a folder that the first process to ask for it has made.

    Args:
        name: Name of the folder; the same for the same content.
        make: Makes it at a path, where nothing is.
    """
    place = pathlib.Path(os.environ["NPPNET_TEST_RUN"]) / name
    done = place.with_name(f"{name}.done")
    with open(place.with_name(f"{name}.lock"), "w") as lock:
        # Given back by the kernel where its maker fails.
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not done.exists():
            shutil.rmtree(place, ignore_errors=True)
            make(place)
            done.touch()
    return place
