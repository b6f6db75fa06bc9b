"""Tests of nppnet_tf.data.readers.pose_files."""

import pathlib

import numpy as np
from absl.testing import absltest
from scipy import io

from nppnet_tf.data import descriptors
from nppnet_tf.data.descriptors import LIP
from nppnet_tf.data.readers import pose_files
from nppnet_tf.errors import UserError


class ReadArrayTest(absltest.TestCase):
    def setUp(self):
        super().setUp()
        self.root = pathlib.Path(self.create_tempdir().full_path)
        random = np.random.default_rng(0)
        self.joints = random.uniform(1, 99, (3, 14, 3))
        self.joints[..., 2] = random.integers(0, 2, (3, 14))

    def _check(self, path):
        poses = pose_files.read(path, descriptors.get("lspet"), "abc").poses

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

    def test_joints_that_are_nowhere_are_noted(self):
        path = pathlib.Path(self.create_tempdir().full_path) / "pose.csv"
        cells = ["7,9,0", "0,0,0", "-1,-1,1"] + ["1,2,0"] * 13
        rows = ["a.jpg," + ",".join(cells), "b.jpg" + ",1,2,0" * 16]
        path.write_text("\n".join(rows))

        found = pose_files.read(path, LIP)

        (pose,) = found.poses["a"]
        np.testing.assert_array_equal(pose.visibility[:4], [2, 0, 0, 2])
        self.assertLen(found.notes, 1)
        self.assertRegex(found.notes[0], "2 joints .* count as absent: of a$")

    def test_table_without_a_visible_joint_is_noted(self):
        path = pathlib.Path(self.create_tempdir().full_path) / "pose.csv"
        for first, others, count in (
            ("1,2,1", "1,2,1", 1),
            ("1,2,0", "1,2,1", 0),
            ("nan,nan,nan", "1,2,1", 1),
            ("nan,nan,nan", "nan,nan,nan", 0),
        ):
            path.write_text(",".join(["a.jpg", first, *[others] * 15]))
            self.assertLen(pose_files.read(path, LIP).notes, count)

    def test_unknown_kind_is_told(self):
        with self.assertRaisesRegex(UserError, "unknown kind.*found: .txt"):
            pose_files.read(self.root / "a.txt", LIP)


if __name__ == "__main__":
    absltest.main()
