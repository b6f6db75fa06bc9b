"""Tests of tools.command_line.scale_list."""

from absl import flags
from absl.testing import absltest
from absl.testing import parameterized

from tools.command_line import scale_list
from tools.command_line.tool_flags import ToolFlags


class ScaleListTest(parameterized.TestCase):
    def setUp(self):
        super().setUp()
        self.flags = ToolFlags()
        self.flag = scale_list.define(self.flags, "What for.")

    def test_words_become_factors(self):
        self.flags.read(["tool", "--scales=0.5,1"])

        self.assertEqual(self.flag.value, (0.5, 1.0))

    @parameterized.parameters("", "1,large", "0", "-1", "100", "nan")
    def test_wrong_factors_are_refused(self, text):
        with self.assertRaisesRegex(
            flags.IllegalFlagValueError, "numbers from 0.1 to 4"
        ):
            self.flags.read(["tool", f"--scales={text}"])

    def test_more_factors_than_anyone_waits_for_are_refused(self):
        self.flags.read(["tool", f"--scales={','.join(['1'] * 32)}"])
        with self.assertRaisesRegex(
            flags.IllegalFlagValueError, "at most 32 factors"
        ):
            self.flags.read(["tool", f"--scales={','.join(['1'] * 33)}"])


if __name__ == "__main__":
    absltest.main()
