"""Tests of runtimes.quiet."""

import logging

from absl.testing import absltest

from nppnet_tf.runtimes import quiet
from tests import shared

_TALK = """
import logging, os
from nppnet_tf.runtimes import quiet
with quiet.quiet():
    os.write(2, b"advice")
    logging.warning("more advice")
os.write(2, b"after")
"""


class QuietTest(absltest.TestCase):
    def test_what_libraries_write_is_dropped_inside_alone(self):
        ended = shared.run_program(_TALK)

        self.assertEqual(ended.stderr, "after")

    def test_an_error_comes_out(self):
        with self.assertRaisesRegex(ValueError, "mine"), quiet.quiet():
            raise ValueError("mine")

        self.assertEqual(logging.root.manager.disable, logging.NOTSET)


if __name__ == "__main__":
    absltest.main()
