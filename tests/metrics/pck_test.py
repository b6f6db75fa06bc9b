"""Tests of PCKh: published numbers, hand-made cases, two replicas."""

from tests import two_replicas  # isort: skip  (before any operation)

import keras
import numpy as np
import tensorflow as tf
from absl.testing import absltest
from absl.testing import parameterized

from nppnet_tf import keys
from nppnet_tf.data import descriptors
from nppnet_tf.evaluation import prediction_files
from nppnet_tf.metrics import pck
from tests import shared

LIP = descriptors.LIP


def _person(num_pictures=1):
    """LIP poses on a diagonal with a head of 10 pixels, [N, 16, 2]."""
    truth_xy = np.arange(16.0)[:, None] * [20.0, 30.0] + 100.0
    top, neck = LIP.keypoint_indices(LIP.head_segment)
    truth_xy[top] = truth_xy[neck] - [6.0, 8.0]
    return np.repeat(truth_xy[None], num_pictures, axis=0)


class ReferenceTest(parameterized.TestCase):
    @parameterized.named_parameters(
        ("random", "a"), ("lip", "lip400"), ("borderline", "c")
    )
    def test_equals_the_release(self, case):
        arrays = np.load(shared.shared_path("reference/ref_pckh.npz"))

        scores = pck.pckh(
            arrays[f"{case}_gt"],
            arrays[f"{case}_pred"],
            released_reading=True,
        )

        np.testing.assert_allclose(
            [
                *scores["keypoints"].values(),
                scores["upper_body"],
                scores["pckh"],
            ],
            arrays[f"{case}_pck"][0] / 100,
        )
        np.testing.assert_allclose(
            [
                *scores["groups"].values(),
                scores["upper_body"],
                scores["pckh"],
            ],
            arrays[f"{case}_groups"] / 100,
        )

    def test_every_real_pose_of_lip_counts_as_by_its_definition(self):
        path = shared.shared_path("samples/lip_annotations/lip_val_pose_gt.csv")
        rows = prediction_files.read_pose_rows(path, LIP)
        truth_xy = np.stack(list(rows.values()))
        noise = np.random.default_rng(0).normal(0, 12, truth_xy.shape)
        predicted_xy = np.nan_to_num(truth_xy) + noise

        scores = pck.pckh(truth_xy, predicted_xy)

        right = counted = pictures = 0
        for pose, found in zip(truth_xy, predicted_xy, strict=True):
            head = np.hypot(*(pose[9] - pose[8]))
            if np.isnan(head) or head == 0:
                continue
            pictures += 1
            for joint in [*range(6), *range(8, 16)]:
                if not np.isnan(pose[joint, 0]):
                    counted += 1
                    right += np.hypot(*(found[joint] - pose[joint])) <= head / 2
        self.assertLen(rows, 10000)
        self.assertEqual(scores["num_pictures_with_head"], pictures)
        self.assertEqual(scores["num_pictures"] - pictures, 294)
        self.assertEqual(scores["num_keypoints"], counted)
        self.assertAlmostEqual(scores["pckh"], right / counted, places=12)

    @parameterized.named_parameters(("random", "a"), ("lip", "lip400"))
    def test_distances_equal_the_release(self, case):
        arrays = np.load(shared.shared_path("reference/ref_pckh.npz"))
        truth_xy = arrays[f"{case}_gt"]

        distances = pck.normalized_distances(
            truth_xy,
            arrays[f"{case}_pred"],
            pck.head_sizes(truth_xy),
            released_reading=True,
        )

        np.testing.assert_allclose(
            np.where(np.isnan(distances), -1, distances),
            arrays[f"{case}_dist"],
        )


class PCKhTest(absltest.TestCase):
    def test_half_a_head_is_right_and_more_is_wrong(self):
        truth_xy = _person(2)
        predicted_xy = truth_xy.copy()
        predicted_xy[0, 0, 0] += 5.0
        predicted_xy[1, 0, 0] += 5.001

        scores = pck.pckh(truth_xy, predicted_xy)

        self.assertEqual(scores["keypoints"]["right_ankle"], 0.5)
        self.assertEqual(scores["groups"]["ankle"], 0.75)
        self.assertEqual(scores["upper_body"], 1.0)
        self.assertAlmostEqual(scores["pckh"], 27 / 28)

    def test_pictures_without_head_are_left_out_and_said(self):
        truth_xy = _person(3)
        truth_xy[0, 9] = np.nan
        truth_xy[1, 9] = truth_xy[1, 8]

        scores = pck.pckh(truth_xy, truth_xy)

        self.assertEqual(scores["num_pictures"], 3)
        self.assertEqual(scores["num_pictures_with_head"], 1)
        self.assertEqual(scores["num_keypoints"], 14)

    def test_thorax_and_pelvis_have_rates_but_are_not_pooled(self):
        truth_xy = _person()
        predicted_xy = truth_xy.copy()
        predicted_xy[0, [6, 7]] += 100.0

        scores = pck.pckh(truth_xy, predicted_xy)

        self.assertEqual(scores["keypoints"]["pelvis"], 0.0)
        self.assertEqual(scores["pckh"], 1.0)

    def test_a_keypoint_not_predicted_is_wrong(self):
        truth_xy = _person()
        predicted_xy = truth_xy.copy()
        predicted_xy[0, 3] = np.nan

        scores = pck.pckh(truth_xy, predicted_xy)

        self.assertAlmostEqual(scores["pckh"], 13 / 14)
        self.assertEqual(scores["num_missing"], 1)

    def test_released_reading_finds_a_missing_keypoint_in_the_corner(self):
        truth_xy = _person()
        truth_xy[0, 0] = 2.0
        predicted_xy = truth_xy.copy()
        predicted_xy[0, 0] = np.nan

        self.assertEqual(
            pck.pckh(truth_xy, predicted_xy, released_reading=True)["pckh"], 1
        )
        self.assertLess(pck.pckh(truth_xy, predicted_xy)["pckh"], 1)

    def test_released_reading_takes_negative_places_for_1(self):
        # The ankle lies at (2, 2), the head measures 10; (1, 1) is near.
        truth_xy = _person()
        truth_xy[0, 0] = 2.0
        for x, y, released, ours in (
            (-300.0, -300.0, True, False),
            (-300.0, 3.0, True, False),
            (np.nan, 3.0, True, False),
            (-1.0, 2.0, True, True),
            (0.0, 0.0, True, True),
            (-300.0, 9.0, False, False),
        ):
            predicted_xy = truth_xy.copy()
            predicted_xy[0, 0] = x, y
            for reading, expected in ((True, released), (False, ours)):
                with self.subTest(x=x, y=y, released=reading):
                    scores = pck.pckh(
                        truth_xy, predicted_xy, released_reading=reading
                    )
                    self.assertEqual(
                        scores["keypoints"]["right_ankle"], expected
                    )
                    self.assertEqual("read as 1" in scores["protocol"], reading)

    def test_what_is_infinite_is_absent(self):
        truth_xy = _person(3)
        predicted_xy = truth_xy.copy()
        predicted_xy[0, 3] = np.inf, 0.0
        truth_xy[1, 4] = -np.inf, 0.0
        # Without a head nothing of this picture counts; it is not that
        # everything is near an infinite one.
        truth_xy[2, 9] = np.inf, 0.0

        scores = pck.pckh(truth_xy, predicted_xy)

        self.assertEqual(scores["num_pictures_with_head"], 2)
        self.assertEqual(scores["num_keypoints"], 14 + 13)
        self.assertEqual(scores["num_missing"], 1)
        self.assertAlmostEqual(scores["pckh"], 26 / 27)

    def test_a_group_leaves_out_what_never_occurs(self):
        truth_xy = _person()
        truth_xy[0, 0] = np.nan

        scores = pck.pckh(truth_xy, _person())

        self.assertTrue(np.isnan(scores["keypoints"]["right_ankle"]))
        self.assertEqual(scores["groups"]["ankle"], 1.0)

    def test_no_picture_at_all_is_not_a_number(self):
        scores = pck.pckh(np.zeros([0, 16, 2]), np.zeros([0, 16, 2]))

        self.assertTrue(np.isnan(scores["pckh"]))
        self.assertEqual(scores["num_pictures"], 0)

    def test_no_annotation_at_all_is_not_a_number(self):
        scores = pck.pckh(np.full([2, 16, 2], np.nan), np.zeros([2, 16, 2]))

        self.assertTrue(np.isnan(scores["pckh"]))
        self.assertEqual(scores["counts"]["left_knee"], 0)

    def test_other_data_sets_bring_their_own_head(self):
        descriptor = descriptors.PASCAL_PERSON_PART
        truth_xy = np.arange(14.0)[None, :, None] * [20.0, 0.0]
        predicted_xy = truth_xy + [10.0, 0.0]
        predicted_xy[0, 13, 0] += 0.1

        scores = pck.pckh(truth_xy, predicted_xy, descriptor)

        self.assertAlmostEqual(scores["pckh"], 13 / 14)
        self.assertIn("forehead-neck", scores["protocol"])

    def test_a_wrong_number_of_keypoints_is_refused(self):
        with self.assertRaisesRegex(ValueError, r"truth_xy=\(1, 14, 2\)"):
            pck.pckh(np.zeros([1, 14, 2]), np.zeros([1, 14, 2]))

    def test_different_shapes_are_refused(self):
        with self.assertRaisesRegex(ValueError, r"predicted_xy=\(1, 14, 2\)"):
            pck.pckh(_person(), np.zeros([1, 14, 2]))


class HeatmapPCKhTest(absltest.TestCase):
    def setUp(self):
        super().setUp()
        generator = np.random.default_rng(0)
        # Samples of heatmap pixels, so that the true maxima are exact.
        grid_xy = generator.integers(0, [20, 24], [4, 16, 2])
        moved = generator.integers(-8, 9, grid_xy.shape)
        found_xy = np.clip(grid_xy + moved, 0, [19, 23])
        self.keypoints_xy = (grid_xy * 4 + 1.5).astype(np.float32)
        self.visibility = generator.integers(0, 3, [4, 16]).astype(np.int32)
        self.visibility[0, 9] = 0
        self.has_keypoints = np.array([1, 1, 0, 1], np.float32)
        self.heatmaps = np.zeros([4, 24, 20, 16], np.float32)
        for sample in range(4):
            for k, (x, y) in enumerate(found_xy[sample]):
                self.heatmaps[sample, y, x, k] = 0.7
        absent = (self.visibility == 0) | (self.has_keypoints == 0)[:, None]
        truth_xy = np.where(absent[..., None], np.nan, self.keypoints_xy)
        scores = pck.pckh(truth_xy, found_xy * 4 + 1.5)
        self.expected = scores["pckh"]
        self.arrays = (
            self.keypoints_xy,
            self.visibility,
            self.heatmaps,
            self.has_keypoints,
        )

    def test_equals_the_function(self):
        metric = pck.HeatmapPCKh.from_descriptor(LIP)

        for part in (slice(0, 3), slice(3, 4)):
            metric.update_state(*(array[part] for array in self.arrays))

        self.assertBetween(self.expected, 0.1, 0.9)
        self.assertAlmostEqual(float(metric.result()), self.expected, places=6)

    def test_a_batch_is_read_by_its_names_and_the_last_stage(self):
        batch = {
            keys.KEYPOINTS_XY: self.keypoints_xy,
            keys.VISIBILITY: self.visibility,
            keys.HAS_KEYPOINTS: self.has_keypoints,
        }
        stages = (np.zeros_like(self.heatmaps), self.heatmaps)
        metric = pck.HeatmapPCKh.from_descriptor(LIP)

        metric.update(batch, {keys.HEATMAPS: stages})

        self.assertAlmostEqual(float(metric.result()), self.expected, places=6)

    def test_is_zero_before_anything_is_counted(self):
        metric = pck.HeatmapPCKh.from_descriptor(LIP)

        self.assertEqual(float(metric.result()), 0.0)

    def test_config_makes_an_equal_metric(self):
        metric = pck.HeatmapPCKh.from_descriptor(LIP, stride=2)

        copy = keras.metrics.deserialize(keras.metrics.serialize(metric))

        self.assertEqual(copy.get_config(), metric.get_config())

    def test_two_replicas_count_together(self):
        strategy = two_replicas.strategy()
        with strategy.scope():
            metric = pck.HeatmapPCKh.from_descriptor(LIP)
        parts = [two_replicas.split(strategy, array) for array in self.arrays]

        tf.function(lambda: strategy.run(metric.update_state, args=parts))()

        self.assertAlmostEqual(float(metric.result()), self.expected, places=6)


if __name__ == "__main__":
    absltest.main()
