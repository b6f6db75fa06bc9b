"""Tests of nppnet_tf.outputs.output_folder."""

import json
import pathlib

from absl.testing import absltest

from nppnet_tf.errors import UserError
from nppnet_tf.outputs import output_folder
from nppnet_tf.outputs.output_folder import OutputFolder
from tests import schemas


class OutputFolderTest(absltest.TestCase):
    def setUp(self):
        super().setUp()
        base = pathlib.Path(self.create_tempdir().full_path)
        self.pictures = [base / "in" / name for name in ("a.jpg", "a.png")]
        self.output = base / "out"

    def _begin(self, layout="coco", pictures=None):
        folder = OutputFolder(self.output, layout, ".png")
        starts = folder.plan(pictures or self.pictures)
        folder.begin()
        return starts

    def test_the_same_command_goes_over_a_folder_again(self):
        starts = self._begin()

        self.assertEqual(list(starts.values()), ["a_jpg", "a_png"])
        self.assertEqual(self._begin(), starts)
        document = json.loads((self.output / output_folder.FILE).read_text())
        self.assertEmpty(schemas.faults(document, "predictions"))

    def test_other_pictures_and_formats_are_not_mixed_into_it(self):
        self._begin()

        for layout, pictures in (("lip", None), ("coco", self.pictures[:1])):
            with self.assertRaisesRegex(UserError, "made in another way"):
                self._begin(layout, pictures)

    def test_folders_of_others_are_refused(self):
        self.output.mkdir()
        (self.output / "mine.txt").touch()

        with self.assertRaisesRegex(UserError, "mixed.*`output`.*mine.txt"):
            self._begin()
        with self.assertRaisesRegex(UserError, "among the pictures"):
            self._begin(pictures=[self.output / "a.jpg"])


if __name__ == "__main__":
    absltest.main()
