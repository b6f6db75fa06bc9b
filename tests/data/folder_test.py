"""Tests of nppnet_tf.data.folder."""

import pathlib

import numpy as np
from absl.testing import absltest

from nppnet_tf.data import folder
from nppnet_tf.data import images
from nppnet_tf.errors import UserError
from tests.data import sample_records
from tests.shared import shared_path


class ReadTest(absltest.TestCase):
    def setUp(self):
        super().setUp()
        self.root = pathlib.Path(self.create_tempdir().full_path)
        self.record = sample_records.make_record()

    def _write(self, name, content=None):
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content or self.record.image_bytes)

    def test_label_map_and_pose_belong_to_the_picture_of_their_name(self):
        self._write("b.jpg")
        self._write("id_000.jpg")
        self._write("id_000.png", images.encode_png(self.record.label_map))
        row = sample_records.pose_row(self.record)
        self._write("pose.csv", f"{row}\n".encode())

        first, second = (
            sample.load() for sample in folder.read_folder(self.root)
        )

        self.assertEqual((first.record_id, second.record_id), ("b", "id_000"))
        self.assertIsNone(first.label_map)
        self.assertIsNone(first.keypoints_xy)
        np.testing.assert_array_equal(second.label_map, self.record.label_map)
        np.testing.assert_array_equal(second.visibility, self.record.visibility)

    def test_png_alone_is_a_picture(self):
        self._write("a.png")

        (sample,) = folder.read_folder(self.root)

        self.assertIsNone(sample.label_path)

    def test_folders_of_their_own_allow_png_for_both(self):
        self._write("images/a.png")
        self._write("labels/a.png", images.encode_png(self.record.label_map))

        (sample,) = folder.read_folder(self.root)

        self.assertEqual(sample.load().label_map.shape, (40, 24))

    def test_rows_without_a_picture_are_told(self):
        self._write("a.jpg")
        row = sample_records.pose_row(self.record)
        self._write("pose.csv", row.encode())

        with self.assertRaisesRegex(UserError, "without a picture.*id_000"):
            folder.read_folder(self.root)

    def test_empty_folder_is_told(self):
        with self.assertRaisesRegex(UserError, "no pictures in the folder"):
            folder.read_folder(self.root)

    def test_missing_folder_is_told(self):
        with self.assertRaisesRegex(UserError, "no such folder"):
            folder.read_folder(self.root / "nowhere")

    def test_name_in_two_folders_is_told(self):
        self._write("one/a.jpg")
        self._write("two/a.jpg")

        with self.assertRaisesRegex(UserError, "two folders hold the same"):
            folder.read_all([self.root / "one", self.root / "two"])

    def test_real_samples_are_read(self):
        samples = folder.read_all(
            shared_path(f"samples/{name}")
            for name in ("lip_mmseg", "lip_jppnet", "lip_alexis97")
        )
        records = [sample.load() for sample in samples]

        self.assertLen(records, 16)
        self.assertLen([r for r in records if r.label_map is not None], 10)
        self.assertLen([r for r in records if r.visibility is not None], 7)


if __name__ == "__main__":
    absltest.main()
