"""Which predicted joints count as found."""

import numpy as np
from absl.testing import absltest
from absl.testing import parameterized

from nppnet_tf.data import visibility
from nppnet_tf.errors import UserError


class VisibilityTest(parameterized.TestCase):
    def test_scores_reach_the_threshold_in_their_own_numbers(self):
        scores = np.array([0.1, 0.0999, 0.9, -0.5], np.float32)

        found = visibility.are_visible(np.zeros((4, 2)), scores, 0.1)

        np.testing.assert_array_equal(found, [True, False, True, False])

    def test_what_is_no_number_was_not_found(self):
        keypoints_xy = np.array(
            [[np.nan, 1], [1, np.inf], [1, 1], [1, 1], [1, 1]]
        )
        scores = np.array([0.9, 0.9, np.nan, np.inf, 0.9])

        found = visibility.are_visible(keypoints_xy, scores, 0.0)

        np.testing.assert_array_equal(found, [False] * 4 + [True])

    @parameterized.parameters(0, 1, 0.25)
    def test_threshold_is_a_number_from_0_to_1(self, value):
        self.assertEqual(visibility.checked_threshold(value, "here"), value)

    @parameterized.parameters(
        float("nan"), float("inf"), -0.1, 1.1, "0.1", True
    )
    def test_anything_else_is_one_line(self, value):
        with self.assertRaisesRegex(UserError, f"where: here; .*{value}"):
            visibility.checked_threshold(value, "here")


if __name__ == "__main__":
    absltest.main()
