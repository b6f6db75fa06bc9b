"""Tests of tools.scale_list."""

from absl.testing import absltest
from absl.testing import parameterized

from nppnet_tf.errors import UserError
from tools import scale_list


class ScaleListTest(parameterized.TestCase):
    def test_words_become_factors(self):
        self.assertEqual(scale_list.parse(["0.5", "1"]), (0.5, 1.0))

    @parameterized.named_parameters(
        ("nothing", []),
        ("word", ["1", "large"]),
        ("zero", ["0"]),
        ("negative", ["-1"]),
        ("huge", ["100"]),
        ("not_a_number", ["nan"]),
    )
    def test_wrong_factors_are_refused(self, words):
        with self.assertRaisesRegex(UserError, "wrong scales.*--scales"):
            scale_list.parse(words)


if __name__ == "__main__":
    absltest.main()
