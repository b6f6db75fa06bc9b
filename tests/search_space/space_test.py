"""Tests of search spaces."""

from absl.testing import absltest
from absl.testing import parameterized

from nppnet_tf.errors import UserError
from nppnet_tf.search_space import primitives
from nppnet_tf.search_space import space


class SearchSpaceTest(parameterized.TestCase):
    def test_default_is_the_papers(self):
        self.assertEqual(
            space.SearchSpace(), space.SearchSpace(primitives.PAPER, 2)
        )

    def test_config_makes_the_same_space(self):
        found = space.SearchSpace(primitives.RELEASED_ENCODER_DECODER, 4)

        self.assertEqual(space.SearchSpace(**found.get_config()), found)

    @parameterized.parameters(
        (("conv_7x7",), 2, "unknown primitive.*std_conv_3x3.*conv_7x7"),
        ((), 2, "without a primitive"),
        (("skip_connect", "skip_connect"), 2, "twice"),
        (("skip_connect",), 0, "channel_proportion.*1 to"),
        (("skip_connect",), 2.0, "channel_proportion.*1 to"),
        (("skip_connect",), True, "channel_proportion.*1 to"),
    )
    def test_what_is_no_space_is_refused(self, names, proportion, message):
        with self.assertRaisesRegex(UserError, message):
            space.SearchSpace(names, proportion)


if __name__ == "__main__":
    absltest.main()
