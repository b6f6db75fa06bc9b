"""Tests of nppnet_tf.data.pose_files."""

import json
import pathlib

import numpy as np
from absl.testing import absltest
from absl.testing import parameterized
from scipy import io

from nppnet_tf.data import descriptors
from nppnet_tf.data import pose_files
from nppnet_tf.data.descriptors import LIP
from nppnet_tf.errors import UserError
from tests.shared import shared_path

_JOINTS = ",".join(["1,2,0"] * 16)


class _FolderTestCase(parameterized.TestCase):
    def setUp(self):
        super().setUp()
        self.root = pathlib.Path(self.create_tempdir().full_path)


class ReadCsvTest(_FolderTestCase):
    def _read(self, text):
        path = self.root / "poses.csv"
        path.write_text(text)
        return pose_files.read_csv(path, LIP)

    def test_columns_by_hand(self):
        cells = ["7,9,0", "nan,nan,nan", "3,4,1"] + ["1,2,0"] * 13

        pose = self._read("a_1.jpg," + ",".join(cells) + "\n")["a_1"]

        self.assertIsNone(pose.fault)
        np.testing.assert_array_equal(pose.visibility[:4], [2, 0, 1, 2])
        np.testing.assert_array_equal(
            pose.keypoints_xy[:4], [[7, 9], [0, 0], [3, 4], [1, 2]]
        )

    @parameterized.named_parameters(
        ("short", "a.jpg,1,2,0", "48 cells.*and 3 cells"),
        ("text", "a.jpg,x,2,0" + ",1,2,0" * 15, "right_ankle.*found: x,2,0"),
        (
            "half",
            "a.jpg,nan,2,0" + ",1,2,0" * 15,
            "joint is malformed.*nan,2,0",
        ),
        ("visibility", "a.jpg,1,2,5" + ",1,2,0" * 15, "found: 1,2,5"),
    )
    def test_bad_row_becomes_a_fault_of_its_record(self, row, message):
        poses = self._read(f"{row}\nb.jpg,{_JOINTS}\n")

        self.assertRegex(poses["a"].fault, message)
        self.assertRegex(poses["a"].fault, "poses.csv line 1")
        self.assertIsNone(poses["b"].fault)

    def test_name_that_occurs_twice_is_told(self):
        with self.assertRaisesRegex(UserError, "line 2; found: a.jpg"):
            self._read(f"a.jpg,{_JOINTS}\na.jpg,{_JOINTS}\n")

    def test_row_without_name_is_told(self):
        with self.assertRaisesRegex(UserError, "without a name.*line 1"):
            self._read(f",{_JOINTS}\n")

    def test_all_real_rows_are_read(self):
        poses = pose_files.read_csv(
            shared_path("samples/lip_annotations/lip_val_pose_gt.csv"), LIP
        )

        visibility = np.stack([pose.visibility for pose in poses.values()])
        self.assertLen(poses, 10000)
        self.assertEmpty([p for p in poses.values() if p.fault])
        # Published statistics: 9.7 % absent, 8.3 % of the others occluded.
        self.assertAlmostEqual(np.mean(visibility == 0), 0.097, places=3)
        self.assertAlmostEqual(
            np.sum(visibility == 1) / np.sum(visibility > 0), 0.083, places=3
        )


class ReadJsonTest(_FolderTestCase):
    def _read(self, document, descriptor=LIP):
        path = self.root / "poses.json"
        text = document if isinstance(document, str) else json.dumps(document)
        path.write_text(text)
        return pose_files.read(path, descriptor)

    def test_lip_reads_absence_from_the_coordinates_alone(self):
        joints = [[3.0, 4.0, 1.0]] * 16
        joints[2] = [0, 0, 1]
        joints[3] = [5, 6, 0]
        entry = {
            "im_name": "7_8.jpg",
            "joint_self": joints,
            "objpos": [1, 2],
            "scale_provided": 1.5,
        }

        (pose,) = self._read({"root": [entry]})["7_8"]

        self.assertIsNone(pose.fault)
        self.assertEqual(pose.visibility[:5].tolist(), [2, 2, 0, 2, 2])
        np.testing.assert_array_equal(
            pose.keypoints_xy[1:5], [[3, 4], [0, 0], [5, 6], [3, 4]]
        )

    def test_lip_needs_no_third_column(self):
        poses = self._read(
            {"root": [{"im_name": "a.jpg", "joint_self": [[1, 2]] * 16}]}
        )

        np.testing.assert_array_equal(poses["a"][0].visibility, 2)

    def test_lip_entries_of_the_test_set_are_names_alone(self):
        self.assertEmpty(self._read({"root": [{"im_name": "a.jpg"}]}))

    @parameterized.named_parameters(
        ("short", [[1, 2]] * 15, "16 x 3; found: 15 x 3"),
        ("ragged", [[1, 2], [1]] * 8, "malformed"),
        ("text", [["a", "b"]] * 16, "malformed"),
        ("none", None, "malformed"),
        ("nan", [[float("nan"), 2]] * 16, "no numbers"),
    )
    def test_bad_joints_are_a_fault_of_their_record(self, joints, message):
        poses = self._read(
            {
                "root": [
                    {"im_name": "a.jpg", "joint_self": joints},
                    {"im_name": "b.jpg", "joint_self": [[1, 2]] * 16},
                ]
            }
        )

        self.assertRegex(poses["a"][0].fault, message)
        self.assertIsNone(poses["b"][0].fault)

    def _coco(self, **changes):
        annotation = {
            "id": 5,
            "image_id": 3,
            "bbox": [10, 20, 30, 40],
            "keypoints": [7, 8, 2, 9, 10, 1, 0, 0, 0] + [1, 2, 2] * 14,
            "iscrowd": 0,
            **changes,
        }
        return {
            "images": [{"id": 3, "file_name": "train/x_1.jpg"}],
            "annotations": [annotation],
        }

    def test_coco_person_has_a_box_and_three_visibilities(self):
        (pose,) = self._read(self._coco(), descriptors.get("coco"))["x_1"]

        self.assertEqual(pose.box, (10, 20, 40, 60))
        self.assertEqual(pose.visibility[:4].tolist(), [2, 1, 0, 2])
        np.testing.assert_array_equal(
            pose.keypoints_xy[:3], [[7, 8], [9, 10], [0, 0]]
        )

    def test_coco_keypoints_are_found_by_their_names(self):
        descriptor = descriptors.get("coco")
        names = [
            name.replace("_", "-").title() for name in descriptor.keypoints
        ]
        document = self._coco(
            keypoints=[value for k in range(17) for value in (k, k, 2)]
        )
        document["categories"] = [{"id": 1, "keypoints": names[::-1]}]

        (pose,) = self._read(document, descriptor)["x_1"]

        np.testing.assert_array_equal(
            pose.keypoints_xy[:, 0], np.arange(17)[::-1]
        )

    def test_coco_keypoints_of_other_names_are_told(self):
        document = self._coco()
        document["categories"] = [{"id": 1, "keypoints": ["nose", "tail"]}]

        with self.assertRaisesRegex(UserError, "other names.*nose, tail"):
            self._read(document, descriptors.get("coco"))

    def test_coco_crowds_are_left_out(self):
        self.assertEmpty(
            self._read(self._coco(iscrowd=1), descriptors.get("coco"))
        )

    @parameterized.named_parameters(
        ("number", {"keypoints": [1, 2, 2] * 16}, "malformed"),
        ("visibility", {"keypoints": [1, 2, 3] * 17}, "unknown visibility"),
        ("box", {"bbox": [1, 2]}, "malformed"),
        ("box_nan", {"bbox": [1, 2, float("nan"), 3]}, "no numbers"),
    )
    def test_bad_coco_person_is_a_fault(self, changes, message):
        poses = self._read(self._coco(**changes), descriptors.get("coco"))

        self.assertRegex(poses["x_1"][0].fault, message)

    def test_mpii_counts_pixels_from_one_and_draws_a_square(self):
        entry = {
            "image": "b.jpg",
            "joints": [[11.0, 21.0]] * 16,
            "joints_vis": [1] * 15 + [0],
            "center": [101.0, 51.0],
            "scale": 0.4,
        }

        (pose,) = self._read([entry], descriptors.get("mpii"))["b"]

        self.assertEqual(pose.box, (50, 0, 150, 100))
        np.testing.assert_array_equal(pose.keypoints_xy[0], [10, 20])
        self.assertEqual(pose.visibility.tolist(), [2] * 15 + [0])

    @parameterized.named_parameters(
        ("torn", "[{", "poses cannot be read"),
        ("deep", "[" * 100000, "poses cannot be read"),
        ("number", "5", "JSON of another form.*found: int"),
        ("names", '{"a": 1}', "JSON of another form.*found: a"),
        ("entry", "[5]", "entry without the name.*entry 0"),
        ("lip_entry", '{"root": [5]}', "entry without the name"),
        (
            "twice",
            '{"root": [{"im_name": "a.jpg", "joint_self": 0},'
            ' {"im_name": "a.png", "joint_self": 0}]}',
            "picture occurs twice.*found: a",
        ),
        (
            "images",
            '{"images": [{"id": 1}], "annotations": []}',
            "without names of pictures",
        ),
        (
            "unknown_image",
            '{"images": [], "annotations": [{"keypoints": [], "image_id": 1}]}',
            "entry without the name.*KeyError",
        ),
    )
    def test_other_files_are_told(self, text, message):
        with self.assertRaisesRegex(UserError, f"{message}"):
            self._read(text)


class ReadArrayTest(_FolderTestCase):
    def setUp(self):
        super().setUp()
        random = np.random.default_rng(0)
        self.joints = random.uniform(1, 99, (3, 14, 3))
        self.joints[..., 2] = random.integers(0, 2, (3, 14))

    def _check(self, path):
        poses = pose_files.read(path, descriptors.get("lspet"), "abc")

        self.assertEqual(list(poses), ["a", "b", "c"])
        for number, (pose,) in enumerate(poses.values()):
            is_present = self.joints[number, :, 2] == 1
            np.testing.assert_array_equal(pose.visibility == 2, is_present)
            np.testing.assert_allclose(
                pose.keypoints_xy[is_present],
                self.joints[number, is_present, :2],
                rtol=1e-6,
            )

    def test_pictures_are_numbered_in_both_forms(self):
        np.savez(self.root / "a.npz", joints=self.joints)
        io.savemat(
            self.root / "a.mat", {"joints": self.joints.transpose(1, 2, 0)}
        )

        self._check(self.root / "a.npz")
        self._check(self.root / "a.mat")

    def test_another_number_of_pictures_is_told(self):
        np.savez(self.root / "a.npz", joints=self.joints[:2])

        with self.assertRaisesRegex(UserError, "3 x 14 x 3; found: 2 x 14 x 3"):
            pose_files.read(
                self.root / "a.npz", descriptors.get("lspet"), "abc"
            )

    def test_unknown_kind_is_told(self):
        with self.assertRaisesRegex(UserError, "unknown kind.*found: .txt"):
            pose_files.read(self.root / "a.txt", LIP)


if __name__ == "__main__":
    absltest.main()
