"""Tests of the folders that drawn people go to."""

import csv
import json
import pathlib

import numpy as np
from absl.testing import absltest
from absl.testing import parameterized
from PIL import Image

from nppnet_tf.data.readers import lip
from nppnet_tf.data.record import ABSENT
from nppnet_tf.data.record import OCCLUDED
from nppnet_tf.data.record import VISIBLE
from nppnet_tf.data.source import Options
from nppnet_tf.drawn_people import lip_folder
from nppnet_tf.drawn_people import person
from nppnet_tf.errors import UserError


def _contents(folder):
    """Every file below a folder."""
    return {
        path.relative_to(folder): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


class WriteLipTest(parameterized.TestCase):
    def setUp(self):
        super().setUp()
        self.root = pathlib.Path(self.create_tempdir().full_path) / "people"

    def _write(self, train=3, val=2, seed=4, median_size=(64, 48), **kwargs):
        return lip_folder.write_lip(
            self.root, {"train": train, "val": val}, seed, median_size, **kwargs
        )

    def _rows(self, split):
        path = self.root / "TrainVal_pose_annotations" / f"lip_{split}_set.csv"
        with path.open(newline="") as file:
            return list(csv.reader(file))

    def test_the_layout_is_lip_s(self):
        self._write()
        ids = (self.root / "TrainVal_images" / "train_id.txt").read_text()
        self.assertEqual(ids.split(), sorted(ids.split()))
        self.assertLen(ids.split(), 3)
        for name, row in zip(ids.split(), self._rows("train"), strict=True):
            self.assertEqual(row[0], f"{name}.jpg")
            self.assertLen(row, 49)
            labels_path = (
                self.root
                / "TrainVal_parsing_annotations"
                / "train_segmentations"
                / f"{name}.png"
            )
            folder = self.root / "TrainVal_images" / "train_images"
            with (
                Image.open(folder / row[0]) as picture,
                Image.open(labels_path) as labels,
            ):
                self.assertEqual(labels.mode, "L")
                self.assertEqual(labels.size, picture.size)

    def test_cells_say_nan_where_absent_and_one_where_occluded(self):
        self._write(train=12, val=0)
        kinds = set()
        for number, row in enumerate(self._rows("train")):
            drawn = person.draw_person(4, number, median_size=(64, 48))
            cells = np.array(row[1:]).reshape(16, 3)
            for cell, point, seen in zip(
                cells, drawn.keypoints_xy, drawn.visibility, strict=True
            ):
                kinds.add(int(seen))
                if seen == ABSENT:
                    self.assertEqual(cell.tolist(), ["nan"] * 3)
                    continue
                self.assertEqual(int(cell[2]), int(seen == OCCLUDED))
                np.testing.assert_allclose(
                    cell[:2].astype(float), point, atol=0.51
                )
        self.assertEqual(kinds, {ABSENT, OCCLUDED, VISIBLE})

    def test_the_lip_reader_reads_what_was_written(self):
        self._write()
        for split, count in (("train", 3), ("val", 2)):
            samples = lip.read([self.root], split, Options()).samples
            self.assertLen(samples, count)

    def test_a_second_call_keeps_what_is_there_and_draws_the_rest(self):
        self._write(train=2)
        folder = self.root / "TrainVal_images" / "train_images"
        before = {p.name: p.stat().st_mtime_ns for p in folder.iterdir()}
        steps = []
        self._write(train=4, advance=steps.append)
        after = {p.name: p.stat().st_mtime_ns for p in folder.iterdir()}
        self.assertLen(after, 4)
        self.assertEqual(sum(steps), 6)
        for name, time in before.items():
            self.assertEqual(after[name], time)
        self.assertLen(self._rows("train"), 4)

    def test_several_processes_draw_the_same(self):
        self._write(train=70, val=0, median_size=(48, 32))
        alone = _contents(self.root)
        self.root = self.root.with_name("others")

        self._write(train=70, val=0, median_size=(48, 32), num_workers=2)

        self.assertEqual(_contents(self.root), alone)

    def test_an_interrupted_call_is_taken_up_to_the_same_result(self):
        self._write(train=4, val=0)
        poses = self.root / "TrainVal_pose_annotations" / "lip_train_set.csv"
        whole = poses.read_text()
        # As a killed process leaves it: journal with half a line, no CSV.
        journal = poses.with_suffix(".csv.part")
        journal.write_text(whole[: len(whole) * 5 // 8])
        poses.unlink()
        (self.root / "TrainVal_images" / "train_id.txt").unlink()
        picture = next(
            (self.root / "TrainVal_images" / "train_images").iterdir()
        )
        content = picture.read_bytes()
        picture.unlink()
        self._write(train=4, val=0)
        self.assertEqual(poses.read_text(), whole)
        self.assertEqual(picture.read_bytes(), content)
        self.assertFalse(journal.exists())

    def test_another_seed_or_size_in_the_same_folder_is_refused(self):
        self._write(train=1, val=0)
        state = json.loads((self.root / "drawn.json").read_text())
        self.assertEqual(state["seed"], 4)
        with self.assertRaisesRegex(UserError, "other drawings"):
            self._write(seed=5)
        with self.assertRaisesRegex(UserError, "other drawings"):
            self._write(median_size=(96, 48))

    def test_a_folder_of_other_pictures_is_refused(self):
        (self.root / "TrainVal_images").mkdir(parents=True)
        with self.assertRaisesRegex(UserError, "not drawn"):
            self._write()

    def test_a_file_as_the_root_is_refused(self):
        self.root.write_text("")
        with self.assertRaisesRegex(UserError, "Not a folder"):
            self._write()

    @parameterized.parameters(({"train": -1},), ({"trian": 1},))
    def test_wrong_counts_are_refused_before_anything_is_made(self, counts):
        with self.assertRaises(UserError):
            lip_folder.write_lip(self.root, counts, 0)
        self.assertFalse(self.root.exists())


if __name__ == "__main__":
    absltest.main()
