"""Tests of inference.prediction_files."""

import json
import pathlib

import numpy as np
from absl.testing import absltest
from absl.testing import parameterized
from PIL import Image

from nppnet_tf.data import descriptors
from nppnet_tf.data import openpose
from nppnet_tf.data.descriptors import LIP
from nppnet_tf.errors import UserError
from nppnet_tf.evaluation import prediction_files
from nppnet_tf.inference.picture_answer import PersonAnswer
from nppnet_tf.inference.picture_answer import PictureAnswer
from tests import reference_arrays
from tests import shared

# Where each of LIP's joints stands in the order of the release.
_RELEASE_TO_LIP = [10, 9, 8, 11, 12, 13, 15, 14, 1, 0, 4, 3, 2, 5, 6, 7]

# COCO's joints in the order of OpenPose's, without those that are middles.
_COCO_IN_OPENPOSE = (0, 6, 8, 10, 5, 7, 9, 12, 14, 16, 11, 13, 15, 2, 1, 4, 3)


def _pose() -> tuple[np.ndarray, np.ndarray]:
    keypoints_xy = np.arange(32, dtype=np.float32).reshape(16, 2)
    return keypoints_xy, np.linspace(0.1, 0.85, 16, dtype=np.float32)


class LabelMapTest(absltest.TestCase):
    def setUp(self):
        super().setUp()
        self.folder = pathlib.Path(self.create_tempdir().full_path)

    def test_png_holds_classes_as_indices_and_their_colors(self):
        label_map = np.arange(20, dtype=np.uint8).reshape(4, 5)
        path = self.folder / "a.png"

        prediction_files.write_label_map(path, label_map, LIP)

        with Image.open(path) as image:
            self.assertEqual(image.mode, "P")
            np.testing.assert_array_equal(np.asarray(image), label_map)
            colors = np.asarray(image.convert("RGB")).reshape(-1, 3)
        np.testing.assert_array_equal(colors, LIP.palette)
        np.testing.assert_array_equal(
            prediction_files.read_label_map(path, LIP), label_map
        )

    def test_colored_picture_is_no_label_map(self):
        path = self.folder / "a.png"
        Image.new("RGB", (3, 3)).save(path)

        with self.assertRaisesRegex(UserError, "a.png.*found: colors"):
            prediction_files.read_label_map(path, LIP)

    def test_missing_file_is_named(self):
        with self.assertRaisesRegex(UserError, "absent.png"):
            prediction_files.read_label_map(self.folder / "absent.png", LIP)


class PoseTest(parameterized.TestCase):
    def test_openpose_body_25_has_each_joint_at_its_place(self):
        xy, scores = _pose()

        document = prediction_files.openpose_document(
            [PersonAnswer(xy, scores)], LIP
        )

        values = document["people"][0]["pose_keypoints_2d"]
        points = np.reshape(values, (25, 3))
        # OpenPose's index to LIP's.
        direct = dict(
            zip(
                (2, 3, 4, 5, 6, 7, 9, 10, 11, 12, 13, 14),
                (12, 11, 10, 13, 14, 15, 2, 1, 0, 3, 4, 5),
                strict=True,
            )
        )
        for theirs, ours in direct.items():
            np.testing.assert_allclose(points[theirs, :2], xy[ours])
            self.assertAlmostEqual(points[theirs, 2], scores[ours], places=3)
        np.testing.assert_allclose(points[1, :2], (xy[12] + xy[13]) / 2)
        np.testing.assert_allclose(points[8, :2], (xy[2] + xy[3]) / 2)
        self.assertFalse(points[[0, *range(15, 25)]].any())

    def test_openpose_coco_18_has_no_middle_of_the_hips(self):
        xy, scores = _pose()

        document = prediction_files.openpose_document(
            [PersonAnswer(xy, scores)], LIP, openpose.COCO_18
        )

        points = np.reshape(document["people"][0]["pose_keypoints_2d"], (18, 3))
        np.testing.assert_allclose(points[8, :2], xy[2])
        np.testing.assert_allclose(points[13, :2], xy[5])
        self.assertFalse(points[[0, 14, 15, 16, 17]].any())

    @parameterized.parameters(
        (openpose.BODY_25, (0, *range(2, 8), *range(9, 19))),
        (openpose.COCO_18, (0, *range(2, 18))),
    )
    def test_openpose_has_the_face_where_a_data_set_names_it(
        self, layout, places
    ):
        coco = descriptors.get("coco")
        xy = np.arange(34, dtype=np.float32).reshape(17, 2) + 1
        scores = np.linspace(0.2, 0.9, 17, dtype=np.float32)

        document = prediction_files.openpose_document(
            [PersonAnswer(xy, scores)], coco, layout
        )

        values = document["people"][0]["pose_keypoints_2d"]
        points = np.reshape(values, (-1, 3))
        for theirs, ours in zip(places, _COCO_IN_OPENPOSE, strict=True):
            np.testing.assert_allclose(points[theirs, :2], xy[ours])
            self.assertAlmostEqual(points[theirs, 2], scores[ours], places=3)
        np.testing.assert_allclose(points[1, :2], (xy[5] + xy[6]) / 2)
        self.assertFalse(points[19:].any())

    def test_joints_that_were_not_found_are_zeros_in_openpose(self):
        xy, _ = _pose()
        scores = np.full(16, 0.9, np.float32)
        # Knees, ankles and one hip; the other loses its middle.
        scores[[0, 1, 2, 4, 5]] = 0.29

        document = prediction_files.openpose_document(
            [PersonAnswer(xy, scores)], LIP, score_threshold=0.3
        )

        values = document["people"][0]["pose_keypoints_2d"]
        points = np.reshape(values, (25, 3))
        self.assertFalse(points[[8, 9, 10, 11, 13, 14]].any())
        np.testing.assert_allclose(points[12, :2], xy[3])
        np.testing.assert_allclose(points[1, :2], (xy[12] + xy[13]) / 2)

    def test_joints_that_were_not_found_have_v_0_in_coco(self):
        xy, scores = _pose()
        xy[15] = np.nan
        prediction = prediction_files.CocoPicture(
            "a.jpg", (9, 7), [PersonAnswer(xy, scores)]
        )

        document = prediction_files.coco_document([prediction], LIP, 0.3)

        self.assertEqual(
            document["images"],
            [{"id": 1, "file_name": "a.jpg", "width": 7, "height": 9}],
        )
        (person,) = document["annotations"]
        points = np.reshape(person["keypoints"], (16, 3))
        # Scores rise by 0.05 from 0.1: from the fifth on they are found.
        np.testing.assert_array_equal(points[:4], 0)
        np.testing.assert_array_equal(points[15], 0)
        np.testing.assert_allclose(points[4:15, :2], xy[4:15])
        np.testing.assert_array_equal(points[4:15, 2], 2)
        self.assertEqual(person["num_keypoints"], 11)
        self.assertEqual(person["bbox"], [8.0, 9.0, 20.0, 20.0])
        self.assertEqual(
            document["categories"][0]["keypoints"], list(LIP.keypoints)
        )

    def test_coco_of_nobody_holds_zeros(self):
        xy, _ = _pose()
        nobody = prediction_files.CocoPicture(
            "a.jpg", (9, 7), [PersonAnswer(xy, np.zeros(16))]
        )

        document = prediction_files.coco_document([nobody], LIP)

        (person,) = document["annotations"]
        self.assertFalse(any(person["keypoints"]))
        self.assertEqual((person["num_keypoints"], person["score"]), (0, 0.0))

    def test_document_says_which_joints_were_found(self):
        xy, scores = _pose()

        document = prediction_files.prediction_document(
            np.zeros((2, 5), np.uint8), xy, scores, "a.jpg", LIP, 0.5
        )

        self.assertEqual(document["score_threshold"], 0.5)
        self.assertEqual(
            [point["visible"] for point in document["keypoints"]],
            (scores >= 0.5).tolist(),
        )

    @parameterized.parameters(np.nan, np.inf, -np.inf)
    def test_no_document_holds_what_json_has_not(self, value):
        path = pathlib.Path(self.create_tempdir().full_path) / "a.json"
        xy, scores = _pose()
        xy[3], scores[4] = value, value
        picture = prediction_files.CocoPicture(
            "a.jpg", (2, 5), [PersonAnswer(xy, scores)]
        )

        for document in (
            prediction_files.prediction_document(
                np.zeros((2, 5), np.uint8), xy, scores, "a.jpg", LIP
            ),
            prediction_files.openpose_document([PersonAnswer(xy, scores)], LIP),
            prediction_files.coco_document([picture], LIP),
        ):
            prediction_files.write_json(path, document)

            self.assertNotRegex(path.read_text(), "NaN|Infinity")

    def test_document_names_joints_and_parts(self):
        label_map = np.zeros((2, 5), np.uint8)
        label_map[0, 0] = 13

        document = prediction_files.prediction_document(
            label_map, *_pose(), "a.jpg", LIP
        )

        self.assertEqual((document["height"], document["width"]), (2, 5))
        self.assertEqual(document["keypoints"][9]["name"], "head_top")
        self.assertEqual(document["keypoints"][9]["x"], 18.0)
        self.assertEqual(
            document["parts"],
            [
                {"id": 0, "name": "Background", "share": 0.9},
                {"id": 13, "name": "Face", "share": 0.1},
            ],
        )
        json.dumps(document)

    def test_people_have_their_own_parts_joints_and_boxes(self):
        xy, scores = _pose()
        label_map = np.array([[0, 5, 5, 0], [0, 9, 13, 13]], np.uint8)
        instances = np.array([[0, 1, 2, 0], [0, 1, 2, 2]], np.uint8)
        people = (
            PersonAnswer(xy, scores, (0.0, 0.0, 2.0, 2.0), 0.75),
            PersonAnswer(xy + 1, scores, (2.0, 0.0, 4.0, 2.0), 0.5),
            PersonAnswer(xy, scores, (0.0, 0.0, 1.0, 1.0), 0.25),
        )

        document = prediction_files.people_document(
            PictureAnswer(label_map, people, instances), "a.jpg", LIP, 0.3
        )

        self.assertEqual([p["id"] for p in document["people"]], [1, 2, 3])
        self.assertEqual(
            [[part["id"] for part in p["parts"]] for p in document["people"]],
            [[5, 9], [5, 13], []],
        )
        second = document["people"][1]
        self.assertEqual(second["box"], [2.0, 0.0, 4.0, 2.0])
        self.assertEqual(second["parts"][1]["share"], 0.25)
        self.assertEqual(second["keypoints"][9]["x"], 19.0)
        coco = prediction_files.coco_document(
            [
                prediction_files.CocoPicture("a.jpg", (2, 4), people),
                prediction_files.CocoPicture("b.jpg", (2, 4), people[:1]),
            ],
            LIP,
            0.3,
        )
        self.assertEqual(
            [(p["id"], p["image_id"]) for p in coco["annotations"]],
            [(1, 1), (2, 1), (3, 1), (4, 2)],
        )
        self.assertEqual(coco["annotations"][1]["bbox"], [2.0, 0.0, 2.0, 2.0])
        self.assertAlmostEqual(
            coco["annotations"][1]["score"], scores[4:].mean() * 0.5, places=5
        )


class PoseRowsTest(parameterized.TestCase):
    def setUp(self):
        super().setUp()
        folder = pathlib.Path(self.create_tempdir().full_path)
        self.path = folder / "poses.csv"

    def test_written_rows_are_read_again(self):
        pose = np.round(_pose()[0] * 3)
        pose[4] = np.nan

        for name in ("a_1", 'a,1"'):
            prediction_files.write_pose_rows(self.path, {name: pose})

            read = prediction_files.read_pose_rows(self.path, LIP)
            np.testing.assert_array_equal(read[name], pose)
            commas = name.count(",")
            self.assertLen(self.path.read_text().split(","), 33 + commas)

    def test_names_are_read_as_those_of_records(self):
        for name in ("b.jpg", "x/b.JPE", "x\\b.png", "b", "\ufeffb.jpg"):
            self.path.write_text(f"{name}{',1' * 32}\r\n", encoding="utf-8")

            self.assertEqual(
                list(prediction_files.read_pose_rows(self.path, LIP)), ["b"]
            )

    def test_rows_equal_those_of_the_reference(self):
        arrays = reference_arrays.load("ref_inference.npz")
        # Joints in LIP's order; it cuts fractions off, ours rounds.
        poses = np.trunc(arrays["csv_pose"][:, _RELEASE_TO_LIP, :2])
        names = [str(name) for name in arrays["csv_names"]]

        prediction_files.write_pose_rows(
            self.path, dict(zip(names, poses, strict=True))
        )

        for written, expected in zip(
            self.path.read_text().splitlines(),
            str(arrays["csv_text"]).split(),
            strict=True,
        ):
            name, _, cells = expected.partition(",")
            self.assertEqual(written, f"{name}.jpg,{cells}")

    def test_real_annotations_are_read(self):
        path = shared.shared_path("samples/lip_annotations/lip_val_pose_gt.csv")

        poses = prediction_files.read_pose_rows(path, LIP)

        self.assertLen(poses, 10000)
        absent = np.isnan(np.stack(list(poses.values()))).any(-1)
        self.assertAlmostEqual(absent.mean(), 0.097, places=3)

    @parameterized.named_parameters(
        ("columns", "a.jpg,1,2,3", "expected: 49 or 33; found: 4"),
        ("word", "a" + ",x" * 32, "not a number"),
        ("infinity", "a" + ",inf" * 32, "not a coordinate"),
        ("far", "a" + ",-1e300" * 32, "not a coordinate.*found: -1e.300"),
        ("twice", "a.jpg" + ",1" * 32 + "\na" + ",1" * 32, "comes twice"),
        ("empty", "\n", "no poses"),
        ("binary", b"\xff\xfe\x00", "not UTF-8"),
        ("zero", b"a\x00" + b",1" * 32, "not text"),
        ("nameless", ",1" * 32, "without a name"),
        ("folder", "a/.." + ",1" * 32, "without a name"),
        ("quotes", '"' + "a" * 200_000, "poses cannot be read"),
    )
    def test_wrong_row_is_named(self, text, message):
        self.path.write_bytes(
            text if isinstance(text, bytes) else text.encode()
        )

        with self.assertRaisesRegex(UserError, message):
            prediction_files.read_pose_rows(self.path, LIP)

    def test_line_is_named(self):
        self.path.write_text("a" + ",1" * 32 + "\nb" + ",1" * 31)

        with self.assertRaisesRegex(UserError, "poses.csv, line 2"):
            prediction_files.read_pose_rows(self.path, LIP)

    def test_missing_file_is_named(self):
        with self.assertRaisesRegex(UserError, "cannot be read.*poses.csv"):
            prediction_files.read_pose_rows(self.path, LIP)


if __name__ == "__main__":
    absltest.main()
