"""Tests of nppnet_tf.data.readers.cihp."""

import pathlib
import shutil

import numpy as np
from absl.testing import absltest

from nppnet_tf.data import inspection
from nppnet_tf.data.readers import cihp
from nppnet_tf.data.source import Options
from nppnet_tf.errors import UserError
from tests.data import person_trees
from tests.shared import shared_path


class ReadTest(absltest.TestCase):
    def setUp(self):
        super().setUp()
        self.root = pathlib.Path(self.create_tempdir().full_path)

    def _write_official(self, names):
        person_trees.write(self.root / "pascal", names)
        place = self.root / "Validation"
        place.mkdir()
        for name, found in (
            ("Images", "JPEGImages"),
            ("Category_ids", "SegmentationPart"),
            ("Human_ids", "Instances"),
        ):
            shutil.move(self.root / "pascal" / found, place / name)

    def test_folders_of_the_archive_are_the_splits(self):
        self._write_official(["a", "b"])

        source = cihp.read([self.root], "val", Options())

        self.assertEqual([s.record_id for s in source.samples], ["a", "b"])
        record = source.samples[0].load()
        np.testing.assert_array_equal(
            record.label_map, person_trees.label_map(0)
        )
        self.assertIsNone(record.keypoints_xy)
        self.assertIn("expected: 5000; found: 2", source.notes[0])
        self.assertEqual(source.descriptor.name, "cihp")
        self.assertEqual(source.facts["split"], "val")
        with self.assertRaisesRegex(UserError, "expected: 5000; found: 2"):
            cihp.read([self.root], "val", Options(strict=True))

    def test_people_are_cut_out_by_their_ids(self):
        self._write_official(["a"])

        source = cihp.read([self.root], "val", Options(people="instances"))

        first, second = (sample.load() for sample in source.samples)
        self.assertEqual(first.crop.box, (0, 0, 24, 40))
        np.testing.assert_array_equal(
            second.label_map, person_trees.label_map(0)[:, 24:]
        )
        (picture,) = cihp.read_pictures(self.root, "val")
        np.testing.assert_array_equal(
            picture.label_map(), person_trees.label_map(0)
        )
        self.assertIsNone(picture.people)

    def test_joints_are_not_taken(self):
        self._write_official(["a"])

        with self.assertRaisesRegex(UserError, "does not take.*`keypoints`"):
            cihp.read([self.root], "val", Options(keypoints="x"))

    def test_real_pictures_are_read(self):
        source = cihp.read([shared_path("samples/cihp")], None, Options())

        records = [
            inspection.inspect(sample.load(), source.descriptor)[0]
            for sample in source.samples
        ]
        self.assertLen(records, 6)
        self.assertEmpty([r for r in records if r.label_map is None])


if __name__ == "__main__":
    absltest.main()
