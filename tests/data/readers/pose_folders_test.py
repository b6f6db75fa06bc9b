"""Tests of data.readers.pose_folders; every form, beside outputs.formats."""

import json
import pathlib

import numpy as np
from absl.testing import absltest

from nppnet_tf.data.descriptors import LIP
from nppnet_tf.data.readers import pose_folders
from nppnet_tf.data.record import ABSENT
from nppnet_tf.data.record import VISIBLE
from nppnet_tf.errors import UserError
from nppnet_tf.evaluation import prediction_files


class PoseFoldersTest(absltest.TestCase):
    def setUp(self):
        super().setUp()
        self.folder = pathlib.Path(self.create_tempdir().full_path)
        self.xy = np.arange(32).reshape(16, 2) + 0.5
        self.scores = np.linspace(0, 0.31, 16)

    def _write(self, name, document):
        (self.folder / name).write_text(json.dumps(document))

    def _prediction(self):
        return prediction_files.prediction_document(
            np.zeros((50, 60), np.uint8), self.xy, self.scores, "a.png", LIP
        )

    def test_the_one_person_of_a_prediction_comes_back(self):
        document = self._prediction()
        # Names count, not places.
        document["keypoints"].reverse()
        self._write("a.json", document)

        ((pose,),) = pose_folders.read(self.folder, LIP, ["a"]).poses.values()

        self.assertIsNone(pose.fault)
        is_found = self.scores >= 0.1
        np.testing.assert_array_equal(
            pose.visibility, np.where(is_found, VISIBLE, ABSENT)
        )
        np.testing.assert_allclose(
            pose.keypoints_xy, np.where(is_found[:, np.newaxis], self.xy, 0)
        )
        self.assertEqual((pose.stated_size, pose.box), ((50, 60), None))

    def test_what_is_wrong_is_the_fault_of_its_picture(self):
        whole = self._prediction()
        renamed = json.loads(json.dumps(whole))
        renamed["keypoints"][0]["name"] = "tail"
        nowhere = json.loads(json.dumps(whole))
        nowhere["keypoints"][15]["x"] = None
        for name, document in {
            "a.json": [],
            "b.json": {"people": [{"box": [1]}]},
            "c.json": renamed,
            "d.json": nowhere,
            "e_keypoints.json": {"people": [{"pose_keypoints_2d": [1, 2]}]},
            "f_openpose.json": {},
        }.items():
            self._write(name, document)
        (self.folder / "g.json").write_text("{")
        names = list("abcdefgh")

        found = pose_folders.read(self.folder, LIP, names).poses

        self.assertEqual(list(found), names[:-1])
        for name, (pose,) in found.items():
            self.assertIsNotNone(pose.fault, name)
        self.assertIn("tail", found["c"][0].fault)

    def test_a_folder_without_a_file_of_the_pictures_is_told(self):
        self._write("b.json", self._prediction())

        with self.assertRaisesRegex(
            UserError, "no poses of the pictures.*<picture>_keypoints.json"
        ):
            pose_folders.read(self.folder, LIP, ["a"])


if __name__ == "__main__":
    absltest.main()
