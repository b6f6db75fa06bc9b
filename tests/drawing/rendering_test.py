"""Tests of inference.rendering."""

import tracemalloc

import numpy as np
from absl.testing import absltest
from absl.testing import parameterized

from nppnet_tf.data import visibility
from nppnet_tf.data.descriptors import LIP
from nppnet_tf.drawing import rendering


class ColorTest(absltest.TestCase):
    def test_classes_have_their_colors_and_others_are_white(self):
        colored = rendering.color_label_map(np.array([[0, 13, 255]]), LIP)

        np.testing.assert_array_equal(
            colored[0], [(0, 0, 0), (0, 0, 255), (255, 255, 255)]
        )


class OverlayTest(parameterized.TestCase):
    def setUp(self):
        super().setUp()
        self.image = np.full((80, 60, 3), 100, np.uint8)
        self.label_map = np.zeros((80, 60), np.uint8)
        self.label_map[20:60, 20:40] = 5
        self.keypoints_xy = np.zeros((16, 2), np.float32)

    def test_parts_are_mixed_by_opacity_and_background_is_kept(self):
        result = rendering.overlay(
            self.image, self.label_map, None, None, LIP, opacity=0.4
        )

        np.testing.assert_array_equal(result[5, 5], (100, 100, 100))
        # 0.6 * 100 + 0.4 * (255, 85, 0)
        np.testing.assert_array_equal(result[40, 30], (162, 94, 60))

    def test_large_picture_is_drawn_in_bands(self):
        image = np.zeros((2048, 2048, 3), np.uint8)
        label_map = np.indices(image.shape[:2])[0].astype(np.uint8) // 99
        joints = np.full((16, 2), 1000.0)
        tracemalloc.start()
        self.addCleanup(tracemalloc.stop)

        result = rendering.overlay(image, label_map, joints, np.ones(16), LIP)

        # Floats of the whole picture take 80 bytes for each pixel.
        _, peak = tracemalloc.get_traced_memory()
        self.assertLess(peak / label_map.size, 50)
        with absltest.mock.patch.object(rendering, "_BAND_PIXELS", 1 << 23):
            at_once = rendering.overlay(
                image, label_map, joints, np.ones(16), LIP
            )
        np.testing.assert_array_equal(result, at_once)

    def test_outline_of_a_part_is_stronger_than_its_inside(self):
        result = rendering.overlay(
            self.image, self.label_map, None, None, LIP
        ).astype(int)

        self.assertGreater(result[20, 30, 0], result[40, 30, 0])

    @parameterized.named_parameters(
        ("left", "left_ankle", rendering.LEFT_COLOR),
        ("right", "right_ankle", rendering.RIGHT_COLOR),
        ("middle", "thorax", rendering.CENTER_COLOR),
    )
    def test_joint_is_drawn_at_its_place_in_the_color_of_its_side(
        self, name, color
    ):
        visibility = np.zeros(16, int)
        visibility[LIP.keypoints.index(name)] = 2
        self.keypoints_xy[:] = (33.0, 21.0)

        result = rendering.overlay(
            self.image, None, self.keypoints_xy, visibility, LIP
        )

        np.testing.assert_array_equal(result[21, 33], color)
        changed = np.argwhere((result != self.image).any(-1))
        np.testing.assert_allclose(changed.mean(0), (21, 33), atol=0.05)

    def test_occluded_joint_is_a_ring(self):
        visibility = np.zeros(16, int)
        visibility[0] = 1
        self.keypoints_xy[0] = (30.0, 40.0)

        result = rendering.overlay(
            self.image, None, self.keypoints_xy, visibility, LIP
        )

        self.assertLess(result[40, 30].max(), 60)

    def test_guesses_of_low_score_are_not_drawn(self):
        scores = np.full(16, visibility.SCORE_THRESHOLD - 0.01, np.float32)

        result = rendering.overlay(
            self.image, None, self.keypoints_xy, scores, LIP
        )

        np.testing.assert_array_equal(result, self.image)

    def test_threshold_says_which_guesses_are_drawn(self):
        scores = np.full(16, 0.5, np.float32)
        self.keypoints_xy[:] = (30.0, 40.0)

        drawn, not_drawn = (
            rendering.overlay(
                self.image,
                None,
                self.keypoints_xy,
                scores,
                LIP,
                score_threshold=threshold,
            )
            for threshold in (0.5, 0.51)
        )

        self.assertTrue((drawn != self.image).any())
        np.testing.assert_array_equal(not_drawn, self.image)

    def test_places_that_are_no_numbers_are_not_drawn(self):
        self.keypoints_xy[:] = np.nan

        result = rendering.overlay(
            self.image, None, self.keypoints_xy, np.ones(16), LIP
        )

        np.testing.assert_array_equal(result, self.image)

    def test_limb_joins_its_two_joints(self):
        visibility = np.zeros(16, int)
        visibility[[0, 1]] = 2
        self.keypoints_xy[0] = (10.0, 70.0)
        self.keypoints_xy[1] = (10.0, 10.0)

        result = rendering.overlay(
            self.image, None, self.keypoints_xy, visibility, LIP
        )

        np.testing.assert_array_equal(result[40, 10], rendering.RIGHT_COLOR)

    def test_sizes_that_differ_are_refused(self):
        with self.assertRaisesRegex(ValueError, "Received: image="):
            rendering.overlay(self.image, self.label_map.T, None, None, LIP)


if __name__ == "__main__":
    absltest.main()
