"""Tests of nppnet_tf.data.raw."""

import dataclasses
import pathlib

import numpy as np
from absl.testing import absltest

from nppnet_tf.data import raw
from nppnet_tf.data.damage import BadRecordError
from nppnet_tf.data.raw import RawSample
from nppnet_tf.pictures import picture_files
from tests.data import sample_records


class RawSampleTest(absltest.TestCase):
    def setUp(self):
        super().setUp()
        root = pathlib.Path(self.create_tempdir().full_path)
        record = sample_records.make_record()
        self.image_path, self.label_path = root / "a.jpg", root / "a.png"
        self.image_path.write_bytes(record.image_bytes)
        self.label_path.write_bytes(picture_files.encode_png(record.label_map))
        self.sample = RawSample(
            "a",
            self.image_path,
            self.label_path,
            record.keypoints_xy,
            record.visibility,
        )

    def test_damaged_label_map_is_named_with_its_file(self):
        self.label_path.write_bytes(self.label_path.read_bytes()[:60])

        with self.assertRaisesRegex(BadRecordError, "record a: .*a.png"):
            self.sample.load()

    def test_fault_of_the_annotation_is_told(self):
        sample = dataclasses.replace(self.sample, fault="row is short")

        with self.assertRaisesRegex(BadRecordError, "record a: row is short"):
            sample.load()

    def test_digest_sees_every_part(self):
        digests = {self.sample.digest()}
        moved = self.sample.keypoints_xy + np.float32(1)
        for changes in (
            {"record_id": "b"},
            {"label_path": None},
            {"keypoints_xy": moved},
            {"visibility": None},
            {"image_path": self.label_path},
        ):
            digests.add(dataclasses.replace(self.sample, **changes).digest())

        self.assertLen(digests, 6)
        self.assertEqual(
            self.sample.digest(), dataclasses.replace(self.sample).digest()
        )

    def test_picture_is_found_by_any_of_its_extensions(self):
        folder = self.image_path.parent
        (folder / "b.PNG").write_bytes(b"")

        self.assertEqual(raw.find_image(folder, "a"), self.image_path)
        self.assertEqual(raw.find_image(folder, "b"), folder / "b.PNG")
        self.assertEqual(raw.find_image(folder, "c"), folder / "c.jpg")


if __name__ == "__main__":
    absltest.main()
