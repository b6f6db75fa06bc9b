"""Tests of tools.command_line.scale_list."""

from absl import flags
from absl.testing import absltest
from absl.testing import parameterized

from tests import shared
from tools.command_line import scale_list


class ScaleListTest(parameterized.TestCase):
    def setUp(self):
        super().setUp()
        self.enterContext(shared.forget_tools())
        self.flag = scale_list.define("What for.")
        self.addCleanup(delattr, flags.FLAGS, "scales")

    def test_words_become_factors(self):
        flags.FLAGS(["tool", "--scales=0.5,1"])

        self.assertEqual(self.flag.value, (0.5, 1.0))

    @parameterized.parameters("", "1,large", "0", "-1", "100", "nan")
    def test_wrong_factors_are_refused(self, text):
        with self.assertRaisesRegex(
            flags.IllegalFlagValueError, "numbers from 0.1 to 4"
        ):
            flags.FLAGS(["tool", f"--scales={text}"])


if __name__ == "__main__":
    absltest.main()
