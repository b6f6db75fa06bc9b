"""Tests of nppnet_tf.evaluation.picture_outputs."""

import json
import pathlib

import numpy as np
from absl.testing import absltest

from nppnet_tf.errors import UserError
from nppnet_tf.evaluation import picture_outputs
from nppnet_tf.inference import predictor
from nppnet_tf.pictures import picture_files
from tests.inference import stand_in
from tests.inference import stand_in_models


class _Case(absltest.TestCase):
    def setUp(self):
        super().setUp()
        base = pathlib.Path(self.create_tempdir().full_path)
        self.pictures = base / "pictures"
        self.output = base / "output"
        self.pictures.mkdir()
        self.output.mkdir()

    def _save(self, name):
        path = self.pictures / name
        image = stand_in.picture(40, 30)
        path.write_bytes(picture_files.encode_png(image))
        return path


class PlanTest(_Case):
    def test_names_that_meet_become_longer(self):
        paths = [self.pictures / name for name in ("a.jpg", "a.png", "b.png")]

        self.assertEqual(
            picture_outputs.plan(paths, self.output),
            {"a.jpg": "a_jpg", "a.png": "a_png", "b.png": "b"},
        )

    def test_earlier_predictions_of_a_picture_alone_are_replaced(self):
        document = self.output / "a.json"
        document.write_text(json.dumps({"image": "a.png"}))
        (self.output / "a_overlay.png").touch()

        picture_outputs.plan([self.pictures / "a.png"], self.output)
        with self.assertRaisesRegex(UserError, "prediction of a.jpg"):
            picture_outputs.plan([self.pictures / "a.jpg"], self.output)
        document.unlink()
        with self.assertRaisesRegex(UserError, "found: another file"):
            picture_outputs.plan([self.pictures / "a.png"], self.output)

    def test_folder_of_the_pictures_is_refused(self):
        with self.assertRaisesRegex(UserError, "`output`.*the folder of"):
            picture_outputs.plan([self.pictures / "a.png"], self.pictures)

    def test_file_of_all_poses_is_none_of_the_planned_ones(self):
        for name in ("A_OVERLAY.png", "a.json"):
            with self.assertRaisesRegex(UserError, f"`coco`=.*{name}"):
                picture_outputs.refuse_planned(
                    self.output / name, self.output, ["a"]
                )
        for path in (self.output / "b.json", self.pictures / "a.json"):
            picture_outputs.refuse_planned(path, self.output, ["a"])


class WriterTest(_Case):
    def test_what_can_be_read_is_written_and_the_rest_is_told(self):
        writer = picture_outputs.PictureWriter(
            predictor.Predictor.from_directory(
                stand_in_models.exported_model()
            ),
            self.output,
            score_threshold=0.0,
        )
        whole, absent = self._save("a.png"), self.pictures / "b.png"
        lines = []

        poses, failures = writer.write_all(
            {whole: "x", absent: "y"}, say=lines.append
        )

        self.assertEqual(failures, [absent])
        self.assertRegex(lines[0], "^skipped: not a file; where: .*b.png")
        self.assertCountEqual(
            [path.name for path in self.output.iterdir()],
            [f"x{ending}" for ending in picture_outputs.ENDINGS],
        )
        document = json.loads((self.output / "x.json").read_text())
        self.assertEqual(document["image"], "a.png")
        coco = self.output / "of_all" / "coco.json"
        self.assertFalse(picture_outputs.is_coco(coco))
        writer.write_coco(coco, poses)
        self.assertTrue(picture_outputs.is_coco(coco))
        keypoints = json.loads(coco.read_text())["annotations"][0]["keypoints"]
        np.testing.assert_allclose(
            np.reshape(keypoints, [-1, 3])[:, :2],
            poses[0].keypoints_xy,
            atol=1e-3,
        )


if __name__ == "__main__":
    absltest.main()
