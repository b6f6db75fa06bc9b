"""Tests of nppnet_tf.data.readers.poses."""

import numpy as np
from absl.testing import absltest
from absl.testing import parameterized

from nppnet_tf.data.readers import poses
from nppnet_tf.errors import UserError

_NAMES = ("nose", "neck")


def _pose(*joints):
    return poses.checked(lambda: poses.numbers(joints), _NAMES, (0, 0, 1, 1))


class CheckedTest(parameterized.TestCase):
    def test_place_of_an_absent_joint_does_not_matter(self):
        pose = _pose([None, float("nan"), 0], [3, 4, 1])

        self.assertIsNone(pose.fault)
        np.testing.assert_array_equal(pose.keypoints_xy, [[0, 0], [3, 4]])
        np.testing.assert_array_equal(pose.visibility, [0, 1])
        self.assertEqual(pose.box, (0, 0, 1, 1))

    @parameterized.parameters(([0, 0, 2],), ([-1, -1, 1],), ([0.0, 0, 1],))
    def test_joint_that_is_nowhere_is_absent_and_counted(self, joint):
        pose = _pose(joint, [0, 4, 1])

        self.assertIsNone(pose.fault)
        np.testing.assert_array_equal(pose.keypoints_xy, [[0, 0], [0, 4]])
        np.testing.assert_array_equal(pose.visibility, [0, 1])
        self.assertEqual(pose.num_nowhere, 1)
        self.assertEqual(_pose([0, 0, 0], [3, 4, 1]).num_nowhere, 0)

    def test_shares_of_the_picture_are_a_fault(self):
        shares = [[0.5, 0.25, 2], [1, 0.75, 2], [0.3, 0.9, 1], [0, 0, 0]]
        names = ("a", "b", "c", "d")

        pose = poses.checked(lambda: np.array(shares), names)
        self.assertRegex(pose.fault, "shares of the picture.*0.5, 0.25")
        # A toddler in pixels, and two joints, may be there.
        for other in ([[0, 1, 2], [1, 0, 2], [1, 1, 2], [0, 0, 0]],
                      [*shares[:2], [0, 0, 0], [0, 0, 0]],
                      [*shares[:3], [7, 9, 2]]):  # fmt: skip
            pose = poses.checked(lambda: np.array(other), names)  # noqa: B023
            self.assertIsNone(pose.fault)

    @parameterized.named_parameters(
        ("score", [1, 2, 0.93], "unknown visibility.*found: 0.93 of neck"),
        ("null", [None, 2, 2], "no numbers.*found: nan, 2 of neck"),
        ("null_visibility", [1, 2, None], "unknown visibility.*found: nan"),
        ("infinite", [1e400, 2, 2], "no numbers.*found: inf, 2 of neck"),
        ("beyond_float32", [1e300, 2, 2], "no numbers.*1e\\+300"),
        ("huge_integer", [10**400, 2, 2], "malformed.*OverflowError"),
        ("text", ["1", 2, 2], "malformed.*numbers.*'1'"),
        ("truth", [True, 2, 2], "malformed.*numbers.*True"),
        ("short", [1, 2], "malformed"),
        ("nested", [[1], 2, 2], "malformed"),
    )
    def test_what_is_wrong_is_a_fault_that_shows_it(self, joint, message):
        pose = _pose([1, 2, 2], joint)

        self.assertRegex(pose.fault, message)
        np.testing.assert_array_equal(pose.visibility, 0)

    def test_another_number_of_joints_is_a_fault_with_both(self):
        pose = _pose(*([1, 2, 2],) * 3)

        self.assertRegex(pose.fault, "expected: 2 x 3; found: 3 x 3")


class NumbersTest(absltest.TestCase):
    def test_null_is_no_number_and_text_is_refused(self):
        np.testing.assert_array_equal(poses.numbers([[1, None]]), [[1, np.nan]])
        with self.assertRaisesRegex(UserError, "found: 'a'"):
            poses.numbers(["a"])


if __name__ == "__main__":
    absltest.main()
