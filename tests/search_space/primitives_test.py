"""Tests of the names of operations."""

from absl.testing import absltest

from nppnet_tf.search_space import primitives


class PrimitivesTest(absltest.TestCase):
    def test_paper_searches_eight(self):
        self.assertLen(set(primitives.PAPER), 8)
        self.assertEqual(set(primitives.PAPER), set(primitives.known()))

    def test_release_searched_seven_of_them(self):
        self.assertEqual(
            set(primitives.known()) - set(primitives.RELEASED_ENCODER_DECODER),
            {primitives.POOLED_CONV},
        )
        self.assertEqual(
            set(primitives.known())
            - set(primitives.RELEASED_INTERACTION_FUSION),
            {primitives.SKIP_CONNECT},
        )


if __name__ == "__main__":
    absltest.main()
