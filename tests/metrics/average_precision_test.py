"""Tests of both measures called mAP: published numbers and small cases."""

import numpy as np
from absl.testing import absltest

from nppnet_tf.data import descriptors
from nppnet_tf.metrics import average_precision
from tests import shared

PASCAL = descriptors.PASCAL_PERSON_PART
_SIDES = ("right", "left")
# The order of the arrays: that of MPII without pelvis and thorax.
MULTI_HUMAN = descriptors.DatasetDescriptor(
    name="multi_human",
    classes=("Background",),
    palette=((0, 0, 0),),
    keypoints=(
        *("right_ankle", "right_knee", "right_hip"),
        *("left_hip", "left_knee", "left_ankle"),
        *("right_wrist", "right_elbow", "right_shoulder"),
        *("left_shoulder", "left_elbow", "left_wrist"),
        *("upper_neck", "head_top"),
    ),
    keypoint_groups={
        "head": ("upper_neck", "head_top"),
        **{
            joint: tuple(f"{side}_{joint}" for side in _SIDES)
            for joint in ("shoulder", "elbow", "wrist", "hip", "knee", "ankle")
        },
    },
)
TWO_POINTS = descriptors.DatasetDescriptor(
    name="two_points",
    classes=("Background",),
    palette=((0, 0, 0),),
    keypoints=("first", "second"),
)


def _pictures(truth, predicted, scores):
    """One picture whose heads measure 10."""
    return [
        {
            "truth_xy": np.asarray(truth, float),
            "head_size": np.full([len(truth)], 10.0),
            "predicted_xy": np.asarray(predicted, float),
            "scores": np.asarray(scores, float),
        }
    ]


class ReferenceTest(absltest.TestCase):
    def test_pckh_average_precision_equals_the_matlab_code(self):
        arrays = np.load(shared.shared_path("reference/ref_ap_pckh.npz"))
        pictures = []
        for i in range(int(arrays["num"])):
            sides = arrays[f"gt{i}_head"][:, 2:] - arrays[f"gt{i}_head"][:, :2]
            pictures.append(
                {
                    "truth_xy": arrays[f"gt{i}_xy"],
                    "head_size": 0.6 * np.linalg.norm(sides, axis=-1),
                    "predicted_xy": arrays[f"pred{i}_xy"],
                    "scores": arrays[f"pred{i}_score"],
                }
            )

        result = average_precision.pckh_average_precision(pictures, MULTI_HUMAN)

        np.testing.assert_allclose(
            [*result["keypoints"].values(), result["pckh_average_precision"]],
            arrays["ap"] / 100,
        )
        np.testing.assert_allclose(
            [*result["groups"].values(), result["pckh_average_precision"]],
            arrays["table"] / 100,
        )
        np.testing.assert_array_equal(
            list(result["counts"].values()), arrays["nGT"]
        )
        self.assertEqual(result["num_people"], len(arrays["head_sizes"]))

    def test_oks_recall_equals_the_release(self):
        arrays = np.load(shared.shared_path("reference/ref_ppp_map.npz"))
        pictures = []
        for i in range(int(arrays["num"])):
            joints = arrays[f"joints{i}"]
            pictures.append(
                {
                    "truth_xy": np.where(
                        joints[..., 2:] > 0, joints[..., :2], np.nan
                    ),
                    "boxes": arrays[f"boxes{i}"],
                    "predicted_xy": arrays[f"pred{i}"],
                }
            )
            np.testing.assert_allclose(
                average_precision.object_keypoint_similarity(
                    **{
                        name: pictures[-1][name]
                        for name in ("truth_xy", "boxes", "predicted_xy")
                    }
                ),
                arrays[f"oks{i}"],
            )

        result = average_precision.oks_recall(pictures)

        np.testing.assert_allclose(
            [*result["keypoints"].values(), result["oks_recall"]],
            arrays["map15"],
        )
        np.testing.assert_allclose(result["by_threshold"], arrays["ap"][:, 14])
        np.testing.assert_array_equal(
            list(result["counts"].values()), arrays["counts"][0]
        )


class PCKhAveragePrecisionTest(absltest.TestCase):
    def test_a_false_positive_of_higher_score_costs_precision(self):
        person = [[10, 10], [50, 50]]
        stranger = [[200, 200], [np.nan, np.nan]]

        result = average_precision.pckh_average_precision(
            _pictures([person], [person, stranger], [[0.5, 0.5], [0.9, 0.9]]),
            TWO_POINTS,
        )

        self.assertEqual(result["keypoints"], {"first": 0.5, "second": 1.0})
        self.assertEqual(result["pckh_average_precision"], 0.75)

    def test_a_person_is_found_once(self):
        person = [[10, 10], [50, 50]]

        result = average_precision.pckh_average_precision(
            _pictures([person], [person, person], [[0.5, 0.5], [0.9, 0.4]]),
            TWO_POINTS,
        )

        # Of equal matches the first is taken; the other's joints are false.
        self.assertEqual(result["keypoints"], {"first": 0.5, "second": 1.0})

    def test_people_not_predicted_lower_the_recall(self):
        people = [[[10, 10], [50, 50]], [[300, 10], [350, 50]]]

        result = average_precision.pckh_average_precision(
            _pictures(people, people[:1], [[0.5, 0.5]]), TWO_POINTS
        )

        self.assertEqual(result["pckh_average_precision"], 0.5)

    def test_no_predictions_give_zero_and_no_annotation_no_number(self):
        nobody = np.zeros([0, 2, 2])
        person = [[[10, 10], [np.nan, np.nan]]]

        result = average_precision.pckh_average_precision(
            _pictures(person, nobody, np.zeros([0, 2])), TWO_POINTS
        )

        self.assertEqual(result["keypoints"]["first"], 0.0)
        self.assertTrue(np.isnan(result["keypoints"]["second"]))

    def test_means_leave_out_what_nobody_annotated(self):
        person = [[[10, 10], [np.nan, np.nan]]]

        result = average_precision.pckh_average_precision(
            _pictures(person, person, [[0.5, 0.5]]), TWO_POINTS
        )

        self.assertEqual(result["pckh_average_precision"], 1.0)
        self.assertEqual(result["counts"], {"first": 1, "second": 0})

    def test_missing_predictions_of_every_kind_are_misses(self):
        person = [[10, 10], [50, 50]]
        for predicted, scores in (
            (None, None),
            ([], []),
            ([[[np.nan, np.nan], [50, 50]]], [[0.5, 0.5]]),
            ([[[np.inf, 10], [50, 50]]], [[0.5, 0.5]]),
            ([person], [[np.nan, 0.5]]),
            ([person], [[np.inf, 0.5]]),
        ):
            pictures = _pictures([person], [person], [[0.9, 0.9]])
            pictures += [
                {
                    **_pictures([person], [], [])[0],
                    "predicted_xy": predicted,
                    "scores": scores,
                }
            ]
            with self.subTest(predicted=predicted, scores=scores):
                result = average_precision.pckh_average_precision(
                    pictures, TWO_POINTS
                )

                self.assertEqual(result["keypoints"]["first"], 0.5)
                self.assertEqual(
                    result["keypoints"]["second"], 1.0 if predicted else 0.5
                )

    def test_people_without_a_head_size_are_not_found(self):
        person = [[10, 10], [50, 50]]
        for size in (np.nan, np.inf, -np.inf):
            (picture,) = _pictures([person], [person], [[0.9, 0.9]])
            picture["head_size"][:] = size

            result = average_precision.pckh_average_precision(
                [picture], TWO_POINTS
            )

            self.assertEqual(result["pckh_average_precision"], 0.0)

    def test_nothing_at_all_is_no_number(self):
        result = average_precision.pckh_average_precision([], TWO_POINTS)

        self.assertTrue(np.isnan(result["pckh_average_precision"]))
        self.assertEqual(result["num_people"], 0)


class OksRecallTest(absltest.TestCase):
    def test_a_joint_not_predicted_costs_that_joint_alone(self):
        # Four people in one picture, found exactly.
        inside = np.random.default_rng(0).uniform(0, 60, [4, 14, 2])
        boxes = np.array([[90.0 * i, 0, 90.0 * i + 60, 60] for i in range(4)])
        truth_xy = inside + boxes[:, None, :2]
        for missing in (np.nan, np.inf, -np.inf):
            predicted_xy = inside.copy()
            predicted_xy[2, 5] = missing
            picture = {
                "truth_xy": truth_xy,
                "boxes": boxes,
                "predicted_xy": predicted_xy,
            }

            result = average_precision.oks_recall([picture])

            rates = list(result["keypoints"].values())
            self.assertEqual(rates[5], 0.75)
            # 13 of 14 joints are a similarity of 0.929: of the ten thresholds
            # only 0.95 is out of this person's reach.
            for k in (*range(5), *range(6, 14)):
                self.assertAlmostEqual(rates[k], (9 * 4 + 3) / 40)

    def test_a_joint_not_predicted_is_unlike(self):
        box = np.array([[0.0, 0, 10, 10]])
        truth_xy = np.ones([1, 14, 2])
        predicted_xy = np.stack([truth_xy[0], truth_xy[0]])
        predicted_xy[0, :7] = np.nan

        similarity = average_precision.object_keypoint_similarity(
            truth_xy, box, predicted_xy
        )

        np.testing.assert_array_equal(similarity, [[0.5, 1.0]])

    def test_missing_people_and_boxes_are_not_found(self):
        picture = {
            "truth_xy": np.ones([2, 14, 2]),
            "boxes": np.array([[0.0, 0, 9, 9], [np.nan, 0, 9, 9]]),
            "predicted_xy": np.ones([1, 14, 2]),
        }
        for predicted, expected in ((np.ones([1, 14, 2]), 0.5), (None, 0.0)):
            result = average_precision.oks_recall(
                [{**picture, "predicted_xy": predicted}]
            )

            self.assertEqual(result["oks_recall"], expected)
            self.assertTrue(np.isfinite(result["by_threshold"]).all())

    def test_means_leave_out_what_nobody_annotated(self):
        truth_xy = np.ones([1, 14, 2])
        truth_xy[0, 3] = np.nan
        picture = {
            "truth_xy": truth_xy,
            "boxes": np.array([[0.0, 0, 9, 9]]),
            "predicted_xy": np.ones([1, 14, 2]),
        }

        result = average_precision.oks_recall([picture])

        self.assertEqual(result["oks_recall"], 1.0)
        self.assertEqual(set(result["by_threshold"]), {1.0})
        self.assertTrue(
            np.isnan(average_precision.oks_recall([])["oks_recall"])
        )

    def test_a_perfect_pose_in_its_crop_is_found_at_every_threshold(self):
        inside = np.arange(28.0).reshape(1, 14, 2)
        boxes = np.array([[100.0, 50.0, 160.0, 150.0]])
        pictures = [
            {
                "truth_xy": inside + boxes[:, None, :2],
                "boxes": boxes,
                "predicted_xy": inside,
            }
        ]

        self.assertEqual(
            average_precision.oks_recall(pictures)["oks_recall"], 1.0
        )

    def test_nothing_predicted_is_nothing_found(self):
        pictures = [
            {
                "truth_xy": np.ones([1, 14, 2]),
                "boxes": np.array([[0.0, 0.0, 9.0, 9.0]]),
                "predicted_xy": np.zeros([0, 14, 2]),
            }
        ]

        self.assertEqual(
            average_precision.oks_recall(pictures)["oks_recall"], 0.0
        )


if __name__ == "__main__":
    absltest.main()
