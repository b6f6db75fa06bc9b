"""Tests of the agreement between keypoints and parts, by hand."""

import numpy as np
from absl.testing import absltest
from absl.testing import parameterized

from nppnet_tf.data import descriptors
from nppnet_tf.metrics import consistency

LIP = descriptors.LIP
PASCAL = descriptors.PASCAL_PERSON_PART


def _pose(descriptor, **points_xy):
    """A pose in which only the named keypoints are present, [K, 2]."""
    pose = np.full([descriptor.num_keypoints, 2], np.nan)
    for name, point_xy in points_xy.items():
        pose[descriptor.keypoints.index(name)] = point_xy
    return pose


def _picture(descriptor, name):
    """40 x 30 background with columns 10..19 of one class."""
    label_map = np.zeros([40, 30], np.uint8)
    label_map[:, 10:20] = descriptor.classes.index(name)
    return label_map


class ConsistencyTest(parameterized.TestCase):
    @parameterized.named_parameters(
        ("on_its_leg", "left_knee", 15, 1.0),
        ("on_the_other_leg", "right_knee", 15, 0.0),
        ("beside_the_leg", "left_knee", 25, 0.0),
        ("outside_of_the_picture", "left_knee", 90, 0.0),
    )
    def test_knee(self, keypoint, x, expected):
        label_map = _picture(LIP, "Left-leg")
        pose = _pose(LIP, **{keypoint: (x, 20)})

        result = consistency.consistency([label_map], pose[None])

        self.assertEqual(result["keypoints"][keypoint], expected)
        self.assertEqual(result["consistency"], expected)
        self.assertEqual(result["num_keypoints"], 1)

    @parameterized.named_parameters(
        ("just_inside", 1.0, 1.0), ("just_outside", 1.01, 0.0)
    )
    def test_a_part_within_the_tolerance_counts(self, distance, expected):
        # A head of 20 pixels; a 20th of it is one pixel.
        label_map = _picture(LIP, "Left-leg")
        pose = _pose(LIP, left_knee=(19 + distance, 20.0))

        result = consistency.consistency(
            [label_map], pose[None], head_size=np.array([20.0])
        )

        # The pixel itself, from 19.5 on, is background.
        self.assertEqual(result["consistency"], expected)

    def test_head_size_is_measured_between_the_keypoints(self):
        label_map = _picture(LIP, "Left-leg")
        pose = _pose(
            LIP, left_knee=(22, 20), head_top=(15, -60), upper_neck=(15, 0)
        )

        result = consistency.consistency([label_map], pose[None])

        self.assertEqual(result["keypoints"]["left_knee"], 1.0)
        self.assertEqual(result["num_pictures_with_head"], 1)

    def test_sides_do_not_matter_where_parts_have_none(self):
        label_map = _picture(PASCAL, "Lower-leg")
        pose = _pose(PASCAL, left_ankle=(12, 20), right_ankle=(18, 20))

        result = consistency.consistency([label_map], pose[None], PASCAL)

        self.assertEqual(result["keypoints"]["left_ankle"], 1.0)
        self.assertEqual(result["keypoints"]["right_ankle"], 1.0)

    def test_occluded_keypoints_can_be_left_out(self):
        label_map = _picture(LIP, "Left-leg")
        poses = _pose(LIP, left_knee=(15, 20), left_ankle=(2, 2))[None]
        visible = np.zeros([1, LIP.num_keypoints], bool)
        visible[0, LIP.keypoints.index("left_knee")] = True

        result = consistency.consistency([label_map], poses, visible=visible)

        self.assertEqual(result["consistency"], 1.0)
        self.assertEqual(result["counts"]["left_ankle"], 0)

    def test_ignored_pixels_do_not_count(self):
        label_map = np.full([40, 30], 255, np.uint8)
        pose = _pose(LIP, left_knee=(15, 20))

        result = consistency.consistency([label_map], pose[None])

        self.assertEqual(result["num_keypoints"], 0)
        self.assertTrue(np.isnan(result["consistency"]))

    @parameterized.parameters(np.nan, np.inf, -np.inf)
    def test_what_was_not_predicted_does_not_count(self, value):
        label_map = _picture(LIP, "Left-leg")
        pose = _pose(
            LIP, left_knee=(15, 20), left_ankle=(value, 20), head_top=(3, value)
        )

        result = consistency.consistency([label_map], pose[None])

        self.assertEqual(result["consistency"], 1.0)
        self.assertEqual(result["num_keypoints"], 1)
        self.assertEqual(result["num_pictures_with_head"], 0)

    def test_places_far_outside_are_on_no_part(self):
        pose = _pose(LIP, left_knee=(1e30, -1e30))

        result = consistency.consistency(
            [_picture(LIP, "Left-leg")], pose[None]
        )

        self.assertEqual(result["consistency"], 0.0)

    def test_an_infinite_head_has_no_size(self):
        pose = _pose(LIP, left_knee=(25, 20))

        result = consistency.consistency(
            [_picture(LIP, "Left-leg")],
            pose[None],
            head_size=np.array([np.inf]),
        )

        self.assertEqual(result["consistency"], 0.0)
        self.assertEqual(result["num_pictures_with_head"], 0)

    def test_no_picture_is_no_number(self):
        result = consistency.consistency([], [])

        self.assertTrue(np.isnan(result["consistency"]))

    def test_pictures_pool_their_keypoints(self):
        label_map = _picture(LIP, "Left-leg")
        poses = np.stack(
            [
                _pose(LIP, left_knee=(15, 20), left_ankle=(15, 30)),
                _pose(LIP, left_knee=(2, 20)),
            ]
        )

        result = consistency.consistency([label_map, label_map], poses)

        self.assertAlmostEqual(result["consistency"], 2 / 3)
        self.assertEqual(result["keypoints"]["left_knee"], 0.5)

    def test_every_keypoint_of_the_built_in_data_sets_has_classes(self):
        for descriptor in (LIP, PASCAL):
            self.assertEqual(
                set(descriptor.keypoint_classes), set(descriptor.keypoints)
            )

    def test_another_number_of_keypoints_is_refused(self):
        with self.assertRaisesRegex(ValueError, r"keypoints_xy=\(14, 2\)"):
            consistency.keypoints_on_parts(
                np.zeros([4, 4]), np.zeros([14, 2]), 0.0
            )


if __name__ == "__main__":
    absltest.main()
