"""Tests of nppnet_tf.standard_error."""

import os

from absl.testing import absltest

from nppnet_tf import standard_error
from tests import shared

_PROGRAM = """
import os, sys
from nppnet_tf import standard_error
with standard_error.dropped():
    os.write(2, b"a library")
    sys.stderr.write("Python")
sys.stderr.write("after")
os.close(2)
with standard_error.dropped():
    # Its place is not taken.
    try:
        os.fstat(2)
    except OSError:
        print("none")
"""


class StandardErrorTest(absltest.TestCase):
    def test_what_is_written_is_dropped_inside_alone(self):
        ended = shared.run_program(_PROGRAM)

        self.assertEqual(ended.stderr, "after")
        self.assertEqual(ended.stdout, "none\n")

    def test_an_error_comes_out_and_no_descriptor_is_left_open(self):
        before = len(os.listdir("/proc/self/fd"))

        with self.assertRaisesRegex(ValueError, "mine"):
            with standard_error.dropped():
                raise ValueError("mine")

        self.assertLen(os.listdir("/proc/self/fd"), before)


if __name__ == "__main__":
    absltest.main()
