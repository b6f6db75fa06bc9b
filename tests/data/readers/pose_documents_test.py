"""Tests of nppnet_tf.data.readers.pose_documents."""

import contextlib
import json
import pathlib

import numpy as np
from absl.testing import absltest
from absl.testing import parameterized

from nppnet_tf.data import descriptors
from nppnet_tf.data.descriptors import LIP
from nppnet_tf.data.readers import pose_documents
from nppnet_tf.data.readers.pose_documents import Naming
from nppnet_tf.errors import UserError
from tests import wrong_kinds

_COCO = descriptors.get("coco")


class ReadTest(parameterized.TestCase):
    def setUp(self):
        super().setUp()
        self.path = pathlib.Path(self.create_tempdir().full_path) / "p.json"

    def _read_file(self, document, descriptor=LIP, **naming):
        text = document if isinstance(document, str) else json.dumps(document)
        self.path.write_text(text)
        return pose_documents.read(self.path, descriptor, Naming(**naming))

    def _read(self, document, descriptor=LIP, **naming):
        return self._read_file(document, descriptor, **naming).poses

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
            "category_id": 1,
            "bbox": [10, 20, 30, 40],
            "keypoints": [7, 8, 2, 9, 10, 1, 0, 0, 0] + [1, 2, 2] * 14,
            "iscrowd": 0,
            **changes,
        }
        return {
            "images": [{"id": 3, "file_name": "train/x_1.jpg"}],
            "annotations": [annotation],
            "categories": [
                {
                    "id": 1,
                    "name": "person",
                    "keypoints": list(_COCO.keypoints),
                }
            ],
        }

    def test_coco_person_has_a_box_and_three_visibilities(self):
        (pose,) = self._read(self._coco(), _COCO)["x_1"]

        self.assertEqual(pose.box, (10, 20, 40, 60))
        self.assertEqual(pose.visibility[:4].tolist(), [2, 1, 0, 2])
        np.testing.assert_array_equal(
            pose.keypoints_xy[:3], [[7, 8], [9, 10], [0, 0]]
        )

    def test_coco_keypoints_are_found_by_their_names(self):
        names = [name.replace("_", "-").title() for name in _COCO.keypoints]
        document = self._coco(
            keypoints=[value for k in range(17) for value in (k, k, 2)]
        )
        document["categories"][0]["keypoints"] = names[::-1]

        (pose,) = self._read(document, _COCO)["x_1"]

        np.testing.assert_array_equal(
            pose.keypoints_xy[:, 0], np.arange(17)[::-1]
        )

    @parameterized.named_parameters(
        ("other", ["nose", "tail"], "other names.*17: nose.*2: nose, tail"),
        ("sixteen", list(LIP.keypoints), "other names.*17: nose.*16: right"),
        ("none", None, "no names of joints.*17 named.*coco17.*17 joints"),
        ("empty", [], "no names of joints"),
        ("repeated", ["nose"] * 17, "other names"),
        ("number", 5, "keypoints is not a list.*found: 5"),
        ("numbers", [5], "keypoints is not a text.*found: 5"),
    )
    def test_coco_joints_are_taken_by_name_or_not_at_all(self, names, message):
        document = self._coco()
        document["categories"][0]["keypoints"] = names

        with self.assertRaisesRegex(UserError, message):
            self._read(document, descriptors.get("coco"))

    def test_coco_joints_without_names_are_refused_with_both_numbers(self):
        document = self._coco()
        del document["categories"]

        with self.assertRaisesRegex(
            UserError, "16 named joints.*`joints`=coco17.*found: 17 joints"
        ):
            self._read(document, LIP)

    def test_user_says_the_order_that_the_file_does_not(self):
        document = self._coco()
        expected = self._read(document, _COCO)["x_1"][0]
        del document["categories"]

        (pose,) = self._read(document, _COCO, joints="coco17")["x_1"]

        np.testing.assert_array_equal(pose.keypoints_xy, expected.keypoints_xy)
        for joints, message in (
            ("lip", "other names.*16: right_ankle"),
            ("tail", "unknown order of joints.*coco17.*found: tail"),
        ):
            with self.assertRaisesRegex(UserError, message):
                self._read(document, _COCO, joints=joints)
        with self.assertRaisesRegex(UserError, "names its joints otherwise"):
            self._read(self._coco(), _COCO, joints="lip")

    def test_category_of_people_is_read_by_name(self):
        document = self._coco()
        dog = {"id": 7, "name": "dog", "keypoints": ["nose"]}
        document["categories"].insert(0, dog)
        bark = {"image_id": 3, "category_id": 7, "keypoints": [1, 2, 2]}
        document["annotations"].insert(0, bark)

        found = self._read_file(document, _COCO)

        (pose,) = found.poses["x_1"]
        self.assertEqual(pose.box, (10, 20, 40, 60))
        self.assertRegex(found.notes[0], "1 annotations of another category")
        document["categories"][1]["name"] = "human"
        with self.assertRaisesRegex(
            UserError, "no single category.*`category`.*dog, human"
        ):
            self._read(document, _COCO)
        (pose,) = self._read(document, _COCO, category="Human")["x_1"]
        self.assertEqual(pose.box, (10, 20, 40, 60))
        with self.assertRaisesRegex(UserError, "no single category.*cat"):
            self._read(document, _COCO, category="cat")

    @parameterized.named_parameters(
        ("crowd", {"iscrowd": 1}, "1 annotations crowds"),
        ("unknown", {"image_id": 9}, "1 annotations image_id unknown.*: .* 9"),
        ("no_joints", {"keypoints": None}, "1 annotations without keypoints"),
        ("other", {"category_id": 2}, "1 annotations of another category"),
    )
    def test_what_is_left_out_is_counted(self, changes, message):
        found = self._read_file(self._coco(**changes), _COCO)

        self.assertEmpty(found.poses)
        self.assertLen(found.notes, 1)
        self.assertRegex(found.notes[0], message)

    def test_same_annotation_twice_is_one_person(self):
        document = self._coco()
        document["annotations"] *= 2

        found = self._read_file(document, _COCO)

        self.assertLen(found.poses["x_1"], 1)
        self.assertRegex(found.notes[0], "1 annotations repeated")

    @parameterized.parameters("3", " 3", 3.0)
    def test_ids_are_the_same_as_texts(self, value):
        self.assertLen(self._read(self._coco(image_id=value), _COCO), 1)

    @parameterized.parameters(
        "x_1.jpg",
        "C:\\data\\x_1.jpg",
        "..\\..\\media/x_1.JPG",
        "http://host/x_1.jfif",
        "x_1",
    )
    def test_last_part_of_a_path_is_the_name(self, name):
        document = self._coco()
        document["images"][0]["file_name"] = name

        self.assertEqual(list(self._read(document, _COCO)), ["x_1"])

    def test_two_pictures_of_one_name_are_a_fault_of_it(self):
        document = self._coco()
        document["images"].append({"id": 4, "file_name": "val/x_1.jpg"})

        (pose,) = self._read(document, _COCO)["x_1"]

        self.assertRegex(pose.fault, "two pictures of one name")

    def test_two_pictures_of_one_id_are_told(self):
        document = self._coco()
        document["images"].append({"id": "3", "file_name": "y.jpg"})

        with self.assertRaisesRegex(UserError, "one id.*3: x_1 and y"):
            self._read(document, _COCO)

    @parameterized.named_parameters(
        ("number", {"keypoints": [1, 2, 2] * 16}, "another number.*48"),
        ("visibility", {"keypoints": [1, 2, 3] * 17}, "unknown visibility"),
        ("score", {"keypoints": [1, 2, 0.93] * 17}, "found: 0.93 of nose"),
        ("text", {"keypoints": "1 2 3"}, "malformed"),
    )
    def test_bad_coco_person_is_a_fault(self, changes, message):
        poses = self._read(self._coco(**changes), _COCO)

        self.assertRegex(poses["x_1"][0].fault, message)

    @parameterized.named_parameters(
        ("short", [1, 2], r"malformed; found: \[1, 2\]"),
        ("nan", [1, 2, float("nan"), 3], "malformed; found: .*NaN"),
        ("no_size", [0, 0, 0, 0], r"no size; found: \[0, 0, 0, 0\]"),
        ("turned", [5, 5, -2, 3], "no size"),
        ("text", "box", "malformed"),
        ("infinite", [1, 2, 1e400, 3], "malformed"),
    )
    def test_bad_box_leaves_the_joints(self, box, message):
        (pose,) = self._read(self._coco(bbox=box), _COCO)["x_1"]

        self.assertIsNone(pose.fault)
        self.assertIsNone(pose.box)
        self.assertRegex(pose.box_fault, message)

    def test_coco_states_the_size_of_the_picture(self):
        document = self._coco()

        for size, expected in (
            ({"height": 40, "width": 30}, (40, 30)),
            ({"height": "40", "width": 30.0}, (40, 30)),
            ({"height": 0, "width": 0}, None),
            ({"height": None}, None),
        ):
            document["images"][0] |= size
            (pose,) = self._read(document, _COCO)["x_1"]
            self.assertEqual(pose.stated_size, expected)

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
        ("torn", "[{", "not JSON.*p.json"),
        ("deep", "[" * 100000, "nested too deeply.*p.json"),
        ("number", "5", "JSON of another form.*found: 5"),
        ("names", '{"a": 1}', "JSON of another form.*found: a"),
        ("entry", "[5]", "not an object.*entry 0.*found: 5"),
        ("lip_entry", '{"root": [5]}', "not an object.*entry 0"),
        (
            "lip_name",
            '{"root": [{"im_name": [1], "joint_self": []}]}',
            "im_name is not a text.*found: a list",
        ),
        (
            "twice",
            '{"root": [{"im_name": "a.jpg", "joint_self": 0},'
            ' {"im_name": "b/a.png", "joint_self": 0}]}',
            "picture occurs twice.*found: a",
        ),
        (
            "images",
            '{"images": [{"id": 1}], "annotations": []}',
            "file_name is not a text.*images.0",
        ),
        (
            "categories",
            '{"images": [], "annotations": [], "categories": 5}',
            "categories is not a list.*found: 5",
        ),
    )
    def test_other_files_are_told(self, text, message):
        with self.assertRaisesRegex(UserError, message):
            self._read(text)

    def test_parts_of_any_kind_are_read_or_told(self):
        lip = {"im_name": "a.jpg", "joint_self": [[1, 2]] * 16}
        mpii = {
            "image": "b.jpg",
            "joints": [[11.0, 21.0]] * 16,
            "joints_vis": [1] * 16,
            "center": [101.0, 51.0],
            "scale": 0.4,
        }
        coco = self._coco()
        coco["images"][0] |= {"height": 40, "width": 30}

        for document, descriptor in (
            ({"root": [lip]}, LIP),
            ([mpii], descriptors.get("mpii")),
            (coco, _COCO),
        ):
            for what, changed in wrong_kinds.documents(document):
                with self.subTest(what), contextlib.suppress(UserError):
                    self._read(changed, descriptor)


if __name__ == "__main__":
    absltest.main()
