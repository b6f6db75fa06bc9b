"""Tests of nppnet_tf.data.people.whole_picture."""

import pathlib

import numpy as np
from absl.testing import absltest
from absl.testing import parameterized
from scipy import io

from nppnet_tf.data.damage import BadRecordError
from nppnet_tf.data.people import whole_picture
from nppnet_tf.errors import UserError
from tests.data import person_trees


class ReadPersonJointsTest(parameterized.TestCase):
    def setUp(self):
        super().setUp()
        self.path = pathlib.Path(self.create_tempdir().full_path) / "a.mat"

    def _write(self, joints, boxes):
        person_trees.write_joints(self.path, joints, boxes)
        return whole_picture.read_person_joints(self.path, 14)

    def test_people_come_as_they_stand(self):
        joints = person_trees.joints(0)

        found = self._write(joints, person_trees.BOXES)

        self.assertEqual(found.count, 2)
        np.testing.assert_allclose(found.boxes, person_trees.BOXES)
        np.testing.assert_allclose(
            found.keypoints_xy[:, :-1], joints[:, :-1, :2], rtol=1e-6
        )
        np.testing.assert_array_equal(found.visibility[:, :-1], 2)

    def test_unmarked_joints_are_absent_wherever_they_stand(self):
        joints = person_trees.joints(0)
        joints[0, 0, 2] = 0
        joints[0, 1, 2] = np.nan
        joints[0, 2, 0] = np.nan
        joints[0, 3] = (0, 0, 1)

        found = self._write(joints, person_trees.BOXES)

        self.assertEqual(found.visibility[0, :5].tolist(), [0, 0, 0, 2, 2])
        np.testing.assert_array_equal(found.keypoints_xy[0, :3], 0)
        self.assertTrue(np.isnan(found.poses[0, :3]).all())
        np.testing.assert_array_equal(found.poses[0, 3], [0, 0])

    def test_people_without_a_box_are_left_out(self):
        joints = list(person_trees.joints(0))

        found = self._write(joints, [[], person_trees.BOXES[1]])

        self.assertEqual(found.count, 1)
        np.testing.assert_allclose(
            found.keypoints_xy[0, 0], joints[1][0, :2], rtol=1e-6
        )

    def test_person_with_a_box_alone_has_no_joint(self):
        found = self._write([[]], [person_trees.BOXES[0]])

        np.testing.assert_array_equal(found.visibility, np.zeros((1, 14)))

    def test_nobody_is_read(self):
        self.assertEqual(self._write([], []).count, 0)

    @parameterized.named_parameters(
        ("shape", [np.ones((16, 3))], [[0, 0, 1, 1]], "14 x 3; found: 16 x 3"),
        ("box", [np.ones((14, 3))], [[0, 0, 1]], "x1, y1, x2, y2"),
        ("box_nan", [np.ones((14, 3))], [[0, 0, 1, np.nan]], "x1, y1, x2, y2"),
        ("counts", [np.ones((14, 3))] * 2, [[0, 0, 1, 1]], "different people"),
    )
    def test_another_form_is_told(self, joints, boxes, message):
        with self.assertRaisesRegex(UserError, f"a.mat.*{message}|{message}"):
            self._write(joints, boxes)

    def test_text_is_told(self):
        io.savemat(self.path, {"joints": "abc", "boxes": [[0, 0, 1, 1]]})

        with self.assertRaisesRegex(UserError, r"no numbers.*a\.mat"):
            whole_picture.read_person_joints(self.path, 14)


class WholePictureTest(absltest.TestCase):
    def setUp(self):
        super().setUp()
        self.root = pathlib.Path(self.create_tempdir().full_path)
        person_trees.write(self.root, ["a"])
        self.picture = whole_picture.WholePicture(
            "a",
            self.root / "JPEGImages" / "a.jpg",
            self.root / "SegmentationPart" / "a.png",
        )

    def test_size_and_parts_are_read_from_the_files(self):
        self.assertEqual(self.picture.size(), person_trees.SIZE)
        np.testing.assert_array_equal(
            self.picture.label_map(), person_trees.label_map(0)
        )

    def test_damage_is_told_with_the_id(self):
        self.picture.image_path.write_bytes(b"torn")
        with self.assertRaisesRegex(BadRecordError, "record a: .*neither"):
            self.picture.size()
        self.picture.label_path.unlink()
        with self.assertRaisesRegex(BadRecordError, "record a: cannot be read"):
            self.picture.label_map()


if __name__ == "__main__":
    absltest.main()
