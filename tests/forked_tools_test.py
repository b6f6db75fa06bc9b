"""Tests of tests.forked_tools: a forked tool is as one that was started."""

import json
import os
import pathlib
import resource
import signal
import subprocess
import sys

from absl.testing import absltest

from tests import forked_tools

# What a program finds around it.
_TELL = """
import faulthandler, json, os, resource, signal, sys
json.dump(
    [
        sys.argv, sys.path, sys.flags.optimize, os.getcwd(), dict(os.environ),
        os.getppid(), __name__, sys.stdin.read(), sys.stdout.encoding,
        sys.stdout.line_buffering, faulthandler.is_enabled(),
        [str(signal.getsignal(each)) for each in signal.valid_signals()],
        sorted(os.listdir("/proc/self/fd")),
        resource.getrlimit(resource.RLIMIT_FSIZE), os.umask(0),
        list(os.sched_getaffinity(0)),
    ],
    sys.stdout,
)
sys.stderr.write("of stderr\\n")
raise SystemExit("the end")
"""

# What TensorFlow has done so far, and numbers of no seed.
_UNUSED = """
import json, os, random, sys
import numpy as np
threads = os.listdir("/proc/self/task")
import tensorflow as tf
tf.config.set_logical_device_configuration(
    tf.config.list_physical_devices("CPU")[0],
    [tf.config.LogicalDeviceConfiguration()] * 3,
)
tf.config.threading.set_intra_op_parallelism_threads(1)
numbers = random.random(), np.random.rand(), float(tf.random.uniform([]))
devices = tf.config.list_logical_devices("CPU")
json.dump([len(threads), len(devices), numbers], sys.stdout)
"""


class ForkedToolsTest(absltest.TestCase):
    def setUp(self):
        super().setUp()
        self.folder = pathlib.Path(self.create_tempdir().full_path).resolve()

    def _start(self, *words, is_real=False, **variables):
        process = forked_tools.start(
            words,
            forked_tools.environment(**variables),
            is_real,
            cwd=self.folder,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.addCleanup(process.communicate)
        self.addCleanup(process.kill)
        return process

    def _restrict(self):
        """Gives this process what it hands down."""
        kind = resource.RLIMIT_FSIZE
        soft, hard = resource.getrlimit(kind)
        self.addCleanup(resource.setrlimit, kind, (soft, hard))
        resource.setrlimit(kind, (1 << 20, hard))
        self.addCleanup(os.umask, os.umask(0o77))
        cores = os.sched_getaffinity(0)
        self.addCleanup(os.sched_setaffinity, 0, cores)
        os.sched_setaffinity(0, {min(cores)})

    def test_what_a_limit_cuts_off_is_not_kept_as_compiled(self):
        program = "import sys; sys.exit(sys.dont_write_bytecode)"
        found = [self._start("-c", program).wait()]
        self._restrict()
        found.append(self._start("-c", program).wait())

        self.assertEqual(found, [False, True])

    def test_a_program_finds_what_it_would_after_a_real_start(self):
        found = []
        self._restrict()
        for is_real in (False, True):
            process = self._start(
                *("-c", _TELL, "\udcff", "--flag"),
                is_real=is_real,
                TF_CONFIG="of this test",
            )
            stdout, stderr = process.communicate("to stdin")
            found.append((json.loads(stdout), stderr, process.returncode))

        self.assertEqual(*found)
        self.assertEqual(found[0][1:], ("of stderr\nthe end\n", 1))
        self.assertIn("to stdin", found[0][0])

    def test_a_module_is_run_as_main_of_its_folder(self):
        (self.folder / "mine.py").write_text(
            "import sys\nprint(__name__, __spec__.name, sys.argv, sys.path[0])"
            "\nassert sys.modules['__main__'].__dict__ is globals()\n1 / 0\n"
        )

        first, real = (
            self._start("-m", "mine", "word", is_real=is_real)
            for is_real in (False, True)
        )

        stdout, stderr = first.communicate()
        self.assertEqual(stdout, real.communicate()[0])
        self.assertRegex(stdout, "^__main__ mine .*mine.py', 'word'")
        self.assertEndsWith(stderr, "ZeroDivisionError: division by zero\n")
        self.assertEqual(first.returncode, real.returncode)

    def test_nothing_was_done_with_tensorflow(self):
        first, second = (
            json.loads(self._start("-c", _UNUSED).communicate()[0])
            for _ in range(2)
        )

        self.assertEqual(first[:2], [1, 3])
        for number, other in zip(first[2], second[2], strict=True):
            self.assertNotEqual(number, other)

    def test_signals_end_it(self):
        for number, status in (
            (signal.SIGKILL, -signal.SIGKILL),
            (signal.SIGTERM, -signal.SIGTERM),
            (signal.SIGINT, -signal.SIGINT),
        ):
            with self.subTest(number.name):
                process = self._start(
                    "-c",
                    "import time; print('begun', flush=True); time.sleep(60)",
                )
                self.assertEqual(process.stdout.readline(), "begun\n")
                self.assertIsNone(process.poll())

                process.send_signal(number)

                self.assertEqual(process.wait(), status)

    def test_variables_that_are_read_at_once_have_a_real_start(self):
        for variables in (
            {"PYTHONOPTIMIZE": "1"},
            {"TF_CPP_MIN_LOG_LEVEL": "0"},
            {"KERAS_BACKEND": "jax"},
        ):
            with self.subTest(variables):
                process = self._start(
                    *("-c", "import sys; print(len(sys.modules))"), **variables
                )

                # Without TensorFlow's thousands.
                self.assertLess(int(process.communicate()[0]), 500)

    def test_code_that_starts_this_interpreter_forks_instead(self):
        with forked_tools.popen(
            [sys.executable, "-c", "import sys; print('numpy' in sys.modules)"],
            forked_tools.environment(PYTHONPATH="anything"),
            stdout=subprocess.PIPE,
            text=True,
        ) as process:
            # It is loaded before the program begins.
            self.assertEqual(process.communicate()[0], "True\n")

        with self.assertRaisesRegex(AssertionError, "not this interpreter"):
            forked_tools.popen(["git"], {})

    def test_it_is_adopted(self):
        process = self._start("-c", "import os; print(os.getppid())")

        self.assertEqual(process.communicate()[0], f"{os.getpid()}\n")


if __name__ == "__main__":
    absltest.main()
