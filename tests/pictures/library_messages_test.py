"""Tests of nppnet_tf.pictures.library_messages."""

import os

from absl.testing import absltest

from nppnet_tf.pictures import library_messages
from tests import shared

_PROGRAM = """
import os, sys
from nppnet_tf.pictures import library_messages
with library_messages.captured() as lines:
    os.write(2, b"Corrupt JPEG data: 9 bytes\\nof another thread\\n")
assert not lines
try:
    with library_messages.captured() as lines:
        os.write(2, b"why\\nwhere\\n" + b"x" * 100_000)
        raise ValueError
except ValueError:
    print(lines[:2])
sys.stderr.write("afterwards\\n")
os.close(2)
with library_messages.captured() as lines:
    pass
"""


class CapturedTest(absltest.TestCase):
    def test_lines_belong_to_the_error_and_others_pass(self):
        result = shared.run_program(_PROGRAM)

        self.assertEqual(result.stdout, "['why', 'where']\n")
        self.assertEqual(result.stderr, "of another thread\nafterwards\n")

    def test_no_descriptor_is_left_open(self):
        before = len(os.listdir("/proc/self/fd"))

        for error in (None, ValueError):
            try:
                with library_messages.captured():
                    if error is not None:
                        raise error
            except ValueError:
                pass

        self.assertLen(os.listdir("/proc/self/fd"), before)


if __name__ == "__main__":
    absltest.main()
