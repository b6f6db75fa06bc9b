"""Tests of nppnet_tf.outputs.picture_run, with the writer of `own_files`."""

import json
import pathlib

import numpy as np
from absl.testing import absltest
from PIL import Image

from nppnet_tf.data.descriptors import LIP
from nppnet_tf.errors import UserError
from nppnet_tf.evaluation import picture_outputs
from nppnet_tf.inference.picture_answer import PersonAnswer
from nppnet_tf.inference.picture_answer import PictureAnswer
from nppnet_tf.outputs import formats
from nppnet_tf.outputs.picture_run import PictureRun
from nppnet_tf.outputs.writer import Names
from nppnet_tf.outputs.writer import Settings

_JOINTS = np.arange(32, dtype=np.float64).reshape(16, 2)


class _Model:
    """Sees the same in every picture."""

    finds_people = True

    def __init__(self, num_people):
        self._people = tuple(
            PersonAnswer(_JOINTS + k, np.full(16, 0.5), (k, 0.0, 9.0, 9.0), 0.5)
            for k in range(num_people)
        )

    def answer(self, path, data, image):
        del path, data
        instances = np.zeros(image.shape[:2], np.uint8)
        for number in range(len(self._people)):
            instances[:, number * 10 : number * 10 + 9] = number + 1
        label_map = np.where(instances > 0, 5, 0).astype(np.uint8)
        return PictureAnswer(label_map, self._people, instances), (
            (60, 0, 9, 9),
        )


class PictureRunTest(absltest.TestCase):
    def setUp(self):
        super().setUp()
        self.folder = pathlib.Path(self.create_tempdir().full_path)
        self.output = self.folder / "output"
        self.picture = self.folder / "a.png"
        Image.new("RGB", (30, 40)).save(self.picture)

    def _run(self, num_people, *others):
        lines = []
        writer = formats.FORMATS[formats.FILES](
            Settings(self.output, has_people=True)
        )
        starts = writer.plan([self.picture, *others])
        run = PictureRun(_Model(num_people), writer, Names(LIP), lines.append)
        run.run(starts)
        return run, lines

    def test_what_can_be_read_is_written_and_the_rest_is_told(self):
        absent = self.folder / "b.png"

        run, lines = self._run(2, absent)

        self.assertEqual(run.failures, [absent])
        self.assertEqual(lines[0], "a.png: box 60, 0, 9, 9 has no size")
        self.assertRegex(lines[1], "^skipped: not a file; where: .*b.png")
        self.assertCountEqual(
            [path.name for path in self.output.iterdir()],
            [f"a{ending}" for ending in picture_outputs.ENDINGS_OF_PEOPLE],
        )
        document = json.loads((self.output / "a.json").read_text())
        self.assertEqual(document["image"], "a.png")
        self.assertLen(document["people"], 2)
        with Image.open(self.output / "a_instances.png") as instances:
            self.assertEqual(instances.mode, "P")
            self.assertEqual(np.unique(instances).tolist(), [0, 1, 2])
        self.assertEqual(
            run.summary([]),
            ["1 of 2 pictures predicted, 2 people", "not read: b.png"],
        )

    def test_people_of_all_pictures_are_coco(self):
        run, _ = self._run(2)
        coco = self.folder / "of_all" / "coco.json"
        self.assertFalse(picture_outputs.is_coco(coco))

        run.write_coco(coco)

        self.assertTrue(picture_outputs.is_coco(coco))
        annotations = json.loads(coco.read_text())["annotations"]
        np.testing.assert_allclose(
            np.reshape(annotations[1]["keypoints"], [-1, 3])[:, :2],
            _JOINTS + 1,
        )

    def test_picture_of_nobody_is_told_and_written(self):
        run, lines = self._run(0)

        self.assertIn("a.png: no person found", lines)
        document = json.loads((self.output / "a.json").read_text())
        self.assertEqual(document["people"], [])
        run.require_some([], "here")

    def test_nothing_that_could_be_read_is_an_error(self):
        self.picture.unlink()
        run, _ = self._run(1)

        with self.assertRaisesRegex(UserError, "no picture could.*2 that are"):
            run.require_some([self.folder / "c.gif"], "here")


if __name__ == "__main__":
    absltest.main()
