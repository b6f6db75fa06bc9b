"""Tests of nppnet_tf.evaluation.picture_outputs."""

import json
import pathlib

from absl.testing import absltest

from nppnet_tf.errors import UserError
from nppnet_tf.evaluation import picture_outputs


class _Case(absltest.TestCase):
    def setUp(self):
        super().setUp()
        base = pathlib.Path(self.create_tempdir().full_path)
        self.pictures = base / "pictures"
        self.output = base / "output"
        self.pictures.mkdir()
        self.output.mkdir()


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


if __name__ == "__main__":
    absltest.main()
