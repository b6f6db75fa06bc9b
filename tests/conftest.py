"""What pytest needs before any test module runs an operation."""

import atexit
import gc
import os
import shutil
import signal
import tempfile

import pytest
from absl import flags

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ["KERAS_BACKEND"] = "tensorflow"

# Processes that are compared bit by bit must divide sums alike; by themselves
# the tools take other numbers of threads if they come first
# (`distribution.share_cores`).
os.environ["TF_NUM_INTRAOP_THREADS"] = "0"
os.environ["TF_NUM_INTEROP_THREADS"] = "0"

# What a graph is made of stays: to look through it for garbage every 700
# objects, Python's default, takes a tenth of the time of tests that trace.
gc.set_threshold(50_000, 20, 20)

# `create_tempdir` empties a folder that it names by class and method: equal
# names in two workers, or in two runs at once, would meet in one folder.
os.environ["TEST_TMPDIR"] = tempfile.mkdtemp(prefix="nppnet_test_")
atexit.register(shutil.rmtree, os.environ["TEST_TMPDIR"], ignore_errors=True)

# A shell that starts the tests in the background has them ignore interrupts,
# and all that they start: tools would not end as at a terminal.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# What workers share: the folder of the process that started them.
os.environ.setdefault("NPPNET_TEST_RUN", os.environ["TEST_TMPDIR"])

from tests import quick_tensorflow  # noqa: E402
from tests import two_replicas  # noqa: E402, F401  (configures on import)

quick_tensorflow.hasten()

# What was imported is no garbage; to look through it takes a second at the end.
gc.freeze()

# `create_tempdir` reads a flag of absltest; pytest parses no abseil flags.
flags.FLAGS.mark_as_parsed()


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """One more than there are cores: some tests wait for others' processes."""
    return len(os.sched_getaffinity(0)) + 1


def pytest_collection_modifyitems(items) -> None:
    """Puts what takes longest first, so that no worker ends with it alone."""
    items.sort(key=lambda item: "user_paths" not in item.nodeid)
